// Attempts that fail without an error response: silence, a connection that breaks, a response that cannot be used.
import type { AccountEvent } from '../../accounts/state/state.ts'
import type { Classification } from '../../upstreams/classification.ts'
import { describeFailure, explain, explainFailure, type FailureCause } from '../../upstreams/transport/failure-cause.ts'
import type { UpstreamFailure } from './attempt-result.ts'
import type { Attempt } from './running-attempt.ts'
import type { CallEnd } from './upstream-call.ts'

export function noFirstByte({ account, firstByteMs }: Attempt): UpstreamFailure {
  const explained = explain('no_answer', 'first_byte_timeout', account, firstByteMs)
  return { errorType: 'first_byte_timeout', explained }
}

/** The response is there, and is none that can be passed on. */
export function unusable({ account }: Attempt, cause: FailureCause, reason: string): UpstreamFailure {
  return { errorType: cause, explained: describeFailure(cause, reason, account) }
}

/** The response ended before it was complete. */
export function incomplete({ account }: Attempt, reason: string): UpstreamFailure {
  return { errorType: 'broken_response', explained: describeFailure('ended_early', reason, account) }
}

/** The call ended in the middle of its response. */
export function brokenBy(
  attempt: Attempt,
  end: Extract<CallEnd, { by: 'error' | 'decoder' | 'failure' }>,
): UpstreamFailure {
  if (end.by === 'failure') return end.failure
  if (end.by === 'decoder') return incomplete(attempt, 'its compressed response cannot be read')
  const explained = explainFailure(end.error, attempt.account)
  const reason = `${explained.reason}, in the middle of its response`
  return { errorType: 'broken_response', explained: { ...explained, reason } }
}

/** What the failure means for the account, in the shape of a classified error. */
export function classificationOf(
  { errorType, explained, misconfigured }: UpstreamFailure,
  status: number,
): Classification {
  const { cause, reason, place } = explained
  const event: AccountEvent = { kind: 'failed', reason, fault: { cause, place } }
  const evidence = { status, errorType, code: cause, message: place }
  return { kind: 'failing', errorType, event, evidence, ...(misconfigured && { misconfigured }) }
}
