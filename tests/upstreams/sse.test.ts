import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AnthropicSink, listenToAnthropic } from '../../server/upstreams/formats/anthropic/events.ts'
import { createUsageReader } from '../../server/upstreams/formats/anthropic/usage.ts'
import { createSseScanner } from '../../server/upstreams/formats/sse.ts'
import { sampleOf } from '../support/sample.ts'
import { anthropicStream, anthropicUnits, frame, payloadChars } from './sse-streams.ts'

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** Feeds the chunks; gives what went out, what was left and what the sink heard. */
function run(chunks: readonly Buffer[], limits?: { maxHeldBytes?: number }) {
  const heard: string[] = []
  let chars = 0
  const usage = createUsageReader()
  const sink: AnthropicSink = {
    messageStart(json) {
      heard.push(`start ${json}`)
      usage.start(json)
    },
    contentStart: () => heard.push('content'),
    delta(more) {
      chars += more
      usage.text(more)
    },
    messageDelta(json) {
      heard.push(`delta ${json}`)
      usage.delta(json)
    },
    messageStop() {
      heard.push('stop')
      usage.stop()
    },
    unreadable: () => heard.push('unreadable'),
    nameless: () => {},
    errorEvent: (json) => heard.push(`error ${json}`),
  }
  const scanner = createSseScanner(listenToAnthropic(sink), limits)
  const out = chunks.flatMap((chunk) => scanner.push(chunk))
  return { out: Buffer.concat(out), rest: scanner.rest(), heard, chars, reading: usage.reading(), scanner }
}

const styles = [
  ['LF', { eol: '\n' }],
  ['CRLF', { eol: '\r\n' }],
  ['CR', { eol: '\r' }],
  ['LF without a space', { eol: '\n', gap: '' }],
] as const

const expectedHeard = run([Buffer.from(anthropicStream())]).heard

test('a stream tells its usage, its content blocks and its end, and counts exactly the characters of its payload', () => {
  const { out, rest, heard, chars, reading } = run([Buffer.from(anthropicStream())])
  expect(out.toString()).toBe(anthropicStream())
  expect(rest).toHaveLength(0)
  expect(heard.map((line) => line.split(' ')[0])).toEqual(['start', 'content', 'content', 'content', 'delta', 'stop'])
  expect(chars).toBe(payloadChars)
  expect(reading).toMatchObject({ source: 'final', stopReason: 'tool_use', tokens: { input: 10, output: 42 } })
})

test.each(styles)('cut in two anywhere, a stream with %s goes out as it came and reads the same', (_, style) => {
  const bytes = Buffer.from(anthropicStream(style))
  for (const cut of sampleOf(bytes.length + 1, 400)) {
    const { out, rest, heard, chars } = run([bytes.subarray(0, cut), bytes.subarray(cut)])
    expect(sha256(out)).toBe(sha256(bytes))
    expect(rest).toHaveLength(0)
    expect(heard).toEqual(expectedHeard)
    expect(chars).toBe(payloadChars)
  }
})

test.each(styles)('cut into single bytes, a stream with %s goes out as it came and reads the same', (_, style) => {
  const bytes = Buffer.from(`\ufeff${anthropicStream(style)}`)
  const { out, heard, chars } = run(Array.from(bytes, (byte) => Buffer.of(byte)))
  expect(sha256(out)).toBe(sha256(bytes))
  expect(heard).toEqual(expectedHeard)
  expect(chars).toBe(payloadChars)
})

test('any chunking of any mixture of line ends gives the same bytes and the same usage', () => {
  const style = fc.constantFrom(...styles.map(([, value]) => value))
  const cuts = fc.array(fc.nat({ max: 4_000 }), { maxLength: 30 })
  const whole = run([Buffer.from(anthropicStream())]).reading
  fc.assert(
    fc.property(style, style, cuts, fc.integer({ min: 50, max: 5_000 }), (first, second, where, maxHeldBytes) => {
      const text = `${frame('ping', { type: 'ping' }, first)}${anthropicStream(second)}`
      const bytes = Buffer.from(text)
      const { out, rest, reading, scanner } = run(sliced(bytes, where), { maxHeldBytes: Math.max(maxHeldBytes, 300) })
      expect(sha256(Buffer.concat([out, rest]))).toBe(sha256(bytes))
      expect(rest).toHaveLength(0)
      expect(scanner.flowing).toBe(false)
      expect(reading).toEqual(whole)
    }),
    { numRuns: 300 },
  )
})

test('bytes that are no stream at all still go out as they came, all but a torn end', () => {
  const byte = fc.constantFrom(...Buffer.from('\n\r:d e\n\r\n'), 0xff, 0xef, 0xbb, 0xbf)
  fc.assert(
    fc.property(fc.array(byte), fc.array(fc.nat({ max: 60 })), fc.integer({ min: 1, max: 20 }), (raw, where, held) => {
      const bytes = Buffer.from(raw)
      const { out, rest } = run(sliced(bytes, where), { maxHeldBytes: held })
      expect(Buffer.concat([out, rest])).toEqual(bytes)
    }),
    { numRuns: 3_000 },
  )
})

