import { afterAll, beforeAll, expect, test } from 'vitest'
import { compressed, hugeEvent, toolUse } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream, type Script } from '../support/fake-upstream.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'
import { type GoldenName, goldenStreams } from '../support/golden-streams.ts'
import { sampleOf } from '../support/sample.ts'
import { encodeEvent } from '../support/sse-fixtures.ts'
import { type Pools, sha256, startPools, withoutOurPings } from './pools.ts'

const golden = goldenStreams()
const names = Object.keys(golden) as GoldenName[]
let upstream: FakeUpstream
let relay: Pools

beforeAll(async () => {
  upstream = await createFakeUpstream()
  // An account whose answer ended with overloaded_error rests for seconds: those streams have one of their own.
  // Nothing here is about silence: a busy machine may take its time.
  const timers = { firstByteStreamMs: 10_000, idleMs: 10_000, commitMs: 10_000, pingMs: 10_000, closeMs: 10_000 }
  relay = await startPools({ p: [{ url: upstream.url }], brokenOff: [{ url: upstream.url }] }, { timers })
})
afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

/** The bytes of a golden stream, cut in two at `offset`, each part in a write of its own. */
const inTwo =
  (name: GoldenName, offset: number): Script =>
  (exchange) =>
    exchange.sse(golden[name].events, {
      lineEnd: name === 'crlf' ? '\r\n' : '\n',
      splitAt: [Math.max(1, offset), golden[name].bytes.length],
    })

