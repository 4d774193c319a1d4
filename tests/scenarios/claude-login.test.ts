import { createHash } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { createConnectProxy } from '../support/connect-proxy.ts'
import type { FakeClaude } from '../support/fake-claude.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { accountWith, type ClaudeStand, signedIn, startClaudeStand } from './claude-stand.ts'

const create = `mutation ($input: CreateAccountInput!) { createAccount(input: $input) {
  ... on CreateAccountSuccess { account { id plan proxyChoice login { renews expiresAt } } }
  ... on InputFailure { fields { path message } } } }`
const begin =
  'mutation { beginClaudeLogin { ... on BeginClaudeLoginSuccess { url state } ... on ConflictFailure { message } } }'

/** Names of the fields that were refused, and what was said of them; nothing is stored when any is. */
async function add(stand: ClaudeStand, login: object, more: object = {}) {
  const { groups } = await stand.graphql('{ groups { edges { node { id } } } }')
  const input = {
    name: 'mine',
    platform: 'CLAUDE',
    url: stand.claude.url,
    groupIds: [groups.edges[0].node.id],
    login,
    ...more,
  }
  return (await stand.graphql(create, { input })).createAccount
}

const countOf = async (stand: ClaudeStand) =>
  (await stand.graphql('{ accounts { edges { node { id } } } }')).accounts.edges.length
const start = () => startClaudeStand(() => [])
const codeFrom = async (stand: ClaudeStand) => stand.claude.signIn((await stand.graphql(begin)).beginClaudeLogin.url)
const addressOf = (claude: FakeClaude, pasted: string) => {
  const [code = '', state = ''] = pasted.split('#')
  return `${claude.env['CLAUDE_REDIRECT_URL']}?${new URLSearchParams({ code, state })}`
}

test('a code opens the account, pasted as CODE#STATE or as the address; a state is good once', async () => {
  const stand = await start()
  const pasted = await codeFrom(stand)
  const made = await add(stand, { code: pasted }, { plan: 'max' })
  expect(made.account).toMatchObject({ plan: 'max', login: { renews: true } })
  expect((await stand.ask()).status).toBe(200)
  expect((await add(stand, { code: pasted }, { name: 'again' })).fields[0].path).toBe('login.code')
  const other = addressOf(stand.claude, await codeFrom(stand))
  expect((await add(stand, { code: other }, { name: 'other' })).account).toBeDefined()
  expect(await countOf(stand)).toBe(2)
})

test('a code without its state, with a foreign one, or refused by the vendor names its field, and nothing is stored', async () => {
  const stand = await start()
  const [code] = (await codeFrom(stand)).split('#')
  for (const wrong of [code, `${code}#${'x'.repeat(43)}`, 'https://example.com/?code=abc', 'nonsense']) {
    const { fields } = await add(stand, { code: wrong })
    expect(fields).toEqual([{ path: 'login.code', message: expect.any(String) }])
  }
  expect(stand.claude.grants).toEqual([])
  const { state } = (await stand.graphql(begin)).beginClaudeLogin
  const refused = await add(stand, { code: `code-that-nobody-gave#${state}` })
  expect(refused.fields).toEqual([{ path: 'login.code', message: expect.stringContaining('400 invalid_grant') }])
  expect(await countOf(stand)).toBe(0)
})

test('the code is exchanged through the proxy of the account; a proxy that does not work is named, and the code stays good', async () => {
  const stand = await start()
  const proxy = await createConnectProxy()
  const pasted = await codeFrom(stand)
  const broken = await add(stand, { code: pasted }, { proxy: 'http://user:PROXY-CANARY@127.0.0.1:1' })
  expect(broken.fields).toEqual([
    { path: 'proxy', message: expect.stringContaining('connection refused by proxy 127.0.0.1:1 (ECONNREFUSED)') },
  ])
  expect(JSON.stringify(broken)).not.toContain('CANARY')
  const made = await add(stand, { code: pasted }, { proxy: proxy.url })
  expect(made.account.proxyChoice).toBe('OWN')
  expect(proxy.targets).toEqual([`127.0.0.1:${stand.claude.port}`])
  await proxy.close()
})

