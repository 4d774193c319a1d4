import { afterAll, beforeAll, expect, test } from 'vitest'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream, type Script } from '../support/fake-upstream.ts'
import type { RelayApp } from '../support/relay-app.ts'
import { askGraphql } from './graphql-asking.ts'
import { loseLogin, probeAccount, request, startProbed, still } from './probes-stand.ts'

const modelRefused = refusal(403, 'permission_error', 'This account may not use the model claude-opus-4-5.')

let upstream: FakeUpstream
let relay: RelayApp
let admin: string
let accountId: string

beforeAll(async () => {
  upstream = await createFakeUpstream()
  ;({ relay, admin, accountId } = await startProbed(upstream))
})
afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

const state = async () => {
  const query = `{ node(id: "${accountId}") { ... on Account { state { name reason } probes { nodes { ok status message code cost } } } } }`
  return (await askGraphql(relay.app.url, query, {}, admin)).data.node
}

test('a probe asks one token of the cheapest model, brings the account back, and costs no key anything', async () => {
  await loseLogin(upstream, relay)
  expect((await state()).state.name).toBe('REAUTH_REQUIRED')
  const before = upstream.requests.length
  const { data } = await askGraphql(relay.app.url, probeAccount, { id: accountId }, admin)
  expect(data.probeAccount).toEqual({
    __typename: 'ProbeAccountSuccess',
    probe: { ok: true, status: 200, message: 'It answered.', code: 'ANSWERED', failure: null },
  })
  expect(upstream.requests.length).toBe(before + 1)
  const sent = JSON.parse(upstream.requests[before]!.body.toString()) as { model: string; max_tokens: number }
  expect(sent).toMatchObject({ model: 'claude-haiku-4-5', max_tokens: 1 })
  const found = await state()
  expect(found.state.name).toBe('READY')
  expect(found.probes.nodes).toEqual([
    { ok: true, status: 200, message: 'It answered.', code: 'ANSWERED', cost: expect.stringMatching(/^\d+$/) },
  ])
  const row = (await relay.rows()).at(-1)!
  expect([Number(row['api_key_id']), Number(row['user_id'])]).toEqual([0, 0])
  expect(row).toMatchObject({
    outcome: 'completed',
    model_requested: 'claude-haiku-4-5',
  })
  expect(row['flags']).toContain('recovery_probe')
  expect(Number(row['cost_nano'])).toBeGreaterThan(0)
  expect(String(row['cost_nano'])).toBe(found.probes.nodes[0].cost)
  expect((await request(relay)).status).toBe(200)
})

test('what a probe is refused makes nothing worse, and is shown', async () => {
  await loseLogin(upstream, relay)
  for (const [status, type, headers] of [
    [401, 'authentication_error', {}],
    [429, 'rate_limit_error', { 'retry-after': '9999' }],
    [402, 'billing_error', {}],
    [500, 'api_error', {}],
    [403, 'permission_error', {}],
  ] as const) {
    upstream.script(refusal(status, type, 'canary', headers))
    const { data } = await askGraphql(relay.app.url, probeAccount, { id: accountId }, admin)
    expect(data.probeAccount.probe).toMatchObject({ ok: false, status })
    expect(JSON.stringify(data)).not.toContain('canary')
    expect((await state()).state.name).toBe('REAUTH_REQUIRED')
  }
  await askGraphql(relay.app.url, probeAccount, { id: accountId }, admin)
  expect((await state()).state.name).toBe('READY')
})

test.each([
  ['a sign-in page', 'text/html', '<!doctype html><title>Sign in</title>'],
  ['an error', 'application/json', '{"error":{"message":"quota exhausted","type":"new_api_error"}}'],
  ['nothing', 'application/json', ''],
])(
  'a probe and a test that get %s with status 200 have failed, and the account stays as it is',
  async (_what, type, body) => {
    await loseLogin(upstream, relay)
    const odd: Script = (exchange) => exchange.respond(200, { 'content-type': type }, body)
    upstream.script(odd, odd)
    const rows = (await relay.rows()).length
    const { data } = await askGraphql(relay.app.url, probeAccount, { id: accountId }, admin)
    expect(data.probeAccount.probe).toMatchObject({ ok: false, status: 200 })
    const test =
      'mutation ($id: ID!) { testAccount(input: { id: $id, model: "claude-haiku-4-5" }) { ... on TestAccountSuccess { ok status } } }'
    expect((await askGraphql(relay.app.url, test, { id: accountId }, admin)).data.testAccount).toEqual({
      ok: false,
      status: 200,
    })
    expect((await state()).state.name).toBe('REAUTH_REQUIRED')
    expect((await relay.rows()).length).toBe(rows)
    await askGraphql(relay.app.url, probeAccount, { id: accountId }, admin)
    expect((await state()).state.name).toBe('READY')
  },
)

