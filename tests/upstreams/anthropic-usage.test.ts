// Over 300 lines: one file for one reader, every shape of usage that protocol.md §1.5 lists.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noTokens, type Reading } from '../../server/money/reading.ts'
import { createUsageReader, readUsageFromJson } from '../../server/upstreams/formats/anthropic/usage.ts'

type Usage = Record<string, unknown>
type Expected = Partial<Omit<Reading, 'tokens'>> & { tokens?: Partial<Reading['tokens']> }

interface Told {
  start?: Usage | string
  deltas?: readonly (Usage | string | null)[]
  chars?: number
  stop?: boolean
}

function read({ start, deltas = [], chars = 0, stop = true }: Told): Reading {
  const reader = createUsageReader()
  if (typeof start === 'string') reader.start(start)
  else if (start) {
    reader.start(
      JSON.stringify({ type: 'message_start', message: { model: 'claude-opus-5-5', stop_reason: null, usage: start } }),
    )
  }
  reader.text(chars)
  for (const usage of deltas) {
    if (typeof usage === 'string') reader.delta(usage)
    else reader.delta(JSON.stringify({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage }))
  }
  if (stop) reader.stop()
  return reader.reading()
}

const split = { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 20 }
const start = {
  input_tokens: 100,
  output_tokens: 1,
  cache_creation_input_tokens: 50,
  cache_read_input_tokens: 7,
  cache_creation: split,
}
const main = {
  model: 'claude-opus-5-5',
  input_tokens: 60,
  output_tokens: 6,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 1,
}

