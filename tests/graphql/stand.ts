import { createServer } from 'node:http'
import { onTestFinished } from 'vitest'
import { createGauges } from '../../server/accounts/gauges/gauges.ts'
import { createLogins } from '../../server/accounts/login/oauth-login.ts'
import { createGraphqlDoor } from '../../server/graphql/server/door.ts'
import type { AccountTest } from '../../server/graphql/server/parts.ts'
import { createClientAddress } from '../../server/http/client-address.ts'
import type { Passwords } from '../../server/identity/passwords.ts'
import type { SessionTimes } from '../../server/identity/sessions.ts'
import { said } from '../../server/jobs/run-words.ts'
import { createRuns } from '../../server/jobs/runs.ts'
import { createReratings } from '../../server/ledger/reratings.ts'
import { createLog } from '../../server/log.ts'
import { openPrices } from '../../server/prices/open-prices.ts'
import { createRequestIds } from '../../server/request-ids.ts'
import { platforms } from '../../server/upstreams/platforms/platforms.ts'
import { createBench } from '../../server/upstreams/rules/rule-trial.ts'
import { createZoneDays } from '../../server/zone-days.ts'
import { memoryTransport } from '../live/live-stand.ts'
import { cheapPasswords } from '../support/cheap-passwords.ts'
import { listening } from '../support/listening.ts'
import { openNouns } from '../support/nouns.ts'

export const password = 'correct horse battery'

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they asked for
  data: any
  errors: { message: string; extensions?: { code?: string; requestId?: string } }[] | undefined
}

/** The GraphQL door on a socket, over a fresh database; the clock can be moved. */
export async function startGraphqlStand(
  options: { times?: SessionTimes; secureCookies?: boolean; ringSlots?: number; passwords?: Passwords } = {},
) {
  const nouns = await openNouns()
  const { database, seal, events, accounts, keys, rules } = nouns
  const clock = { atMs: Date.now() }
  const now = () => clock.atMs
  const dayAt = createZoneDays('UTC')
  const lines: string[] = []
  const tested: { account: string; model: string }[] = []
  const requestId = createRequestIds(1, now)
  const runs = createRuns({ database, newId: createRequestIds(4, now) })
  const live = await memoryTransport().join(
    options.ringSlots === undefined ? {} : { ringLimits: { slots: options.ringSlots, bytes: 16 * 1024 * 1024 } },
  )
  const prices = await openPrices(database)
  const reratings = createReratings({ database, price: prices.price, dayAt, now })
  const loads = {
    account: accounts.load,
    group: accounts.loadGroup,
    key: keys.load,
    price: prices.load,
    rule: rules.load,
    settings: async () => {},
  }
  const gauges = createGauges({
    database,
    events,
    now,
    onMoved: () => {},
    onError(error) {
      throw error
    },
  })
  onTestFinished(gauges.stop)
  const { graphql, setup, sessions } = createGraphqlDoor({
    limitsOf: async () => [],
    database,
    seal,
    events,
    users: nouns.users,
    passwords: options.passwords ?? cheapPasswords,
    accounts,
    gauges,
    keys,
    prices,
    reratings,
    rules,
    bench: createBench(rules, platforms),
    live,
    changed: (noun, id) => loads[noun](id),
    logins: createLogins({
      database,
      seal,
      now,
      authorizeAddress: (state) => `https://vendor.test/authorize?state=${state}`,
      exchange: async () => ({ kind: 'failed', reason: 'There is no vendor here.', byProxy: false }),
    }),
    async testAccount(account, model): Promise<AccountTest> {
      tested.push({ account: account.name, model })
      return { ok: true, latencyMs: 12, status: 200, message: 'It answered.', fault: null }
    },
    jobs: {
      list: async () => [{ name: 'probe', everyMs: 5000, nextAtMs: null, last: null }],
      runNow: async (name) => {
        if (name === 'rerate') await reratings.run()
        return true
      },
      noteTest: async () => undefined,
      probeNow: async () => ({
        ok: true,
        status: 200,
        startedMs: 0,
        latencyMs: 1,
        costNano: 0,
        words: said('answered'),
      }),
      probesOf: runs.ofAccounts,
      runsOf: runs.ofJobs,
    },
    routes: { traceOf: () => [], simulate: (key, model) => ({ atMs: now(), apiKeyId: key.id, model, candidates: [] }) },
    dayAt,
    now,
    newId: createRequestIds(2, now),
    log: createLog({ level: 'info', to: { write: (line: string) => void lines.push(line) } }),
    version: '0.0.0',
    clientAddress: createClientAddress(['127.0.0.1']),
    baseUrl: () => 'http://relay.test/claude-code',
    timeZone: 'UTC',
    secureCookies: options.secureCookies ?? false,
    sessionTimes: options.times,
  })
  const server = createServer((req, res) => graphql.handle(req, res, requestId()))
  const { port, close } = await listening(server)
  onTestFinished(close)
  const url = `http://127.0.0.1:${port}/graphql`

  /** One operation. `token` signs it, `cookie` goes with it, `from` is the address it comes from. */
  async function ask(
    query: string,
    variables: object = {},
    as: { token?: string; cookie?: string; from?: string } = {},
  ): Promise<Answer> {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(as.token !== undefined && { authorization: `Bearer ${as.token}` }),
        ...(as.cookie !== undefined && { cookie: as.cookie }),
        ...(as.from !== undefined && { 'x-forwarded-for': as.from }),
      },
      body: JSON.stringify({ query, variables }),
    })
    const { data, errors } = (await response.json()) as Pick<Answer, 'data' | 'errors'>
    return { status: response.status, headers: response.headers, data, errors }
  }

  async function signIn(username: string, word = password, from?: string) {
    const answer = await ask(
      `mutation ($input: SignInInput!) { signIn(input: $input) { __typename
        ... on SignInSuccess { session { accessToken expiresAt user { id username role } } }
        ... on SignInFailure { message retryAfterSeconds } } }`,
      { input: { username, password: word } },
      from === undefined ? {} : { from },
    )
    if (answer.errors) throw new Error(`${JSON.stringify(answer.errors)} ${lines.join('')}`)
    const cookie = answer.headers.get('set-cookie') ?? ''
    return {
      answer,
      result: { ...answer.data?.signIn, ...answer.data?.signIn?.session },
      cookie: cookie.split(';')[0]!,
      setCookie: cookie,
    }
  }

  async function addUser(username: string, role: 'admin' | 'user') {
    const passwordHash = await cheapPasswords.hash(password)
    const id = await nouns.write((tx) =>
      nouns.users.create(tx, { username, passwordHash, email: null, role, enabled: true }),
    )
    const { result } = await signIn(username)
    return { id, token: result.accessToken as string, globalId: result.user.id as string }
  }

  return {
    ...nouns,
    prices,
    gauges,
    live,
    sessions,
    graphql,
    url,
    port,
    clock,
    lines,
    tested,
    runs,
    setup,
    ask,
    signIn,
    addUser,
  }
}

export type GraphqlStand = Awaited<ReturnType<typeof startGraphqlStand>>

export const failureFields = `
  ... on InputFailure { message fields { path message } }
  ... on NotFoundFailure { message }
  ... on ConflictFailure { message }`
