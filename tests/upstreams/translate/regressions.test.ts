// Over 300 lines: one list, a test for each line of protocol.md §4.6; each is a mistake of another relay, named by the report of it.
import { describe, expect, test } from 'vitest'
import { defaultFormatFlags, type FormatFlags } from '../../../server/accounts/format-flags.ts'
import { markedReasoning } from '../../../server/relay/request/foreign-reasoning.ts'
import type { Format } from '../../../server/upstreams/format.ts'
import { learnFlags } from '../../../server/upstreams/platforms/openai/learn-flags.ts'
import { translate } from '../../../server/upstreams/translate/table.ts'
import { type Fields, itemsOf, textOf } from '../../../server/upstreams/translate/untranslatable.ts'
import { readWellFormed } from './well-formed.ts'

type Name = Format['name']

const question: Record<Name, Fields> = {
  anthropic: {
    max_tokens: 99,
    thinking: { type: 'enabled', budget_tokens: 2000 },
    messages: [{ role: 'user', content: 'Hi' }],
  },
  chat: { messages: [{ role: 'user', content: 'Hi' }], stream_options: { include_usage: true } },
  responses: { input: 'Hi' },
}

interface Settings {
  body?: Fields
  flags?: Partial<FormatFlags>
  model?: string
}

const open = (client: Name, upstream: Name, { body = {}, flags = {}, model = 'sent' }: Settings = {}) =>
  translate(
    client,
    upstream,
    { model: 'asked', stream: true, ...question[client], ...body },
    {
      accountId: 7,
      promptTokens: 70,
      modelRequested: 'asked',
      modelSent: model,
      flags: { ...defaultFormatFlags, ...flags },
      user: null,
      defaultMaxTokens: 1000,
      requestId: 'r1',
      nowMs: 0,
    },
  )

/** The body that goes to the upstream. */
const sent = (client: Name, upstream: Name, settings: Settings = {}): Fields =>
  JSON.parse(open(client, upstream, settings).body.toString('utf8')) as Fields

const wire = (format: Name, events: Fields[]): string =>
  format === 'chat'
    ? `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`
    : events.map((event) => `event: ${textOf(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`).join('')

/** What the client gets for the upstream's events, checked to be well formed. `cut`: the bytes come in pieces of so many. */
function served(client: Name, upstream: Name, events: Fields[], cut = 1e9, settings: Settings = {}) {
  const reader = open(client, upstream, settings).createStreamReader('')
  const bytes = Buffer.from(wire(upstream, events))
  const out: Buffer[] = []
  for (let from = 0; from < bytes.length; from += cut) out.push(...reader.push(bytes.subarray(from, from + cut)))
  const text = Buffer.concat([...out, ...reader.end()]).toString('utf8')
  return { ...readWellFormed(client, text), text, reader }
}

// ── pieces of streams ───────────────────────────────────────────────────────────────────────────────────────────────

const chunk = (delta: Fields, finish: string | null = null, more: Fields = {}): Fields => ({
  model: 'served',
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...more,
})
const callPiece = (index: unknown, id: unknown, name: unknown, args: unknown): Fields => ({
  tool_calls: [{ index, id, type: 'function', function: { name, arguments: args } }],
})
const chatUsage = { prompt_tokens: 50, completion_tokens: 9, prompt_tokens_details: { cached_tokens: 20 } }

const start = (usage: Fields = { input_tokens: 30, cache_read_input_tokens: 20, output_tokens: 1 }): Fields => ({
  type: 'message_start',
  message: { id: 'm', type: 'message', role: 'assistant', model: 'served', content: [], usage },
})
const block = (index: number, content: Fields, ...deltas: Fields[]): Fields[] => [
  { type: 'content_block_start', index, content_block: content },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
]
const text = (index: number, words: string): Fields[] =>
  block(index, { type: 'text', text: '' }, { type: 'text_delta', text: words })
const tool = (index: number, id: string, json: string): Fields[] =>
  block(index, { type: 'tool_use', id, name: 'f', input: {} }, { type: 'input_json_delta', partial_json: json })
const stop = (reason: string, usage: Fields = { output_tokens: 9 }): Fields[] => [
  { type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage },
  { type: 'message_stop' },
]

