import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { messageEvents, usageOf } from '../support/fake-message.ts'
import { badJsonLine, hugeEvent, strangeUsage } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream, type Recorded } from '../support/fake-upstream.ts'
import { encodeEvents, messageDelta, messageStop } from '../support/sse-fixtures.ts'
import { heldMemory } from './collected.ts'
import { sha256, usualBody } from './pools.ts'
import { startWatched, type Watched } from './watched.ts'

/** What upstreams say that cannot be: it passes to the client, and never becomes a wrong bill. */
let upstream: FakeUpstream
let relay: Watched

beforeAll(async () => {
  upstream = await createFakeUpstream()
  relay = await startWatched(
    { p: [{ url: upstream.url }], limited: [{ url: upstream.url }] },
    {
      timers: { firstByteStreamMs: 60_000, idleMs: 60_000, pingMs: 60_000, blockedMs: 60_000 },
      keyFields: { limited: { dailyLimitUsd: '1' } },
    },
  )
})
afterEach(() => relay.holds())
afterAll(async () => {
  await relay.stop()
  await vi.waitFor(() => expect(upstream.connections()).toBe(0))
  await upstream.close()
})

const mb = 1024 * 1024
const lastRow = async () => (await relay.rows()).at(-1)!
const usual = ({ body, index }: Recorded) => messageEvents(usualBody.model, usageOf(body.length, index), index, 3)

test('fault 26: an event of 15 MB passes, and is not held on its way', async () => {
  const passes = async () => {
    upstream.script(hugeEvent(15 * mb))
    const answer = await relay.ask('p')
    expect(answer.broken).toBe(false)
    expect(/"text":"(x+)"/.exec(answer.text)?.[1]?.length).toBe(15 * mb)
    expect(answer.text).toMatch(/event: message_stop\n.*\n\n$/)
    expect(await lastRow()).toMatchObject({ outcome: 'completed', usage_source: 'final' })
  }
  const start = heldMemory().buffers
  await passes()
  // What is read into is kept for the next answer, and less than a third of the event.
  const kept = await vi.waitFor(() => {
    const { buffers } = heldMemory()
    expect(buffers - start).toBeLessThan(5 * mb)
    return buffers
  })
  await passes()
  await vi.waitFor(() => expect(heldMemory().buffers - kept).toBeLessThan(mb))
})

test('fault 26: an event of 20 MB is broken off at the cap: no half event looks like an end, and the row says why', async () => {
  upstream.script(hugeEvent(20 * mb))
  const answer = await relay.ask('p')
  expect(answer.broken).toBe(true)
  expect(answer.bytes.length).toBeLessThan(17 * mb)
  expect(answer.text).not.toContain('event: error')
  expect(await lastRow()).toMatchObject({ outcome: 'failed', error_type: 'event_too_large', attempts: 1 })
  // The next one is served as ever.
  expect((await relay.ask('p')).status).toBe(200)
})

test('fault 26: the cap is a setting', async () => {
  const small = await startWatched({ p: [{ url: upstream.url }] }, { env: { STREAM_EVENT_MB: '2' } })
  upstream.script(hugeEvent(1.5 * mb), hugeEvent(3 * mb))
  expect((await small.ask('p')).broken).toBe(false)
  expect((await small.ask('p')).broken).toBe(true)
  await small.holds()
  await small.stop()
})

test('fault 27: a line that is no JSON passes untouched, the stream goes on, its usage is marked partial', async () => {
  upstream.script(badJsonLine)
  const answer = await relay.ask('p')
  const events = usual(upstream.requests.at(-1)!)
  const bad = { event: 'content_block_delta', data: '{"type":"content_block_delta","index":0,' }
  const sent = encodeEvents([...events.slice(0, 3), bad, ...events.slice(3)])
  expect(sha256(answer.bytes)).toBe(sha256(sent))
  const { input, output } = usageOf(upstream.requests.at(-1)!.body.length, upstream.requests.at(-1)!.index)
  // The counts of its end are the upstream's own all the same.
  expect(await lastRow()).toMatchObject({
    outcome: 'completed',
    usage_source: 'partial',
    input_tokens: input,
    output_tokens: output,
  })
})

