import { afterAll, beforeAll, expect, test } from 'vitest'
import { deferred } from '../support/deferred.ts'
import type { Exchange } from '../support/fake-exchange.ts'
import { hangAfterEvents, hangAfterHeaders } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { goldenStreams } from '../support/golden-streams.ts'
import { encodeEvent, encodeEvents, errorEvent, ping } from '../support/sse-fixtures.ts'
import { ask, keyOf, ourComment, ourPing, type Pools, startPools, withoutOurPings } from './pools.ts'
import { startWatched } from './watched.ts'

/** Silence, and what ends an answer. Deadlines of quickTimers: commit 150 ms, ping 120 ms, idle 500 ms, close 150 ms. */
const { text: golden } = goldenStreams()
let upstream: FakeUpstream
let relay: Pools

beforeAll(async () => {
  upstream = await createFakeUpstream()
  const account = [{ url: upstream.url }]
  relay = await startPools({ p: account, a: account, b: account, c: account, d: account, e: account, f: account })
})
afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

const errorsIn = (text: string): number => text.split('event: error\n').length - 1
const waited = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** The answer as it arrives: `until` resolves as soon as what came so far contains a text. */
async function open(pool: string, base = relay.base) {
  const response = await fetch(`${base}/v1/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keyOf(pool)}` },
    body: JSON.stringify({ model: golden.model, max_tokens: 1, stream: true, messages: [] }),
  })
  let text = ''
  const reader = response.body!.getReader()
  return {
    response,
    async until(wanted: string): Promise<string> {
      while (!text.includes(wanted)) {
        const { done, value } = await reader.read()
        if (done) throw new Error(`the answer ended without ${wanted}: ${text}`)
        text += Buffer.from(value).toString()
      }
      return text
    },
    async rest(): Promise<string> {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return text
        text += Buffer.from(value).toString()
      }
    },
  }
}

test('fault 21: a head with status 200 and no byte within the time for the first one is followed by the next account', async () => {
  const good = await createFakeUpstream()
  // Later than the first byte is due, so that nothing is committed yet.
  const own = await startWatched(
    {
      pair: [
        { url: upstream.url, priority: 1 },
        { url: good.url, priority: 2 },
      ],
      alone: [{ url: upstream.url }],
    },
    { timers: { firstByteStreamMs: 200, commitMs: 60_000, idleMs: 60_000 } },
  )
  try {
    upstream.script(hangAfterHeaders, hangAfterHeaders)
    const answer = await own.ask('pair')
    expect(answer.status).toBe(200)
    expect(answer.text).toMatch(/^event: message_start\n(.|\n)*event: message_stop\n.*\n\n$/)
    expect(await upstream.requests.at(-1)!.closed).toBe('aborted')
    expect(await own.attempts()).toMatchObject([
      { outcome: 'failing', http_status: 200, error_type: 'first_byte_timeout', charged: 0 },
      { outcome: 'answer', charged: 1 },
    ])
    expect((await own.ask('alone')).status).toBe(529)
    await own.holds()
  } finally {
    await own.stop()
    await good.close()
  }
})

test('after a 200 without content the account is fixed in time: the client is answered and kept alive by comments', async () => {
  const go = deferred()
  upstream.script(async (exchange) => {
    await exchange.begin()
    await go.promise
    await exchange.sse(golden.events)
  })
  const answer = await open('a')
  expect(answer.response.status).toBe(200)
  expect(answer.response.headers.get('cache-control')).toBe('no-cache')
  expect(await answer.until(ourComment)).not.toContain('event:')
  go.resolve()
  const all = await answer.rest()
  expect(withoutOurPings(Buffer.from(all)).equals(golden.bytes)).toBe(true)
  expect(all).not.toContain(ourPing)
})

