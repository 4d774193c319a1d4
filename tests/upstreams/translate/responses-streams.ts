import type { Fields } from '../../../server/upstreams/translate/untranslatable.ts'

/** A stream of Responses, for the translator alone and for the SDK behind the whole relay. */

export const responsesUsage = {
  input_tokens: 50,
  output_tokens: 9,
  input_tokens_details: { cached_tokens: 20 },
  output_tokens_details: { reasoning_tokens: 4 },
}
export const responsesStream: Fields[] = [
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
  { type: 'response.completed', response: { output: [], usage: responsesUsage } },
]
/** What the client's message holds, from account 7. */
export const responsesContent = [
  { type: 'thinking', thinking: 'First\n\nSecond', signature: 'relay-reasoning:7:SEALED' },
  { type: 'text', text: 'Hello' },
  { type: 'tool_use', id: 'c1', name: 'Bash', input: { x: 1 } },
]

const call = { type: 'function_call', call_id: 'c1', name: 'Bash', arguments: '{"x":1}' }
/** A call whose arguments come in the last event alone, or in the final response alone (openclaude #1259). */
export const lateCalls: Fields[][] = [
  [
    { type: 'response.output_item.added', output_index: 0, item: { ...call, arguments: '' } },
    { type: 'response.function_call_arguments.done', output_index: 0, arguments: call.arguments },
    { type: 'response.completed', response: {} },
  ],
  [
    { type: 'response.output_item.done', output_index: 0, item: call },
    { type: 'response.completed', response: {} },
  ],
  [{ type: 'response.completed', response: { output: [call] } }],
]

/** Streams that end in an error, and what it says. */
export const brokenResponses: [name: string, events: Fields[], message: string][] = [
  [
    'response.failed',
    [
      ...responsesStream.slice(0, 9),
      { type: 'response.failed', response: { error: { code: 'server_error', message: 'boom' } } },
    ],
    'boom',
  ],
  ['error', [{ type: 'error', code: 'x', message: 'boom' }], 'boom'],
  ['a stream that is cut off', responsesStream.slice(0, 9), 'The upstream ended its response before it was complete.'],
]
