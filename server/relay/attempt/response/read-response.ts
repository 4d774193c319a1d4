// What the responses of all kinds need: checks of the head, the decoder, a body read whole, the head for the client.
import type { Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { explain } from '../../../upstreams/transport/failure-cause.ts'
import type { UpstreamFailure } from '../attempt-result.ts'
import { type Attempt, type AttemptParts, hasReadOnTooLong } from '../running-attempt.ts'
import type { CallEnd, ResponseHead } from '../upstream-call.ts'
import { unusable } from '../upstream-failure.ts'

/** Why the content type is not what was asked for; null when it is. */
export function contentTypeProblem(attempt: Attempt, { headers }: ResponseHead): UpstreamFailure | null {
  const type = headers.contentType.toLowerCase()
  const { stream } = attempt.running.request
  if (type === '' || (stream ? type.startsWith('text/event-stream') : type.includes('json'))) return null
  return unusable(attempt, 'wrong_content_type', `200 with content-type ${headers.contentType.slice(0, 60)}`)
}

/** What decompresses the body (null: nothing to do), or why it cannot be read. */
export function decoderFor(attempt: Attempt, { headers }: ResponseHead): Transform | null | UpstreamFailure {
  const encoding = headers.contentEncoding
  switch (encoding) {
    case '':
    case 'identity':
      return null
    case 'gzip':
    case 'x-gzip':
      return createGunzip()
    case 'br':
      return createBrotliDecompress()
    case 'deflate':
      return createInflate()
    default:
      return unusable(attempt, 'bad_encoding', `content-encoding ${encoding.slice(0, 20)}, which was not asked for`)
  }
}

export function isFailure(found: Transform | null | UpstreamFailure): found is UpstreamFailure {
  return found !== null && 'errorType' in found
}

/** Reads a body that is no stream. `onTooLarge`: what ends the call once more than `limit` bytes have come. */
export async function collectBody(
  attempt: Attempt,
  decoder: Transform | null,
  limit: number,
  onTooLarge: CallEnd,
  parts: AttemptParts,
): Promise<{ body: Buffer; end: CallEnd | { by: 'memory' } }> {
  const { call, account, firstByteMs, idleMs } = attempt
  const silenceMs = Math.max(idleMs, firstByteMs)
  const share = parts.responseBudget.shareOf(attempt.running.request.key.id)
  const chunks: Buffer[] = []
  let size = 0
  /** Kept responses take all the memory they may. */
  let isFull = false
  attempt.onTick = (nowMs) => {
    if (hasReadOnTooLong(attempt, parts, nowMs)) call.stop({ by: 'client' })
    else if (nowMs - call.lastByteAtMs > silenceMs) {
      const explained = explain('silent', 'idle_timeout', account, silenceMs)
      call.stop({ by: 'failure', failure: { errorType: 'idle_timeout', explained } })
    }
  }
  const end = await call.read((chunk) => {
    if (!share.take(chunk.length)) {
      isFull = true
      call.stop({ by: 'reader' })
      return true
    }
    attempt.keptBytes += chunk.length
    chunks.push(chunk)
    size += chunk.length
    if (size > limit) call.stop(onTooLarge)
    return true
  }, decoder)
  return { body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), end: isFull ? { by: 'memory' } : end }
}

/** For the client, with the content type of what it gets: the upstream's own where that is right. */
export function headersFor({ headers }: ResponseHead, contentType: 'application/json' | 'text/event-stream'): string[] {
  const list = headers.forClient(false)
  const word = contentType === 'application/json' ? 'json' : contentType
  if (headers.contentType.toLowerCase().includes(word)) return list
  return ['content-type', contentType, ...(headers.contentType === '' ? list : list.slice(2))]
}

/** The client gets status 200 and `headers`, with our request id and what is used of its limits. */
export function writeHead({ running, modelSent }: Attempt, head: ResponseHead, headers: string[]): void {
  const { client, request, reservation } = running
  running.giveBackFailover?.()
  if (head.headers.requestId === '') headers.push('request-id', request.id.text)
  headers.push('x-request-id', request.id.text, 'x-relay-model', headerText(modelSent), ...reservation.headers)
  client.writeHead(200, headers)
}

/** Names of models are any text; headers are not. */
const headerText = (text: string): string => (/^[\x21-\x7e]+$/.test(text) ? text : encodeURIComponent(text))
