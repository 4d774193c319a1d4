// Reads what is no success and classifies it: the request's own fault, or the account's.
import { saysWhy } from '../../../upstreams/classify.ts'
import { bytesWithoutSecret } from '../../../upstreams/quoted-secret.ts'
import { type AttemptEnd, abandoned, classified, failed, memoryFull, shutDown } from '../attempt-end.ts'
import type { Attempt, AttemptParts } from '../running-attempt.ts'
import type { ResponseHead } from '../upstream-call.ts'
import { brokenBy, unusable } from '../upstream-failure.ts'
import { collectBody, contentTypeProblem, decoderFor, isFailure } from './read-response.ts'
import { translatedError } from './translated-error.ts'

/** The most bytes that are read of an error body. */
const maxErrorBytes = 1024 * 1024

/** An access token can expire early. It is renewed and tried once more before the account is blamed. */
const loginRefused: AttemptEnd = {
  result: { kind: 'unauthorized' },
  outcome: 'refused',
  errorType: 'authentication_error',
  charged: false,
}

/** It said what it takes: the next try is written so. */
const formatLearnt: AttemptEnd = {
  result: { kind: 'learnt' },
  outcome: 'caller',
  errorType: 'format_learnt',
  charged: false,
}
const mayTeach: ReadonlySet<number> = new Set([400, 404, 415, 422, 500, 501])

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
  // A limit stops only streams.
  if (end.by === 'client' || end.by === 'limit') return abandoned(attempt, false)
  if (end.by === 'shutdown') return shutDown(attempt)
  if (end.by === 'memory') return memoryFull(attempt)
  if (end.by !== 'upstream' && end.by !== 'reader') return failed(attempt, brokenBy(attempt, end))
  if (status === 401 && attempt.mayRenew) return loginRefused
  const body = bytesWithoutSecret(whole, secret)
  const classification = parts.classifier.classify(
    account,
    { status, headers: headers.all(), body },
    request.model,
    parts.now(),
  )
  if (status === 403 && attempt.mayRenew && classification.event?.kind === 'login_needed') return loginRefused
  if (attempt.mayLearn && mayTeach.has(status) && parts.learn(account, attempt.format.errorOf(body.toString('utf8'))))
    return formatLearnt
  const response = attempt.isTranslated
    ? translatedError(attempt, head, body)
    : { status, headers: headers.forClient(true), body }
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

/** A response with status 200 that is no success: what it says decides, like the body of an error. */
export function unsuccessful(
  attempt: Attempt,
  head: ResponseHead,
  whole: Buffer,
  problem: string,
  parts: AttemptParts,
): AttemptEnd {
  const { account, format, running, secret } = attempt
  const body = bytesWithoutSecret(whole, secret)
  const error = format.errorOf(body.toString('utf8'))
  const response = { status: 200, headers: head.headers.all(), body }
  const classification = parts.classifier.classify(account, response, running.request.model, parts.now())
  if (!saysWhy(error) && classification.rule === undefined)
    return failed(
      attempt,
      contentTypeProblem(attempt, head) ?? unusable(attempt, 'bad_response', `200 with ${problem}`),
    )
  if (attempt.mayRenew && classification.event?.kind === 'login_needed') return loginRefused
  return classified(attempt, {
    ...classification,
    kind: classification.kind === 'caller' ? 'refused' : classification.kind,
  })
}