/** Runs `one` for offsets from 0 to count - 1 (see sampleOf), eight at a time. */
async function forEachOffset(count: number, one: (offset: number) => Promise<void>): Promise<void> {
  const offsets = sampleOf(count).values()
  const worker = async () => {
    for (const offset of offsets) await one(offset)
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

/** Scripts are picked by a header of the request, since eight run at once. */
async function askWith(script: Script, pool = 'p') {
  const id = String(Math.random())
  const forget = upstream.scriptWhen((request) => request.headers['x-test-id'] === id, script)
  try {
    return await relay.ask(pool, { headers: { 'x-test-id': id } })
  } finally {
    forget()
  }
}

test.each(names)('the %s stream in one-byte chunks arrives byte for byte and is metered exactly', async (name) => {
  const { bytes, events, tokens, complete } = golden[name]
  const answer = await askWith(
    (exchange) => exchange.sse(events, { lineEnd: name === 'crlf' ? '\r\n' : '\n', splitAt: [1] }),
    complete ? 'p' : 'brokenOff',
  )
  expect(answer.status).toBe(200)
  expect(sha256(withoutOurPings(answer.bytes))).toBe(sha256(bytes))
  const row = (await relay.rows()).at(-1)
  expect(row).toMatchObject({
    outcome: complete ? 'completed' : 'failed',
    input_tokens: tokens.input,
    cache_read_tokens: tokens.cacheRead,
    cache_write_5m_tokens: tokens.cacheWrite5m,
    cache_write_1h_tokens: tokens.cacheWrite1h,
    ...(complete && { output_tokens: tokens.output, usage_source: 'final', web_searches: tokens.webSearches }),
  })
})

test.each(['emoji', 'crlf', 'tools'] as const)(
  'the %s stream arrives byte for byte wherever it is cut in two',
  async (name) => {
    const { bytes } = golden[name]
    const wanted = sha256(bytes)
    const wrong: string[] = []
    await forEachOffset(bytes.length, async (offset) => {
      const answer = await askWith(inTwo(name, offset))
      if (answer.status !== 200 || sha256(withoutOurPings(answer.bytes)) !== wanted)
        wrong.push(`${offset} ${answer.status} ${answer.text.slice(0, 300)}`)
    })
    expect(wrong).toEqual([])
  },
)

test.each(['emoji', 'crlf'] as const)(
  'fault 23: the %s stream broken off at any byte arrives as whole events and exactly one error, or as an error before any content',
  async (name) => {
    const { bytes, events } = golden[name]
    const lineEnd = name === 'crlf' ? '\r\n' : '\n'
    let at = 0
    const ends = events.map((event) => {
      at += encodeEvent(event, lineEnd).length
      return at
    })
    const contentAt = events.findIndex(({ event }) => event === 'content_block_start')
    const wrong: string[] = []
    await forEachOffset(bytes.length, async (offset) => {
      // FIN inside the chunked body, RST, or a regular end of the body.
      const way = offset % 3
      const answer = await askWith(async (exchange) => {
        await exchange.begin()
        if (offset > 0) await exchange.write(bytes.subarray(0, offset))
        if (way === 0) await exchange.fin()
        else if (way === 1) await exchange.reset()
        else await exchange.end()
      })
      // CR CR LF: the event ends with the second CR. At a regular end an event may lack its blank line.
      const slack = way === 2 ? 2 * lineEnd.length : lineEnd.length - 1
      const whole = ends.filter((end) => end - slack <= offset).length
      const problem = problemOf(answer, events.slice(0, whole), contentAt < whole, whole === events.length)
      if (problem) wrong.push(`${offset} (${way}): ${problem}`)
    })
    expect(wrong).toEqual([])
  },
)

function problemOf(
  answer: { status: number; text: string; broken: boolean },
  whole: (typeof golden)['text']['events'],
  hasContent: boolean,
  complete: boolean,
): string {
  if (!hasContent) {
    if (answer.status !== 529) return `status ${answer.status} before content`
    return answer.text.includes('"overloaded_error"') ? '' : answer.text
  }
  if (answer.status !== 200 || answer.broken) return `status ${answer.status}, broken ${answer.broken}`
  const text = answer.text.replaceAll('\r\n', '\n').replaceAll('\r', '\n')
  const wanted = Buffer.concat(whole.map((event) => encodeEvent(event))).toString()
  if (!text.startsWith(wanted)) return 'other events'
  const rest = text.slice(wanted.length)
  if (complete) return rest === '' || rest === '\n' ? '' : `after the end: ${rest}`
  const error = /^\n?event: error\ndata: ({.*})\n\n$/.exec(rest)?.[1]
  if (error === undefined) return `in place of an error: ${rest}`
  return (JSON.parse(error) as { error: { type: string } }).error.type === 'api_error' ? '' : error
}

test('comments, empty lines, a byte order mark and unknown events pass untouched', async () => {
  const extra = Buffer.concat([
    Buffer.from('\ufeff: first\n\n\n: second\nevent: future_event\ndata: {"type":"future_event"}\nid: 1\nretry: 5\n\n'),
    golden.text.bytes,
    Buffer.from(': last\n\n'),
  ])
  const answer = await askWith(async (exchange) => {
    await exchange.begin()
    for (const byte of extra) await exchange.write(Buffer.of(byte))
    await exchange.end()
  })
  expect(sha256(withoutOurPings(answer.bytes))).toBe(sha256(extra))
})

test('through a line that delivers single bytes a tool call arrives whole', async () => {
  const proxy = await createFaultProxy({ target: upstream.url })
  const sliced = await startPools(
    { p: [{ url: proxy.url }] },
    { timers: { firstByteStreamMs: 10_000, idleMs: 10_000 } },
  )
  try {
    proxy.set('toClient', { sliceBytes: 1 })
    upstream.script(toolUse('Read', { path: '/tmp/🙂', note: '你好' }))
    const answer = await sliced.ask('p')
    const pieces = [...answer.text.matchAll(/"partial_json":("(?:[^"\\]|\\.)*")/g)].map((match) =>
      JSON.parse(match[1]!),
    )
    expect(JSON.parse(pieces.join(''))).toEqual({ path: '/tmp/🙂', note: '你好' })
    expect(answer.text).toMatch(/event: message_stop\n.*\n\n$/)
  } finally {
    await sliced.stop()
    await proxy.close()
  }
})

test.each(['gzip', 'br'] as const)(
  'client point 8: %s that nobody asked for is undone, for streams and for JSON',
  async (encoding) => {
    for (const stream of [true, false]) {
      upstream.script(compressed(encoding))
      const answer = await relay.ask('p', { body: { stream } })
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-encoding')).toBeNull()
      expect(answer.text).toContain(stream ? 'event: message_stop' : '"stop_reason":"end_turn"')
      expect(upstream.requests.at(-1)?.headers['accept-encoding']).toBe('identity')
      const { usage } = upstream.requests.at(-1)!
      expect((await relay.rows()).at(-1)).toMatchObject({
        outcome: 'completed',
        input_tokens: usage?.tokens.input,
        output_tokens: usage?.tokens.output,
      })
    }
  },
)

test('an event of 2 MB flows, and its bytes are the same', async () => {
  const answer = await askWith(hugeEvent(2 * 1024 * 1024))
  expect(answer.broken).toBe(false)
  expect(/"text":"(x+)"/.exec(answer.text)?.[1]?.length).toBe(2 * 1024 * 1024)
  expect(answer.text).toMatch(/event: message_stop\n.*\n\n$/)
})

test('fault 23: a break inside an event too large to hold resets the connection: no half event looks like an end', async () => {
  const answer = await askWith(async (exchange) => {
    await exchange.begin()
    await exchange.write(Buffer.concat(golden.text.events.slice(0, 3).map((event) => encodeEvent(event))))
    await exchange.write(`event: content_block_delta\ndata: {"text":"${'x'.repeat(1_500_000)}`)
    await exchange.reset()
  })
  expect(answer.broken).toBe(true)
  expect(answer.text).not.toContain('event: error')
})
