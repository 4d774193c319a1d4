// Why a response that had begun did not come to its end.
import { describeFailure, explainFailure } from '../../upstreams/transport/failure-cause.ts'
import type { Attempt } from './running-attempt.ts'
import type { CallEnd } from './upstream-call.ts'
import type { UpstreamFailure } from './upstream-failure.ts'

/** Of a call that ended in the middle of its response. */
export function brokenBy(
  attempt: Attempt,
  end: Extract<CallEnd, { by: 'error' | 'decoder' | 'failure' }>,
): UpstreamFailure {
  if (end.by === 'failure') return end.failure
  if (end.by === 'decoder') return brokenResponse(attempt, 'its compressed answer cannot be read')
  const explained = explainFailure(end.error, attempt.account)
  const reason = `${explained.reason}, in the middle of its answer`
  return { errorType: 'broken_answer', explained: { ...explained, reason } }
}

export function brokenResponse({ account }: Attempt, reason: string): UpstreamFailure {
  return { errorType: 'broken_answer', explained: describeFailure('ended_early', reason, account) }
}