const created: Fields = { type: 'response.created', response: { model: 'served' } }
const added = (index: number, item: Fields): Fields => ({
  type: 'response.output_item.added',
  output_index: index,
  item,
})
const itemDone = (index: number, item: Fields): Fields => ({
  type: 'response.output_item.done',
  output_index: index,
  item,
})
const responsesUsage = { input_tokens: 50, output_tokens: 9, input_tokens_details: { cached_tokens: 20 } }
const completed = (more: Fields = {}): Fields => ({
  type: 'response.completed',
  response: { model: 'served', status: 'completed', output: [], usage: responsesUsage, ...more },
})
const fnCall = (id: string, args: string): Fields => ({
  type: 'function_call',
  call_id: id,
  name: 'f',
  arguments: args,
})

// ── what clients read ───────────────────────────────────────────────────────────────────────────────────────────────

const of = (events: Fields[], type: string): Fields[] => events.filter((event) => event['type'] === type)
const messageDelta = (events: Fields[]): Fields => of(events, 'message_delta')[0]!
const deltasOf = (events: Fields[]): Fields[] =>
  events.flatMap((event) => itemsOf(event['choices'])).map(({ delta }) => delta as Fields)

interface Call {
  id: string
  args: string
}

/** The tool calls of a client's stream, in order. */
function callsOf(client: Name, events: Fields[]): Call[] {
  if (client === 'anthropic') {
    const starts = of(events, 'content_block_start').filter(
      ({ content_block: one }) => (one as Fields)['type'] === 'tool_use',
    )
    return starts.map(({ index, content_block: one }) => ({
      id: textOf((one as Fields)['id']),
      args: of(events, 'content_block_delta')
        .filter((event) => event['index'] === index)
        .map(({ delta }) => textOf((delta as Fields)['partial_json']))
        .join(''),
    }))
  }
  if (client === 'responses')
    return of(events, 'response.output_item.done').flatMap(({ item }) =>
      (item as Fields)['type'] === 'function_call'
        ? [{ id: textOf((item as Fields)['call_id']), args: textOf((item as Fields)['arguments']) }]
        : [],
    )
  const calls: Call[] = []
  for (const piece of deltasOf(events).flatMap((delta) => itemsOf(delta['tool_calls']))) {
    if (piece['id'] !== undefined) calls.push({ id: textOf(piece['id']), args: '' })
    calls.at(-1)!.args += textOf((piece['function'] as Fields)['arguments'])
  }
  return calls
}

const clientsOf: Readonly<Record<Name, readonly Name[]>> = {
  anthropic: ['chat', 'responses'],
  chat: ['anthropic', 'responses'],
  responses: ['anthropic', 'chat'],
}

// ── the list ────────────────────────────────────────────────────────────────────────────────────────────────────────

describe('litellm #35061: the probe with max_tokens 1', () => {
  test.each(['gpt-6-sol', 'o4-mini', 'codex-mini-latest'])(
    'asks a reasoning model (%s) for what it accepts',
    (model) => {
      const body = { max_tokens: 1 }
      expect(sent('anthropic', 'chat', { model, body })).toMatchObject({ max_completion_tokens: 16 })
      expect(sent('anthropic', 'responses', { model, body })).toMatchObject({ max_output_tokens: 16 })
    },
  )
  test('stays 1 where the upstream takes it', () => {
    expect(sent('anthropic', 'chat', { model: 'glm-5.3', body: { max_tokens: 1 } })).toMatchObject({ max_tokens: 1 })
    expect(sent('chat', 'anthropic', { body: { max_tokens: 1 } })).toMatchObject({ max_tokens: 1 })
    expect(sent('responses', 'anthropic', { body: { max_output_tokens: 1 } })).toMatchObject({ max_tokens: 1 })
  })
})

describe('litellm #32357: a second message_start, and thinking inside a text block', () => {
  test('a role in every chunk starts one message, and reasoning between texts has a block of its own', () => {
    const { events, end } = served('anthropic', 'chat', [
      chunk({ role: 'assistant', content: 'a' }),
      chunk({ role: 'assistant', reasoning_content: 'Hm' }),
      chunk({ role: 'assistant', content: 'b' }),
      chunk({}, 'stop'),
    ])
    expect(end).toBe('success')
    const kinds = of(events, 'content_block_start').map(({ content_block: one }) => (one as Fields)['type'])
    expect(kinds).toEqual(['text', 'thinking', 'text'])
  })
  test('a Responses stream that is created twice starts one message', () => {
    const { events, end } = served('anthropic', 'responses', [
      created,
      created,
      { type: 'response.reasoning_text.delta', output_index: 0, delta: 'Hm' },
      { type: 'response.output_text.delta', output_index: 1, delta: 'a' },
      completed(),
    ])
    expect([of(events, 'message_start').length, end]).toEqual([1, 'success'])
  })
  test.each(clientsOf.anthropic)(
    'a second message_start of an Anthropic upstream begins nothing anew (%s)',
    (client) => {
      const { events, end } = served(client, 'anthropic', [start(), ...text(0, 'a'), start(), ...stop('end_turn')])
      expect(end).toBe('success')
      expect(deltasOf(events).filter(({ role }) => role === 'assistant')).toHaveLength(client === 'chat' ? 1 : 0)
    },
  )
})