test('fault 21: an upstream that says 200 and then nothing, when the client has its head already, is cut after the idle deadline, with one error event', async () => {
  upstream.script(hangAfterHeaders)
  const answer = await relay.ask('b')
  expect(answer.status).toBe(200)
  expect(withoutOurPings(answer.bytes).toString()).toMatch(/^event: error\ndata: {"type":"error",.*"api_error".*}\n\n$/)
  expect(await upstream.requests.at(-1)!.closed).toBe('aborted')
  expect((await relay.rows()).at(-1)).toMatchObject({ outcome: 'failed', error_type: 'broken_response' })
})

test('fault 25, client point 15: silence in mid-stream is filled with pings between events, and cut after the idle deadline', async () => {
  upstream.script(hangAfterEvents(4))
  const answer = await relay.ask('c')
  expect(answer.text).toContain(ourPing)
  expect(answer.text.endsWith('\n\n')).toBe(true)
  expect(errorsIn(answer.text)).toBe(1)
  for (const event of answer.text.split('\n\n').slice(0, -1)) expect(event).toMatch(/^event: \w+\ndata: {.*}$/)
  const row = (await relay.rows()).at(-1)
  expect(row).toMatchObject({ outcome: 'failed', usage_source: 'estimated' })
  expect(row?.['input_tokens']).toBeGreaterThan(0)
})

test('client point 15: a ping never comes into an event that has begun to arrive', async () => {
  const go = deferred()
  const half = encodeEvents(golden.events.slice(0, 4)).length - 20
  upstream.script(async (exchange) => {
    await exchange.begin()
    await exchange.write(golden.bytes.subarray(0, half))
    await go.promise
    await exchange.write(golden.bytes.subarray(half))
    await exchange.end()
  })
  const answer = await open('p')
  await answer.until(ourPing)
  go.resolve()
  const all = await answer.rest()
  expect(all).toMatch(new RegExp(`\\n\\n${ourPing.replace(/[{}]/g, '\\$&')}event: `))
  expect(withoutOurPings(Buffer.from(all)).equals(golden.bytes)).toBe(true)
})

test("fault 25: the upstream's own pings keep an answer alive beyond the idle deadline, and nothing of ours is put between them", async () => {
  upstream.script(async (exchange) => {
    await exchange.begin()
    await exchange.write(encodeEvents(golden.events.slice(0, 3)))
    // Together longer than the idle deadline of 500 ms, each pause shorter than the 120 ms after which we would ping.
    for (let i = 0; i < 14; i++) {
      await waited(50)
      await exchange.write(encodeEvent(ping))
    }
    await exchange.write(encodeEvents(golden.events.slice(3)))
    await exchange.end()
  })
  const answer = await relay.ask('p')
  expect(answer.text.split(encodeEvent(ping).toString()).length - 1).toBeGreaterThanOrEqual(14)
  expect(errorsIn(answer.text)).toBe(0)
  expect((await relay.rows()).at(-1)).toMatchObject({ outcome: 'completed', usage_source: 'final' })
})

test('a stream whose upstream keeps the connection after message_stop ends for the client', async () => {
  upstream.script(async (exchange) => {
    await exchange.sse(golden.events, { end: false })
    await exchange.hang()
  })
  const answer = await relay.ask('d')
  expect(answer.bytes.equals(golden.bytes)).toBe(true)
  expect(await upstream.requests.at(-1)!.closed).toBe('aborted')
  expect((await relay.rows()).at(-1)).toMatchObject({ outcome: 'completed', output_tokens: golden.tokens.output })
})

const brokenAfter: [string, (exchange: Exchange) => Promise<void>][] = [
  ['reset', (exchange) => exchange.reset()],
  ['closed in its body', (exchange) => exchange.fin()],
]

test.each(brokenAfter)('a connection that is %s behind message_stop has answered', async (_way, breakIt) => {
  upstream.script(async (exchange) => {
    await exchange.sse(golden.events, { end: false })
    await breakIt(exchange)
  })
  const answer = await relay.ask('d')
  expect(answer.broken).toBe(false)
  expect(answer.bytes.equals(golden.bytes)).toBe(true)
  expect((await relay.rows()).at(-1)).toMatchObject({ outcome: 'completed', usage_source: 'final' })
})