const table: [rule: string, told: Told, expected: Expected][] = [
  [
    '(a) it starts from message_start',
    { start, deltas: [{ output_tokens: 9 }] },
    {
      model: 'claude-opus-5-5',
      source: 'final',
      stopReason: 'end_turn',
      flags: [],
      extras: [],
      tokens: { ...noTokens, input: 100, output: 9, cacheWrite5m: 30, cacheWrite1h: 20, cacheRead: 7 },
    },
  ],
  [
    '(b) a field of message_delta replaces and never adds',
    { start, deltas: [{ output_tokens: 9, input_tokens: 110, cache_read_input_tokens: 8 }] },
    { tokens: { input: 110, output: 9, cacheRead: 8 } },
  ],
  [
    '(b) a zero never replaces a count',
    { start, deltas: [{ output_tokens: 9, input_tokens: 0, cache_read_input_tokens: 0 }] },
    { source: 'final', tokens: { input: 100, output: 9, cacheRead: 7 }, flags: ['zeroed_later'] },
  ],
  [
    '(b) null and absent fields of message_delta leave what was there',
    { start, deltas: [{ output_tokens: 9, input_tokens: null, cache_creation_input_tokens: null }] },
    { source: 'final', tokens: { input: 100, cacheWrite5m: 30, cacheWrite1h: 20, cacheRead: 7 } },
  ],
  [
    '(b) searches and thinking come with message_delta',
    {
      start,
      deltas: [
        {
          output_tokens: 9,
          server_tool_use: { web_search_requests: 3 },
          output_tokens_details: { thinking_tokens: 4 },
        },
      ],
    },
    { tokens: { output: 9, thinking: 4, webSearches: 3 } },
  ],
  [
    '(c) a surplus of cache writes over the split is priced at five minutes and flagged',
    { start, deltas: [{ output_tokens: 9, cache_creation_input_tokens: 80 }] },
    { flags: ['split_surplus'], tokens: { cacheWrite5m: 60, cacheWrite1h: 20 } },
  ],
  [
    '(c) fewer cache writes than the split shrink its five-minute part first',
    { start, deltas: [{ output_tokens: 9, cache_creation_input_tokens: 15 }] },
    { flags: ['split_deficit'], tokens: { cacheWrite5m: 0, cacheWrite1h: 15 } },
  ],
  [
    '(c) without a split all cache writes are at five minutes',
    { start: { ...start, cache_creation: null }, deltas: [{ output_tokens: 9 }] },
    { flags: ['split_missing'], tokens: { cacheWrite5m: 50, cacheWrite1h: 0 } },
  ],
  [
    '(c) a split without a total is the total',
    { start: { input_tokens: 1, cache_creation: split }, deltas: [{ output_tokens: 9 }] },
    { flags: [], tokens: { cacheWrite5m: 30, cacheWrite1h: 20 } },
  ],
  [
    '(d) input excludes what was read from and written to the cache',
    {
      start,
      deltas: [{ output_tokens: 9, input_tokens: 3, cache_creation_input_tokens: 50, cache_read_input_tokens: 900 }],
    },
    { tokens: { input: 3, cacheWrite5m: 30, cacheWrite1h: 20, cacheRead: 900 } },
  ],
  [
    '(e) of several message_deltas the last wins, field by field',
    { start, deltas: [{ output_tokens: 5, input_tokens: 120 }, { output_tokens: 9 }, null] },
    { source: 'final', tokens: { input: 120, output: 9 } },
  ],
  [
    '(f) speed, geo and tier are those of the answer',
    {
      start: { ...start, speed: 'fast', inference_geo: 'us', service_tier: 'priority' },
      deltas: [{ output_tokens: 9 }],
    },
    { model: 'claude-opus-5-5', speed: 'fast', geo: 'us', serviceTier: 'priority' },
  ],
  [
    '(f) an iteration under another model is billed under that model',
    {
      start,
      deltas: [
        {
          output_tokens: 9,
          iterations: [
            { ...main, type: 'message', model: 'claude-fable-5' },
            { ...main, type: 'fallback_message' },
          ],
        },
      ],
    },
    {
      tokens: { input: 60, output: 6, cacheRead: 1 },
      extras: [{ model: 'claude-fable-5', tokens: { ...noTokens, input: 60, output: 6, cacheRead: 1 } }],
    },
  ],
  [
    '(g) broken before message_delta: real input, output estimated from what was forwarded',
    { start, chars: 41, stop: false },
    {
      source: 'estimated',
      stopReason: '',
      tokens: { input: 100, cacheWrite5m: 30, cacheWrite1h: 20, cacheRead: 7, output: 11 },
    },
  ],
  ['(g) broken before any text: no output', { start, stop: false }, { source: 'estimated', tokens: { output: 0 } }],
  [
    '(g) a message_delta without usage is no final word',
    { start, deltas: [null, {}], chars: 8 },
    { source: 'estimated', stopReason: 'end_turn', tokens: { output: 2 } },
  ],
  [
    'message_delta without message_stop is partial',
    { start, deltas: [{ output_tokens: 9 }], stop: false },
    { source: 'partial', tokens: { output: 9 } },
  ],
  ['nothing at all is none', { stop: false }, { source: 'none', raw: '', model: '', tokens: noTokens }],
  [
    'iterations of the message replace the top level',
    {
      start,
      deltas: [
        {
          output_tokens: 9,
          iterations: [
            { ...main, type: 'message' },
            { ...main, type: 'message', model: null },
          ],
        },
      ],
    },
    { source: 'final', extras: [], tokens: { input: 120, output: 12, cacheRead: 2, cacheWrite5m: 0, cacheWrite1h: 0 } },
  ],
  [
    'compaction and advisor stand beside the top level, under their own model',
    {
      start,
      deltas: [
        {
          output_tokens: 9,
          iterations: [
            { ...main, type: 'compaction', model: undefined },
            { ...main, type: 'advisor_message', model: 'claude-fable-5-1' },
          ],
        },
      ],
    },
    {
      tokens: { input: 100, output: 9, cacheRead: 7 },
      extras: [
        { model: 'claude-opus-5-5', tokens: { ...noTokens, input: 60, output: 6, cacheRead: 1 } },
        { model: 'claude-fable-5-1', tokens: { ...noTokens, input: 60, output: 6, cacheRead: 1 } },
      ],
    },
  ],
  [
    'iterations without a split of cache writes take that of message_start when the totals agree',
    {
      start,
      deltas: [{ output_tokens: 9, iterations: [{ ...main, type: 'message', cache_creation_input_tokens: 50 }] }],
    },
    { flags: [], tokens: { cacheWrite5m: 30, cacheWrite1h: 20 } },
  ],
  [
    'an unknown iteration is billed beside and flagged',
    { start, deltas: [{ output_tokens: 9, iterations: [{ ...main, type: 'dream' }, 7] }] },
    {
      flags: ['iteration_unknown'],
      tokens: { input: 100 },
      extras: [{ model: 'claude-opus-5-5', tokens: { ...noTokens, input: 60, output: 6, cacheRead: 1 } }],
    },
  ],
  [
    'a redeemed fallback credit is flagged',
    { start, deltas: [{ output_tokens: 9, fallback_credit: { status: { type: 'redeemed' } } }] },
    { flags: ['credit'] },
  ],
  [
    'a fallback credit not applied is not',
    { start, deltas: [{ output_tokens: 9, fallback_credit: { status: { type: 'not_applied', reason: 'x' } } }] },
    { flags: [] },
  ],
  [
    'negative, absurd and broken counts are clamped and flagged',
    { start: { ...start, input_tokens: -5 }, deltas: [{ output_tokens: 1e12, cache_read_input_tokens: 7.9 }] },
    { source: 'final', flags: ['clamped'], tokens: { input: 0, output: 1e9, cacheRead: 7 } },
  ],
  [
    'a count that is no number is left out and flagged',
    { start: { ...start, input_tokens: 'twelve' }, deltas: [{ output_tokens: 9 }] },
    { flags: ['clamped'], tokens: { input: 0, output: 9 } },
  ],
  [
    'an unreadable message_start leaves the rest readable',
    { start: '{"type":', deltas: [{ output_tokens: 9, input_tokens: 3 }] },
    { model: '', source: 'partial', flags: ['unreadable'], tokens: { input: 3, output: 9 } },
  ],
  [
    'an unreadable message_delta is partial, with the output estimated',
    { start, deltas: ['{"usage":{"output_tok'], chars: 9 },
    { source: 'partial', flags: ['unreadable'], tokens: { input: 100, output: 3 } },
  ],
]

