/** Streams for the tests of framing and metering. */

export interface StreamStyle {
  eol?: string
  /** Between the field name and its value. */
  gap?: string
}

/** One event as bytes of text. */
export function frame(name: string | undefined, data: unknown, { eol = '\n', gap = ' ' }: StreamStyle = {}): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  return `${name === undefined ? '' : `event:${gap}${name}${eol}`}data:${gap}${text}${eol}${eol}`
}

/** What the deltas of `anthropicStream` hold: text, thinking and partial input together, in UTF-16 units. */
const payload = ['Let me see \u{1f600}', 'é "quoted" \\ \n', 'Hello', ' 世界', '{"path', '": "a.ts"}', ''] as const
export const payloadChars = payload.join('').length

/** A whole answer with thinking, text, a tool call, pings, comments and an unknown event. */
export function anthropicStream(style: StreamStyle = {}): string {
  return anthropicUnits(style).join('')
}

/** The same in the pieces between which something else may be put. */
export function anthropicUnits(style: StreamStyle = {}): string[] {
  const { eol = '\n' } = style
  const event = (name: string, more: object = {}) => frame(name, { type: name, ...more }, style)
  const delta = (index: number, value: object) => event('content_block_delta', { index, delta: value })
  const start = (index: number, type: string) => event('content_block_start', { index, content_block: { type } })
  const usage = { input_tokens: 10, output_tokens: 1, cache_read_input_tokens: 5, cache_creation_input_tokens: 0 }
  return [
    `: hello${eol}`,
    eol,
    event('message_start', { message: { id: 'msg_1', model: 'claude-opus-5-5', stop_reason: null, usage } }),
    start(0, 'thinking'),
    delta(0, { type: 'thinking_delta', thinking: payload[0] }),
    event('ping'),
    delta(0, { type: 'thinking_delta', thinking: payload[1] }),
    delta(0, { type: 'signature_delta', signature: 'EqQBCkYIBhgCKkAabc'.repeat(5) }),
    event('content_block_stop', { index: 0 }),
    start(1, 'text'),
    delta(1, { type: 'text_delta', text: payload[2] }),
    `: still here${eol}`,
    delta(1, { type: 'text_delta', text: payload[3] }),
    delta(1, { type: 'citations_delta', citation: { type: 'page_location', cited_text: 'cited' } }),
    event('content_block_stop', { index: 1 }),
    start(10, 'tool_use'),
    delta(10, { type: 'input_json_delta', partial_json: payload[6] }),
    delta(10, { type: 'input_json_delta', partial_json: payload[4] }),
    delta(10, { type: 'input_json_delta', partial_json: payload[5] }),
    event('something_new', { text: 'not counted' }),
    event('message_delta', { delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 42 } }),
    event('message_stop'),
  ]
}
