import { expect, test } from 'vitest'
import { createChatStreamToMessages } from '../../../server/upstreams/translate/anthropic-clients/chat-stream-to-messages.ts'
import { foldMessage } from '../../../server/upstreams/translate/messages/fold-message.ts'
import { createToolNames } from '../../../server/upstreams/translate/messages/tool-names.ts'
import type { Fields } from '../../../server/upstreams/translate/untranslatable.ts'

const chunk = (delta: Fields, finish: string | null = null, more: Fields = {}): Fields => ({
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...more,
})
const call = (index: number, fields: { id?: string; name?: string; args?: unknown }): Fields => ({
  tool_calls: [
    {
      index,
      ...(fields.id !== undefined && { id: fields.id }),
      function: { ...(fields.name !== undefined && { name: fields.name }), arguments: fields.args ?? '' },
    },
  ],
})

function translate(chunks: unknown[], showThinking = true): Fields[] {
  const translator = createChatStreamToMessages({
    messageId: 'msg_1',
    model: 'asked',
    inputTokensEstimate: 7,
    toolNames: createToolNames(),
    accountId: 7,
    showThinking,
  })
  return [...chunks.flatMap((one) => translator.push(one)), ...translator.end()]
}

/** Every stream the client may get: one start, blocks one after another, each closed, one end. */
function expectLegal(events: Fields[]): void {
  const types = events.map(({ type }) => type)
  if (types.at(-1) !== 'error') {
    expect(types.filter((type) => type === 'message_start')).toHaveLength(1)
    expect(types.slice(-2)).toEqual(['message_delta', 'message_stop'])
  }
  let open: unknown = null
  let next = 0
  for (const { type, index } of events) {
    if (type === 'content_block_start') {
      expect([open, index]).toEqual([null, next++])
      open = index
    } else if (type === 'content_block_delta') expect(index).toBe(open)
    else if (type === 'content_block_stop') {
      expect(index).toBe(open)
      open = null
    }
  }
}

function messageOf(chunks: unknown[]): Fields {
  const events = translate(chunks)
  expectLegal(events)
  return foldMessage(events)!
}

const cases: [name: string, chunks: unknown[], content: unknown, stop: string][] = [
  [
    'text, usage in a last chunk without choices',
    [
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo' }),
      chunk({}, 'stop'),
      { choices: [], usage: { prompt_tokens: 9, completion_tokens: 2 } },
    ],
    [{ type: 'text', text: 'Hello' }],
    'end_turn',
  ],
  [
    'reasoning before text, closed before it begins (litellm #32357)',
    [chunk({ reasoning_content: 'Hm' }), chunk({ content: 'Yes' }), chunk({}, 'stop')],
    [
      { type: 'thinking', thinking: 'Hm', signature: 'relay-reasoning:7:' },
      { type: 'text', text: 'Yes' },
    ],
    'end_turn',
  ],
  [
    'reasoning as an object and as a list',
    [
      chunk({ reasoning: { text: 'a' } }),
      chunk({ reasoning_details: [{ text: 'b' }, { summary: 'c' }] }),
      chunk({ content: '!' }, 'stop'),
    ],
    [
      { type: 'thinking', thinking: 'abc', signature: 'relay-reasoning:7:' },
      { type: 'text', text: '!' },
    ],
    'end_turn',
  ],
  [
    'several tools with the same index (ccNexus #89)',
    [
      chunk(call(0, { id: 'a', name: 'one', args: '{"x":1}' })),
      chunk(call(0, { id: 'b', name: 'two', args: '{}' })),
      chunk({}, 'tool_calls'),
    ],
    [
      { type: 'tool_use', id: 'a', name: 'one', input: { x: 1 } },
      { type: 'tool_use', id: 'b', name: 'two', input: {} },
    ],
    'tool_use',
  ],
  [
    'tool calls that interleave are written one after another',
    [
      chunk(call(0, { id: 'a', name: 'one', args: '{"x"' })),
      chunk(call(1, { id: 'b', name: 'two', args: '{"y"' })),
      chunk(call(0, { args: ':1}' })),
      chunk(call(1, { args: ':2}' })),
      chunk({}, 'stop'),
    ],
    [
      { type: 'tool_use', id: 'a', name: 'one', input: { x: 1 } },
      { type: 'tool_use', id: 'b', name: 'two', input: { y: 2 } },
    ],
    'tool_use',
  ],
  [
    'the id repeated in each chunk does not begin the call anew',
    [
      chunk(call(0, { id: 'a', name: 'one', args: '{"x":' })),
      chunk(call(0, { id: 'a', args: '1}' })),
      chunk({}, 'tool_calls'),
    ],
    [{ type: 'tool_use', id: 'a', name: 'one', input: { x: 1 } }],
    'tool_use',
  ],
  [
    'whole arguments sent again each time',
    [
      chunk(call(0, { id: 'a', name: 'one', args: '{"x":' })),
      chunk(call(0, { args: '{"x":1}' })),
      chunk({}, 'tool_calls'),
    ],
    [{ type: 'tool_use', id: 'a', name: 'one', input: { x: 1 } }],
    'tool_use',
  ],
  [
    'arguments as an object, and none at all',
    [
      chunk(call(0, { id: 'a', name: 'one', args: { x: 1 } })),
      chunk(call(1, { id: 'b', name: 'two' })),
      chunk({}, 'stop'),
    ],
    [
      { type: 'tool_use', id: 'a', name: 'one', input: { x: 1 } },
      { type: 'tool_use', id: 'b', name: 'two', input: {} },
    ],
    'tool_use',
  ],
  [
    'a call in the final message alone (openclaude #1259)',
    [
      {
        choices: [
          { index: 0, message: call(0, { id: 'a', name: 'one', args: '{"x":1}' }), finish_reason: 'tool_calls' },
        ],
      },
    ],
    [{ type: 'tool_use', id: 'a', name: 'one', input: { x: 1 } }],
    'tool_use',
  ],
  [
    'length becomes max_tokens (new-api #1761)',
    [chunk({ content: 'x' }), chunk({}, 'length')],
    [{ type: 'text', text: 'x' }],
    'max_tokens',
  ],
  [
    'content_filter becomes refusal',
    [chunk({ content: 'x' }), chunk({}, 'content_filter')],
    [{ type: 'text', text: 'x' }],
    'refusal',
  ],
  ['refusal text', [chunk({ refusal: 'No.' }), chunk({}, 'stop')], [{ type: 'text', text: 'No.' }], 'refusal'],
  [
    'an empty finish_reason (opencode #43379)',
    [chunk({ content: 'x' }), chunk({}, '')],
    [{ type: 'text', text: 'x' }],
    'end_turn',
  ],
  ['no finish_reason at all, after text', [chunk({ content: 'x' })], [{ type: 'text', text: 'x' }], 'end_turn'],
  [
    'a tool call in the older form',
    [chunk({ function_call: { name: 'one', arguments: '{"x":1}' } }), chunk({}, 'function_call')],
    [{ type: 'tool_use', id: expect.stringMatching(/^toolu_\w+$/), name: 'one', input: { x: 1 } }],
    'tool_use',
  ],
  [
    'text between the pieces of a call comes after it',
    [
      chunk(call(0, { id: 'a', name: 'one', args: '{' })),
      chunk({ content: 'late' }),
      chunk(call(0, { args: '}' })),
      chunk({}, 'stop'),
    ],
    [
      { type: 'tool_use', id: 'a', name: 'one', input: {} },
      { type: 'text', text: 'late' },
    ],
    'tool_use',
  ],
  [
    'a second choice is nobody’s',
    [{ choices: [{ index: 1, delta: { content: 'no' } }] }, chunk({ content: 'yes' }, 'stop')],
    [{ type: 'text', text: 'yes' }],
    'end_turn',
  ],
]

