/**
 * What is spent and held against limits: nano-USD, or whatever else is limited (requests, tokens). 0 ≤ amount < 2^53.
 *
 * A request is admitted while spent + held + its amount fit the limit. One that is alone is admitted while anything is left,
 * and holds no more than that. So the admitted requests cost at most the limit, plus what they spend above their holds.
 *
 * A counter is a copy of the ledger's sum: seed() makes it, settle() keeps it up to date. An absent counter (new, expired,
 * lost with a flushed Redis) stays absent until it is seeded. A settle does not create one, because it would start at zero
 * and open a used-up window again. The caller of seed() adds what has been settled here and is not in the ledger yet.
 */
export interface Counters {
  /** Gives a counter its value; a counter that has one keeps it. Without effect when `expiresAtMs` has passed. */
  seed(counter: string, spentNano: number, expiresAtMs: number | null): Promise<void>
  /**
   * Holds `amountNano`, or what is left of it when nothing else runs, on every claim or on none. The same request id again: held, without effect. When its process dies,
   * the hold ends `holdTtlMs` after the last hold() or top().
   */
  hold(requestId: string, claims: readonly Claim[], amountNano: number): Promise<HoldResult>
  /**
   * Raises this request's hold to `amountNano` (never lowers it) and keeps it alive. Without effect once settled. False when
   * that passes a limit; a strict one then leaves the hold as it was.
   */
  top(requestId: string, amountNano: number, isStrict?: boolean): Promise<boolean>
  /**
   * Ends the hold and adds what was spent to every claim. A second call for the same request id, in any process, has no
   * effect for `rememberMs`; the caller must not settle older requests again. `counters` names the claims of a request
   * whose hold is no longer known; without either nothing happens and nothing is remembered.
   */
  settle(requestId: string, spentNano: number, counters?: readonly string[]): Promise<void>
  /** Requests of all processes that hold something and are not settled. Slow, as it reads every key: only for the start. */
  unsettled(): Promise<string[]>
  /** null: no value yet. */
  read(counter: string): Promise<CounterValue | null>
  close(): Promise<void>
}

export interface Claim {
  /** For example `key:12:day:2026-11-23`. */
  counter: string
  /** Counters of a rolling window's earlier parts: what they say counts too. A hold is placed on `counter` alone. */
  earlier?: readonly string[]
  limitNano: number
  /** When the counter can be forgotten (epoch milliseconds, in the future); null: never. A later time extends an earlier one. */
  expiresAtMs: number | null
}

export interface CounterValue {
  spentNano: number
  heldNano: number
}

/** `over` and `busy` name the first claim that refuses. `over` on any claim wins over `busy`. */
export type HoldResult =
  /** What is held, and the settled spend of each claim, in their order; empty when this request already had its hold. */
  | { kind: 'held'; amountNano: number; spentNano: readonly number[] }
  /** These have no value yet: read the ledger, seed, try again. */
  | { kind: 'unknown'; counters: string[] }
  /** Settled spend alone has reached the limit. */
  | { kind: 'over'; counter: string; spentNano: number }
  /** What running requests hold leaves too little for this one. */
  | { kind: 'busy'; counter: string; spentNano: number; heldNano: number }

export interface CounterParts {
  /** Epoch milliseconds. The clocks of processes that share counters must differ by much less than `holdTtlMs`. */
  now: () => number
  /** How long a hold lasts after its last hold() or top(). Longer than a request can be silent (600 s for JSON). */
  holdTtlMs?: number
  /** How long a request id is remembered. On Redis about 100 bytes each: 60 MB for 6 h at 28 requests a second. */
  rememberMs?: number
}

export const defaultHoldTtlMs = 15 * 60_000
export const defaultRememberMs = 6 * 3_600_000

/** Throws RangeError for a fraction, a negative number, and 2^53 or more. */
export function checkAmount(name: string, nano: number): void {
  if (!Number.isSafeInteger(nano) || nano < 0)
    throw new RangeError(`${name} must be a whole number of nano-USD below 2^53`)
}

/** All counters of a claim. */
export const partsOf = ({ counter, earlier }: Pick<Claim, 'counter' | 'earlier'>): readonly string[] =>
  earlier === undefined ? [counter] : [counter, ...earlier]

/** The names without repetition, in order. */
export const distinct = (counters: readonly string[]): string[] => [...new Set(counters)]
