import { expect, test } from 'vitest'
import { anthropicFormat } from '../../server/upstreams/formats/anthropic/anthropic.ts'

/** Framings and shapes of usage beside those of cases/, as servers were seen to write them or as the standard lets them. */

type Event = Record<string, unknown> & { type: string }
const start = (usage: unknown = { input_tokens: 100, output_tokens: 1 }): Event => ({
  type: 'message_start',
  message: { id: 'm', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5', content: [], usage },
})
const text = (words = 'hello'): Event[] => [
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: words } },
  { type: 'content_block_stop', index: 0 },
]
const delta = (usage?: unknown): Event => ({
  type: 'message_delta',
  delta: { stop_reason: 'end_turn', stop_sequence: null },
  ...(usage !== undefined && { usage }),
})
const stop: Event = { type: 'message_stop' }
const whole = [start(), ...text(), delta({ output_tokens: 10 }), stop]
const framed = (frame: (event: Event, json: string) => string, events = whole): string =>
  events.map((event) => frame(event, JSON.stringify(event))).join('')
const plain = framed(({ type }, json) => `event: ${type}\ndata: ${json}\n\n`)

function read(stream: string, chunkBytes = 1e6) {
  const reader = anthropicFormat.createStreamReader('')
  const bytes = Buffer.from(stream)
  const out: Buffer[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) out.push(...reader.push(bytes.subarray(at, at + chunkBytes)))
  out.push(...reader.end())
  return { text: Buffer.concat(out).toString(), reader }
}

/** JSON over several lines, each of them a line of data. */
const pretty = (event: Event): string =>
  JSON.stringify(event, null, 1)
    .split('\n')
    .map((line) => `data: ${line}`)
    .join('\n')

const framings: Record<string, string> = {
  'two empty lines between events': framed(({ type }, json) => `event: ${type}\ndata: ${json}\n\n\n`),
  'comments alone between events': framed(({ type }, json) => `: still here\n\nevent: ${type}\ndata: ${json}\n\n`),
  'comments and empty lines before the first event': `:\n:\n\n\n: hello\n\n${plain}`,
  'line ends of two kinds in one event': framed(({ type }, json) => `event: ${type}\r\ndata: ${json}\n\r\n`),
  'two names, of which the last counts': framed(({ type }, json) => `event: odd\nevent: ${type}\ndata: ${json}\n\n`),
  'two spaces behind the colon of data': framed(({ type }, json) => `event: ${type}\ndata:  ${json}\n\n`),
  'an id without a colon': framed(({ type }, json) => `id\nevent: ${type}\ndata: ${json}\n\n`),
  'retry behind data': framed(({ type }, json) => `event: ${type}\ndata: ${json}\nretry: 3000\n\n`),
  'JSON over several lines': framed((event) => `event: ${event.type}\n${pretty(event)}\n\n`),
  'JSON over several lines, with CRLF': framed((event) => `event: ${event.type}\n${pretty(event)}\n\n`).replaceAll(
    '\n',
    '\r\n',
  ),
  'a field whose name begins with data': framed((event) => `event: ${event.type}\n${pretty(event)}\ndataset: 5\n\n`),
  'spaces within the JSON': framed(
    ({ type }, json) => `event: ${type}\ndata: ${json.replace(/^\{"type":/, '{ "type" : ')}\n\n`,
  ),
  'type last in the JSON': framed(
    ({ type, ...rest }) => `event: ${type}\ndata: ${JSON.stringify({ ...rest, type })}\n\n`,
  ),
  'a ping without data between': framed(({ type }, json) => `event: ping\n\nevent: ${type}\ndata: ${json}\n\n`),
}

test.each(
  Object.entries(framings).flatMap(([name, stream]) => [1, 5, 1e6].map((size) => [name, size, stream] as const)),
)('faults 11, 27: %s, in pieces of %d bytes', (_name, size, stream) => {
  const { text: out, reader } = read(stream, size)
  expect(out).toBe(stream)
  expect(reader).toMatchObject({ started: true, hasContent: true, isFinished: true, error: null })
  expect(reader.reading()).toMatchObject({ source: 'final', flags: [], tokens: { input: 100, output: 10 } })
})

/** What SDKs would drop, since they know an event by its name: the name is put in. */
const repaired: Record<string, [given: string, passed: string]> = {
  'no names, and several lines of data': [
    framed((event) => `${pretty(event)}\n\n`),
    framed((event) => `event: ${event.type}\n${pretty(event)}\n\n`),
  ],
  'no names, and type last': [
    framed(({ type, ...rest }) => `data: ${JSON.stringify({ ...rest, type })}\n\n`),
    framed(({ type, ...rest }) => `event: ${type}\ndata: ${JSON.stringify({ ...rest, type })}\n\n`),
  ],
  'the name that the standard gives to events without one': [
    framed((_event, json) => `event: message\ndata: ${json}\n\n`),
    plain,
  ],
  'an empty name': [framed((_event, json) => `event:\ndata: ${json}\n\n`), plain],
  'names of some events only': [
    framed(({ type }, json) => `${type === 'content_block_delta' ? '' : `event: ${type}\n`}data: ${json}\n\n`),
    plain,
  ],
  'the last empty line missing': [plain.slice(0, -1), plain],
}

