import type { AccountEvent } from '../accounts/state/state.ts'
import type { Evidence } from '../accounts/state/transitions.ts'

/** A response that is not a success, as far as it was read. */
export interface ErrorResponse {
  status: number
  /** All headers, names in lower case. */
  headers: Map<string, string>
  body: Buffer
}

/**
 * What an upstream's error means. `caller`: the request's own fault, passed on as it came, no account changes. `limited`,
 * `refused`, `failing`: the account's fault, the next one is tried.
 */
export interface Classification {
  kind: 'caller' | 'limited' | 'refused' | 'failing'
  errorType: string
  /** What happened to the account, if anything. */
  event?: AccountEvent
  /** For the account's timeline. */
  evidence: Evidence
  /** Name of the administrators' rule that decided; absent: the built-in table did. */
  rule?: string
  /** True when the upstream's own words go to the client if no other account can serve (an unknown model, say). */
  passIfLast?: boolean
  /** True when the event counts only once another account has served the same request. */
  ifServedElsewhere?: boolean
  /** The upstream takes no request of this size. */
  tooLarge?: boolean
  /** The vendor's sentence where the account is well and refuses this request alone; absent: it does not. */
  refusal?: string
  /** True when a person has to mend the account: the client's error is 503, not 529. */
  misconfigured?: boolean
  /**
   * Two accounts whose errors have the same text here show that the request is at fault. Holds the upstream's words: never
   * shown to anybody.
   */
  sameAs?: string
}

/** A regular expression, or the pattern of a rule. */
export interface Pattern {
  test(text: string): boolean
}

/** What errors mean, as data: a platform has a list of rows, and the first that fits decides. */
export interface ClassificationRow {
  name: string
  /** The row is a rule of an administrator (rules/). */
  isRule?: true
  /** An HTTP status, a range of them, or an error event in a stream before its content; absent: anything. */
  status?: number | readonly [from: number, to: number] | 'event'
  /** A pattern is tried on the type as people see it: `http_503` where the response names none. */
  type?: string | Pattern
  /** Of `error.details.error_code` or `error.code`. */
  code?: string | Pattern
  /** Tried on at most 10 000 characters. Anchored where it blames the account: a text may quote what a client wrote. */
  message?: Pattern
  /** The same for a sentence that has to begin near the beginning of the message, for an error may quote a prompt. */
  sentence?: RegExp
  /** The same, or where the response has no message the body itself. */
  text?: Pattern
  /** With 429: what the rate-limit headers say (protocol.md §1.8). */
  limits?: LimitCase
  /** The error has the format's own shape, and its type blames the request. */
  blamesRequest?: true
  means: Consequence
}

/**
 * What the headers of a 429 say: which limit is used up, that only this request is refused (`request`), that there is some
 * limit (`said`), or nothing at all (`unsaid`).
 */
export type LimitCase = 'account' | 'family' | 'request' | 'said' | 'unsaid'

export interface RateLimit {
  limits: LimitCase
  /** With `family`: the models, as a pattern. */
  family: string
  /** When the window that is used up ends; null: not said, or in the past. */
  windowMs: number | null
  /** Milliseconds from now; null: not said. */
  retryAfterMs: number | null
}

export interface Consequence {
  /** As in {@link Classification}. */
  kind: Classification['kind']
  /** What becomes of the account; absent: nothing. `forbidden`: as rate_limited, and a lost login when two keys are refused. */
  state?: 'rate_limited' | 'cooling_down' | 'forbidden' | 'reauth_required' | 'out_of_credit'
  scope?: 'account' | 'model' | 'family'
  /** Until when; milliseconds from now, or where the response says it (`response`: wherever it does). */
  until?: number | 'retry_after' | 'window' | 'date_said' | 'next_month' | 'response'
  /** The upstream's own words pass if no other account can serve and the error has the format's own shape. */
  passIfLast?: true
  misconfigured?: true
  /** The account's new state counts only after another account has served the same request. */
  ifServedElsewhere?: true
  tooLarge?: true
  /** The account is well; it refuses this request alone. */
  refusesRequest?: true
  /** The same from two accounts is the request's fault: only of errors that blame the request, and of error events. */
  doubtful?: true
  /**
   * The text is one that is known to be about the account, and quotes nobody: at most 200 characters of it go into the timeline.
   * Of all other errors only words that are identifiers are kept, for they could quote a prompt.
   */
  keepsText?: true
}