test.each(table)('%s', (_, told, expected) => {
  expect(read(told)).toMatchObject(expected)
})

test('the usage objects are kept as they came, the first and the last', () => {
  const { raw } = read({ start, deltas: [{ output_tokens: 5 }, { output_tokens: 9, new_field: [1] }] })
  expect(JSON.parse(raw)).toEqual([start, { output_tokens: 9, new_field: [1] }])
})

test('usage too long for the ledger is dropped from it, not from the bill', () => {
  const reading = read({ start, deltas: [{ output_tokens: 9, padding: 'x'.repeat(100_000) }] })
  expect(reading).toMatchObject({ raw: '', flags: ['raw_dropped'], tokens: { output: 9 } })
})

test('a reading may be taken while the answer runs and changes nothing', () => {
  const reader = createUsageReader()
  reader.start(JSON.stringify({ message: { model: 'm', usage: { ...start, cache_creation: null } } }))
  reader.text(10)
  expect(reader.reading()).toMatchObject({ source: 'estimated', tokens: { output: 3 }, flags: ['split_missing'] })
  reader.text(10)
  expect(reader.reading()).toMatchObject({ source: 'estimated', tokens: { output: 5 }, flags: ['split_missing'] })
  reader.delta(JSON.stringify({ usage: { output_tokens: 8, cache_creation_input_tokens: 0 } }))
  const flags = ['zeroed_later', 'split_missing']
  expect(reader.reading()).toMatchObject({ source: 'partial', tokens: { output: 8 }, flags })
  reader.stop()
  expect(reader.reading()).toMatchObject({ source: 'final', tokens: { output: 8 }, flags })
})

test('a JSON answer is read by the same rules', () => {
  const answer = {
    id: 'msg_1',
    type: 'message',
    content: [
      { type: 'text', text: '"usage":{"output_tokens":5}' },
      { type: 'tool_use', input: { usage: 1, model: 'x' } },
    ],
    model: 'claude-haiku-5-5',
    stop_reason: 'refusal',
    usage: { ...start, output_tokens: 33, iterations: [{ ...main, type: 'compaction', model: null }] },
  }
  expect(readUsageFromJson(Buffer.from(JSON.stringify(answer)))).toMatchObject({
    model: 'claude-haiku-5-5',
    stopReason: 'refusal',
    source: 'final',
    tokens: { input: 100, output: 33, cacheWrite5m: 30, cacheWrite1h: 20, cacheRead: 7 },
    extras: [{ model: 'claude-haiku-5-5', tokens: { input: 60, output: 6 } }],
    raw: JSON.stringify([answer.usage]),
  })
})

test.each<[string, string, Expected]>([
  [
    'truncated',
    '{"type":"message","usage":{"output_tokens":5',
    { source: 'partial', flags: ['unreadable'], tokens: noTokens },
  ],
  [
    'with unreadable usage',
    '{"type":"message","usage":{"output_tokens":05}}',
    { source: 'partial', flags: ['unreadable'] },
  ],
  ['with usage of a wrong kind', '{"type":"message","usage":[5]}', { source: 'partial', flags: ['unreadable'] }],
  ['without usage', '{"type":"message","model":"m"}', { source: 'none', flags: [], model: 'm', raw: '' }],
  ['without output', '{"usage":{"input_tokens":5}}', { source: 'partial', tokens: { input: 5 } }],
  [
    'with an error',
    '{"type":"error","error":{"type":"x"},"usage":{"output_tokens":5}}',
    { source: 'none', tokens: noTokens },
  ],
  ['that is no JSON', '<html>', { source: 'partial', flags: ['unreadable'] }],
])('a JSON answer %s', (_, text, expected) => {
  expect(readUsageFromJson(Buffer.from(text))).toMatchObject(expected)
})

test('whatever an upstream says, nothing throws and every count is a safe integer that is not negative', () => {
  const keys = fc.constantFrom(
    ...Object.keys(start),
    'server_tool_use',
    'output_tokens_details',
    'iterations',
    'speed',
    'model',
  )
  const value = fc.oneof(
    fc.jsonValue(),
    fc.double(),
    fc.integer(),
    fc.constant(split),
    fc.constant([{ ...main, type: 'message' }]),
  )
  const usage = fc.dictionary(keys, value)
  fc.assert(
    fc.property(
      usage,
      fc.array(fc.oneof(usage, fc.json(), fc.string())),
      fc.nat(),
      fc.boolean(),
      (first, deltas, chars, stop) => {
        const reading = read({ start: first, deltas, chars, stop })
        for (const tokens of [reading.tokens, ...reading.extras.map((extra) => extra.tokens)]) {
          for (const count of Object.values(tokens)) expect(Number.isSafeInteger(count) && count >= 0).toBe(true)
          expect(tokens.thinking).toBeLessThanOrEqual(tokens.output)
        }
        readUsageFromJson(Buffer.from(JSON.stringify({ usage: first })))
      },
    ),
  )
})
