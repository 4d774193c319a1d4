import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Deferred, deferred } from '../support/deferred.ts'
import { answerDefault } from '../support/fake-message.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type Exchange, type FakeUpstream } from '../support/fake-upstream.ts'
import { askGraphql, signedIn } from './graphql-asking.ts'
import { type Answer, type Asking, ask, keyOf, type Pools, startPools } from './pools.ts'

let upstream: FakeUpstream
let relay: Pools
/** Answers that are held back until the test lets them go, in order of arrival. */
let held: Deferred<void>[] = []

beforeAll(async () => {
  upstream = await createFakeUpstream()
  upstream.scriptWhen(
    () => true,
    async (exchange) => {
      const gate = deferred<void>()
      held.push(gate)
      await gate.promise
      await answerDefault(exchange, 1)
    },
  )
  const { url } = upstream
  relay = await startPools(
    {
      one: [{ url, concurrency: 1 }],
      two: [{ url, concurrency: 2 }],
      short: [{ url, concurrency: 1 }],
      spill: [
        { url, concurrency: 1, priority: 1 },
        { url, priority: 2 },
      ],
    },
    {
      queue: { waitMs: 5000, length: 3 },
      timers: { firstByteStreamMs: 10_000 },
      env: { DEFAULT_ADMIN_PASSWORD: 'correct horse battery' },
    },
  )
})
afterAll(async () => {
  for (const gate of held) gate.resolve()
  await relay.stop()
  await upstream.close()
})

/** One request of a session; held so that its answer can be awaited later. */
async function send(pool: string, asking: Asking & { session?: string } = {}) {
  const { session = '', ...rest } = asking
  const answer = ask(relay.base, keyOf(pool), {
    ...rest,
    headers: { 'x-claude-code-session-id': session, ...rest.headers },
  })
  return { answer }
}

const arrived = (count: number) => expect.poll(() => held.length).toBe(count)

async function positions(token: string): Promise<(number | null)[]> {
  const { data } = await askGraphql(relay.app.url, '{ liveRequests { nodes { queuePosition } } }', {}, token)
  return (data.liveRequests.nodes as { queuePosition: number | null }[]).map(({ queuePosition }) => queuePosition)
}

const adminToken = () => signedIn(relay.app.url, 'admin', 'correct horse battery')

test('an account gets no more requests at once than its limit; the next go as slots become free, in order', async () => {
  held = []
  const token = await adminToken()
  const before = upstream.requests.length
  const answers: Promise<Answer>[] = []
  for (let n = 0; n < 4; n++) {
    answers.push((await send('two', { session: `s-${n}` })).answer)
    await expect.poll(async () => (await positions(token)).length).toBe(n + 1)
  }
  await arrived(2)
  await expect.poll(() => positions(token)).toEqual([null, null, 1, 2])
  held[0]!.resolve()
  await arrived(3)
  await expect.poll(() => positions(token)).toEqual([null, null, 1])
  held[1]!.resolve()
  await arrived(4)
  held[2]!.resolve()
  held[3]!.resolve()
  for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200)
  expect(upstream.requests.length - before).toBe(4)
  // The account of a request that waited is in its row, with its platform.
  const rows = (await relay.rows()).slice(-4)
  expect(new Set(rows.map((row) => `${row['account_id']} ${row['platform']}`)).size).toBe(1)
  expect(rows[3]!['platform']).toBe('console')
  expect(Number(rows[3]!['duration_ms'])).toBeGreaterThan(0)
})

test('a full line, and a wait that lasts too long, end as all-out does: 529 with retry-after and no upstream call', async () => {
  held = []
  const before = upstream.requests.length
  const first = await send('short', { session: 'a' })
  await arrived(1)
  const waiting = [1, 2, 3].map((n) =>
    ask(relay.base, keyOf('short'), { headers: { 'x-claude-code-session-id': `w${n}` } }),
  )
  const token = await adminToken()
  await expect.poll(async () => (await positions(token)).filter((at) => at !== null).length).toBe(3)
  const refused = await ask(relay.base, keyOf('short'))
  expect(refused.status).toBe(529)
  expect(refused.headers.get('retry-after')).toBe('5')
  expect(refused.headers.get('x-should-retry')).toBeNull()
  expect(refused.text).toMatch(/overloaded_error.*busy.*Request id: req_/)
  expect(upstream.requests.length - before).toBe(1)
  for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(529)
  expect(upstream.requests.length - before).toBe(1)
  held[0]!.resolve()
  expect((await first.answer).status).toBe(200)
  // No row: they are counted among the rejections.
  const rows = await relay.rows()
  expect(rows.filter((row) => row['error_type'] === 'accounts_busy')).toEqual([])
  const counted = "SELECT SUM(`requests`) FROM `rejections` WHERE `reason` = 'accounts_busy'"
  expect(Number((await relay.app.database.select(counted))[0]?.[0])).toBe(4)
})

