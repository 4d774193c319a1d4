// Over 300 lines: every place where a secret could have been kept is looked at in one story.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { engines, redisUrl } from '../support/engines.ts'
import {
  bearerOf,
  echoes,
  echoesAndBreaks,
  echoesAsText,
  echoesInEnvelope,
  echoesWithoutToken,
  quotesToken,
  quotesTokenInAnswers,
} from './claude-quotes.ts'
import { type ClaudeStand, type Graphql, signedIn, startClaudeStand } from './claude-stand.ts'

/** Nothing happens by the clock here: what is due is asked for. */
const still = { probeMs: 3_600_000, releaseMs: 3_600_000, pruneMs: 3_600_000, driftMs: 3_600_000 }
const create = `mutation ($input: CreateAccountInput!) { createAccount(input: $input) { __typename
  ... on CreateAccountSuccess { account { id login { refreshFailure } state { reason } } }
  ... on InputFailure { message fields { path message } } } }`
const update = `mutation ($input: UpdateAccountInput!) { updateAccount(input: $input) { __typename
  ... on UpdateAccountSuccess { account { id login { refreshFailure } } }
  ... on InputFailure { message fields { path message } } ... on NotFoundFailure { message } } }`
const testAccount = `mutation ($id: ID!) { testAccount(input: { id: $id, model: "m" }) { __typename
  ... on TestAccountSuccess { ok status message } ... on InputFailure { fields { path message } } } }`
const probeAccount = `mutation ($id: ID!) { probeAccount(input: { id: $id }) { __typename
  ... on ProbeAccountSuccess { probe { ok status message } } ... on ConflictFailure { message } } }`
const everything = `{
  accounts { edges { node { id name plan url login { expiresAt renews refreshedAt refreshFailure refreshError }
    state { name reason models { model reason } } limitGauges { window status }
    probes { nodes { status message } }
    timeline { edges { node { reason errorType errorCode errorMessage } } } } } }
  auditEntries(first: 100) { edges { node { action before after } } }
  requests { nodes { errorType attempts { errorType upstreamRequestId } } }
  claudeAccounts { notice } }`

async function tablesOf({ app }: ClaudeStand): Promise<string[]> {
  const sql =
    app.database.engine === 'sqlite'
      ? "SELECT name FROM sqlite_master WHERE type = 'table'"
      : 'SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()'
  return (await app.database.select(sql)).map(([name]) => String(name))
}

async function dumpOf({ app }: ClaudeStand, table: string): Promise<string> {
  const rows = await app.database.select(`SELECT * FROM \`${table}\``)
  return rows
    .flat()
    .map((cell) =>
      ArrayBuffer.isView(cell) ? Buffer.from(cell as never as Uint8Array).toString('latin1') : String(cell),
    )
    .join('|')
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** All that subscribers are told, as text that grows. */
async function listen({ app }: ClaudeStand, { token }: Graphql): Promise<() => string> {
  const leave = new AbortController()
  onTestFinished(() => leave.abort())
  const query = `subscription { accountEvents { events { ... on AccountChanged { account { name state { reason models { model reason } } }
    steps { reason errorType errorCode errorMessage } } } } }`
  const answer = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    signal: leave.signal,
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ query }),
  })
  let text = ''
  const read = async () => {
    for await (const part of answer.body!.pipeThrough(new TextDecoderStream()) as unknown as AsyncIterable<string>)
      text += part
  }
  read().catch(() => {})
  return () => text
}

/** Every command that anybody gives Redis meanwhile: what is published, kept and locked. */
async function watchRedis(): Promise<() => string> {
  if (engines === 'embedded') return () => ''
  const redis = new Redis(redisUrl)
  const monitor = await redis.monitor()
  onTestFinished(() => {
    monitor.disconnect()
    redis.disconnect()
  })
  const lines: string[] = []
  monitor.on('monitor', (_time: string, args: string[]) => lines.push(args.join(' ')))
  return () => lines.join('\n')
}