describe('litellm #28354, #31069, #31076: cache tokens are lost', () => {
  test.each(['chat', 'responses'] as const)('read and written tokens of a %s upstream are told apart', (upstream) => {
    const details = { cached_tokens: 20, cache_write_tokens: 5 }
    const events =
      upstream === 'chat'
        ? [chunk({ content: 'x' }, 'stop'), { choices: [], usage: { ...chatUsage, prompt_tokens_details: details } }]
        : [
            { type: 'response.output_text.delta', output_index: 0, delta: 'x' },
            completed({ usage: { ...responsesUsage, input_tokens_details: details } }),
          ]
    const { events: got, reader } = served('anthropic', upstream, events)
    expect(messageDelta(got)['usage']).toMatchObject({
      input_tokens: 25,
      cache_read_input_tokens: 20,
      cache_creation_input_tokens: 5,
      output_tokens: 9,
    })
    expect(reader.reading().tokens).toMatchObject({ input: 25, cacheRead: 20, cacheWrite5m: 5, output: 9 })
  })
  test.each(clientsOf.anthropic)('a %s client gets the whole prompt, and the cached part of it', (client) => {
    const usage = { input_tokens: 25, cache_read_input_tokens: 20, cache_creation_input_tokens: 5, output_tokens: 1 }
    const { events } = served(client, 'anthropic', [start(usage), ...text(0, 'x'), ...stop('end_turn')])
    const told = client === 'chat' ? events.at(-1)!['usage'] : (events.at(-1)!['response'] as Fields)['usage']
    expect(told).toMatchObject(
      client === 'chat'
        ? {
            prompt_tokens: 50,
            completion_tokens: 9,
            prompt_tokens_details: { cached_tokens: 20, cache_write_tokens: 5 },
          }
        : { input_tokens: 50, output_tokens: 9, input_tokens_details: { cached_tokens: 20, cache_write_tokens: 5 } },
    )
  })
})

test('vllm #49456: message_start already has counts of input and cache, which Claude Code reads from there', () => {
  for (const [upstream, first] of [
    ['chat', chunk({ role: 'assistant' })],
    ['responses', created],
  ] as const) {
    const { events } = served('anthropic', upstream, [first])
    expect(events[0]).toMatchObject({
      type: 'message_start',
      message: { usage: { input_tokens: 70, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 } },
    })
  }
})

describe('cline #4346, mnfst #2057: cumulative input of message_delta is ignored', () => {
  test.each(['chat', 'responses'] as const)('message_delta corrects the estimate of a %s upstream', (upstream) => {
    const events =
      upstream === 'chat'
        ? [chunk({ content: 'x' }, 'stop', { usage: chatUsage })]
        : [{ type: 'response.output_text.delta', output_index: 0, delta: 'x' }, completed()]
    expect(messageDelta(served('anthropic', upstream, events).events)['usage']).toMatchObject({
      input_tokens: 30,
      cache_read_input_tokens: 20,
    })
  })
  test.each(clientsOf.anthropic)('the counts of message_delta are those that a %s client gets', (client) => {
    const last = { input_tokens: 40, cache_read_input_tokens: 60, output_tokens: 9 }
    const { events, reader } = served(client, 'anthropic', [
      start({ input_tokens: 0, output_tokens: 0 }),
      ...text(0, 'x'),
      ...stop('end_turn', last),
    ])
    const told = (client === 'chat' ? events.at(-1)! : (events.at(-1)!['response'] as Fields))['usage']
    expect(told).toMatchObject(client === 'chat' ? { prompt_tokens: 100 } : { input_tokens: 100 })
    expect(reader.reading().tokens).toMatchObject({ input: 40, cacheRead: 60, output: 9 })
  })
})