test('a model that cools down is asked for by its name, comes back alone, and what it is refused makes nothing worse', async () => {
  const models = async () => {
    const query = `{ node(id: "${accountId}") { ... on Account { state { name models { model until } } probes(first: 3) { nodes { ok status model } } } } }`
    return (await askGraphql(relay.app.url, query, {}, admin)).data.node
  }
  const probeModel = async (model: string) =>
    (
      await askGraphql(
        relay.app.url,
        'mutation ($id: ID!, $model: String) { probeAccount(input: { id: $id, model: $model }) { __typename ... on ProbeAccountSuccess { probe { ok status } } } }',
        { id: accountId, model },
        admin,
      )
    ).data.probeAccount
  upstream.script(modelRefused)
  expect((await request(relay)).status).toBe(503)
  const coolingDown = await models()
  expect(coolingDown.state).toMatchObject({ name: 'READY', models: [{ model: 'claude-opus-4-5' }] })
  for (const [status, type] of [
    [403, 'permission_error'],
    [401, 'authentication_error'],
    [429, 'rate_limit_error'],
    [400, 'invalid_request_error'],
    [500, 'api_error'],
  ] as const) {
    upstream.script(refusal(status, type, 'canary', { 'retry-after': '9999' }))
    expect(await probeModel('claude-opus-4-5')).toMatchObject({ probe: { ok: false, status } })
    expect((await models()).state).toEqual(coolingDown.state)
  }
  expect((await probeModel('claude-haiku-4-5')).__typename).toBe('ConflictFailure')
  const before = upstream.requests.length
  expect(await probeModel('claude-opus-4-5')).toMatchObject({ probe: { ok: true, status: 200 } })
  expect(upstream.requests.length).toBe(before + 1)
  const sent = JSON.parse(upstream.requests[before]!.body.toString()) as { model: string; max_tokens: number }
  expect(sent).toMatchObject({ model: 'claude-opus-4-5', max_tokens: 1 })
  const back = await models()
  expect(back.state.models).toEqual([])
  expect(back.probes.nodes).toMatchObject([{ ok: true, model: 'claude-opus-4-5' }, { ok: false, status: 500 }, {}])
  expect((await relay.rows()).at(-1)).toMatchObject({ api_key_id: 0, model_requested: 'claude-opus-4-5' })
})

test('the first step of a cooldown says when it is probed first, and none does where probes are passive', async () => {
  const set = (value: string) =>
    askGraphql(
      relay.app.url,
      `mutation { updateSettings(input: { recoveryProbes: ${value.toUpperCase()} }) { __typename } }`,
      {},
      admin,
    )
  const lastStep = async (kind: string) => {
    const query = `{ node(id: "${accountId}") { ... on Account { timeline(first: 1) { edges { node { to at nextProbeAt } } } } } }`
    let found: { to: string; at: string; nextProbeAt: string | null } | undefined
    const read = async () => {
      const { data } = await askGraphql(relay.app.url, query, {}, admin)
      found = data.node.timeline.edges[0]?.node
      return found?.to
    }
    await expect.poll(read).toBe(kind)
    return found!
  }
  const bringBack = () => askGraphql(relay.app.url, probeAccount, { id: accountId }, admin)
  await loseLogin(upstream, relay)
  const { at, nextProbeAt } = await lastStep('REAUTH_REQUIRED')
  // Thirty seconds, spread by a fifth.
  const pauseMs = Date.parse(nextProbeAt!) - Date.parse(at)
  expect(pauseMs).toBeGreaterThanOrEqual(27_000)
  expect(pauseMs).toBeLessThanOrEqual(33_000)
  await bringBack()
  await set('passive')
  upstream.script(refusal(429, 'rate_limit_error', 'slow', { 'retry-after': '60' }))
  await request(relay)
  expect((await lastStep('RATE_LIMITED')).nextProbeAt).toBeNull()
  await bringBack()
  await set('active')
})

test('by the clock: a model that cools down is checked again and again, slower and slower, until it is back', async () => {
  const own = await startProbed(upstream, { jobs: { ...still, probeMs: 20, longestProbeMs: 60_000 }, chance: () => 0 })
  try {
    const url = own.relay.app.url
    const set = 'mutation { updateSettings(input: { recoveryProbeSeconds: 1 }) { __typename } }'
    await askGraphql(url, set, {}, own.admin)
    upstream.script(modelRefused, modelRefused)
    await request(own.relay)
    const node = async () => {
      const query = `{ node(id: "${own.accountId}") { ... on Account { state { name models { model nextProbeAt } } probes { nodes { ok model at } } } } }`
      return (await askGraphql(url, query, {}, own.admin)).data.node
    }
    await expect.poll(async () => (await node()).state.models[0]?.nextProbeAt, { timeout: 5000 }).toBeTruthy()
    await expect.poll(node, { timeout: 15_000 }).toMatchObject({
      state: { name: 'READY', models: [] },
      probes: { nodes: [{ ok: true }, { ok: false, model: 'claude-opus-4-5' }] },
    })
    const [second, first] = (await node()).probes.nodes
    expect(Date.parse(second.at) - Date.parse(first.at)).toBeGreaterThanOrEqual(1800)
  } finally {
    await own.relay.stop()
  }
})

