import { noTokens, type Tokens } from '../../server/money/reading.ts'
import type { Exchange } from './fake-exchange.ts'
import {
  deltaUsage,
  messageDelta,
  messageStart,
  messageStop,
  ping,
  type SseEvent,
  startUsage,
  textBlock,
} from './sse-fixtures.ts'

export const errorBody = (type: string, message: string, requestId: string | null = null): string =>
  JSON.stringify({ type: 'error', error: { type, message }, request_id: requestId })

const models = ['claude-opus-5-5', 'claude-sonnet-4-5-20250929', 'claude-haiku-4-5-20251001']
const modelObject = (id: string) => ({ type: 'model', id, display_name: id, created_at: '2025-09-29T00:00:00Z' })

/** Usage with tokens of every class, computed from the request, so that no two requests in a row cost the same. */
export function usageOf(bodyBytes: number, index: number): Tokens {
  return {
    ...noTokens,
    input: 10 + (bodyBytes % 97) + (index % 13),
    output: 20 + (index % 31),
    cacheWrite5m: (index % 3) * 100,
    cacheWrite1h: (index % 5) * 10,
    cacheRead: (index % 7) * 1_000,
  }
}

/** The correct answer to any request of the Messages API, by path, `model` and `stream`. */
export async function answerDefault(exchange: Exchange, deltas: number): Promise<void> {
  const { request } = exchange
  const path = request.path.split('?')[0] ?? ''
  if (request.method === 'HEAD') return exchange.respond(200, {}, '')
  if (request.method === 'POST' && path === '/v1/messages') return answerMessage(exchange, deltas)
  if (request.method === 'POST' && path === '/v1/messages/count_tokens') {
    return exchange.respond(200, {}, { input_tokens: usageOf(request.body.length, 0).input })
  }
  if (request.method === 'GET' && path === '/v1/models') {
    const [first_id, last_id] = [models[0], models.at(-1)]
    return exchange.respond(200, {}, { data: models.map(modelObject), has_more: false, first_id, last_id })
  }
  const id = decodeURIComponent(/^\/v1\/models\/(.+)$/.exec(path)?.[1] ?? '')
  if (request.method === 'GET' && models.includes(id)) return exchange.respond(200, {}, modelObject(id))
  const message = id === '' ? `${request.method} ${path}` : `model: ${id}`
  return refuse(exchange, 404, 'not_found_error', message)
}

const refuse = (exchange: Exchange, status: number, type: string, message: string): Promise<void> =>
  exchange.respond(status, { 'content-type': 'application/json' }, errorBody(type, message, exchange.request.requestId))

async function answerMessage(exchange: Exchange, deltas: number): Promise<void> {
  const { request, json } = exchange
  const model = json['model']
  if (typeof model !== 'string') return refuse(exchange, 400, 'invalid_request_error', 'model: Field required')
  const tokens = usageOf(request.body.length, request.index)
  exchange.count(model, tokens)
  if (json['stream'] === true) return exchange.sse(messageEvents(model, tokens, request.index, deltas))
  return exchange.respond(200, {}, messageJson(model, tokens, request.index, pieces(deltas).join('')))
}

const pieces = (deltas: number): string[] => Array.from({ length: deltas }, (_, index) => `word ${index} 你好 🙂 `)

/** A complete streamed answer with a ping after the start of the first block. */
export function messageEvents(model: string, tokens: Tokens, index: number, deltas: number): SseEvent[] {
  const [start, ...rest] = textBlock(0, pieces(deltas))
  const first = [messageStart(model, tokens, `msg_fake_${index}`), ...(start ? [start] : []), ping]
  return [...first, ...rest, messageDelta('end_turn', deltaUsage(tokens)), messageStop]
}

export function messageJson(model: string, tokens: Tokens, index: number, text: string): object {
  return {
    id: `msg_fake_${index}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { ...startUsage(tokens), output_tokens: tokens.output },
  }
}
