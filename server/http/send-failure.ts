// Responses with JSON of ours: errors in the caller's format, and plain objects.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Failure } from '../errors.ts'
import type { Format } from '../upstreams/format.ts'
import { anthropicFormat } from '../upstreams/formats/anthropic/anthropic.ts'

/** The part of a response object that an error needs. */
interface FailureResponse {
  readonly headersSent: boolean
  readonly destroyed: boolean
  writeHead(status: number, headers: string[]): unknown
  write(bytes: Buffer): unknown
  end(bytes?: Buffer): unknown
}

/** How much of an unwanted body is read and thrown away so that the client gets to see our response, and for how long. */
const lingerBytes = 4 * 1024 * 1024
const lingerMs = 5000

/**
 * Responds with an error in the caller's format. An unread body is never kept: a small one is read and dropped; of a large one
 * as much as the bounds above allow, then the connection is closed. Does nothing when the client has left or has its response.
 */
export function sendFailure(
  req: IncomingMessage,
  res: FailureResponse,
  failure: Failure,
  requestId: string,
  format: Pick<Format, 'errorBody'> = anthropicFormat,
): void {
  if (res.headersSent || res.destroyed) return
  const body = format.errorBody(failure.type, failure.message, requestId)
  const headers = ['content-type', 'application/json', 'content-length', String(body.length)]
  headers.push('request-id', requestId, 'x-request-id', requestId)
  if (failure.shouldRetry !== undefined) headers.push('x-should-retry', String(failure.shouldRetry))
  if (failure.retryAfterS !== undefined)
    headers.push('retry-after', String(Math.max(1, Math.ceil(failure.retryAfterS))))
  if (failure.headers) headers.push(...failure.headers)
  const unread = !req.complete && carriesBody(req) ? req : null
  // A client that waits for "continue" may send its body or not: what follows could be a body or a request.
  const waits = unread !== null && unread.headers.expect !== undefined && unread.readableFlowing === null
  const closes = failure.closes === true || waits || (unread !== null && !bodyIsSmall(unread))
  if (closes) headers.push('connection', 'close')
  res.writeHead(failure.status, headers)
  if (unread === null || waits || req.method === 'HEAD') {
    res.end(body)
  } else if (closes) {
    res.write(body)
    dropBody(unread, () => res.end())
  } else {
    res.end(body)
    dropBody(unread, () => {
      if (!unread.complete) unread.destroy()
    })
  }
}

/** True when the request announces a body: by its length, or in chunks. */
export function carriesBody(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0
}

function bodyIsSmall(req: IncomingMessage): boolean {
  return Number(req.headers['content-length'] ?? Number.NaN) <= lingerBytes
}

/**
 * Closing a socket with unread bytes resets the connection, and the client may lose the response. So the rest of the body is
 * read and dropped up to both bounds; then `done` is called.
 */
function dropBody(req: IncomingMessage, done: () => void): void {
  let dropped = 0
  const end = () => {
    clearTimeout(timer)
    req.off('data', onData)
    req.off('close', end)
    req.off('end', end)
    done()
  }
  function onData(chunk: Buffer) {
    dropped += chunk.length
    if (dropped > lingerBytes) end()
  }
  const timer = setTimeout(end, lingerMs)
  timer.unref()
  req.on('data', onData)
  req.on('end', end)
  req.on('close', end)
  req.resume()
}

/** Responds 200 with an object of ours. */
export function sendJson(res: ServerResponse, value: object, requestId: string): void {
  const body = Buffer.from(JSON.stringify(value))
  res.writeHead(200, {
    'content-type': 'application/json',
    'content-length': body.length,
    'request-id': requestId,
    'x-request-id': requestId,
  })
  res.end(body)
}
