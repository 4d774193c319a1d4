import { expect, test } from 'vitest'
import { createResponsesStreamToMessages } from '../../../server/upstreams/translate/anthropic-clients/responses-stream-to-messages.ts'
import { foldMessage } from '../../../server/upstreams/translate/messages/fold-message.ts'
import { createToolNames } from '../../../server/upstreams/translate/messages/tool-names.ts'
import {
  chatUsage,
  createMessagesStreamToChat,
  messageToChat,
} from '../../../server/upstreams/translate/openai-clients/messages-stream-to-chat.ts'
import { createMessagesStreamToResponses } from '../../../server/upstreams/translate/openai-clients/messages-stream-to-responses.ts'
import { type Fields, textOf } from '../../../server/upstreams/translate/untranslatable.ts'

function fromResponses(events: Fields[]): Fields[] {
  const translator = createResponsesStreamToMessages({
    messageId: 'msg_1',
    model: 'asked',
    inputTokensEstimate: 7,
    toolNames: createToolNames(),
    accountId: 7,
    showThinking: true,
  })
  return [...events.flatMap((event) => translator.push(event)), ...translator.end()]
}

const usage = {
  input_tokens: 50,
  output_tokens: 9,
  input_tokens_details: { cached_tokens: 20 },
  output_tokens_details: { reasoning_tokens: 4 },
}
const stream: Fields[] = [
  { type: 'response.created', response: {} },
  { type: 'response.output_item.added', output_index: 0, item: { type: 'reasoning', summary: [] } },
  { type: 'response.reasoning_summary_part.added', output_index: 0 },
  { type: 'response.reasoning_summary_text.delta', output_index: 0, delta: 'First' },
  { type: 'response.reasoning_summary_part.added', output_index: 0 },
  { type: 'response.reasoning_summary_text.delta', output_index: 0, delta: 'Second' },
  {
    type: 'response.output_item.done',
    output_index: 0,
    item: { type: 'reasoning', summary: [], encrypted_content: 'SEALED' },
  },
  { type: 'response.output_item.added', output_index: 1, item: { type: 'message', content: [] } },
  { type: 'response.output_text.delta', output_index: 1, delta: 'Hello' },
  {
    type: 'response.output_item.done',
    output_index: 1,
    item: { type: 'message', content: [{ type: 'output_text', text: 'Hello' }] },
  },
  {
    type: 'response.output_item.added',
    output_index: 2,
    item: { type: 'function_call', call_id: 'c1', name: 'Bash', arguments: '' },
  },
  { type: 'response.function_call_arguments.delta', output_index: 2, delta: '{"x":' },
  { type: 'response.function_call_arguments.delta', output_index: 2, delta: '1}' },
  {
    type: 'response.output_item.done',
    output_index: 2,
    item: { type: 'function_call', call_id: 'c1', name: 'Bash', arguments: '{"x":1}' },
  },
  { type: 'response.completed', response: { output: [], usage } },
]
const content = [
  { type: 'thinking', thinking: 'First\n\nSecond', signature: 'relay-reasoning:7:SEALED' },
  { type: 'text', text: 'Hello' },
  { type: 'tool_use', id: 'c1', name: 'Bash', input: { x: 1 } },
]

test('a Responses stream: reasoning with its signature, text, a tool call, usage without the cached part twice', () => {
  const message = foldMessage(fromResponses(stream))!
  expect(message['content']).toEqual(content)
  expect(message['stop_reason']).toBe('tool_use')
  expect(message['usage']).toEqual({
    input_tokens: 30,
    output_tokens: 9,
    cache_read_input_tokens: 20,
    cache_creation_input_tokens: 0,
    output_tokens_details: { thinking_tokens: 4 },
  })
})

test('arguments in the last event alone, or in the final response alone (openclaude #1259)', () => {
  const item = { type: 'function_call', call_id: 'c1', name: 'Bash', arguments: '{"x":1}' }
  for (const events of [
    [
      { type: 'response.output_item.added', output_index: 0, item: { ...item, arguments: '' } },
      { type: 'response.function_call_arguments.done', output_index: 0, arguments: item.arguments },
      { type: 'response.completed', response: {} },
    ],
    [
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.completed', response: {} },
    ],
    [{ type: 'response.completed', response: { output: [item] } }],
  ])
    expect(foldMessage(fromResponses(events))!['content']).toEqual([content[2]])
})

