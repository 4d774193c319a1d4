import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { startWatched, type Watched } from './watched.ts'

let bad: FakeUpstream
let good: FakeUpstream
let relay: Watched

beforeAll(async () => {
  bad = await createFakeUpstream()
  good = await createFakeUpstream()
  const pair = () => [
    { url: bad.url, priority: 1 },
    { url: good.url, priority: 2 },
  ]
  const alone = () => [{ url: bad.url }]
  relay = await startWatched(
    {
      lost: pair(),
      model: pair(),
      after37: pair(),
      afterDate: pair(),
      backsOff: alone(),
      throttled: pair(),
      twice: alone(),
      out: [{ url: bad.url }, { url: bad.url }],
      outForLong: alone(),
    },
    { timers: { firstByteStreamMs: 60_000, firstByteJsonMs: 60_000 }, chance: () => 0 },
  )
})
afterEach(() => relay.holds())
afterAll(async () => {
  await relay.stop()
  await vi.waitFor(() => expect(bad.connections() + good.connections()).toBe(0))
  await bad.close()
  await good.close()
})

const limited = (headers: Record<string, string> = {}) => refusal(429, 'rate_limit_error', 'slow down', headers)
const restS = async (pool: string, fromMs: number): Promise<number> =>
  (Date.parse((await relay.standing(pool)).until!) - fromMs) / 1000

test('fault 14: after a 401 the account needs a login and says why; the client sees 200 from another, now and later', async () => {
  bad.script(refusal(401, 'authentication_error', 'invalid x-api-key'))
  const before = bad.requests.length
  for (let turn = 0; turn < 3; turn++) expect((await relay.ask('lost')).status).toBe(200)
  expect(bad.requests.length).toBe(before + 1)
  expect(await relay.standing('lost')).toMatchObject({
    name: 'REAUTH_REQUIRED',
    until: null,
    reason: '401 authentication_error',
    models: [],
  })
  expect(await relay.standing('lost', 1)).toMatchObject({ name: 'READY', reason: null })
})

test('fault 14: after a 403 only that model rests at the account; the client sees 200 from another', async () => {
  bad.script(refusal(403, 'permission_error', 'no access to this model'))
  const before = bad.requests.length
  const forbidden = { body: { model: 'claude-opus-4-5' } }
  for (let turn = 0; turn < 2; turn++) expect((await relay.ask('model', forbidden)).status).toBe(200)
  expect(bad.requests.length).toBe(before + 1)
  const { name, models } = await relay.standing('model')
  expect(name).toBe('READY')
  expect(models).toMatchObject([{ model: 'claude-opus-4-5', reason: '403 permission_error' }])
  // The account goes on with all others.
  expect((await relay.ask('model', { body: { model: 'claude-haiku-4-5' } })).status).toBe(200)
  expect(bad.requests.length).toBe(before + 2)
})

test.each([
  ['after37', () => '37'],
  ['afterDate', (nowMs: number) => new Date(nowMs + 38_000).toUTCString()],
])('fault 15: a 429 with retry-after rests the account at least that long (%s)', async (pool, retryAfter) => {
  const fromMs = Date.now()
  bad.script(limited({ 'retry-after': retryAfter(fromMs) }))
  const before = bad.requests.length
  for (let turn = 0; turn < 3; turn++) expect((await relay.ask(pool)).status).toBe(200)
  expect(bad.requests.length).toBe(before + 1)
  expect((await relay.standing(pool)).name).toBe('RATE_LIMITED')
  expect(await restS(pool, fromMs)).toBeGreaterThanOrEqual(37)
  expect(await restS(pool, Date.now())).toBeLessThanOrEqual(39)
})

