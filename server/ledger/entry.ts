import { billedNano, type ChargeFactors } from '../money/charge.ts'
import type { Cost } from '../money/cost.ts'
import type { Reading } from '../money/reading.ts'

/** What is known of a request when it is admitted: enough to close its row if nothing more is ever heard of it. */
export interface Admitted extends ChargeFactors {
  /** Ledger key as a decimal string (request-ids.ts). */
  id: string
  startedAtMs: number
  apiKeyId: number
  userId: number
  groupId: number
  /** The account that was tried first. */
  accountId: number
  platform: string
  modelRequested: string
  modelSent: string
  stream: boolean
  sessionId: string
  agentId: string
  clientIp: string
  userAgent: string
  requestBytes: number
  /** What the key books its requests on; '' for nothing. */
  tag: string
}

export type Outcome = 'completed' | 'failed' | 'aborted' | 'interrupted'
export type AttemptOutcome = 'answer' | 'caller' | 'limited' | 'failing' | 'refused' | 'aborted' | 'interrupted'

/** One upstream call. */
export interface AttemptEntry {
  accountId: number
  modelSent: string
  startedAtMs: number
  outcome: AttemptOutcome
  /** Upstream's status; 0 when there was no response. */
  httpStatus: number
  errorType: string
  /** The identifier beside the type, as it goes into the row; '' when the upstream gave none. */
  errorCode: string
  upstreamRequestId: string
  /** Milliseconds to the upstream's first byte; -1 when none came. */
  firstByteMs: number
  durationMs: number
  /** True when the key pays; false when nobody pays. */
  charged: boolean
  reading: Reading
  cost: Cost
}

/** One request, finished. The last attempt's account is the request's account. */
export interface LedgerEntry extends Admitted {
  outcome: Outcome
  httpStatus: number
  errorType: string
  firstByteMs: number
  durationMs: number
  attempts: AttemptEntry[]
}

/** The attempt whose usage the key pays for, if any. */
export const chargedAttempt = (entry: LedgerEntry): AttemptEntry | undefined =>
  entry.attempts.find((attempt) => attempt.charged)

/** What is billed for a request, in nano-USD. */
export const billedOf = (entry: LedgerEntry): number => billedNano(chargedAttempt(entry)?.cost.totalNano ?? 0, entry)
