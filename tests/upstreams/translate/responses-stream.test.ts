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
import { brokenResponses, lateCalls, responsesContent, responsesStream, responsesUsage } from './responses-streams.ts'

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

test('a Responses stream: reasoning with its signature, text, a tool call, usage without the cached part twice', () => {
  const message = foldMessage(fromResponses(responsesStream))!
  expect(message['content']).toEqual(responsesContent)
  expect(message['stop_reason']).toBe('tool_use')
  expect(message['usage']).toEqual({
    input_tokens: 30,
    output_tokens: 9,
    cache_read_input_tokens: 20,
    cache_creation_input_tokens: 0,
    output_tokens_details: { thinking_tokens: 4 },
  })
})

test.each(lateCalls)(
  'arguments in the last event alone, or in the final response alone (openclaude #1259)',
  (...events) => {
    expect(foldMessage(fromResponses(events))!['content']).toEqual([responsesContent[2]])
  },
)

test.each([
  ['max_output_tokens', 'max_tokens'],
  ['content_filter', 'refusal'],
])('incomplete by %s ends as %s', (reason, stop) => {
  const events = [
    ...responsesStream.slice(0, 10),
    { type: 'response.incomplete', response: { incomplete_details: { reason }, usage: responsesUsage } },
  ]
  expect(foldMessage(fromResponses(events))!['stop_reason']).toBe(stop)
})

test.each(brokenResponses)('%s ends in one error event', (_name, events, message) => {
  expect(fromResponses(events).at(-1)).toEqual({ type: 'error', error: { type: 'api_error', message } })
})

const writer = { id: 'x_1', model: 'asked', createdS: 1, toolNames: createToolNames() }

test('to a chat client: text, reasoning, tool calls counted as tools, usage and finish_reason', () => {
  const toChat = createMessagesStreamToChat({ ...writer, includeUsage: true })
  const chunks = fromResponses(responsesStream).flatMap(toChat.push)
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
  const response = messageToChat(foldMessage(fromResponses(responsesStream))!, writer)
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
  const toResponses = createMessagesStreamToResponses({
    ...writer,
    id: 'resp_1',
    tools: new Map(),
    signingAccountId: null,
  })
  const events = fromResponses(responsesStream).flatMap(toResponses.push)
  expect(events.map((event) => event['sequence_number'])).toEqual(events.map((_, index) => index))
  expect(events.at(-1)).toMatchObject({
    type: 'response.completed',
    response: { status: 'completed', usage: { input_tokens: 50, input_tokens_details: { cached_tokens: 20 } } },
  })
  const back = foldMessage(fromResponses(events))!
  // Anthropic's signatures are of no use to others: the thinking comes back without one.
  expect(back['content']).toEqual([{ ...responsesContent[0], signature: '' }, responsesContent[1], responsesContent[2]])
})

test('a tool that takes free text gets its text, not JSON', () => {
  const toResponses = createMessagesStreamToResponses({
    ...writer,
    id: 'resp_1',
    tools: new Map([['apply_patch', { name: 'apply_patch', namespace: '', isFreeText: true }]]),
    signingAccountId: null,
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
