// The ways in which an attempt ends, each with its row and what it means for the request.
import type { Cause } from '../../accounts/state/transitions.ts'
import { type Failure, fail } from '../../errors.ts'
import { sendFailure } from '../../http/send-failure.ts'
import type { AttemptEntry } from '../../ledger/entry.ts'
import type { Reading } from '../../money/reading.ts'
import type { Classification } from '../../upstreams/classification.ts'
import type { RequestEnd } from '../request/relay-request.ts'
import type { PassableError, TryResult, UpstreamFailure } from './attempt-result.ts'
import { restarting } from './no-account-error.ts'
import type { Attempt } from './running-attempt.ts'
import { classificationOf } from './upstream-failure.ts'

export interface AttemptEnd {
  result: TryResult
  /** For the attempt's row. */
  outcome: AttemptEntry['outcome']
  errorType: string
  errorCode?: string
  /** The key pays what was read. */
  charged: boolean
  /** Absent: what the stream's reader knows. */
  reading?: Reading
}

export function causeOf({ running }: Attempt, classification: Classification | null = null): Cause {
  return {
    by: classification?.rule === undefined ? 'request' : 'rule',
    requestId: running.request.id.text,
    evidence: classification?.evidence ?? null,
  }
}

export function completed(reading?: Reading): AttemptEnd {
  const end: RequestEnd = { outcome: 'completed', httpStatus: 200, errorType: '' }
  return { result: { kind: 'done', end }, outcome: 'answer', errorType: '', charged: true, ...(reading && { reading }) }
}

export function leftEnd({ running }: Attempt): RequestEnd {
  const httpStatus = running.client.firstByteAtMs > 0 ? 200 : 0
  return { outcome: 'aborted', httpStatus, errorType: 'client_left' }
}

/** The client left, and what came is not read on. `charged`: a response was on its way. */
export function abandoned(attempt: Attempt, charged: boolean): AttemptEnd {
  return { result: { kind: 'done', end: leftEnd(attempt) }, outcome: 'aborted', errorType: 'client_left', charged }
}

/** The process stops before the client has anything. */
export const shutDown = (attempt: Attempt): AttemptEnd => toldTo(attempt, restarting())

/** So much is kept for other requests that this response has no room. */
export const memoryFull = (attempt: Attempt): AttemptEnd =>
  toldTo(
    attempt,
    fail('response_memory_full', 'The relay holds as many responses as it may. Try again in a moment.', {
      retryAfterS: 1,
    }),
  )

/** The client gets a failure of ours. The account is not to blame, and no other one is tried. */
function toldTo({ running }: Attempt, failure: Failure): AttemptEnd {
  const { client, request } = running
  sendFailure(client.req, client, failure, request.id.text, request.format)
  const end: RequestEnd = { outcome: 'failed', httpStatus: failure.status, errorType: failure.code }
  return { result: { kind: 'done', end }, outcome: 'failing', errorType: failure.code, charged: false }
}

/** The response could not be finished after the client had its head. */
export function brokenOff(errorType: string, errorCode = ''): AttemptEnd {
  const end: RequestEnd = { outcome: 'failed', httpStatus: 200, errorType }
  return { result: { kind: 'done', end }, outcome: 'failing', errorType, errorCode, charged: true }
}

export function failed(attempt: Attempt, failure: UpstreamFailure): AttemptEnd {
  const classification = classificationOf(failure, attempt.head?.status ?? 0)
  return classified(attempt, classification, null, failure.connectPhase)
}

/** The account failed the request as `classification` says, and another one may be tried. */
export function classified(
  attempt: Attempt,
  classification: Classification,
  response: PassableError | null = null,
  connectPhase = false,
): AttemptEnd {
  const { kind, errorType, event, evidence } = classification
  return {
    result: {
      kind: 'next',
      errorType,
      connectPhase,
      misconfigured: classification.misconfigured === true,
      // count_tokens has limits of its own upstream: they say nothing about messages.
      event: attempt.running.request.metered ? (event ?? null) : null,
      cause: causeOf(attempt, classification),
      sameAs: classification.sameAs ?? '',
      passIfLast: classification.passIfLast === true,
      ifServedElsewhere: classification.ifServedElsewhere === true,
      tooLarge: classification.tooLarge === true,
      refusal: classification.refusal ?? '',
      response,
    },
    outcome: kind,
    errorType,
    errorCode: evidence.code,
    charged: false,
  }
}
