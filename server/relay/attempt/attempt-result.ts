// What can become of an attempt.
import type { AccountEvent } from '../../accounts/state/state.ts'
import type { Cause } from '../../accounts/state/transitions.ts'
import type { Explained } from '../../upstreams/transport/failure-cause.ts'
import type { RequestEnd } from '../request/relay-request.ts'

/** An upstream's error response, ready to be passed on. */
export interface PassableError {
  status: number
  headers: string[]
  body: Buffer
}

/** An attempt that failed without an error response: no connection, silence, a broken or unusable response. */
export interface UpstreamFailure {
  errorType: string
  explained: Explained
  /** No connection was established. */
  connectPhase?: boolean
  /** A person has to mend the account. */
  misconfigured?: boolean
}

/** Nothing was sent to the client; another account may be tried. */
export interface FailedAttempt {
  kind: 'next'
  errorType: string
  /** No connection was established, so the failover budget is not used. */
  connectPhase: boolean
  misconfigured: boolean
  /** The event for the account's state (null: none), and its cause. */
  event: AccountEvent | null
  cause: Cause
  /** If two attempts have the same text here, the request is at fault. '': the account is at fault. */
  sameAs: string
  /** The upstream's own words go to the client if no other account can serve. */
  passIfLast: boolean
  /** `event` counts only once another account has served the request. */
  ifServedElsewhere: boolean
  /** The upstream takes no request of this size. */
  tooLarge: boolean
  /** The vendor's sentence where it refuses this request alone; '' where the account itself failed. */
  refusal: string
  /** null where it may not be passed on. */
  response: PassableError | null
}

export type AttemptResult =
  /** The client has its response (or has left, or was told that it broke off). */
  | { kind: 'done'; end: RequestEnd }
  | FailedAttempt
  | UnfitAttempt
  /** The upstream says the request itself is wrong: its response is passed on as it came. */
  | { kind: 'caller'; errorType: string; response: PassableError }

/** Nothing was sent: the account's format has no place for this member of the request. */
export interface UnfitAttempt {
  kind: 'unfit'
  field: string
  message: string
}

/** The same, or: the access token is not accepted any more, and may be renewed. */
export type CallResult = AttemptResult | { kind: 'unauthorized' }

/** The same, or: the upstream said how it wants the request written. */
export type TryResult = CallResult | { kind: 'learnt' }