test.each(cases)('%s', (_name, chunks, content, stop) => {
  const message = messageOf(chunks)
  expect(message['content']).toEqual(content)
  expect(message['stop_reason']).toBe(stop)
  expect(message['model']).toBe('asked')
})

test('cached tokens are told apart, never lost (litellm #31069)', () => {
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 5,
    prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 10 },
    completion_tokens_details: { reasoning_tokens: 3 },
  }
  expect(messageOf([chunk({ content: 'x' }, 'stop', { usage })])['usage']).toEqual({
    input_tokens: 30,
    output_tokens: 5,
    cache_read_input_tokens: 60,
    cache_creation_input_tokens: 10,
    output_tokens_details: { thinking_tokens: 3 },
  })
  for (const more of [{ prompt_cache_hit_tokens: 60 }, { cached_tokens: 60 }])
    expect(
      messageOf([chunk({ content: 'x' }, 'stop', { usage: { prompt_tokens: 100, completion_tokens: 5, ...more } })])[
        'usage'
      ],
    ).toMatchObject({ input_tokens: 40, cache_read_input_tokens: 60 })
})

test('usage in every chunk: the last one counts; none at all is an estimate', () => {
  const chunks = [1, 2, 3].map((count) =>
    chunk({ content: 'abcd' }, null, { usage: { prompt_tokens: 9, completion_tokens: count } }),
  )
  expect(messageOf([...chunks, chunk({}, 'stop')])['usage']).toMatchObject({ input_tokens: 9, output_tokens: 3 })
  expect(messageOf([chunk({ content: 'abcdefgh' }, 'stop')])['usage']).toMatchObject({
    input_tokens: 7,
    output_tokens: 2,
  })
})

test.each([
  ['nothing at all', []],
  ['an error frame', [chunk({ content: 'x' }), { error: { message: 'boom', type: 'server_error' } }]],
  ['arguments that are no JSON', [chunk(call(0, { id: 'a', name: 'one', args: '{"x":1}}' })), chunk({}, 'tool_calls')]],
])('%s ends in one error event, and in nothing after it', (_name, chunks) => {
  const events = translate(chunks)
  expectLegal(events)
  expect(events.filter(({ type }) => type === 'error')).toHaveLength(1)
  expect(events.at(-1)).toMatchObject({ type: 'error', error: { type: 'api_error' } })
})

test('a client that did not ask to think sees no thinking', () => {
  const message = foldMessage(translate([chunk({ reasoning_content: 'Hm' }), chunk({ content: 'x' }, 'stop')], false))!
  expect(message['content']).toEqual([{ type: 'text', text: 'x' }])
})