test.each(
  Object.entries(repaired).flatMap(([name, both]) => [1, 5, 1e6].map((size) => [name, size, ...both] as const)),
)('fault 27: %s: SDKs can read it, in pieces of %d bytes', (_name, size, given, passed) => {
  const { text: out, reader } = read(given, size)
  expect(out).toBe(passed)
  expect(reader).toMatchObject({ isFinished: true, error: null })
  expect(reader.reading()).toMatchObject({ source: 'final', tokens: { input: 100, output: 10 } })
})

interface Usage {
  events: Event[]
  source: 'final' | 'partial' | 'estimated'
  tokens: Record<string, number>
  flag?: string
}
const said = 'w '.repeat(200)
const usages: Record<string, Usage> = {
  'null for a usage at the end': {
    events: [start(), ...text(), delta(null), stop],
    source: 'estimated',
    tokens: { input: 100, output: 2 },
  },
  'counts at the end alone': {
    events: [start(null), ...text(), delta({ input_tokens: 90, output_tokens: 10, cache_read_input_tokens: 8 }), stop],
    source: 'final',
    tokens: { input: 90, output: 10, cacheRead: 8 },
  },
  'a list for a usage': {
    events: [start([]), ...text(said), delta([]), stop],
    source: 'partial',
    tokens: { output: 100 },
    flag: 'unreadable',
  },
  'counts as texts': {
    events: [start({ input_tokens: '100', output_tokens: '1' }), ...text(said), delta({ output_tokens: '10' }), stop],
    source: 'final',
    tokens: { input: 100, output: 10 },
  },
  'a count that is no number': {
    events: [start(), ...text(said), delta({ output_tokens: [10] }), stop],
    source: 'estimated',
    tokens: { input: 100, output: 100 },
    flag: 'clamped',
  },
  'fractions of a token': {
    events: [start({ input_tokens: 100.7, output_tokens: 1 }), ...text(), delta({ output_tokens: 10.2 }), stop],
    source: 'final',
    tokens: { input: 100, output: 10 },
    flag: 'clamped',
  },
  'less than nothing': {
    events: [
      start({ input_tokens: 100, output_tokens: 1 }),
      ...text(),
      delta({ input_tokens: -5, output_tokens: 10 }),
      stop,
    ],
    source: 'final',
    tokens: { input: 100, output: 10 },
    flag: 'clamped',
  },
  'three reports that grow': {
    events: [
      start(),
      ...text(),
      delta({ output_tokens: 3 }),
      delta({ output_tokens: 7 }),
      delta({ output_tokens: 10 }),
      stop,
    ],
    source: 'final',
    tokens: { input: 100, output: 10 },
  },
  'a last report of zero': {
    events: [start(), ...text(), delta({ output_tokens: 10 }), delta({ output_tokens: 0 }), stop],
    source: 'final',
    tokens: { input: 100, output: 10 },
    flag: 'zeroed_later',
  },
  'reads from the cache alone': {
    events: [
      start({ input_tokens: 0, cache_read_input_tokens: 70, output_tokens: 1 }),
      ...text(),
      delta({ output_tokens: 10 }),
      stop,
    ],
    source: 'final',
    tokens: { input: 0, cacheRead: 70, output: 10 },
  },
  'a prompt that only looks as if it were reported twice': {
    events: [
      start({ input_tokens: 1000, output_tokens: 1 }),
      ...text(),
      delta({ cache_read_input_tokens: 980, output_tokens: 10 }),
      stop,
    ],
    source: 'final',
    tokens: { input: 1000, cacheRead: 980 },
  },
  'a prompt reported twice, within a hundredth': {
    events: [
      start({ input_tokens: 1000, output_tokens: 1 }),
      ...text(),
      delta({ input_tokens: 1000, cache_read_input_tokens: 1000, output_tokens: 10 }),
      stop,
    ],
    source: 'final',
    tokens: { input: 0, cacheRead: 1000 },
    flag: 'prompt_reported_twice',
  },
  'OpenAI’s names': {
    events: [start({ prompt_tokens: 100 }), ...text(said), delta({ completion_tokens: 10 }), stop],
    source: 'estimated',
    tokens: { output: 100 },
    flag: 'usage_missing',
  },
  'an end without a report': {
    events: [start(), ...text(said), stop],
    source: 'estimated',
    tokens: { input: 100, output: 100 },
  },
}

test.each(Object.keys(usages))('fault 29: usage with %s', (name) => {
  const { events, source, tokens, flag } = usages[name]!
  const reading = read(framed(({ type }, json) => `event: ${type}\ndata: ${json}\n\n`, events)).reader.reading()
  expect(reading).toMatchObject({ source, tokens })
  if (flag) expect(reading.flags).toContain(flag)
  else expect(reading.flags.filter((one) => one !== 'usage_missing')).toEqual([])
})
