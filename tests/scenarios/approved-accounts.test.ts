import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createConnectProxy } from '../support/connect-proxy.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { listening } from '../support/listening.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'
import { adminEnv, signedIn, startClaudeStand } from './claude-stand.ts'
import { ask } from './pools.ts'

const create = `mutation ($input: CreateAccountInput!) { createAccount(input: $input) {
  ... on CreateAccountSuccess { account { id approved } } ... on InputFailure { fields { path message } } } }`
const update = `mutation ($input: UpdateAccountInput!) { updateAccount(input: $input) {
  ... on UpdateAccountSuccess { account { approved } } ... on InputFailure { fields { path message } } } }`
const approve = `mutation ($id: ID!, $approved: Boolean) { approveAccount(input: { id: $id, approved: $approved }) {
  ... on ApproveAccountSuccess { account { approved } } } }`
const testAccount = `mutation ($id: ID!) { testAccount(input: { id: $id, model: "m" }) {
  ... on TestAccountSuccess { ok status message failure { code } } } }`

/** A relay whose administrator granted loopback, and Eve, an ordinary user with a group. */
async function start() {
  const relay = await startRelayApp({ env: adminEnv, timers: { firstByteJsonMs: 10_000 } })
  onTestFinished(() => relay.stop())
  const admin = await signedIn(relay.app.url)
  await admin('mutation { createUser(input: { username: "eve", password: "correct horse battery" }) { __typename } }')
  const eve = await signedIn(relay.app.url, 'eve')
  const group = 'mutation { createGroup(input: { name: "eves" }) { ... on CreateGroupSuccess { group { id } } } }'
  const groupId = (await eve(group)).createGroup.group.id as string
  let count = 0
  const add = async (as: typeof eve, url: string, more: object = {}) => {
    const input = {
      name: `a${++count}`,
      platform: 'CONSOLE',
      url,
      upstreamApiKey: 'sk-up-0123456789',
      groupIds: [groupId],
    }
    return (await as(create, { input: { ...input, ...more } })).createAccount.account as {
      id: string
      approved: boolean
    }
  }
  const tried = async (id: string) => (await eve(testAccount, { id })).testAccount
  return { relay, admin, eve, groupId, add, tried }
}

async function shutPort(): Promise<number> {
  const server = await listening(createServer())
  await server.close()
  return server.port
}

test('fault 51: an ordinary user’s account in a private network is refused before connecting, in one sentence for open and shut ports', async () => {
  const upstream = await createFakeUpstream()
  const secure = await createFakeUpstream({ tls: true })
  onTestFinished(() => Promise.all([upstream.close(), secure.close()]).then(() => undefined))
  const { add, eve, tried } = await start()
  const shut = await shutPort()
  const said = new Map<string, Set<string>>()
  for (const [scheme, open] of [
    ['http', upstream.port],
    ['https', secure.port],
  ] as const) {
    for (const host of ['127.0.0.1', '169.254.169.254', '10.0.0.1', '[::1]', 'localhost'])
      for (const port of [open, shut]) {
        const { id, approved } = await add(eve, `${scheme}://${host}:${port}`)
        expect(approved).toBe(false)
        const found = await tried(id)
        expect(found).toMatchObject({ ok: false, status: null, failure: { code: 'ADDRESS_REFUSED' } })
        const sentence = found.message.replace(/^\S+ /, '')
        said.set(scheme, (said.get(scheme) ?? new Set()).add(sentence))
      }
  }
  expect([...said.values()].map(({ size }) => size)).toEqual([1, 1])
  for (const one of [upstream, secure]) expect([one.requests.length, one.connections()]).toEqual([0, 0])
})

