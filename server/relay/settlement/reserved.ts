import type { LimitClaim, LimitUnit } from '../../keys/limits.ts'

/** What is set aside for a running request. */
export interface Reservation {
  readonly claims: readonly LimitClaim[]
  /** Requests, tokens and slots that it holds, each under an id of its own. */
  readonly rates: readonly { id: string; unit: LimitUnit }[]
  /** Grows by top-ups. */
  heldNano: number
  isToppingUp: boolean
  /** What a successful response tells the client of these limits. */
  readonly headers: readonly string[]
}

/** A key without limits reserves nothing, and no counter is asked. */
export const noReservation = (): Reservation => ({
  claims: [],
  rates: [],
  heldNano: 0,
  isToppingUp: false,
  headers: [],
})