describe('ollama #14816, 9router #2248: "Content block not found"', () => {
  test('arguments of a chat call whose name comes late, and of one that is never named', () => {
    const { events, end } = served('anthropic', 'chat', [
      chunk(callPiece(0, 'a', undefined, '{"x"')),
      chunk(callPiece(0, undefined, 'f', ':1}')),
      chunk({}, 'tool_calls'),
    ])
    expect([callsOf('anthropic', events), end]).toEqual([[{ id: 'a', args: '{"x":1}' }], 'success'])
    expect(served('anthropic', 'chat', [chunk(callPiece(0, 'a', '', '{}')), chunk({}, 'tool_calls')]).end).toBe('error')
  })
  test.each(clientsOf.responses)(
    'arguments of a Responses item that was not announced wait for its name (%s)',
    (client) => {
      const { events, end } = served(client, 'responses', [
        created,
        { type: 'response.function_call_arguments.delta', output_index: 0, delta: '{"x"' },
        itemDone(0, fnCall('a', '{"x":1}')),
        completed(),
      ])
      expect([callsOf(client, events), end]).toEqual([[{ id: 'a', args: '{"x":1}' }], 'success'])
    },
  )
  test.each(clientsOf.anthropic)('a delta of an Anthropic block that never began is an error (%s)', (client) => {
    const orphan = { type: 'content_block_delta', index: 3, delta: { type: 'input_json_delta', partial_json: '{' } }
    const { end } = served(client, 'anthropic', [start(), ...text(0, 'a'), orphan, ...stop('tool_use')])
    expect(end).toBe('error')
  })
})

describe('CCR #198: JSON that is split across TCP chunks', () => {
  const streams: Record<Name, Fields[]> = {
    anthropic: [start(), ...text(0, 'Grüße 👋'), ...tool(1, 'a', '{"x":"é"}'), ...stop('tool_use')],
    chat: [chunk({ content: 'Grüße 👋' }), chunk(callPiece(0, 'a', 'f', '{"x":"é"}')), chunk({}, 'tool_calls')],
    responses: [
      created,
      { type: 'response.output_text.delta', output_index: 0, delta: 'Grüße 👋' },
      itemDone(1, fnCall('a', '{"x":"é"}')),
      completed(),
    ],
  }
  for (const upstream of ['anthropic', 'chat', 'responses'] as const)
    test.each(clientsOf[upstream])(`byte by byte, a ${upstream} upstream says the same to a %s client`, (client) => {
      expect(served(client, upstream, streams[upstream], 1).text).toBe(served(client, upstream, streams[upstream]).text)
    })
})

test('new-api #2499: SGLang puts null where a delta has nothing, and sends a name before its arguments', () => {
  const empty = { role: null, content: null, reasoning_content: null, tool_calls: null }
  for (const client of clientsOf.chat) {
    const { events, end } = served(client, 'chat', [
      chunk({ ...empty, role: 'assistant', content: '' }),
      chunk({ ...empty, ...callPiece(0, 'a', 'f', '') }),
      chunk({ ...empty, ...callPiece(0, null, null, '{"x"') }),
      chunk({ ...empty, ...callPiece(0, null, null, ':1}') }),
      chunk(empty, 'tool_calls', { matched_stop: null }),
      { choices: [], usage: chatUsage },
    ])
    expect([callsOf(client, events), end]).toEqual([[{ id: 'a', args: '{"x":1}' }], 'success'])
  }
})

test('ccNexus #89: several tools with the same index stay several', () => {
  for (const client of clientsOf.chat) {
    const { events, end } = served(client, 'chat', [
      chunk(callPiece(0, 'a', 'f', '{"x":1}')),
      chunk(callPiece(0, 'b', 'f', '{"x":2}')),
      chunk({}, 'tool_calls'),
    ])
    expect(callsOf(client, events).map(({ id, args }) => [id, args])).toEqual([
      ['a', '{"x":1}'],
      ['b', '{"x":2}'],
    ])
    expect(end).toBe('success')
  }
})