test('fault 51: networks that administrators granted serve accounts that an administrator made or approved, until their owner sets another URL or proxy', async () => {
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  const { add, admin, eve, relay, tried } = await start()
  const own = await add(admin, upstream.url)
  expect(own.approved).toBe(true)

  const { id } = await add(eve, upstream.url)
  expect((await tried(id)).ok).toBe(false)
  await expect(eve(approve, { id })).rejects.toThrow('administrators')
  expect((await admin(approve, { id })).approveAccount.account.approved).toBe(true)
  expect(await tried(id)).toMatchObject({ ok: true, status: 200 })
  // What says nothing of the way keeps the approval.
  const edit = async (as: typeof eve, fields: object) =>
    (await as(update, { input: { id, upstreamApiKey: 'sk-up-9876543210', ...fields } })).updateAccount.account.approved
  expect(await edit(eve, { weight: 5, url: upstream.url, proxy: 'none' })).toBe(true)
  expect((await tried(id)).ok).toBe(true)
  expect(await edit(admin, { url: `${upstream.url}/admins` })).toBe(true)
  expect(await edit(eve, { url: `${upstream.url}/eves` })).toBe(false)
  expect(await tried(id)).toMatchObject({ ok: false, failure: { code: 'ADDRESS_REFUSED' } })
  // An administrator's edit is no approval: the rest of the account is still its owner's.
  expect(await edit(admin, { weight: 6 })).toBe(false)
  await admin(approve, { id })
  expect(await edit(eve, { proxy: 'http://proxy.example:8080' })).toBe(false)
  await admin(approve, { id })
  expect((await admin(approve, { id, approved: false })).approveAccount.account.approved).toBe(false)
  const audited = await relay.app.database.client.apiLog.findMany({ where: { action: 'approveAccount' } })
  expect(audited.map(({ before, after }) => [before, after]).at(-1)).toEqual([
    '{"approved":true}',
    '{"approved":false}',
  ])
})

test('fault 51: a proxy that an ordinary user chose obeys the policy too; the deployment’s own, and those of approved accounts, lie where they like', async () => {
  const proxy = await createConnectProxy({ refuseWith: 503 })
  onTestFinished(() => proxy.close())
  const { add, admin, eve, tried } = await start()
  const shut = await shutPort()
  const said = new Set<string>()
  for (const way of [
    proxy.url,
    `http://127.0.0.1:${shut}`,
    `socks5://127.0.0.1:${shut}`,
    `http://localhost:${proxy.port}`,
  ]) {
    const { id } = await add(eve, 'https://api.example.com', { proxy: way })
    const found = await tried(id)
    expect(found).toMatchObject({ ok: false, failure: { code: 'ADDRESS_REFUSED' } })
    said.add(found.message.replace(/^\S+ /, ''))
    if (way !== proxy.url) continue
    await admin(approve, { id })
    expect((await tried(id)).failure.code).toMatch(/^PROXY_/)
  }
  expect(said.size).toBe(1)
  expect(proxy.targets).toHaveLength(1)
})

test('fault 51: the code of a login is not sent through a proxy in a private network that an ordinary user names', async () => {
  const stand = await startClaudeStand(() => [])
  const proxy = await createConnectProxy()
  onTestFinished(() => proxy.close())
  await stand.graphql(
    'mutation { createUser(input: { username: "eve", password: "correct horse battery" }) { __typename } }',
  )
  const eve = await signedIn(stand.app.url, 'eve')
  const group = 'mutation { createGroup(input: { name: "eves" }) { ... on CreateGroupSuccess { group { id } } } }'
  const groupIds = [(await eve(group)).createGroup.group.id]
  const begin = 'mutation { beginClaudeLogin { ... on BeginClaudeLoginSuccess { url } } }'
  const code = stand.claude.signIn((await eve(begin)).beginClaudeLogin.url)
  const input = { name: 'hers', platform: 'CLAUDE', url: stand.claude.url, groupIds, login: { code } }
  const { fields } = (await eve(create, { input: { ...input, proxy: proxy.url } })).createAccount
  expect(fields).toEqual([{ path: 'proxy', message: expect.stringContaining('is not a public address') }])
  expect([proxy.targets.length, stand.claude.grants.length]).toEqual([0, 0])
  // The vendor's own address is the deployment's: without a proxy the code is good.
  expect((await eve(create, { input })).createAccount.account.approved).toBe(false)
})

test('fault 51: requests, probes and renewals of an account that is not approved go nowhere private', async () => {
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  const { add, eve, relay, groupId } = await start()
  await add(eve, upstream.url)
  const secret = 'sk-of-eve-0123456789abcdef'
  const key = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { __typename } }`
  await eve(key, { input: { name: 'eves', groupId, secret } })
  expect((await ask(relay.base, secret)).status).toBe(503)
  expect((await ask(relay.base, testKey)).status).toBe(503)
  expect(upstream.connections()).toBe(0)
})