test.each([
  ['max_output_tokens', 'max_tokens'],
  ['content_filter', 'refusal'],
])('incomplete by %s ends as %s', (reason, stop) => {
  const events = [
    ...stream.slice(0, 10),
    { type: 'response.incomplete', response: { incomplete_details: { reason }, usage } },
  ]
  expect(foldMessage(fromResponses(events))!['stop_reason']).toBe(stop)
})

test.each([
  [
    'response.failed',
    [
      ...stream.slice(0, 9),
      { type: 'response.failed', response: { error: { code: 'server_error', message: 'boom' } } },
    ],
    'boom',
  ],
  ['error', [{ type: 'error', code: 'x', message: 'boom' }], 'boom'],
  ['a stream that is cut off', stream.slice(0, 9), 'The upstream ended its response before it was complete.'],
])('%s ends in one error event', (_name, events, message) => {
  expect(fromResponses(events as Fields[]).at(-1)).toEqual({ type: 'error', error: { type: 'api_error', message } })
})

const writer = { id: 'x_1', model: 'asked', createdS: 1, toolNames: createToolNames() }

test('to a chat client: text, reasoning, tool calls counted as tools, usage and finish_reason', () => {
  const toChat = createMessagesStreamToChat({ ...writer, includeUsage: true })
  const chunks = fromResponses(stream).flatMap(toChat.push)
  const deltas = chunks.flatMap(({ choices }) => choices as { delta: Fields; finish_reason: unknown }[])
  expect(deltas.map(({ delta }) => textOf(delta['content'])).join('')).toBe('Hello')
  expect(deltas.map(({ delta }) => textOf(delta['reasoning_content'])).join('')).toBe('First\n\nSecond')
  const calls = deltas.flatMap(
    ({ delta }) => (delta['tool_calls'] ?? []) as { index: number; function: { arguments: string } }[],
  )
  expect(calls.map(({ index }) => index)).toEqual([0, 0, 0])
  expect(calls.map((call) => call.function.arguments).join('')).toBe('{"x":1}')
  expect(deltas.at(-1)!.finish_reason).toBe('tool_calls')
  expect(chunks.at(-1)).toMatchObject({
    choices: [],
    usage: { prompt_tokens: 50, completion_tokens: 9, total_tokens: 59, prompt_tokens_details: { cached_tokens: 20 } },
  })
})

test('to a chat client without streaming', () => {
  const response = messageToChat(foldMessage(fromResponses(stream))!, writer)
  expect(response).toMatchObject({
    object: 'chat.completion',
    choices: [
      {
        message: {
          content: 'Hello',
          reasoning_content: 'First\n\nSecond',
          tool_calls: [{ id: 'c1', function: { name: 'Bash', arguments: '{"x":1}' } }],
        },
        finish_reason: 'tool_calls',
      },
    ],
  })
  expect(chatUsage({ input_tokens: 3 })).toMatchObject({ prompt_tokens: 3, total_tokens: 3 })
})

test('to a Responses client and back: the same message', () => {
  const toResponses = createMessagesStreamToResponses({ ...writer, id: 'resp_1', customTools: new Set() })
  const events = fromResponses(stream).flatMap(toResponses.push)
  expect(events.map((event) => event['sequence_number'])).toEqual(events.map((_, index) => index))
  expect(events.at(-1)).toMatchObject({
    type: 'response.completed',
    response: { status: 'completed', usage: { input_tokens: 50, input_tokens_details: { cached_tokens: 20 } } },
  })
  const back = foldMessage(fromResponses(events))!
  // Anthropic's signatures are of no use to others: the thinking comes back without one.
  expect(back['content']).toEqual([{ ...content[0], signature: '' }, content[1], content[2]])
})

test('a tool that takes free text gets its text, not JSON', () => {
  const toResponses = createMessagesStreamToResponses({
    ...writer,
    id: 'resp_1',
    customTools: new Set(['apply_patch']),
  })
  const input = JSON.stringify({ input: '*** Begin' })
  const events = [
    { type: 'message_start', message: { usage: { input_tokens: 1 } } },
    {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'tool_use', id: 'c', name: 'apply_patch', input: {} },
    },
    { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: input } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ].flatMap(toResponses.push)
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'response.custom_tool_call_input.done', input: '*** Begin' }),
  )
  expect(events.at(-1)).toMatchObject({
    response: { output: [{ type: 'custom_tool_call', call_id: 'c', name: 'apply_patch', input: '*** Begin' }] },
  })
})