describe('higress #3506, #3507: tool_calls are missing in the stream', () => {
  test.each(clientsOf.chat)('calls beside text, in one chunk with the finish, and without an index (%s)', (client) => {
    const { events } = served(client, 'chat', [
      chunk({ content: 'I look.', ...callPiece(undefined, 'a', 'f', '{"x":1}') }, 'tool_calls', { usage: chatUsage }),
    ])
    expect(callsOf(client, events)).toEqual([{ id: 'a', args: '{"x":1}' }])
  })
  test.each(clientsOf.anthropic)('calls of an Anthropic upstream, behind text and thinking (%s)', (client) => {
    const { events } = served(client, 'anthropic', [
      start(),
      ...block(0, { type: 'thinking', thinking: '' }, { type: 'thinking_delta', thinking: 'Hm' }),
      ...text(1, 'I look.'),
      ...tool(2, 'a', '{"x":1}'),
      ...tool(3, 'b', '{}'),
      ...stop('tool_use'),
    ])
    expect(callsOf(client, events)).toEqual([
      { id: 'a', args: '{"x":1}' },
      { id: 'b', args: '{}' },
    ])
  })
})

describe('new-api #1761: an output that reached its limit', () => {
  test('is max_tokens to an Anthropic client', () => {
    const chat = served('anthropic', 'chat', [chunk({ content: 'x' }), chunk({}, 'length')])
    const responses = served('anthropic', 'responses', [
      { type: 'response.output_text.delta', output_index: 0, delta: 'x' },
      { type: 'response.incomplete', response: { incomplete_details: { reason: 'max_output_tokens' } } },
    ])
    for (const { events } of [chat, responses])
      expect(messageDelta(events)).toMatchObject({ delta: { stop_reason: 'max_tokens' } })
  })
  test('is length to a chat client, and incomplete to a Responses client', () => {
    const events = [start(), ...text(0, 'x'), ...stop('max_tokens')]
    expect(served('chat', 'anthropic', events).text).toContain('"finish_reason":"length"')
    expect(served('responses', 'anthropic', events).events.at(-1)).toMatchObject({
      type: 'response.incomplete',
      response: { incomplete_details: { reason: 'max_output_tokens' } },
    })
  })
})

describe('an output that reached its limit within a tool call', () => {
  test.each(clientsOf.chat)('ends as such, with what came of the call (%s)', (client) => {
    const pieces = [chunk(callPiece(0, 'a', 'f', '{"x":"half')), chunk({}, 'length')]
    const item = { ...fnCall('a', '{"x":"half'), status: 'incomplete' }
    const incomplete = { incomplete_details: { reason: 'max_output_tokens' }, output: [item] }
    const streams = { chat: pieces, responses: [{ type: 'response.incomplete', response: incomplete }] }
    for (const upstream of client === 'anthropic' ? (['chat', 'responses'] as const) : (['chat'] as const)) {
      const { events, text: got, reader } = served(client, upstream, streams[upstream])
      expect(reader).toMatchObject({ isFinished: true, error: null })
      expect(callsOf(client, events)).toEqual([{ id: 'a', args: '{"x":"half' }])
      expect(got).toContain(client === 'anthropic' ? '"stop_reason":"max_tokens"' : 'max_output_tokens')
    }
  })
})

test('items of a Responses stream that interleave are written one after another', () => {
  const delta = (index: number, piece: string): Fields => ({
    type: 'response.function_call_arguments.delta',
    output_index: index,
    delta: piece,
  })
  const { events, end } = served('anthropic', 'responses', [
    created,
    added(0, { type: 'message' }),
    added(1, fnCall('a', '')),
    added(2, fnCall('b', '')),
    delta(1, '{"x"'),
    delta(2, '{"y"'),
    { type: 'response.output_text.delta', output_index: 0, delta: 'Hi' },
    itemDone(0, { type: 'message' }),
    delta(2, ':2}'),
    delta(1, ':1}'),
    itemDone(2, fnCall('b', '{"y":2}')),
    itemDone(1, fnCall('a', '{"x":1}')),
    completed(),
  ])
  expect(callsOf('anthropic', events).map(({ args }) => args)).toEqual(['{"x":1}', '{"y":2}'])
  expect(end).toBe('success')
})

