import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createConnectProxy } from '../support/connect-proxy.ts'
import type { RelayAppOptions } from '../support/relay-app.ts'
import { createSocksProxy } from '../support/socks-proxy.ts'
import { accountWith, type ClaudeStand, startClaudeStand } from './claude-stand.ts'

/** `upstream.test` is a name that only the proxies can resolve: what arrives there came through one. */
const vendor = { tls: true, host: 'upstream.test' }
const caFile = fileURLToPath(new URL('../support/pem/ca.pem', import.meta.url))
const credentials = { username: 'user', password: 'PROXY-CANARY:/@%é' }
const still = { probeMs: 3_600_000, releaseMs: 3_600_000, pruneMs: 3_600_000, driftMs: 3_600_000 }
/** The first failure already changes the account's state, and is told. */
const toldAtOnce = { failures: 1, windowMs: 60_000, firstCooldownMs: 60_000, maxCooldownMs: 60_000, halfOpenMs: 1 }

const begin = 'mutation { beginClaudeLogin { ... on BeginClaudeLoginSuccess { url } } }'
const create = `mutation ($input: CreateAccountInput!) { createAccount(input: $input) {
  ... on CreateAccountSuccess { account { id proxyChoice } } ... on InputFailure { fields { path message } } } }`
const testAccount =
  'mutation ($id: ID!) { testAccount(input: { id: $id, model: "m" }) { ... on TestAccountSuccess { ok status message failure { code place } } } }'
const probeAccount =
  'mutation ($id: ID!) { probeAccount(input: { id: $id }) { ... on ProbeAccountSuccess { probe { ok status message } } } }'
const stateOf = async ({ graphql }: ClaudeStand) =>
  (await graphql('{ accounts { edges { node { id state { name reason } } } } }')).accounts.edges[0].node

async function addByCode(stand: ClaudeStand, more: object) {
  const { groups } = await stand.graphql('{ groups { edges { node { id } } } }')
  const code = stand.claude.signIn((await stand.graphql(begin)).beginClaudeLogin.url)
  const input = {
    name: 'a',
    platform: 'CLAUDE',
    url: stand.claude.url,
    groupIds: [groups.edges[0].node.id],
    login: { code },
  }
  return (await stand.graphql(create, { input: { ...input, ...more } })).createAccount
}

const start = (env: Record<string, string>, accounts: Parameters<typeof startClaudeStand>[0] = () => []) =>
  startClaudeStand(accounts, {
    vendor,
    jobs: still,
    statePolicy: toldAtOnce,
    env: { CA_FILE: caFile, ...env },
  } satisfies RelayAppOptions & { vendor: object })

const proxies = { connect: createConnectProxy, socks: createSocksProxy }

test.each([
  ['connect', "the account's own"],
  ['socks', "the account's own"],
  ['connect', "the deployment's"],
  ['socks', "the deployment's"],
] as const)(
  'code exchange, requests, refresh, test and probe go through a %s proxy (%s), which resolves the name',
  { timeout: 60_000 },
  async (kind, whose) => {
    const proxy = await proxies[kind]({ credentials })
    onTestFinished(() => proxy.close())
    const isOwn = whose === "the account's own"
    const stand = await start(isOwn ? {} : { UPSTREAM_PROXY: proxy.url })
    const { claude, graphql, ask } = stand
    const { account } = await addByCode(stand, isOwn ? { proxy: proxy.url } : {})
    expect(account.proxyChoice).toBe(isOwn ? 'OWN' : 'DEFAULT')
    expect(claude.grants.map((grant) => grant['grant_type'])).toEqual(['authorization_code'])

    expect((await ask()).status).toBe(200)
    expect(claude.requests.at(-1)!.headers.host).toBe(`upstream.test:${claude.port}`)

    claude.revoke()
    expect((await ask()).status).toBe(200)
    expect(claude.grants.at(-1)).toMatchObject({ grant_type: 'refresh_token' })

    const { id } = account
    expect((await graphql(testAccount, { id })).testAccount).toMatchObject({ ok: true, status: 200 })

    claude.takesTokens = false
    expect((await ask()).status).toBe(503)
    expect((await stateOf(stand)).state.name).toBe('REAUTH_REQUIRED')
    claude.takesTokens = true
    const before = proxy.targets.length
    expect((await graphql(probeAccount, { id })).probeAccount.probe).toMatchObject({ ok: true, status: 200 })
    expect(claude.requests.at(-1)!.path).toBe('/api/oauth/usage')
    // A probe's worker has sockets of its own.
    expect(proxy.targets.length).toBe(before + 1)
    expect(new Set(proxy.targets)).toEqual(new Set([`upstream.test:${claude.port}`]))
    for (const text of stand.log) expect(text).not.toContain('CANARY')
  },
)

