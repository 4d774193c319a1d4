import { expect, onTestFinished, test } from 'vitest'
import { engines, newDatabaseAddress, redisUrl } from '../support/engines.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { type RelayApp, type RelayAppOptions, startRelayApp, testKey } from '../support/relay-app.ts'
import { askGraphql, signedIn } from './graphql-asking.ts'
import { ask } from './pools.ts'

const password = 'correct horse battery'

async function start(url: string, options: RelayAppOptions = {}) {
  const relay = await startRelayApp({
    accounts: [{ url }],
    // The first failure already tells what it was.
    statePolicy: { failures: 1, windowMs: 60_000, firstCooldownMs: 1, maxCooldownMs: 1, halfOpenMs: 1 },
    ...options,
    env: { UPSTREAM_ALLOW: '10.0.0.0/8', DEFAULT_ADMIN_PASSWORD: password, ...options.env },
  })
  onTestFinished(() => relay.stop())
  return { relay, admin: await signedIn(relay.app.url, 'admin', password) }
}

async function allow({ app }: RelayApp, token: string, value: string) {
  const { data } = await askGraphql(
    app.url,
    'mutation ($value: [String!]!) { updateSettings(input: { upstreamAllow: $value }) { __typename ' +
      '... on UpdateSettingsSuccess { settings { upstreamAllow } } ... on InputFailure { fields { path message } } } }',
    { value: value.split(/\s+/).filter(Boolean) },
    token,
  )
  return data.updateSettings
}

const status = async (relay: RelayApp): Promise<number> => (await ask(relay.base, testKey)).status

test('an address of one’s own network is refused, the refusal names both remedies, and an administrator’s setting admits it at once', async () => {
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  const { relay, admin } = await start(upstream.url)
  expect(await status(relay)).toBe(503)
  expect(upstream.requests).toEqual([])
  const state = async () => {
    const query = '{ accounts { edges { node { state { reason failure { code place } } } } } }'
    return (await askGraphql(relay.app.url, query, {}, admin)).data.accounts.edges[0].node.state
  }
  const { reason, failure } = await state()
  expect(reason).toContain(`127.0.0.1:${upstream.port}`)
  expect(reason).toMatch(/plain http; UPSTREAM_ALLOW, or the setting upstreamAllow/)
  expect(failure).toEqual({ code: 'ADDRESS_REFUSED', place: `127.0.0.1:${upstream.port}` })

  const saved = await allow(relay, admin, '192.168.7.0/24\n 127.0.0.1')
  expect(saved.settings).toEqual({ upstreamAllow: ['192.168.7.0/24', '127.0.0.1/32'] })
  expect(await status(relay)).toBe(200)
  expect(upstream.requests).toHaveLength(1)
  // Who and what is in the audit log.
  const row = await relay.app.database.client.apiLog.findFirstOrThrow({ where: { action: 'updateSettings' } })
  expect(JSON.parse(row.before)).toEqual({ upstreamAllow: '' })
  expect(JSON.parse(row.after)).toEqual({ upstreamAllow: '192.168.7.0/24, 127.0.0.1/32' })

  // Taken back it ends at once, for connections that are open too.
  await allow(relay, admin, '')
  expect(await status(relay)).toBe(503)
  expect(upstream.requests).toHaveLength(1)
  await expect.poll(() => upstream.connections()).toBe(0)
})

test('what is no network is refused beside the field, and nothing is saved', async () => {
  const { relay, admin } = await start('http://127.0.0.1:1')
  for (const [value, wrong] of [
    ['10.1/16', '10.1/16'],
    ['127.0.0.0/33', '127.0.0.0/33'],
    ['127.0.0.1, localhost, ::1', 'localhost'],
  ]) {
    const refused = await allow(relay, admin, value!)
    expect(refused).toEqual({
      __typename: 'InputFailure',
      fields: [{ path: 'upstreamAllow', message: expect.stringContaining(`wrong: ${wrong}`) }],
    })
  }
  expect(await relay.app.database.client.setting.count({ where: { name: 'page:upstreamAllow' } })).toBe(0)
  const { data, errors } = await askGraphql(relay.app.url, '{ settings { systemName } }')
  expect([data?.settings ?? null, errors?.length]).toEqual([null, 1])
})

test('probes reach what the setting admits', async () => {
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  const still = { probeMs: 3_600_000, releaseMs: 3_600_000, pruneMs: 3_600_000, driftMs: 3_600_000 }
  const { relay, admin } = await start(upstream.url, { jobs: still })
  await allow(relay, admin, '127.0.0.0/8')
  upstream.script(refusal(401, 'authentication_error'))
  expect(await status(relay)).toBe(503)
  const { data } = await askGraphql(relay.app.url, '{ accounts { edges { node { id } } } }', {}, admin)
  const probe = await askGraphql(
    relay.app.url,
    'mutation ($id: ID!) { probeAccount(input: { id: $id }) { ... on ProbeAccountSuccess { probe { ok status } } } }',
    { id: data.accounts.edges[0].node.id },
    admin,
  )
  expect(probe.data.probeAccount.probe).toEqual({ ok: true, status: 200 })
})

test('the setting holds from the next start on', async () => {
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  const { url, drop } = await newDatabaseAddress()
  onTestFinished(drop)
  const env = { DATABASE_URL: url, MASTER_SECRET: 'one master secret for both starts of it' }
  const first = await start(upstream.url, { env })
  await allow(first.relay, first.admin, '127.0.0.0/8')
  await first.relay.app.stop()
  const second = await start(upstream.url, { env })
  expect(await status(second.relay)).toBe(200)
})

test.runIf(engines === 'services')('the setting is in force in every process at once', async () => {
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  const { url, drop } = await newDatabaseAddress()
  onTestFinished(drop)
  const env = { DATABASE_URL: url, REDIS_URL: redisUrl, MASTER_SECRET: 'one master secret for both processes of it' }
  const one = await start(upstream.url, { env })
  const two = await start(upstream.url, { env, accounts: [] })
  expect(await status(two.relay)).toBe(503)
  await allow(one.relay, one.admin, '127.0.0.0/8')
  await expect.poll(() => status(two.relay), { timeout: 5000 }).toBe(200)
  await allow(two.relay, two.admin, '')
  await expect.poll(() => status(one.relay), { timeout: 5000 }).toBe(503)
})
