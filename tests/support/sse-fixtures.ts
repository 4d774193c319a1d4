import type { Tokens } from '../../server/money/reading.ts'

/** One server-sent event. `data` is sent as JSON; a string is sent as it is. */
export interface SseEvent {
  event: string
  data: object | string
}

/** A recorded stream: its events, its bytes, and the usage that a meter must read. */
export interface GoldenStream {
  name: string
  events: SseEvent[]
  bytes: Buffer
  model: string
  tokens: Tokens
  /** Tokens billed beside `tokens`, each with its model. */
  extras: { model: string; tokens: Tokens }[]
  stopReason: string
  /** False when the stream ends before its message_delta: then the usage is that of message_start. */
  complete: boolean
}

/** Wire bytes of one event; `lineEnd` is LF unless a test wants CRLF. */
export function encodeEvent({ event, data }: SseEvent, lineEnd: '\n' | '\r\n' = '\n'): Buffer {
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  return Buffer.from(`event: ${event}${lineEnd}data: ${text}${lineEnd}${lineEnd}`)
}

export function encodeEvents(events: readonly SseEvent[], lineEnd: '\n' | '\r\n' = '\n'): Buffer {
  return Buffer.concat(events.map((event) => encodeEvent(event, lineEnd)))
}

const typed = (event: string, rest: object = {}): SseEvent => ({ event, data: { type: event, ...rest } })

/** The usage object of message_start for these tokens; `output` is provisional, as with the vendor. */
export function startUsage(tokens: Tokens, provisionalOutput = 1): Record<string, unknown> {
  return {
    input_tokens: tokens.input,
    cache_creation_input_tokens: tokens.cacheWrite5m + tokens.cacheWrite1h,
    cache_read_input_tokens: tokens.cacheRead,
    cache_creation: {
      ephemeral_5m_input_tokens: tokens.cacheWrite5m,
      ephemeral_1h_input_tokens: tokens.cacheWrite1h,
    },
    output_tokens: provisionalOutput,
    service_tier: 'standard',
    inference_geo: 'not_available',
  }
}

/** The cumulative usage object of message_delta: without the split of cache writes and the tier. */
export function deltaUsage(tokens: Tokens): Record<string, unknown> {
  return {
    input_tokens: tokens.input,
    cache_creation_input_tokens: tokens.cacheWrite5m + tokens.cacheWrite1h,
    cache_read_input_tokens: tokens.cacheRead,
    output_tokens: tokens.output,
    ...(tokens.thinking > 0 && { output_tokens_details: { thinking_tokens: tokens.thinking } }),
    ...(tokens.webSearches > 0 && { server_tool_use: { web_search_requests: tokens.webSearches } }),
  }
}

export const messageStart = (model: string, tokens: Tokens, id = 'msg_golden'): SseEvent =>
  typed('message_start', {
    message: {
      id,
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: startUsage(tokens),
    },
  })

export const messageDelta = (stopReason: string, usage: object, more: object = {}): SseEvent =>
  typed('message_delta', { delta: { stop_reason: stopReason, stop_sequence: null, ...more }, usage })

export const messageStop: SseEvent = typed('message_stop')
export const ping: SseEvent = typed('ping')

export const errorEvent = (type = 'overloaded_error', message = 'Overloaded'): SseEvent =>
  typed('error', { error: { type, message } })

/** Start, deltas and stop of one content block. */
export function block(index: number, content: object, deltas: readonly object[]): SseEvent[] {
  return [
    typed('content_block_start', { index, content_block: content }),
    ...deltas.map((delta) => typed('content_block_delta', { index, delta })),
    typed('content_block_stop', { index }),
  ]
}

export const textBlock = (index: number, pieces: readonly string[]): SseEvent[] =>
  block(
    index,
    { type: 'text', text: '' },
    pieces.map((text) => ({ type: 'text_delta', text })),
  )

export const toolBlock = (index: number, name: string, pieces: readonly string[]): SseEvent[] =>
  block(
    index,
    { type: 'tool_use', id: `toolu_golden_${index}`, name, input: {} },
    pieces.map((partial_json) => ({ type: 'input_json_delta', partial_json })),
  )