describe('openclaude #1259: arguments that come with the last event only', () => {
  const item = fnCall('a', '{"x":1}')
  test.each([
    [
      'function_call_arguments.done',
      'responses',
      [
        added(0, fnCall('a', '')),
        { type: 'response.function_call_arguments.done', output_index: 0, arguments: '{"x":1}' },
        completed(),
      ],
    ],
    ['output_item.done', 'responses', [added(0, fnCall('a', '')), itemDone(0, item), completed()]],
    ['response.completed', 'responses', [completed({ output: [item] })]],
    [
      'the final message of a chat stream',
      'chat',
      [{ choices: [{ index: 0, message: callPiece(0, 'a', 'f', '{"x":1}'), finish_reason: 'tool_calls' }] }],
    ],
  ] as const)('in %s', (_place, upstream, events) => {
    for (const client of clientsOf[upstream])
      expect(callsOf(client, served(client, upstream, [...events]).events)).toEqual([{ id: 'a', args: '{"x":1}' }])
  })
  test.each(clientsOf.anthropic)('in the start of an Anthropic block (%s)', (client) => {
    const whole = block(0, { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } })
    const { events } = served(client, 'anthropic', [start(), ...whole, ...stop('tool_use')])
    expect(callsOf(client, events)).toEqual([{ id: 'a', args: '{"x":1}' }])
  })
})

const errorOf = (message: string) => ({
  type: 'invalid_request_error',
  code: '',
  message,
  text: message,
  blamesRequest: true,
  statusWithin: null,
})

test('copilot-api #222, cc-switch #1448, fuergaosi233 #35: max_tokens or max_completion_tokens, as the model wants it', () => {
  for (const [model, field] of [
    ['gpt-4.1', 'max_tokens'],
    ['glm-5.3', 'max_tokens'],
    ['gpt-5-mini', 'max_completion_tokens'],
    ['gpt-6-sol', 'max_completion_tokens'],
    ['o3', 'max_completion_tokens'],
  ] as const) {
    const body = sent('anthropic', 'chat', { model })
    expect(Object.keys(body).filter((name) => name.startsWith('max_'))).toEqual([field])
  }
  const flags = defaultFormatFlags
  expect(
    learnFlags(
      errorOf("Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."),
      flags,
    ),
  ).toEqual({ maxTokensField: 'max_completion_tokens' })
  expect(learnFlags(errorOf('Unrecognized request argument supplied: max_completion_tokens'), flags)).toEqual({
    maxTokensField: 'max_tokens',
  })
  expect(sent('chat', 'anthropic', { body: { max_tokens: 5, max_completion_tokens: 6 } })).toMatchObject({
    max_tokens: 6,
  })
})

test('cc-router #32: no temperature goes to reasoning models or to Responses', () => {
  const body = { temperature: 0.5, top_p: 0.9 }
  for (const fields of [
    sent('anthropic', 'chat', { model: 'gpt-6-sol', body }),
    sent('anthropic', 'responses', { body }),
    sent('chat', 'responses', { body }),
    sent('chat', 'anthropic', { model: 'claude-opus-5-5', body }),
  ])
    expect(Object.keys(fields).filter((name) => name in body)).toEqual([])
  expect(learnFlags(errorOf('Unsupported parameter: temperature'), defaultFormatFlags)).toEqual({
    omit: ['temperature'],
  })
})

test('claude-code #65863, cch #1257: no effort goes with thinking that is disabled (DeepSeek refuses the two together)', () => {
  const body = { thinking: { type: 'disabled' }, output_config: { effort: 'high' } }
  const flags = { efforts: ['low', 'high'] as ('low' | 'high')[] }
  expect(sent('anthropic', 'chat', { body, flags })).not.toHaveProperty('reasoning_effort')
  expect(sent('anthropic', 'chat', { body, flags })).not.toHaveProperty('thinking')
  expect(sent('anthropic', 'responses', { body, flags })).not.toHaveProperty('reasoning')
  for (const client of ['chat', 'responses'] as const) {
    const none = client === 'chat' ? { reasoning_effort: 'none' } : { reasoning: { effort: 'none' } }
    const messages = sent(client, 'anthropic', { model: 'claude-opus-5-5', body: none })
    expect(Object.keys(messages).filter((name) => ['thinking', 'output_config'].includes(name))).toEqual([])
  }
})

test('TencentDB-Agent-Memory #990, copilot-cli #2995: reasoning goes back to the upstream that wants it', () => {
  const thought = served('anthropic', 'chat', [chunk({ reasoning_content: 'Hm' }), chunk({ content: 'x' }, 'stop')])
  const signed = of(thought.events, 'content_block_delta')
    .map(({ delta }) => textOf((delta as Fields)['signature']))
    .join('')
  const messages = [
    { role: 'user', content: 'Hi' },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Hm', signature: signed },
        { type: 'tool_use', id: 'a', name: 'f', input: {} },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'ok' }] },
  ]
  const [, assistant] = itemsOf(
    sent('anthropic', 'chat', { body: { messages }, flags: { echoReasoning: true } })['messages'],
  )
  expect(assistant).toMatchObject({ reasoning_content: 'Hm', tool_calls: [{ id: 'a' }] })
  const refusal = 'The reasoning_content in the thinking mode must be passed back to the API.'
  expect(learnFlags(errorOf(refusal), defaultFormatFlags)).toEqual({ echoReasoning: true })
})