test('an account that is ready is not asked, and nobody without rights asks', async () => {
  const before = upstream.requests.length
  const { data } = await askGraphql(relay.app.url, probeAccount, { id: accountId }, admin)
  expect(data.probeAccount.__typename).toBe('ConflictFailure')
  expect((await askGraphql(relay.app.url, '{ jobs { name } }')).errors).toBeDefined()
  expect(upstream.requests.length).toBe(before)
})

test('by the clock: a cooled or lost account is checked again and again, slower and slower, until it is back', async () => {
  const own = await startProbed(upstream, {
    jobs: { ...still, probeMs: 20, longestProbeMs: 60_000 },
    chance: () => 0,
  })
  try {
    const url = own.relay.app.url
    const set = await askGraphql(
      url,
      'mutation { updateSettings(input: { recoveryProbeSeconds: 1 }) { __typename } }',
      {},
      own.admin,
    )
    expect(set.data.updateSettings.__typename).toBe('UpdateSettingsSuccess')
    await loseLogin(upstream, own.relay)
    upstream.script(refusal(401, 'authentication_error'))
    const probes = async () => {
      const query = `{ node(id: "${own.accountId}") { ... on Account { state { name } probes { nodes { ok at } } } } }`
      return (await askGraphql(url, query, {}, own.admin)).data.node
    }
    await expect
      .poll(probes, { timeout: 15_000 })
      .toMatchObject({ state: { name: 'READY' }, probes: { nodes: [{ ok: true }, { ok: false }] } })
    const [second, first] = (await probes()).probes.nodes
    expect(Date.parse(second.at) - Date.parse(first.at)).toBeGreaterThanOrEqual(1800)
  } finally {
    await own.relay.stop()
  }
})

test('passive: nothing is asked by the clock', async () => {
  const own = await startProbed(upstream, { jobs: { ...still, probeMs: 10, releaseMs: 10 } })
  try {
    await askGraphql(
      own.relay.app.url,
      'mutation { updateSettings(input: { recoveryProbes: PASSIVE, recoveryProbeSeconds: 1 }) { __typename } }',
      {},
      own.admin,
    )
    upstream.script(refusal(429, 'rate_limit_error', 'slow', { 'retry-after': '2' }))
    await request(own.relay)
    const before = upstream.requests.length
    const kind = async () => {
      const query = `{ node(id: "${own.accountId}") { ... on Account { state { name } } } }`
      return (await askGraphql(own.relay.app.url, query, {}, own.admin)).data.node.state.name as string
    }
    expect(await kind()).toBe('RATE_LIMITED')
    // The cooldown ends by the clock, without a request.
    await expect.poll(() => own.relay.log.some((line) => line.includes('"by":"time"')), { timeout: 10_000 }).toBe(true)
    expect(await kind()).toBe('READY')
    expect(upstream.requests.length).toBe(before)
  } finally {
    await own.relay.stop()
  }
})

test('passive: where a cooldown has no end one real request finds out, later and later, and nothing else is asked', async () => {
  const own = await startProbed(upstream, { jobs: { ...still, probeMs: 20 }, chance: () => 0 })
  try {
    const graphql = (query: string) => askGraphql(own.relay.app.url, query, {}, own.admin)
    const values = '{ recoveryProbes: PASSIVE, recoveryProbeSeconds: 1 }'
    await graphql(`mutation { updateSettings(input: ${values}) { __typename } }`)
    const noCredit = refusal(400, 'invalid_request_error', 'Your credit balance is too low to access the API.')
    const state = async () => {
      const query = `{ node(id: "${own.accountId}") { ... on Account { state { name since nextProbeAt } } } }`
      return (await graphql(query)).data.node.state as { name: string; since: string; nextProbeAt: string }
    }
    const openedFor = async (script: Script | null) => {
      await expect.poll(async () => (await state()).name, { timeout: 10_000 }).toBe('RECOVERING')
      if (script) upstream.script(script)
      const before = upstream.requests.length
      const { status } = await request(own.relay)
      expect(upstream.requests.length).toBe(before + 1)
      return status
    }
    upstream.script(noCredit)
    expect((await request(own.relay)).status).toBe(503)
    const before = upstream.requests.length
    expect((await request(own.relay)).status).toBe(503)
    expect(upstream.requests.length).toBe(before)
    expect(await openedFor(noCredit)).toBe(503)
    const { name, since, nextProbeAt } = await state()
    expect(name).toBe('OUT_OF_CREDIT')
    expect(Date.parse(nextProbeAt) - Date.parse(since)).toBe(1800)
    expect(await openedFor(null)).toBe(200)
    expect((await state()).name).toBe('READY')
  } finally {
    await own.relay.stop()
  }
})