test.each(styles)('only whole events go out, and at once, of a stream with %s', (_, style) => {
  const units = anthropicUnits(style)
  const bytes = Buffer.from(units.join(''))
  const ends = [0]
  for (const unit of units) ends.push(ends.at(-1)! + Buffer.byteLength(unit))
  const allowed = new Set(ends)
  // The carriage return alone ends a line already; the line feed that may follow goes out behind it.
  if (style.eol === '\r\n') for (const end of ends) allowed.add(end - 1)
  for (const cut of sampleOf(bytes.length + 1, 400)) {
    const { out, rest, scanner } = run([bytes.subarray(0, cut)])
    expect(Buffer.concat([out, rest])).toEqual(bytes.subarray(0, cut))
    expect(scanner).toMatchObject({ heldBytes: rest.length, eventBytes: rest.length })
    expect(allowed.has(out.length)).toBe(true)
    expect(out.length).toBeGreaterThanOrEqual(ends.findLast((end) => end <= cut)!)
  }
  const bytewise = createSseScanner({ event() {}, large() {}, more() {} })
  let bytewiseOut = 0
  for (let at = 0; at < bytes.length; at++) {
    for (const part of bytewise.push(bytes.subarray(at, at + 1))) bytewiseOut += part.length
    const isWhole = allowed.has(bytewiseOut) && bytewiseOut >= ends.findLast((end) => end <= at + 1)!
    if (!isWhole) expect.fail(`${bytewiseOut} bytes went out after ${at + 1}`)
  }
})

test('line ends may differ within one event', () => {
  expect(run([Buffer.from('event: error\rda'), Buffer.from('ta: {"a":1}\n\n')]).heard).toEqual(['error {"a":1}'])
  expect(run([Buffer.from('event: error\nda'), Buffer.from('ta: {"a":1}\r\n\n')]).heard).toEqual(['error {"a":1}'])
})

test('an event that ends with a lone carriage return does not wait for the next chunk', () => {
  const event = frame('message_stop', '{}', { eol: '\r' })
  const { out, heard } = run([Buffer.from(event)])
  expect(out.toString()).toBe(event)
  expect(heard).toEqual(['stop'])
})

test('comments go out at once, for they are signs of life', () => {
  expect(run([Buffer.from(': keepalive\n')]).out.toString()).toBe(': keepalive\n')
  expect(run([Buffer.from(': kee')]).rest.toString()).toBe(': kee')
  expect(run([Buffer.from(': kee'), Buffer.from('p\n')]).out.toString()).toBe(': keep\n')
  // Inside an event they belong to it.
  expect(run([Buffer.from('event: ping\n: x\n')]).out.toString()).toBe('')
})

test('a whole chunk goes out as the object it came in', () => {
  const chunk = Buffer.from(anthropicStream())
  const scanner = createSseScanner({ event() {}, large() {}, more() {} })
  expect(scanner.push(chunk)[0]).toBe(chunk)
})

test('bytes given out are never written again', () => {
  const scanner = createSseScanner({ event() {}, large() {}, more() {} })
  scanner.push(Buffer.from('data: 1'))
  const first = scanner.push(Buffer.from('\n\ndata: 2'))
  const second = scanner.push(Buffer.from('\n\n'))
  expect(Buffer.concat(first).toString()).toBe('data: 1\n\n')
  expect(Buffer.concat(second).toString()).toBe('data: 2\n\n')
})

test('an event too large to hold flows to its end, and the next is held again', () => {
  const text = 'x'.repeat(5_000)
  const large = frame('content_block_delta', { type: 'content_block_delta', delta: { type: 'text_delta', text } })
  const bytes = Buffer.from(`${frame('ping', '{}')}${large}${frame('message_stop', '{}')}`)
  const scanner = createSseScanner({ event() {}, large() {}, more() {} }, { maxHeldBytes: 1_000 })
  const sizes: number[] = []
  let flowed = false
  for (let at = 0; at < bytes.length; at += 100) {
    const out = scanner.push(bytes.subarray(at, at + 100))
    sizes.push(Buffer.concat(out).length)
    flowed ||= scanner.flowing
    expect(scanner.heldBytes).toBeLessThanOrEqual(1_000)
  }
  expect(flowed).toBe(true)
  expect(scanner.flowing).toBe(false)
  expect(sizes.reduce((sum, size) => sum + size)).toBe(bytes.length)
  const {
    chars,
    heard,
    scanner: after,
  } = run([bytes.subarray(0, 2_000), bytes.subarray(2_000)], { maxHeldBytes: 1_000 })
  expect(heard).toEqual(['stop'])
  expect(after.eventBytes).toBe(0)
  expect(chars).toBeGreaterThanOrEqual(5_000)
  expect(chars).toBeLessThan(5_200)
})

test('the size of a flowing event can be told, so that it can be capped', () => {
  const { scanner, out } = run([Buffer.from('data: '), Buffer.alloc(3_000, 97), Buffer.alloc(3_000, 97)], {
    maxHeldBytes: 100,
  })
  expect(scanner).toMatchObject({ flowing: true, heldBytes: 0, eventBytes: 6_006 })
  expect(out).toHaveLength(6_006)
})