test('fault 15: a 429 that names limits and no end rests the account for the time that stands in its place', async () => {
  const fromMs = Date.now()
  bad.script(limited({ 'anthropic-ratelimit-requests-limit': '50' }))
  expect((await relay.ask('backsOff')).status).toBe(529)
  expect(await restS('backsOff', fromMs)).toBeGreaterThanOrEqual(30)
  expect(await restS('backsOff', Date.now())).toBeLessThanOrEqual(36)
})

test('fault 15: a 429 that names neither limit nor end backs off an account with an API key; the next one serves', async () => {
  const fromMs = Date.now()
  bad.script(limited({ 'x-should-retry': 'true' }))
  const before = bad.requests.length
  expect((await relay.ask('throttled')).status).toBe(200)
  expect((await relay.standing('throttled')).name).toBe('RATE_LIMITED')
  expect(await restS('throttled', fromMs)).toBeGreaterThanOrEqual(30)
  expect((await relay.ask('throttled')).status).toBe(200)
  expect(bad.requests.length).toBe(before + 1)
})

test('fault 15: a second 429 never shortens the rest, a longer one prolongs it', async () => {
  const first = bad.requests.length
  const gates = [deferred(), deferred(), deferred()]
  const waits = ['37', '5', '90']
  bad.script(
    ...gates.map((gate, index) => async (exchange: Parameters<ReturnType<typeof limited>>[0]) => {
      await gate.promise
      await limited({ 'retry-after': waits[index]! })(exchange)
    }),
  )
  // Three requests were on their way when the first was refused.
  const asked: Promise<unknown>[] = []
  for (let index = 0; index < 3; index++) {
    asked.push(relay.ask('twice'))
    await bad.arrived(first + index)
  }
  gates[0]!.resolve()
  await asked[0]
  const { until } = await relay.standing('twice')
  gates[1]!.resolve()
  await asked[1]
  expect((await relay.standing('twice')).until).toBe(until)
  gates[2]!.resolve()
  await asked[2]
  expect(Date.parse((await relay.standing('twice')).until!) - Date.parse(until!)).toBeGreaterThan(50_000)
})

test('fault 16: while all accounts are limited clients get 529 until the soonest returns, and no upstream is called', async () => {
  bad.script(limited({ 'retry-after': '40' }), limited({ 'retry-after': '20' }))
  const [before, fromMs] = [bad.requests.length, Date.now()]
  expect((await relay.ask('out')).status).toBe(529)
  expect(bad.requests.length).toBe(before + 2)
  const soonest = Math.min(
    await restS('out', fromMs),
    Date.parse((await relay.standing('out', 1)).until!) / 1000 - fromMs / 1000,
  )
  for (let turn = 0; turn < 10; turn++) {
    const leftS = soonest - (Date.now() - fromMs) / 1000
    const answer = await relay.ask('out', { body: { stream: turn % 2 === 0 } })
    expect(answer.status).toBe(529)
    const retryAfter = Number(answer.headers.get('retry-after'))
    expect(retryAfter).toBeLessThanOrEqual(Math.ceil(leftS))
    expect(retryAfter).toBeGreaterThan(leftS - 10)
    expect(JSON.parse(answer.text)).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } })
    // An overload that passes: clients come again by themselves.
    expect(answer.headers.get('x-should-retry')).not.toBe('false')
  }
  expect(bad.requests.length).toBe(before + 2)
})

test('fault 16: when the soonest return is an hour away the client is told 60 s, the moment, and not to wait for it', async () => {
  bad.script(limited({ 'retry-after': '3600' }))
  const before = bad.requests.length
  for (let turn = 0; turn < 3; turn++) {
    const answer = await relay.ask('outForLong')
    expect(answer.status).toBe(529)
    expect(answer.headers.get('retry-after')).toBe('60')
    expect(answer.headers.get('x-should-retry')).toBe('false')
    const { until } = await relay.standing('outForLong')
    expect(JSON.parse(answer.text).error.message).toContain(new Date(until!).toISOString().slice(0, 19))
  }
  expect(bad.requests.length).toBe(before + 1)
})
