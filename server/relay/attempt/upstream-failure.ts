// An attempt that failed without an error response: no connection, silence, a broken or unusable response.
import type { AccountEvent } from '../../accounts/state/state.ts'
import type { Classification } from '../../upstreams/classification.ts'
import type { Explained } from '../../upstreams/transport/failure-cause.ts'

export interface UpstreamFailure {
  errorType: string
  explained: Explained
  /** The connection never came about. */
  connectPhase?: boolean
  /** A person has to mend the account. */
  misconfigured?: boolean
}

/** What it means for the account, in the shape of a classified error. */
export function classificationOf(
  { errorType, explained, misconfigured }: UpstreamFailure,
  status: number,
): Classification {
  const { cause, reason, place } = explained
  const event: AccountEvent = { kind: 'failed', reason, fault: { cause, place } }
  const evidence = { status, errorType, code: cause, message: place }
  return { kind: 'failing', errorType, event, evidence, ...(misconfigured && { misconfigured }) }
}