test('a client that leaves the line frees its place and its row says so; who stood behind is served next', async () => {
  held = []
  const first = await send('one', { session: 'a' })
  await arrived(1)
  const token = await adminToken()
  const leaving = new AbortController()
  const gone = ask(relay.base, keyOf('one'), { signal: leaving.signal }).catch(() => null)
  await expect.poll(() => positions(token)).toEqual([null, 1])
  const behind = ask(relay.base, keyOf('one'), { headers: { 'x-claude-code-session-id': 'b' } })
  await expect.poll(() => positions(token)).toEqual([null, 1, 2])
  leaving.abort()
  await gone
  await expect.poll(() => positions(token)).toEqual([null, 1])
  held[0]!.resolve()
  await arrived(2)
  held[1]!.resolve()
  expect((await first.answer).status).toBe(200)
  expect((await behind).status).toBe(200)
  const rows = (await relay.rows()).slice(-3)
  expect(rows.map((row) => `${row['outcome']} ${row['attempts']}`)).toEqual(['completed 1', 'aborted 0', 'completed 1'])
})

test('where another account can take it nobody waits, and count_tokens neither waits nor takes a place', async () => {
  held = []
  const first = await send('spill', { session: 'a' })
  await arrived(1)
  const second = await send('spill', { session: 'b' })
  await arrived(2)
  const single = await send('one', { session: 'c' })
  await arrived(3)
  const counted = ask(relay.base, keyOf('one'), { path: '/v1/messages/count_tokens' })
  await arrived(4)
  for (const gate of held) gate.resolve()
  for (const { answer } of [first, second, single]) expect((await answer).status).toBe(200)
  expect((await counted).status).toBe(200)
})

test('a place is free again however a request ended: refused, broken off, or left', async () => {
  const own = await createFakeUpstream()
  const pools = await startPools({ p: [{ url: own.url, concurrency: 1 }] }, { queue: { waitMs: 0 } })
  try {
    // A kept connection that breaks before a response is asked once more on a new one: two resets fail one request.
    const reset = (exchange: Exchange) => exchange.reset()
    own.script(refusal(400, 'invalid_request_error'), refusal(500, 'api_error'), reset, reset)
    for (const status of [400, 529, 529, 200]) expect((await pools.ask('p')).status).toBe(status)
    const leaving = new AbortController()
    own.script((exchange) => exchange.hang())
    const gone = pools.ask('p', { signal: leaving.signal }).catch(() => null)
    await own.arrived(5)
    leaving.abort()
    await gone
    await expect.poll(async () => (await pools.ask('p')).status).toBe(200)
  } finally {
    await pools.stop()
    await own.close()
  }
})

test('sixty subagents of one session at once are spread over four accounts, none above its share and a quarter', async () => {
  const own = await Promise.all(Array.from({ length: 4 }, () => createFakeUpstream()))
  const pools = await startPools({ p: own.map(({ url }) => ({ url })) }, { timers: { firstByteStreamMs: 20_000 } })
  const gate = deferred<void>()
  for (const one of own) {
    one.scriptWhen(
      () => true,
      async (exchange) => {
        await gate.promise
        await answerDefault(exchange, 1)
      },
    )
  }
  try {
    const answers = Array.from({ length: 60 }, (_, agent) =>
      pools.ask('p', {
        headers: { 'x-claude-code-session-id': 'one', 'x-claude-code-agent-id': `agent-${agent}` },
      }),
    )
    const counts = () => own.map(({ requests }) => requests.length)
    await expect.poll(() => counts().reduce((sum, count) => sum + count), { timeout: 10_000 }).toBe(60)
    expect(Math.max(...counts())).toBeLessThanOrEqual(Math.ceil(15 * 1.25))
    gate.resolve()
    for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200)
  } finally {
    gate.resolve()
    await pools.stop()
    for (const one of own) await one.close()
  }
})

test('a stop does not wait for who stands in line: it is told to come again, and the answer under way ends', async () => {
  const own = await createFakeUpstream()
  const pools = await startPools(
    { p: [{ url: own.url, concurrency: 1 }] },
    {
      queue: { waitMs: 60_000 },
      drainMs: 100,
      timers: { firstByteStreamMs: 60_000 },
      env: { DEFAULT_ADMIN_PASSWORD: 'correct horse battery' },
    },
  )
  own.script((exchange) => exchange.hang())
  const first = pools.ask('p')
  await own.arrived(0)
  const second = pools.ask('p')
  const token = await signedIn(pools.app.url, 'admin', 'correct horse battery')
  const inLine = async () => {
    const { data } = await askGraphql(pools.app.url, '{ liveRequests { nodes { queuePosition } } }', {}, token)
    return (data.liveRequests.nodes as { queuePosition: number | null }[]).some(
      ({ queuePosition }) => queuePosition === 1,
    )
  }
  await expect.poll(inLine).toBe(true)
  const startedMs = performance.now()
  await pools.stop()
  const refused = await second
  expect([refused.status, refused.text]).toEqual([529, expect.stringContaining('restarting')])
  expect((await first).status).not.toBe(200)
  expect(performance.now() - startedMs).toBeLessThan(10_000)
  await own.close()
})
