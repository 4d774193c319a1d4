import type { OutgoingHttpHeaders } from 'node:http'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import type { Exchange } from './fake-exchange.ts'
import { errorBody, messageEvents, messageJson, usageOf } from './fake-message.ts'
import type { Script } from './fake-upstream.ts'
import {
  deltaUsage,
  encodeEvents,
  errorEvent,
  messageDelta,
  messageStart,
  messageStop,
  textBlock,
  toolBlock,
} from './sse-fixtures.ts'

/** Scripts for common faults of upstreams; each is one answer. */

const modelOf = ({ json }: Exchange): string => (typeof json['model'] === 'string' ? json['model'] : 'unknown')
const tokensOf = ({ request }: Exchange) => usageOf(request.body.length, request.index)

/** The events of the default streamed answer to this request, without counting its usage. */
const eventsOf = (exchange: Exchange, deltas = 3) =>
  messageEvents(modelOf(exchange), tokensOf(exchange), exchange.request.index, deltas)

/** 401, 403, 429, 5xx, 529 …: an error in Anthropic's shape, with the given headers. */
export function refusal(status: number, type: string, message = type, headers: OutgoingHttpHeaders = {}): Script {
  return (exchange) => {
    const body = errorBody(type, message, exchange.request.requestId)
    return exchange.respond(status, { 'content-type': 'application/json', ...headers }, body)
  }
}

export const hangBeforeHeaders: Script = (exchange) => exchange.hang()

export const hangAfterHeaders: Script = async (exchange) => {
  await exchange.begin()
  await exchange.hang()
}

/** Sends `count` events of a correct answer, and then nothing more. */
export const hangAfterEvents =
  (count: number): Script =>
  async (exchange) => {
    await exchange.sse(eventsOf(exchange, count).slice(0, count), { end: false })
    await exchange.hang()
  }

export const resetBeforeHeaders: Script = (exchange) => exchange.reset()

/** Sends `count` events, then a RST. */
export const resetAfterEvents =
  (count: number): Script =>
  async (exchange) => {
    await exchange.sse(eventsOf(exchange, count).slice(0, count), { end: false })
    await exchange.reset()
  }

/** Sends the first `size` bytes of a stream, which may end inside an event, then a RST. */
export const resetAfterBytes =
  (size: number): Script =>
  async (exchange) => {
    await exchange.begin()
    await exchange.write(encodeEvents(eventsOf(exchange)).subarray(0, size))
    await exchange.reset()
  }

/** Sends everything except message_stop, and ends the body regularly; with `cut` by a FIN inside the chunked body. */
export const endWithoutStop =
  (cut = false): Script =>
  async (exchange) => {
    await exchange.sse(eventsOf(exchange).slice(0, -1), { end: !cut })
    if (cut) await exchange.fin()
  }

/** 200 and SSE, but the first event is `error`. */
export const errorFirst =
  (type = 'overloaded_error'): Script =>
  (exchange) =>
    exchange.sse([errorEvent(type)])

/** Sends `count` events, then `error`, and ends. */
export const errorAfterEvents =
  (count: number, type = 'overloaded_error'): Script =>
  (exchange) =>
    exchange.sse([...eventsOf(exchange, count).slice(0, count), errorEvent(type)])

/** The answer of a captive portal. */
export const htmlPage: Script = (exchange) =>
  exchange.respond(200, { 'content-type': 'text/html' }, '<!doctype html><title>Sign in to Wi-Fi</title>')

export const redirect =
  (location: string, status = 302): Script =>
  (exchange) =>
    exchange.respond(status, { location }, '')

/** A correct stream with a wrong content-type. */
export const wrongContentType =
  (type: string): Script =>
  async (exchange) => {
    await exchange.begin(200, { 'content-type': type })
    await exchange.sse(eventsOf(exchange))
  }

/** A correct answer that is compressed although the request does not ask for it; a stream or JSON as requested. */
export const compressed =
  (encoding: 'gzip' | 'br'): Script =>
  async (exchange) => {
    const [model, tokens, { index }] = [modelOf(exchange), tokensOf(exchange), exchange.request]
    const streamed = exchange.json['stream'] === true
    const plain = streamed
      ? encodeEvents(eventsOf(exchange))
      : Buffer.from(JSON.stringify(messageJson(model, tokens, index, 'compressed')))
    exchange.count(model, tokens)
    const type = streamed ? 'text/event-stream; charset=utf-8' : 'application/json'
    const body = encoding === 'gzip' ? gzipSync(plain) : brotliCompressSync(plain)
    await exchange.respond(200, { 'content-type': type, 'content-encoding': encoding }, body)
  }

/** One tool call whose `input` arrives in pieces of five characters. */
export const toolUse =
  (name: string, input: object): Script =>
  async (exchange) => {
    const [model, tokens] = [modelOf(exchange), tokensOf(exchange)]
    exchange.count(model, tokens)
    const start = messageStart(model, tokens, `msg_fake_${exchange.request.index}`)
    const call = toolBlock(0, name, JSON.stringify(input).match(/.{1,5}/gsu) ?? [])
    await exchange.sse([start, ...call, messageDelta('tool_use', deltaUsage(tokens)), messageStop])
  }

/** A correct stream with one data line in the middle that is not JSON. */
export const badJsonLine: Script = async (exchange) => {
  const events = eventsOf(exchange)
  const bad = { event: 'content_block_delta', data: '{"type":"content_block_delta","index":0,' }
  await exchange.sse([...events.slice(0, 3), bad, ...events.slice(3)])
}

/** A stream with one text delta of `size` bytes. */
export const hugeEvent =
  (size: number): Script =>
  async (exchange) => {
    const [model, tokens] = [modelOf(exchange), tokensOf(exchange)]
    exchange.count(model, tokens)
    const text = textBlock(0, ['x'.repeat(size)])
    await exchange.sse([
      messageStart(model, tokens),
      ...text,
      messageDelta('end_turn', deltaUsage(tokens)),
      messageStop,
    ])
  }

/** A correct stream whose message_delta has this `usage` instead of the true one; undefined omits the field. */
export const strangeUsage =
  (usage: object | undefined): Script =>
  (exchange) =>
    exchange.sse([...eventsOf(exchange).slice(0, -2), messageDelta('end_turn', usage as object), messageStop])
