// Reads an upstream's error response and classifies it: the request's own fault, or the account's.
import { bytesWithoutSecret } from '../../upstreams/quoted-secret.ts'
import { type AttemptEnd, abandoned, classified, failed, shutDown } from './attempt-end.ts'
import { collectBody, decoderFor, isFailure } from './read-response.ts'
import type { Attempt, AttemptParts } from './running-attempt.ts'
import type { ResponseHead } from './upstream-call.ts'
import { brokenBy } from './upstream-failure.ts'

/** What is read of an error; more says nothing new. */
const maxErrorBytes = 1024 * 1024

export async function readErrorResponse(
  attempt: Attempt,
  head: ResponseHead,
  parts: AttemptParts,
): Promise<AttemptEnd> {
  const { running, account, secret } = attempt
  const { request } = running
  const { status, headers } = head
  attempt.canReadOn = false
  const decoder = decoderFor(attempt, head)
  if (isFailure(decoder)) return failed(attempt, decoder)
  const { body: whole, end } = await collectBody(attempt, decoder, maxErrorBytes, { by: 'reader' }, parts)
  if (end.by === 'client') return abandoned(attempt, false)
  if (end.by === 'shutdown') return shutDown(attempt)
  if (end.by !== 'upstream' && end.by !== 'reader') return failed(attempt, brokenBy(attempt, end))
  // An access token may end before its time: a renewal and one more try decide, not this response.
  if (status === 401 && attempt.mayRenew) {
    return { result: { kind: 'unauthorized' }, outcome: 'refused', errorType: 'authentication_error', charged: false }
  }
  const body = bytesWithoutSecret(whole, secret)
  const classification = parts.classifier.classify(
    account,
    { status, headers: headers.all(), body },
    request.model,
    parts.now(),
  )
  const response = { status, headers: headers.forClient(true), body }
  if (headers.requestId === '') response.headers.push('request-id', request.id.text)
  if (classification.kind !== 'caller') return classified(attempt, classification, response)
  const { errorType, evidence } = classification
  return {
    result: { kind: 'caller', errorType, response },
    outcome: 'caller',
    errorType,
    errorCode: evidence.code,
    charged: false,
  }
}