test('tokens, codes, verifiers, states and credentials files are nowhere but sealed, whatever a vendor does with them', {
  timeout: 60_000,
}, async () => {
  let offsetMs = 0
  const redis = await watchRedis()
  // Without a prefix that the log would know them by, and good as identifiers.
  const stand = await startClaudeStand(() => [], {
    vendor: { prefixes: ['oatCANARY', 'ortCANARY'] },
    now: () => Date.now() + offsetMs,
    jobs: still,
  })
  const { claude, app } = stand
  let signed = stand.graphql
  const events = [await listen(stand, signed)]
  /** Sessions are short: whoever waits signs in again. */
  async function later(ms: number): Promise<void> {
    offsetMs += ms
    signed = await signedIn(app.url)
    events.push(await listen(stand, signed))
  }
  const answers: string[] = []
  const secrets = new Set<string>()
  const graphql = async (query: string, variables: object = {}) => {
    const data = await signed(query, variables)
    answers.push(JSON.stringify(data))
    return data
  }
  const { groups } = await graphql('{ groups { edges { node { id } } } }')
  const groupId = groups.edges[0].node.id
  const add = (name: string, login: object) =>
    graphql(create, { input: { name, platform: 'CLAUDE', url: claude.url, groupIds: [groupId], login } })

  /** What the relay's clients get, but for what a vendor writes as content. */
  async function ask(body: object = {}) {
    const answer = await stand.ask(body)
    answers.push(JSON.stringify([...answer.headers]), answer.status === 200 ? '' : answer.text)
    return answer
  }

  /** What is shown to the person who signs in holds the state, and goes nowhere else. */
  async function pasted(): Promise<string> {
    const begin = 'mutation { beginClaudeLogin { ... on BeginClaudeLoginSuccess { url state } } }'
    const { url, state } = (await signed(begin)).beginClaudeLogin
    const text = claude.signIn(url)
    for (const secret of [state, text, text.split('#')[0]!]) secrets.add(secret)
    return text
  }

  // Each way in.
  const byCode = (await add('by code', { code: await pasted() })).createAccount.account.id
  const [hand, setup, file] = [claude.issue(), claude.issue(), claude.issue()]
  await add('by hand', { tokens: { ...hand, expiresAt: new Date(Date.now() + 3_600_000).toISOString() } })
  await add('by setup token', { setupToken: setup.accessToken })
  const credentials = { ...file, expiresAt: Date.now() + 3_600_000, organization: 'fileCANARY-organization' }
  await add('by file', { credentialsFile: JSON.stringify({ claudeAiOauth: credentials }) })
  expect((await graphql(everything)).accounts.edges).toHaveLength(4)
  for (const secret of ['fileCANARY-organization', setup.refreshToken]) secrets.add(secret)

  // Refused and broken ways in: the secret stands in what was given, in the vendor's answer, or in a file that is none.
  for (const script of [
    ...[400, 401, 403, 404, 429, 500, 302].map(echoes),
    echoesInEnvelope,
    echoesAsText,
    echoesWithoutToken,
    echoesAndBreaks,
  ]) {
    claude.grantScript = script
    const refused = await add('refused', { code: await pasted() })
    expect(refused.createAccount.__typename).toBe('InputFailure')
  }
  claude.grantScript = null
  for (const login of [
    { code: 'codeCANARY-without-state' },
    { tokens: { accessToken: 'accessCANARYé' } },
    { tokens: { accessToken: 'accessCANARY', refreshToken: 'refreshCANARYé' } },
    { setupToken: 'setupCANARYé' },
    { credentialsFile: '{"claudeAiOauth":{"accessToken":"tokenCANARYé","refreshToken":"refreshCANARY"}}' },
    { credentialsFile: '{"claudeAiOauth":{"accessToken":"tokenCANARY","expiresAt":"timeCANARY"}}' },
    { credentialsFile: 'no JSON: fileCANARY' },
  ])
    expect((await add('refused', login)).createAccount.__typename).toBe('InputFailure')

  // Renewed ahead of the end by the clock, then by requests, with a vendor that quotes what it is sent.
  await later(3_600_000 - 60_000)
  await graphql('mutation { runJob(input: { name: REFRESH }) { __typename } }')
  const renewed = async () =>
    JSON.stringify(await graphql('{ accounts { edges { node { login { refreshedAt } } } } }')).match(/"refreshedAt":"/g)
  await expect.poll(async () => (await renewed())?.length, { timeout: 30_000 }).toBe(2)
  const { edges } = (await graphql(everything)).accounts
  const bySetupToken = edges.find(({ node }: { node: { name: string } }) => node.name === 'by setup token').node.id
  await graphql(update, { input: { id: bySetupToken, enabled: false } })
  for (const script of [
    ...[500, 429, 302].map(echoes),
    echoesAsText,
    echoesWithoutToken,
    echoesAndBreaks,
    echoesInEnvelope,
    echoes(400),
  ]) {
    claude.grantScript = script
    await later(9 * 3_600_000)
    const before = claude.grants.length
    expect((await ask()).status).toBeGreaterThanOrEqual(500)
    expect(claude.grants.length).toBeGreaterThan(before)
  }
  claude.grantScript = null

  // A login that is over, looked at, tested, tried, and given anew.
  const again = await graphql(update, { input: { id: byCode, login: { code: await pasted() } } })
  expect(again.updateAccount.__typename).toBe('UpdateAccountSuccess')
  for (const { node } of (await graphql(everything)).accounts.edges)
    if (node.id !== byCode) await graphql(update, { input: { id: node.id, enabled: false } })
  const isMessage = ({ path }: { path: string }) => path.startsWith('/v1/messages')
  for (const status of [400, 401, 403, 404, 429, 500, 529]) {
    const takeBack = claude.scriptWhen(isMessage, quotesToken(status))
    await ask({ stream: status % 2 === 0 })
    await graphql(testAccount, { id: byCode })
    await graphql(probeAccount, { id: byCode })
    await graphql('mutation ($id: ID!) { clearAccountState(input: { id: $id }) { __typename } }', { id: byCode })
    takeBack()
  }
  for (const [index, script] of quotesTokenInAnswers.entries()) {
    const takeBack = claude.scriptWhen(isMessage, script)
    await ask({ stream: index > 2 })
    await graphql(testAccount, { id: byCode })
    await graphql('mutation ($id: ID!) { clearAccountState(input: { id: $id }) { __typename } }', { id: byCode })
    takeBack()
  }
  claude.takesTokens = false
  await ask()
  await graphql(probeAccount, { id: byCode })
  await graphql(testAccount, { id: byCode })
  await app.settled()
  await graphql(everything)

  for (const grant of claude.grants)
    for (const name of ['code', 'state', 'code_verifier', 'refresh_token'])
      if (typeof grant[name] === 'string') secrets.add(grant[name])
  for (const { headers } of claude.requests) secrets.add(bearerOf(headers.authorization))
  for (const { accessToken, refreshToken } of claude.issued) secrets.add(accessToken).add(refreshToken)
  secrets.delete('')
  const found = [...secrets, 'CANARY'].flatMap((text) => [text, Buffer.from(text).toString('base64').slice(0, -4)])
  expect(secrets.size).toBeGreaterThan(60)

  const stores = new Map<string, string>([
    ['log', stand.log.join('\n')],
    ['events', events.map((said) => said()).join('\n')],
    ['redis', redis()],
    ['answers', answers.join('\n')],
  ])
  for (const table of await tablesOf(stand)) stores.set(`table ${table}`, await dumpOf(stand, table))
  for (const path of await filesBelow(stand.dataDir)) stores.set(path, (await readFile(path)).toString('latin1'))
  // The search would find what is there.
  expect(stores.get('log')).toContain('by code')
  expect(stores.get('events')).toContain('by code')
  expect(stores.get('table accounts')).toContain('by setup token')
  expect(stores.get('table api_logs')).toContain('setupToken')
  expect(stores.get('table account_events')).toContain('401')
  if (engines === 'services') expect(stores.get('redis')).toContain('by code')
  for (const [store, text] of stores) {
    const leaked = found.filter((secret) => text.includes(secret))
    expect(
      leaked.map((secret) => around(text, secret)),
      store,
    ).toEqual([])
  }
})

const around = (text: string, secret: string): string => {
  const at = text.indexOf(secret)
  return text.slice(Math.max(0, at - 120), at + secret.length + 40)
}
