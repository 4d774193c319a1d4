// What can become of an attempt, and of the whole request.
import type { AccountEvent } from '../../accounts/state/state.ts'
import type { Cause } from '../../accounts/state/transitions.ts'
import type { Outcome } from '../../ledger/entry.ts'

/** How a request ended, for its row. */
export interface RequestEnd {
  outcome: Exclude<Outcome, 'interrupted'>
  httpStatus: number
  errorType: string
}

/** An upstream's error response, ready to be passed on. */
export interface PassableError {
  status: number
  headers: string[]
  body: Buffer
}

/** Nothing was sent to the client; another account may be tried. */
export interface FailedAttempt {
  kind: 'next'
  errorType: string
  /** The connection never came about: outside the retry budget. */
  connectPhase: boolean
  misconfigured: boolean
  /** What happened to the account, if anything; and who found it out. */
  event: AccountEvent | null
  cause: Cause
  /** Two with the same text met a fault of the request; '' when the fault is the account's. */
  sameAs: string
  /** The upstream's own words go to the client if no other account can serve. */
  passIfLast: boolean
  /** null where it may not be passed on. */
  response: PassableError | null
}

export type AttemptResult =
  /** The client has its response (or has left, or was told that it broke off). */
  | { kind: 'done'; end: RequestEnd }
  | FailedAttempt
  /** The upstream says the request itself is wrong: its response is passed on as it came. */
  | { kind: 'caller'; errorType: string; response: PassableError }

/** The same, or: the access token is not accepted any more, and may be renewed. */
export type CallResult = AttemptResult | { kind: 'unauthorized' }

export const clientLeft: RequestEnd = { outcome: 'aborted', httpStatus: 0, errorType: 'client_left' }