test.each(['message_start', 'message_delta', 'error'])('a %s too large to hold is told without its text', (name) => {
  const data = { type: name, padding: 'x'.repeat(2_000) }
  for (const known of [name, undefined]) {
    const bytes = Buffer.from(frame(known, data))
    const { heard } = run([bytes.subarray(0, 1_500), bytes.subarray(1_500)], { maxHeldBytes: 1_000 })
    expect(heard).toEqual([`${name.replace('message_', '')} `])
  }
})

test('without an event name, or with one that says nothing, the type in the data decides', () => {
  const data = { type: 'message_start', message: {} }
  const delta = { type: 'content_block_delta', delta: { text: 'abc', type: 'text_delta' } }
  for (const name of [undefined, 'message']) {
    const { heard, chars } = run([
      Buffer.from(`${frame(name, data)}${frame(name, delta)}${frame(name, { type: 'message_stop' })}`),
    ])
    expect(heard).toEqual([`start ${JSON.stringify(data)}`, 'stop'])
    expect(chars).toBe(3)
  }
})

test('data of several lines are joined, data before the name are found', () => {
  const { heard, chars } = run([
    Buffer.from('event: error\ndata: {"a":\ndata: 1}\n\n'),
    Buffer.from('data: {"b":2}\nevent: error\n\n'),
    Buffer.from('event: content_block_delta\ndata: {"delta":\ndata: {"text":"four"}}\n\n'),
    Buffer.from('id: 7\nretry: 10\nevent\ndatabase: 1\ndata\n\n'),
    Buffer.from('event: message_stop\n\n'),
  ])
  expect(heard).toEqual(['error {"a":\n1}', 'error {"b":2}'])
  expect(chars).toBe(4)
})

test('deltas in any layout are counted exactly', () => {
  const write = (data: string) => frame('content_block_delta', data)
  const events = [
    write('{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "one"}}'),
    write(
      '{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "two\\u00e9\\ud83d\\ude00"}}',
    ),
    write(
      '{"type":"content_block_delta","index":9,"delta":{"type":"thinking_delta","thinking":"abc","estimated_tokens":9}}',
    ),
    write(
      '{"type":"content_block_delta","index":10,"delta":{"type":"thinking_delta","thinking":"de","estimated_tokens":12}}',
    ),
    write('{"delta":{"text":"\\"text\\":\\"","type":"text_delta"},"index":0}'),
    write('{"delta":{"text":null}}'),
    write('{"delta":{"type":"signature_delta","signature":"none of it"}}'),
    write('not JSON "text":"x"'),
    write('{}'),
  ]
  expect(run([Buffer.from(events.join(''))]).chars).toBe(3 + 6 + 3 + 2 + 8)
})

test('a torn event does not go out, one that lacks only its blank line does', () => {
  const whole = frame('message_stop', '{"type":"message_stop"}')
  const ended = (text: string) => {
    const { scanner, heard } = run([Buffer.from(text)])
    return { out: Buffer.concat(scanner.end()).toString(), rest: scanner.rest().toString(), heard }
  }
  expect(ended(whole)).toEqual({ out: '', rest: '', heard: ['stop'] })
  expect(ended(whole.slice(0, -1))).toEqual({ out: whole, rest: '', heard: ['stop'] })
  expect(ended(whole.slice(0, -2))).toEqual({ out: whole, rest: '', heard: ['stop'] })
  expect(ended(whole.slice(0, -3))).toEqual({ out: '', rest: whole.slice(0, -3), heard: [] })
  expect(ended('event: message_stop\rdata: {}\r')).toEqual({
    out: 'event: message_stop\rdata: {}\r\n\n',
    rest: '',
    heard: ['stop'],
  })
  expect(ended('event: message_stop\n').heard).toEqual([])
})

test('a line that is no JSON passes and only marks the usage', () => {
  const stream = anthropicStream().replace('"usage":{"output_tokens":42}', '"usage":{"output_tokens":42')
  const { out, reading } = run([Buffer.from(stream)])
  expect(out.toString()).toBe(stream)
  expect(reading).toMatchObject({ source: 'partial', flags: ['unreadable'] })
})

test('an event of a megabyte in single bytes costs linear time', () => {
  const bytes = Buffer.from(frame('content_block_start', { type: 'content_block_start', x: 'y'.repeat(1_000_000) }))
  const started = performance.now()
  const scanner = createSseScanner({ event() {}, large() {}, more() {} })
  let out = 0
  for (let at = 0; at < bytes.length; at++)
    for (const part of scanner.push(bytes.subarray(at, at + 1))) out += part.length
  expect(out).toBe(bytes.length)
  // Copying what is held for each byte would be half a terabyte.
  expect(performance.now() - started).toBeLessThan(5_000)
})

function sliced(bytes: Buffer, where: readonly number[]): Buffer[] {
  const cuts = [0, ...where.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
  return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end))
}
