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
  const closes = failure.closes === true || waitsForContinue(req) || (isUnread(req) && !bodyIsSmall(req))
  if (closes) headers.push('connection', 'close')
  res.writeHead(failure.status, headers)
  if (closes) return endAndClose(req, res, body)
  res.end(body)
  if (isUnread(req))
    dropBody(req, () => {
      if (!req.complete) req.destroy()
    })
}

/** Sends the only bytes of a response after which the connection closes. What is left of the request's body is dropped. */
export function endAndClose(req: IncomingMessage, res: Pick<FailureResponse, 'write' | 'end'>, body: Buffer): void {
  if (!isUnread(req) || waitsForContinue(req) || req.method === 'HEAD') {
    res.end(body)
  } else {
    res.write(body)
    dropBody(req, () => res.end())
  }
}

const isUnread = (req: IncomingMessage): boolean => !req.complete && !req.destroyed && carriesBody(req)

/** Such a client may send its body or not: what follows could be a body or a request. */
const waitsForContinue = (req: IncomingMessage): boolean =>
  isUnread(req) && req.headers.expect !== undefined && req.readableFlowing === null

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
