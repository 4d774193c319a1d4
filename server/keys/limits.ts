import type { ZoneDay } from '../zone-days.ts'

/** A key's budgets as claims on counters. Pure. */
export interface Limits {
  /** Nano-USD a calendar day of the deployment's zone; null: none. */
  dailyLimitNano: number | null
  /** Nano-USD over the key's whole life; null: none. */
  totalLimitNano: number | null
}

export interface LimitClaim {
  counter: string
  limitNano: number
  /** When the counter may be forgotten, epoch milliseconds; null: never. */
  expiresAtMs: number | null
}

/** How long a day's counter outlives its day, so that requests that run past midnight still settle into it. */
const afterDayMs = 48 * 3_600_000

export function claimsOf(keyId: number, limits: Limits, day: ZoneDay): LimitClaim[] {
  const claims: LimitClaim[] = []
  if (limits.dailyLimitNano !== null) {
    claims.push({
      counter: dayCounter(keyId, day.day),
      limitNano: limits.dailyLimitNano,
      expiresAtMs: day.endMs + afterDayMs,
    })
  }
  if (limits.totalLimitNano !== null) {
    claims.push({ counter: totalCounter(keyId), limitNano: limits.totalLimitNano, expiresAtMs: null })
  }
  return claims
}

export const dayCounter = (keyId: number, day: string): string => `key:${keyId}:day:${day}`
export const totalCounter = (keyId: number): string => `key:${keyId}:total`

/** The key and the day of a counter (null: the whole life). */
export function parseCounter(counter: string): { keyId: number; day: string | null } {
  const [, keyId, kind, day] = counter.split(':')
  return { keyId: Number(keyId), day: kind === 'day' && day !== undefined ? day : null }
}
