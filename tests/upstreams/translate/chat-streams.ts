import { expect } from 'vitest'
import type { Fields } from '../../../server/upstreams/translate/untranslatable.ts'

/** Streams of Chat Completions as upstreams really send them, for the translator alone and for the SDK behind the whole relay. */

export const chunk = (delta: Fields, finish: string | null = null, more: Fields = {}): Fields => ({
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

const signature = expect.stringMatching(/^relay-reasoning:\d+:$/)

/** What the client's message holds, and why it ends. */
export const chatCases: [name: string, chunks: unknown[], content: object[], stop: string][] = [
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
      { type: 'thinking', thinking: 'Hm', signature },
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
      { type: 'thinking', thinking: 'abc', signature },
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

/** Streams that break their own format, or end in an error. */
export const brokenChatCases: [name: string, chunks: unknown[]][] = [
  ['nothing at all', []],
  ['an error frame', [chunk({ content: 'x' }), { error: { message: 'boom', type: 'server_error' } }]],
  ['arguments that are no JSON', [chunk(call(0, { id: 'a', name: 'one', args: '{"x":1}}' })), chunk({}, 'tool_calls')]],
]
