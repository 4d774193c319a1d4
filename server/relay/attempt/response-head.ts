// The head of a successful response, checked when it comes and made for the client.
import type { Transform } from 'node:stream'
import { describeFailure, type FailureCause } from '../../upstreams/transport/failure-cause.ts'
import type { Attempt } from './running-attempt.ts'
import { createDecoder, type ResponseHead } from './upstream-call.ts'
import type { UpstreamFailure } from './upstream-failure.ts'

/** What decompresses the body (null: nothing to do), or why it cannot be read. */
export function decoderFor(attempt: Attempt, { headers }: ResponseHead): Transform | null | UpstreamFailure {
  const encoding = headers.contentEncoding
  const decoder = createDecoder(encoding)
  if (decoder !== undefined) return decoder
  return unusable(attempt, 'bad_encoding', `content-encoding ${encoding.slice(0, 20)}, which was not asked for`)
}

export function isFailure(found: Transform | null | UpstreamFailure): found is UpstreamFailure {
  return found !== null && 'errorType' in found
}

/** Why the content type is not what was asked for; null when it is. */
export function contentTypeProblem(attempt: Attempt, { headers }: ResponseHead): UpstreamFailure | null {
  const type = headers.contentType.toLowerCase()
  const { stream } = attempt.running.request
  if (type === '' || (stream ? type.startsWith('text/event-stream') : type.includes('json'))) return null
  return unusable(attempt, 'wrong_content_type', `200 with content-type ${headers.contentType.slice(0, 60)}`)
}

export function unusable({ account }: Attempt, cause: FailureCause, reason: string): UpstreamFailure {
  return { errorType: cause, explained: describeFailure(cause, reason, account) }
}

/** The client gets status 200 and `headers`, with our request id and what is used of its limits. */
export function writeHead({ running }: Attempt, head: ResponseHead, headers: string[]): void {
  const { client, request, reservation } = running
  if (head.headers.requestId === '') headers.push('request-id', request.id.text)
  headers.push('x-request-id', request.id.text, ...reservation.headers)
  client.writeHead(200, headers)
}