test('awesome-deepseek #606: an upstream that refuses tool_choice is asked again without a forced one', () => {
  const refusal = 'deepseek-reasoner does not support this tool_choice'
  const learnt = learnFlags(errorOf(refusal), defaultFormatFlags)
  expect(learnt).toEqual({ forcedToolChoice: false })
  const body = { tools: [{ name: 'f', input_schema: {} }], tool_choice: { type: 'any' } }
  expect(sent('anthropic', 'chat', { body })).toMatchObject({ tool_choice: 'required' })
  expect(sent('anthropic', 'chat', { body, flags: learnt as Partial<FormatFlags> })).toMatchObject({
    tool_choice: 'auto',
  })
})

describe('signatures of another vendor in later turns', () => {
  test('what a chat or Responses upstream thought is cut before an Anthropic upstream reads it', () => {
    const sealed = { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'SEALED' }
    for (const [upstream, events] of [
      ['chat', [chunk({ reasoning_content: 'Hm' }), chunk({ content: 'x' }, 'stop')]],
      [
        'responses',
        [itemDone(0, sealed), { type: 'response.output_text.delta', output_index: 1, delta: 'x' }, completed()],
      ],
    ] as const) {
      const got = served('anthropic', upstream, [...events]).events
      const signature = of(got, 'content_block_delta')
        .map(({ delta }) => textOf((delta as Fields)['signature']))
        .join('')
      const content = [
        { type: 'thinking', thinking: 'Hm', signature },
        { type: 'text', text: 'x' },
      ]
      const body = Buffer.from(JSON.stringify({ messages: [{ role: 'assistant', content }] }))
      expect(markedReasoning(body)).toHaveLength(1)
    }
  })
  test('what Anthropic signed goes to no other upstream', () => {
    const thinking = { type: 'thinking', thinking: 'Hm', signature: 'EqQBtheirs' }
    const redacted = { type: 'redacted_thinking', data: 'EqQBtheirs' }
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: [thinking, redacted, { type: 'text', text: 'x' }] },
      { role: 'user', content: 'Go on' },
    ]
    for (const upstream of ['chat', 'responses'] as const)
      expect(JSON.stringify(sent('anthropic', upstream, { body: { messages } }))).not.toContain('EqQB')
  })
})

describe('thinking of an Anthropic upstream goes through a Responses client and back', () => {
  const include = ['reasoning.encrypted_content']
  const stream = [
    start(),
    ...block(
      0,
      { type: 'thinking', thinking: '', signature: '' },
      { type: 'thinking_delta', thinking: 'Let me' },
      { type: 'thinking_delta', thinking: ' see.\n\nYes.' },
      { type: 'signature_delta', signature: 'EqQB' },
    ),
    ...block(1, { type: 'redacted_thinking', data: 'SEALED' }),
    ...tool(2, 'a', '{"x":1}'),
    ...stop('tool_use'),
  ]
  const output = (body: Fields): Fields[] =>
    itemsOf((served('responses', 'anthropic', stream, 1e9, { body }).events.at(-1)!['response'] as Fields)['output'])
  const next = (items: Fields[]): Fields => ({
    input: [{ role: 'user', content: 'Hi' }, ...items, { type: 'function_call_output', call_id: 'a', output: 'ok' }],
  })
  test('as it was, at the account that wrote it', () => {
    const turns = itemsOf(sent('responses', 'anthropic', { body: next(output({ include })) })['messages'])
    expect(turns[1]!['content']).toEqual([
      { type: 'thinking', thinking: 'Let me see.\n\nYes.', signature: 'EqQB' },
      { type: 'redacted_thinking', data: 'SEALED' },
      { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } },
    ])
  })
  test('but to no other account, and to no client that did not ask for it', () => {
    const items = output({ include })
    const foreign = items.map((item) => ({
      ...item,
      encrypted_content: textOf(item['encrypted_content']).replace(':7:', ':8:'),
    }))
    for (const body of [next(foreign), next(output({}))]) {
      const turns = itemsOf(sent('responses', 'anthropic', { body })['messages'])
      expect(itemsOf(turns[1]!['content']).map(({ type }) => type)).toEqual(['tool_use'])
    }
  })
  test('and it is cut before an upstream of the client’s own format reads it', () => {
    const { input } = next(output({ include }))
    const body = Buffer.from(JSON.stringify({ input }))
    const [cut] = markedReasoning(body)
    const left = Buffer.concat([body.subarray(0, cut!.start), body.subarray(cut!.end)]).toString('utf8')
    expect(itemsOf((JSON.parse(left) as Fields)['input']).map(({ type }) => type)).toEqual([
      undefined,
      'function_call',
      'function_call_output',
    ])
    expect(left).not.toContain('relay-reasoning')
  })
})