test.each(['message_start', 'message_delta'])('fault 27: a %s that is no JSON too', async (name) => {
  const spoilt = { event: name, data: `{"type":"${name}","usage":` }
  upstream.script((exchange) =>
    exchange.sse(usual(exchange.request).map((event) => (event.event === name ? spoilt : event))),
  )
  const answer = await relay.ask('p')
  expect(answer.text).toContain(`event: ${name}\ndata: ${spoilt.data}\n\n`)
  expect(answer.text).toMatch(/event: message_stop\n.*\n\n$/)
  expect(answer.text).not.toContain('event: error')
  expect(await lastRow()).toMatchObject({ outcome: 'completed', usage_source: 'partial' })
  expect((await lastRow())['flags']).toContain('unreadable')
})

const most = 1_000_000_000
test.each([
  // What cannot be is 0, and a 0 for what passed is estimated.
  ['negative', { input_tokens: -5, output_tokens: -1_000_000 }, { usage_source: 'estimated' }, true],
  ['1e12', { input_tokens: 1e12, output_tokens: 1e12 }, { input_tokens: most, output_tokens: most }, true],
  ['a fraction', { output_tokens: 7.9 }, { output_tokens: 7 }, true],
  ['text', { output_tokens: '7' }, { output_tokens: 7 }, false],
  ['null', { input_tokens: null, output_tokens: 9 }, { output_tokens: 9 }, false],
])(
  'fault 29: counts that are %s are cut to what can be, flagged, and never a negative bill',
  async (_n, said, kept, isFlagged) => {
    upstream.script(strangeUsage(said))
    expect((await relay.ask('p')).status).toBe(200)
    const row = await lastRow()
    expect(row).toMatchObject({ outcome: 'completed', ...kept })
    expect(String(row['flags']).includes('clamped')).toBe(isFlagged)
    expect(Number(row['cost_nano'])).toBeGreaterThanOrEqual(0)
    for (const name of ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_5m_tokens'])
      expect(Number(row[name])).toBeGreaterThanOrEqual(0)
  },
)

test('fault 29: the same counts in a JSON answer', async () => {
  upstream.script((exchange) =>
    exchange.respond(
      200,
      {},
      {
        type: 'message',
        model: usualBody.model,
        content: [],
        usage: { input_tokens: -5, output_tokens: 1e12, cache_read_input_tokens: -1 },
      },
    ),
  )
  expect((await relay.ask('p', { body: { stream: false } })).status).toBe(200)
  const row = await lastRow()
  expect(row).toMatchObject({ output_tokens: most, cache_read_tokens: 0, usage_source: 'estimated' })
  expect(row['flags']).toContain('usage_missing')
  expect(row['flags']).toContain('clamped')
})

test('fault 29: of two usages the last one holds, and is billed once', async () => {
  upstream.script((exchange) =>
    exchange.sse([
      ...usual(exchange.request).slice(0, -2),
      messageDelta('end_turn', { output_tokens: 500 }),
      messageDelta('end_turn', { output_tokens: 40 }),
      messageStop,
    ]),
  )
  await relay.ask('p')
  expect(await lastRow()).toMatchObject({ output_tokens: 40, usage_source: 'final' })
})

test('fault 29: without a usage at the end what was read is estimated, and says so', async () => {
  upstream.script(strangeUsage(undefined))
  await relay.ask('p')
  const row = await lastRow()
  expect(row).toMatchObject({ outcome: 'completed', usage_source: 'estimated' })
  expect(Number(row['output_tokens'])).toBeGreaterThan(0)
})

test('fault 29: a limit that nonsense has used up is used up, and not turned round', async () => {
  upstream.script(strangeUsage({ input_tokens: -5, output_tokens: 1e12 }))
  expect((await relay.ask('limited')).status).toBe(200)
  await relay.app.settled()
  expect((await relay.ask('limited')).status).toBe(429)
})
