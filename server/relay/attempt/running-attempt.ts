// An attempt while it runs, and what all its phases need.
import type { Account } from '../../accounts/account.ts'
import type { AccountEvent } from '../../accounts/state/state.ts'
import type { Cause } from '../../accounts/state/transitions.ts'
import type { Cost } from '../../money/cost.ts'
import { withEstimatedPrompt } from '../../money/estimate.ts'
import type { Reading } from '../../money/reading.ts'
import { noReading } from '../../money/reading.ts'
import type { Classifier } from '../../upstreams/classify.ts'
import type { Format, ResponseReader, StreamReader, UpstreamError } from '../../upstreams/format.ts'
import type { ByteBudget } from '../byte-budget.ts'
import type { RunningRequest } from '../request/relay-request.ts'
import type { ResponseHeaders } from '../request/response-headers.ts'
import type { RelayTimers } from '../timers.ts'
import type { ResponseHead, UpstreamCall } from './upstream-call.ts'

/** What becomes of an upstream's response when its client leaves: broken off, or read to its usage. */
export type Disconnect = 'abort' | 'drain'

export interface AttemptParts {
  classifier: Classifier
  timers: RelayTimers
  disconnect: Disconnect
  /** The bytes of responses that are kept as a whole. */
  responseBudget: ByteBudget
  /** The largest event of a stream, in bytes. */
  maxEventBytes: number
  now: () => number
  report: (account: Account, event: AccountEvent, cause: Cause) => void
  price: (reading: Reading, atMs: number, accountId: number) => Cost
  /** What response headers say of the account's limits. */
  noteLimits: (account: Account, headers: ResponseHeaders) => void
  /** The refusal of what we wrote: true when it taught something, and the request is worth another try at the same account. */
  learn: (account: Account, error: UpstreamError) => boolean
  /** Some more of a stream has come whose key has limits. */
  onFlow: (attempt: Attempt) => void
  /** Usage of a stream has changed, for the journal. */
  onUsage: (attempt: Attempt) => void
}

export interface Attempt {
  readonly running: RunningRequest
  readonly account: Account
  /** The account's secret when the attempt began; it may have another one before the end. */
  readonly secret: string
  /** What the account's platform speaks. */
  readonly format: Format
  /** Reads what it sends, and says what of it the client gets. */
  readonly responses: ResponseReader
  /** What went up was written by us, and a refusal may teach how to write it. */
  readonly mayLearn: boolean
  /** The client speaks another format. */
  readonly isTranslated: boolean
  readonly modelSent: string
  readonly startedAtMs: number
  readonly firstByteMs: number
  readonly idleMs: number
  /** A refused access token is worth a renewal. */
  readonly mayRenew: boolean
  readonly call: UpstreamCall
  head: ResponseHead | null
  /** Meters the stream, once there is one. */
  reader: StreamReader | null
  /** The usage that the journal has, and since when; null before the first. */
  recorded: { atMs: number; output: number } | null
  /** When the client left a response that is read on for its usage; 0: it is there. */
  leftAtMs: number
  /** What it holds of the budget of responses. */
  keptBytes: number
  /** False for what is not worth reading on once the client has left. */
  canReadOn: boolean
  /** Set by the phase the attempt is in. */
  onTick: (nowMs: number) => void
  onLeave: () => void
}

export function hasReadOnTooLong({ leftAtMs }: Attempt, { timers }: AttemptParts, nowMs: number): boolean {
  return leftAtMs > 0 && nowMs - leftAtMs > timers.drainMs
}

/** What is known of usage so far, with the model that was sent and an estimated prompt where the upstream names none. */
export function readingOf(attempt: Attempt, reading: Reading = attempt.reader?.reading() ?? noReading): Reading {
  const estimated = withEstimatedPrompt(reading, attempt.running.request.body.length)
  return estimated.model === '' ? { ...estimated, model: attempt.modelSent } : estimated
}