test.each(['127.0.0.1', 'localhost'])(
  'code exchange, test, probe and renewal are refused an address of one’s own network (%s) as requests are, and name the remedy',
  async (host) => {
    const hour = 3_600_000
    const stand = await startClaudeStand((claude) => [accountWith(claude, claude.issue(), hour)], {
      vendor: { host },
      env: { UPSTREAM_ALLOW: '10.0.0.0/8' },
      jobs: { probeMs: hour, releaseMs: hour, pruneMs: hour, driftMs: hour },
      statePolicy: { failures: 1, windowMs: 60_000, firstCooldownMs: 1, maxCooldownMs: 1, halfOpenMs: 1 },
    })
    const { claude, graphql, ask } = stand
    const remedy = expect.stringMatching(/UPSTREAM_ALLOW, or the setting upstreamAllow/)
    const { fields } = await add(stand, { code: await codeFrom(stand) })
    expect(fields).toEqual([{ path: 'login.code', message: remedy }])
    const query = '{ accounts { edges { node { id state { name reason } } } } }'
    const node = async () => (await graphql(query)).accounts.edges[0].node
    const { id } = await node()
    const refused = { ok: false, status: null, message: remedy }
    const tried = `testAccount(input: { id: "${id}", model: "claude-haiku-4-5" }) { ... on TestAccountSuccess { ok status message } }`
    expect((await graphql(`mutation { ${tried} }`)).testAccount).toEqual(refused)
    expect((await ask()).status).toBe(503)
    const probed = `probeAccount(input: { id: "${id}" }) { ... on ProbeAccountSuccess { probe { ok status message } } }`
    expect((await graphql(`mutation { ${probed} }`)).probeAccount.probe).toEqual(refused)
    const login = { tokens: { ...claude.issue(), expiresAt: new Date(Date.now() - 60_000).toISOString() } }
    const renewed =
      'mutation ($id: ID!, $login: AccountLoginInput!) { updateAccount(input: { id: $id, login: $login }) { __typename } }'
    await graphql(renewed, { id, login })
    expect((await ask()).status).toBe(529)
    expect((await node()).state.reason).toEqual(remedy)
    expect([claude.requests, claude.grants]).toEqual([[], []])
  },
)

test('tokens by hand, a setup token, and credentials files in seconds and milliseconds open accounts', async () => {
  const stand = await start()
  const { claude } = stand
  const endMs = Math.floor(Date.now() / 1000) * 1000 + 3_600_000
  const [byHand, cli, sdk] = [claude.issue(), claude.issue(), claude.issue()]
  const files = [
    { claudeAiOauth: { ...cli, expiresAt: endMs, scopes: ['user:inference'], subscriptionType: 'max' } },
    {
      version: 1,
      type: 'oauth_token',
      access_token: sdk.accessToken,
      refresh_token: sdk.refreshToken,
      expires_at: endMs / 1000,
    },
  ]
  const expiresAt = new Date(endMs).toISOString()
  const hand = await add(stand, { tokens: { ...byHand, expiresAt } }, { name: 'hand' })
  expect(hand.account.login).toEqual({ renews: true, expiresAt })
  const setup = await add(stand, { setupToken: claude.issue().accessToken }, { name: 'setup' })
  expect(setup.account.login).toEqual({ renews: false, expiresAt: null })
  const plans = []
  for (const [index, file] of files.entries()) {
    const { account } = await add(stand, { credentialsFile: JSON.stringify(file) }, { name: `file ${index}` })
    expect(account.login).toEqual({ renews: true, expiresAt })
    plans.push(account.plan)
  }
  expect(plans).toEqual(['max', null])
})

test.each([
  ['not JSON', 'credentialsFile'],
  ['{}', 'credentialsFile'],
  ['{"claudeAiOauth":{"refreshToken":"CANARY"}}', 'credentialsFile'],
  ['{"claudeAiOauth":{"accessToken":"CANARY","expiresAt":"soon"}}', 'credentialsFile'],
])('the token file %j names its field, without what it holds', async (credentialsFile, field) => {
  const stand = await start()
  const { fields } = await add(stand, { credentialsFile })
  expect(fields).toEqual([{ path: `login.${field}`, message: expect.not.stringContaining('CANARY') }])
  expect(await countOf(stand)).toBe(0)
})