test.each([
  ['connect', { refuseWith: 503 }],
  ['socks', { refuseWith: 4 }],
] as const)(
  'a %s proxy that fails is named as the cause, without its password: of code exchange, requests, refresh, test and probe',
  { timeout: 60_000 },
  async (kind, options) => {
    const proxy = await proxies[kind]({ credentials, ...options })
    onTestFinished(() => proxy.close())
    const named = new RegExp(`\\bproxy 127\\.0\\.0\\.1:${proxy.port} `)
    const stand = await start({}, (claude) => [
      { name: 'a', proxy: proxy.url, ...accountWith(claude, claude.issue(), 8 * 3_600_000) },
    ])
    const { claude, graphql, ask } = stand
    const told: string[] = []

    const { fields } = await addByCode(stand, { name: 'b', proxy: proxy.url })
    expect(fields).toEqual([{ path: 'proxy', message: expect.stringMatching(named) }])
    told.push(JSON.stringify(fields))

    const { id } = await stateOf(stand)
    const tried = (await graphql(testAccount, { id })).testAccount
    expect(tried).toMatchObject({
      ok: false,
      status: null,
      message: expect.stringMatching(named),
      failure: { code: expect.stringMatching(/^PROXY_/), place: expect.stringContaining(`127.0.0.1:${proxy.port}`) },
    })

    const answer = await ask()
    expect(answer.status).toBe(529)
    expect(answer.text).not.toContain('127.0.0.1')
    const { state } = await stateOf(stand)
    expect(state).toEqual({ name: 'RECOVERING', reason: expect.stringMatching(named) })

    const probed = (await graphql(probeAccount, { id })).probeAccount.probe
    expect(probed).toMatchObject({ ok: false, status: null, message: expect.stringMatching(named) })

    const login = { tokens: { ...claude.issue(), expiresAt: new Date(Date.now() - 60_000).toISOString() } }
    const renewed = `mutation ($id: ID!, $login: AccountLoginInput!) { updateAccount(input: { id: $id, login: $login }) { __typename } }`
    await graphql(renewed, { id, login })
    expect((await ask()).status).toBe(529)
    const after = await stateOf(stand)
    expect(after.state).toEqual({ name: 'RECOVERING', reason: expect.stringMatching(named) })
    expect(claude.requests).toEqual([])
    told.push(JSON.stringify([tried, state, probed, after]), answer.text, ...stand.log)
    for (const text of told) expect(text).not.toContain('CANARY')
  },
)

test('an account that says `none` goes straight, whatever the deployment’s proxy: code, request, refresh, test and probe', async () => {
  const proxy = await createConnectProxy({ refuseWith: 503 })
  onTestFinished(() => proxy.close())
  const stand = await startClaudeStand(() => [], { jobs: still, env: { UPSTREAM_PROXY: proxy.url } })
  const { claude, graphql, ask } = stand
  const { account } = await addByCode(stand, { proxy: 'none' })
  expect(account.proxyChoice).toBe('NONE')
  claude.revoke()
  expect((await ask()).status).toBe(200)
  expect((await graphql(testAccount, { id: account.id })).testAccount.ok).toBe(true)
  claude.takesTokens = false
  await ask()
  claude.takesTokens = true
  expect((await graphql(probeAccount, { id: account.id })).probeAccount.probe.ok).toBe(true)
  expect(proxy.targets).toEqual([])
})
