import Anthropic, { APIError } from '@anthropic-ai/sdk'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { Exchange } from '../support/fake-exchange.ts'
import { messageEvents, usageOf } from '../support/fake-message.ts'
import { createFakeUpstream, type FakeUpstream, type Recorded } from '../support/fake-upstream.ts'
import { encodeEvents, type SseEvent } from '../support/sse-fixtures.ts'
import { keyOf, usualBody } from './pools.ts'
import { startWatched, type Watched } from './watched.ts'

/** Streams that break. Silence is minutes long here: only the break itself can end an answer. */
const patient = { firstByteStreamMs: 60_000, idleMs: 60_000, pingMs: 60_000, commitMs: 60_000 }

let bad: FakeUpstream
let good: FakeUpstream
let relay: Watched

beforeAll(async () => {
  bad = await createFakeUpstream()
  good = await createFakeUpstream()
  relay = await startWatched(
    {
      pair: [
        { url: bad.url, priority: 1 },
        { url: good.url, priority: 2 },
      ],
      alone: [{ url: bad.url }],
    },
    { timers: patient },
  )
})
afterEach(() => relay.holds())
afterAll(async () => {
  await relay.stop()
  await vi.waitFor(() => expect(bad.connections() + good.connections()).toBe(0))
  await bad.close()
  await good.close()
})

/** A correct answer to this request of 120 deltas, some 125 events. */
const eventsFor = ({ body, index }: Recorded): SseEvent[] =>
  messageEvents(usualBody.model, usageOf(body.length, index), index, 120)

type End = 'reset' | 'fin' | 'end'

/** `whole` events and the first `torn` bytes of the next; then the end. */
const breaksAfter =
  (whole: number, torn: number, end: End, onEnd: () => void = () => {}) =>
  async (exchange: Exchange): Promise<void> => {
    const events = eventsFor(exchange.request)
    await exchange.sse(events.slice(0, whole), { end: false })
    const next = encodeEvents(events.slice(whole, whole + 1))
    await exchange.write(next.subarray(0, Math.floor(next.length * torn)))
    onEnd()
    await exchange[end]()
  }

/** The answer is these whole events and one error event, nothing of a torn one. */
function expectWhole(text: string, count: number): void {
  const events = encodeEvents(eventsFor(bad.requests.at(-1)!).slice(0, count)).toString()
  expect(text.startsWith(events)).toBe(true)
  expect(text.slice(events.length)).toMatch(
    /^event: error\ndata: {"type":"error","error":{"type":"api_error",.*}}?\n\n$/,
  )
}

const ends: End[] = ['reset', 'fin', 'end']
const cases = ends.flatMap((end) =>
  [10, 99].flatMap((count) => [0, 0.5].map((torn) => [end === 'reset' ? 22 : 24, end, count, torn] as const)),
)

test.each(cases)(
  'fault %i: a stream that ends by %s after %i events (and %d of the next) is whole events and one error event',
  async (_fault, end, count, torn) => {
    bad.script(breaksAfter(count, torn, end))
    const before = good.requests.length
    const answer = await relay.ask('pair')
    expect(answer.status).toBe(200)
    expect(answer.broken).toBe(false)
    expectWhole(answer.text, count)
    // It has begun: no second attempt.
    expect(good.requests.length).toBe(before)
    const row = (await relay.rows()).at(-1)!
    const { input } = usageOf(bad.requests.at(-1)!.body.length, bad.requests.at(-1)!.index)
    expect(row).toMatchObject({
      outcome: 'failed',
      http_status: 200,
      error_type: 'broken_response',
      attempts: 1,
      usage_source: 'estimated',
      input_tokens: input,
    })
    expect(row['output_tokens']).toBeGreaterThan(0)
    expect(row['cost_nano']).toBeGreaterThan(0)
  },
)

test.each(ends)('fault 24: all events but message_stop, then %s: no success, and the usage is partial', async (end) => {
  const count = 125
  bad.script(breaksAfter(count, 0, end))
  const answer = await relay.ask('alone')
  expectWhole(answer.text, count)
  expect(answer.text).toContain('event: message_delta')
  expect((await relay.rows()).at(-1)).toMatchObject({ outcome: 'failed', usage_source: 'partial' })
})

test.each(ends)(
  'fault 22: a stream that ends by %s after message_start has no content yet: another account answers',
  async (end) => {
    bad.script(breaksAfter(1, 0.5, end))
    const answer = await relay.ask('pair')
    expect(answer.status).toBe(200)
    expect(answer.text.match(/event: message_start/g)).toHaveLength(1)
    expect(answer.text).toMatch(/event: message_stop\n.*\n\n$/)
    expect((await relay.rows()).at(-1)).toMatchObject({ outcome: 'completed', attempts: 2 })
    bad.script(breaksAfter(1, 0.5, end))
    const alone = await relay.ask('alone')
    expect(alone.status).toBe(529)
    expect(JSON.parse(alone.text)).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } })
  },
)

test.each([
  ['between events', 0],
  ['in the middle of an event', 0.5],
])('fault 23: the official SDK raises an APIError for a reset %s, never one about JSON', async (_where, torn) => {
  const client = new Anthropic({ apiKey: keyOf('alone'), baseURL: relay.base, maxRetries: 0 })
  bad.script(breaksAfter(12, torn, 'reset'))
  relay.admitted(1)
  const heard: string[] = []
  const stream = client.messages.stream({ ...usualBody, messages: [{ role: 'user', content: 'hello' }] })
  stream.on('text', (piece) => heard.push(piece))
  const error = await stream.finalMessage().then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(APIError)
  expect((error as APIError).error).toMatchObject({ type: 'error', error: { type: 'api_error' } })
  // message_start, block start and a ping; the other nine brought text.
  expect(heard).toHaveLength(9)
})

test('fault 22: a break is noticed when it happens, not when somebody has waited for it', async () => {
  const times: number[] = []
  for (let turn = 0; turn < 100; turn++) {
    let brokeAt = 0
    bad.script(breaksAfter(10, 0, 'reset', () => (brokeAt = performance.now())))
    await relay.ask('alone')
    times.push(performance.now() - brokeAt)
  }
  times.sort((one, other) => one - other)
  console.info(`a reset reaches the client after ${times[50]!.toFixed(1)} ms (p50), ${times[98]!.toFixed(1)} ms (p99)`)
  // A tenth of a second on a machine that has nothing else to do; what is out of the question is waiting for a deadline.
  expect(times[98]).toBeLessThan(patient.idleMs / 10)
}, 60_000)