test('until an administrator turns them on and acknowledges the notice, they take no part; the audit keeps who and when', async () => {
  const stand = await startClaudeStand((claude) => [
    { platform: 'claude', url: claude.url, secret: undefined, accessToken: claude.issue().accessToken },
  ])
  const set = (enabled: boolean, acknowledged?: boolean) =>
    stand.graphql(
      `mutation ($enabled: Boolean!, $acknowledged: Boolean) { updateClaudeAccounts(input: { enabled: $enabled, acknowledged: $acknowledged }) {
        ... on UpdateClaudeAccountsSuccess { claudeAccounts { enabled acknowledgedBy { username } acknowledgedAt } }
        ... on InputFailure { fields { path } } } }`,
      { enabled, acknowledged },
    )
  await set(false)
  expect((await stand.ask()).status).toBe(503)
  expect(stand.claude.requests).toEqual([])
  expect((await stand.graphql(begin)).beginClaudeLogin.message).toContain('are off')
  expect((await add(stand, { setupToken: 'sk-ant-oat01-x' })).fields[0].path).toBe('platform')
  expect((await set(true)).updateClaudeAccounts.fields).toEqual([{ path: 'acknowledged' }])
  expect((await set(true, true)).updateClaudeAccounts.claudeAccounts).toMatchObject({
    enabled: true,
    acknowledgedBy: { username: 'admin' },
    acknowledgedAt: expect.any(String),
  })
  expect((await stand.ask()).status).toBe(200)
  const { headers } = stand.claude.requests[0]!
  expect(headers['anthropic-beta']).toBe('oauth-2025-04-20')
  const { auditEntries } = await stand.graphql('{ auditEntries { edges { node { action after user { username } } } } }')
  const rows = auditEntries.edges.map((edge: { node: object }) => edge.node)
  expect(rows.filter((row: { action: string }) => row.action === 'updateClaudeAccounts')[0]).toMatchObject({
    after: { acknowledged: expect.stringContaining('The terms of Claude subscriptions') },
  })
})

test('a state is good for the person who began alone, and for ten minutes', async () => {
  let offsetMs = 0
  const stand = await startClaudeStand(() => [], { now: () => Date.now() + offsetMs })
  const user = 'mutation { createUser(input: { username: "eve", password: "correct horse battery" }) { __typename } }'
  await stand.graphql(user)
  const eve = await signedIn(stand.app.url, 'eve')
  const group = 'mutation { createGroup(input: { name: "eves" }) { ... on CreateGroupSuccess { group { id } } } }'
  const groupId = (await eve(group)).createGroup.group.id
  const pasted = await codeFrom(stand)
  const input = {
    name: 'hers',
    platform: 'CLAUDE',
    url: stand.claude.url,
    groupIds: [groupId],
    login: { code: pasted },
  }
  expect((await eve(create, { input })).createAccount.fields[0].path).toBe('login.code')
  expect(stand.claude.grants).toEqual([])
  offsetMs = 600_001
  expect((await add(stand, { code: pasted })).fields[0].path).toBe('login.code')
  expect(stand.claude.grants).toEqual([])
  expect((await add(stand, { code: await codeFrom(stand) })).account).toBeDefined()
})

test('every place of a login is the deployment’s to say: page, token endpoint, redirect, client and scopes', async () => {
  const elsewhere = await createFakeUpstream()
  onTestFinished(() => elsewhere.close())
  const token = { access_token: 'token-of-elsewhere', expires_in: 60 }
  elsewhere.script((exchange) => exchange.respond(200, {}, token))
  const env = {
    CLAUDE_AUTHORIZE_URL: 'https://page.test/sign/in',
    CLAUDE_TOKEN_URL: `${elsewhere.url}/any/token`,
    CLAUDE_REDIRECT_URL: 'https://shown.test/code',
    CLAUDE_CLIENT_ID: 'a-client',
    CLAUDE_SCOPES: 'one:thing another',
  }
  const stand = await startClaudeStand(() => [], { env })
  const { url, state } = (await stand.graphql(begin)).beginClaudeLogin
  const page = new URL(url)
  expect(page.origin + page.pathname).toBe(env.CLAUDE_AUTHORIZE_URL)
  expect(Object.fromEntries(page.searchParams)).toMatchObject({
    client_id: 'a-client',
    redirect_uri: env.CLAUDE_REDIRECT_URL,
    scope: env.CLAUDE_SCOPES,
    code_challenge_method: 'S256',
    state,
  })
  expect((await add(stand, { code: `code-of-elsewhere#${state}` })).account).toBeDefined()
  const [sent] = elsewhere.requests
  expect(sent!.path).toBe('/any/token')
  const grant = JSON.parse(sent!.body.toString())
  expect(grant).toMatchObject({ client_id: 'a-client', redirect_uri: env.CLAUDE_REDIRECT_URL, state })
  const challenge = createHash('sha256').update(grant.code_verifier).digest('base64url')
  expect(challenge).toBe(page.searchParams.get('code_challenge'))
  // What is asked of the account itself goes where its URL says.
  await stand.ask()
  expect(stand.claude.requests.at(-1)!.headers.authorization).toBe('Bearer token-of-elsewhere')
})
