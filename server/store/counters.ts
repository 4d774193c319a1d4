/**
 * Money spent and held against limits. Every amount is a whole number of nano-USD, 0 ≤ amount < 2^53.
 *
 * The bound: a request is admitted while spent + held < limit, so what is admitted costs at most the limit, plus one
 * hold, plus what requests spend above their holds.
 *
 * A counter is a copy of the ledger's sum, made by seed() and kept up by settle(). One that is not there (new, expired,
 * lost with a flushed Redis) stays absent until it is seeded: a settle never starts one from nothing, which would open a
 * used-up window again. So whoever seeds sums the ledger and what has been settled here but is not in the ledger yet.
 */
export interface Counters {
  /** Gives a counter its value; a counter that has one keeps it. Without effect when `expiresAtMs` has passed. */
  seed(counter: string, spentNano: number, expiresAtMs: number | null): Promise<void>
  /**
   * Holds `amountNano` on every claim or on none. The same request id again: held, without effect. The hold goes by
   * itself when its process dies: `holdTtlMs` after the last hold() or top().
   */
  hold(requestId: string, claims: readonly Claim[], amountNano: number): Promise<HoldResult>
  /** Raises this request's hold to `amountNano` (never lowers it) and keeps it alive. Without effect once settled. */
  top(requestId: string, amountNano: number): Promise<void>
  /**
   * Ends the hold and adds what was spent to every claim, once for a request id, by whichever process comes first.
   * `counters` names the claims of a request whose hold is not known any more; a request without either is not
   * remembered. A settlement is remembered for `rememberMs`: what is older is the ledger's to know, not settled again.
   */
  settle(requestId: string, spentNano: number, counters?: readonly string[]): Promise<void>
  /** Requests that hold something and are not settled, in all processes. For starts: it walks through everything. */
  unsettled(): Promise<string[]>
  /** null: no value yet. */
  read(counter: string): Promise<CounterValue | null>
  close(): Promise<void>
}

export interface Claim {
  /** For example `key:12:day:2026-11-23`. */
  counter: string
  limitNano: number
  /** When the counter can be forgotten, epoch milliseconds, ahead of now; null: never. A later one extends an earlier. */
  expiresAtMs: number | null
}

export interface CounterValue {
  spentNano: number
  heldNano: number
}

/** `over` and `busy` name the first claim that refuses; `over` on any claim goes before `busy`. */
export type HoldResult =
  /** Settled spend by claim, in their order; empty when this request had its hold already. */
  | { kind: 'held'; spentNano: readonly number[] }
  /** Without a value: read the ledger, seed, try again. */
  | { kind: 'unknown'; counters: string[] }
  /** Settled spend alone has reached the limit. */
  | { kind: 'over'; counter: string; spentNano: number }
  /** Only together with the requests in flight. */
  | { kind: 'busy'; counter: string; spentNano: number; heldNano: number }

export interface CounterParts {
  /** Epoch milliseconds. Processes that share counters have clocks that agree to well within `holdTtlMs`. */
  now: () => number
  /** How long a hold outlives the last word of its process; above the longest silence of a request (600 s for JSON). */
  holdTtlMs?: number
  /** How long a request id is remembered. On Redis about 100 bytes each: 60 MB for 6 h at 28 requests a second. */
  rememberMs?: number
}

export const defaultHoldTtlMs = 15 * 60_000
export const defaultRememberMs = 6 * 3_600_000

/** Throws RangeError for what is not an amount: a fraction, a negative, 2^53 or more. */
export function checkAmount(name: string, nano: number): void {
  if (!Number.isSafeInteger(nano) || nano < 0)
    throw new RangeError(`${name} must be a whole number of nano-USD below 2^53`)
}

/** The names without repetition, in order. */
export const distinct = (counters: readonly string[]): string[] => [...new Set(counters)]
