import { once } from 'node:events'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import type { Tokens } from '../../server/money/reading.ts'
import type { Recorded } from './fake-upstream.ts'
import { encodeEvents, type SseEvent } from './sse-fixtures.ts'

export interface SseWriting {
  lineEnd?: '\n' | '\r\n'
  /** Write sizes in bytes, repeated to the end: [1] is one byte per write. Absent: one write per event. */
  splitAt?: readonly number[]
  /** Awaited before each write, with its number; with deferred promises a test can step through a stream. */
  pace?: (write: number) => Promise<void> | void
  /** End the answer after the last event. Default true. */
  end?: boolean
}

/** Full control of one answer. Every write resolves when the operating system has the bytes, or the client is gone. */
export interface Exchange {
  request: Recorded
  /** The request's JSON body; {} when it is none. */
  json: Record<string, unknown>
  /** Sends a complete answer with content-length. An object is sent as JSON. */
  respond(status: number, headers: OutgoingHttpHeaders, body: Buffer | string | object): Promise<void>
  /** Sends the head of a chunked answer; by default that of an event stream with status 200. */
  begin(status?: number, headers?: OutgoingHttpHeaders): Promise<void>
  write(bytes: Buffer | string): Promise<void>
  /** Sends the head, unless it is sent already, and then events. */
  sse(events: readonly SseEvent[], writing?: SseWriting): Promise<void>
  /** Ends the body regularly, whether or not a message_stop was sent. */
  end(): Promise<void>
  /** Sends nothing more and waits until the client gives up. */
  hang(): Promise<void>
  /**
   * Sends a TCP RST, two turns of the event loop later, when a client in this process has read the bytes before it. Node
   * takes an RST that arrives together with data for a regular end (libuv, POLLHUP after a partial read).
   */
  reset(): Promise<void>
  /** Sends a TCP FIN in the middle of a chunked body. */
  fin(): Promise<void>
  /** Sets the usage of the answer, which is added to `totals` when the answer is sent completely. */
  count(model: string, tokens: Tokens): void
}

export function exchangeOf(request: Recorded, response: ServerResponse, tcp: Socket): Exchange {
  const gone = once(response, 'close')
  gone.catch(() => {})
  const flushed = (start: (done: () => void) => void): Promise<void> =>
    response.destroyed ? Promise.resolve() : Promise.race([new Promise<void>(start), gone.then(() => {})])

  const exchange: Exchange = {
    request,
    json: parsed(request.body),
    async respond(status, headers, body) {
      const bytes =
        Buffer.isBuffer(body) || typeof body === 'string' ? Buffer.from(body) : Buffer.from(JSON.stringify(body))
      const type = typeof body === 'object' && !Buffer.isBuffer(body) ? { 'content-type': 'application/json' } : {}
      const length = { 'content-length': bytes.length, 'request-id': request.requestId }
      response.writeHead(status, { ...type, ...length, ...headers })
      await flushed((done) => response.end(bytes, done))
    },
    async begin(status = 200, headers = {}) {
      const usual = { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': request.requestId }
      response.writeHead(status, { ...usual, ...headers })
      response.flushHeaders()
    },
    write: (bytes) => flushed((done) => response.write(bytes, () => done())),
    async sse(events, { lineEnd = '\n', splitAt, pace, end = true } = {}) {
      if (!response.headersSent) await exchange.begin()
      let index = 0
      for (const piece of pieces(events, lineEnd, splitAt)) {
        await pace?.(index++)
        await exchange.write(piece)
      }
      if (end) await exchange.end()
    },
    end: () => flushed((done) => response.end(done)),
    async hang() {
      await gone
    },
    async reset() {
      await turn()
      await turn()
      tcp.resetAndDestroy()
    },
    async fin() {
      await flushed((done) => response.socket?.end(done))
    },
    count(model, tokens) {
      request.usage = { model, tokens }
    },
  }
  return exchange
}

function parsed(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function* pieces(events: readonly SseEvent[], lineEnd: '\n' | '\r\n', sizes?: readonly number[]): Generator<Buffer> {
  if (sizes === undefined || sizes.length === 0) {
    for (const event of events) yield encodeEvents([event], lineEnd)
    return
  }
  const bytes = encodeEvents(events, lineEnd)
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? 1)
    yield bytes.subarray(at, at + size)
    at += size
  }
}