describe('opencode #43379, copilot-sdk #1081, codex #6728: finish_reason is empty or missing', () => {
  test.each(clientsOf.chat)('after text it is an end of turn, after a call a use of tools (%s)', (client) => {
    for (const finish of ['', null, undefined])
      for (const [delta, reason] of [
        [{ content: 'x' }, 'end_turn'],
        [callPiece(0, 'a', 'f', '{}'), 'tool_use'],
      ] as const) {
        const { events, end } = served(client, 'chat', [
          { choices: [{ index: 0, delta, ...(finish !== undefined && { finish_reason: finish }) }] },
        ])
        expect(end).toBe('success')
        if (client === 'anthropic') expect(messageDelta(events)).toMatchObject({ delta: { stop_reason: reason } })
      }
  })
  test.each(clientsOf.anthropic)(
    'a missing stop_reason of an Anthropic upstream is read from its blocks (%s)',
    (client) => {
      const end = { type: 'message_delta', delta: {}, usage: { output_tokens: 9 } }
      const { text: got } = served(client, 'anthropic', [start(), ...tool(0, 'a', '{}'), end, { type: 'message_stop' }])
      expect(got).toContain(client === 'chat' ? '"finish_reason":"tool_calls"' : '"type":"response.completed"')
    },
  )
})

describe('claude-code #6836: calls and results that do not match', () => {
  const messages = [
    { role: 'user', content: 'Hi' },
    {
      role: 'assistant',
      content: ['a', 'b', 'c'].map((id) => ({ type: 'tool_use', id, name: 'f', input: {} })),
    },
    {
      role: 'user',
      content: ['c', 'a'].map((id) => ({ type: 'tool_result', tool_use_id: id, content: `result ${id}` })),
    },
  ]
  test('a chat upstream gets a result for every call, in the order of the calls', () => {
    const results = itemsOf(sent('anthropic', 'chat', { body: { messages } })['messages']).filter(
      ({ role }) => role === 'tool',
    )
    expect(results.map(({ tool_call_id: id, content }) => [id, content])).toEqual([
      ['a', 'result a'],
      ['b', '[no result]'],
      ['c', 'result c'],
    ])
  })
  test('a Responses upstream gets a result for every call', () => {
    const results = itemsOf(sent('anthropic', 'responses', { body: { messages } })['input']).filter(
      ({ type }) => type === 'function_call_output',
    )
    expect(new Set(results.map(({ call_id: id }) => id))).toEqual(new Set(['a', 'b', 'c']))
    expect(results).toContainEqual({ type: 'function_call_output', call_id: 'b', output: '[no result]' })
  })
  test.each(['chat', 'responses'] as const)(
    'an Anthropic upstream gets a result for every call of a %s client',
    (client) => {
      const body: Fields =
        client === 'chat'
          ? {
              messages: [
                { role: 'user', content: 'Hi' },
                {
                  role: 'assistant',
                  tool_calls: ['a', 'b'].map((id) => ({
                    id,
                    type: 'function',
                    function: { name: 'f', arguments: '{}' },
                  })),
                },
                { role: 'tool', tool_call_id: 'b', content: 'result b' },
              ],
            }
          : {
              input: [
                { role: 'user', content: 'Hi' },
                ...['a', 'b'].map((id) => fnCall(id, '{}')),
                { type: 'function_call_output', call_id: 'b', output: 'result b' },
              ],
            }
      const turns = itemsOf(sent(client, 'anthropic', { body })['messages'])
      expect(turns.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
      expect(itemsOf(turns[2]!['content']).map((one) => one['tool_use_id'])).toEqual(['a', 'b'])
    },
  )
})