test.each([
  ['e', ...brokenAfter[0]!],
  ['f', 'left open', (exchange: Exchange) => exchange.hang()],
] as const)(
  'pool %s: an error event of the upstream is the only one, though its connection is then %s',
  async (pool, _way, then) => {
    upstream.script(async (exchange) => {
      await exchange.sse([...golden.events.slice(0, 4), errorEvent('overloaded_error')], { end: false })
      await then(exchange)
    })
    const answer = await relay.ask(pool)
    expect(answer.broken).toBe(false)
    expect(errorsIn(answer.text)).toBe(1)
    expect(answer.text).toContain('"overloaded_error"')
    expect((await relay.rows()).at(-1)).toMatchObject({ outcome: 'failed', error_type: 'overloaded_error' })
  },
)

test('nothing goes to the client before content, unless 64 KB have come: then the account is fixed', async () => {
  const patient = await startPools(
    { p: [{ url: upstream.url }] },
    { timers: { commitMs: 60_000, idleMs: 60_000, firstByteStreamMs: 60_000 } },
  )
  try {
    const go = deferred()
    const start = encodeEvent(golden.events[0]!)
    let answered = false
    upstream.script(async (exchange) => {
      await exchange.begin()
      await exchange.write(start)
      let sent = start.length
      const one = encodeEvent(ping)
      for (; sent < 60 * 1024; sent += one.length) await exchange.write(one)
      await waited(50)
      // 60 KB without content, and the client has heard nothing.
      expect(answered).toBe(false)
      for (; sent <= 65 * 1024; sent += one.length) await exchange.write(one)
      await go.promise
      await exchange.sse(golden.events.slice(1))
    })
    const answer = await open('p', patient.base)
    answered = true
    expect((await answer.until(encodeEvent(ping).toString())).startsWith(start.toString())).toBe(true)
    go.resolve()
    expect(await answer.rest()).toMatch(/event: message_stop\n.*\n\n$/)
    upstream.script(async (exchange) => {
      await exchange.sse(golden.events.slice(0, 1), { end: false })
      await exchange.reset()
    })
    expect((await ask(patient.base, keyOf('p'))).status).toBe(529)
  } finally {
    await patient.stop()
  }
})

test('no ping tears an event that is already on its way because it is too large to hold', async () => {
  const size = 1_500_000
  upstream.script(async (exchange) => {
    await exchange.begin()
    await exchange.write(encodeEvents(golden.events.slice(0, 2)))
    await exchange.write(`event: content_block_delta\ndata: {"type":"content_block_delta","text":"${'x'.repeat(size)}`)
    await waited(350)
    await exchange.write(`${'x'.repeat(size)}"}\n\n`)
    await exchange.sse(golden.events.slice(-3))
  })
  const answer = await relay.ask('p')
  expect(answer.text).toContain(`"${'x'.repeat(2 * size)}"}\n\n`)
  expect(answer.text).toMatch(/event: message_stop\n.*\n\n$/)
})

test('the head of the answer goes out when the account is fixed, not only with the first bytes', async () => {
  const quiet = await startPools({ p: [{ url: upstream.url }] }, { timers: { pingMs: 60_000, idleMs: 60_000 } })
  try {
    const answered = deferred()
    upstream.script(async (exchange) => {
      await exchange.begin()
      // Nothing comes until the client has its head.
      await answered.promise
      await exchange.sse(golden.events)
    })
    const answer = await open('p', quiet.base)
    expect(answer.response.status).toBe(200)
    answered.resolve()
    expect(Buffer.from(await answer.rest()).equals(golden.bytes)).toBe(true)
  } finally {
    await quiet.stop()
  }
}, 5_000)
