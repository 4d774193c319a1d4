import type { CalendarWindows, TimeWindow } from './windows.ts'

/** Cost limits in nano-USD; null: none. */
export interface CostLimits {
  dailyLimitNano: number | null
  weeklyLimitNano: number | null
  monthlyLimitNano: number | null
  totalLimitNano: number | null
  /** Of the last `rollingHours`. */
  rollingLimitNano: number | null
  rollingHours: number
}

/** How fast a key may ask; null: as fast as it likes. */
export interface RateLimits {
  requestsPerMinute: number | null
  tokensPerMinute: number | null
  concurrency: number | null
}

const defaultRollingHours = 5

export const noCostLimits: CostLimits = Object.freeze({
  dailyLimitNano: null,
  weeklyLimitNano: null,
  monthlyLimitNano: null,
  totalLimitNano: null,
  rollingLimitNano: null,
  rollingHours: defaultRollingHours,
})

/** Whose limits: a key's own, those of its owner, those of its group. */
export type LimitSubject = 'key' | 'user' | 'group'
export type LimitUnit = 'cost' | 'requests' | 'tokens' | 'running'
export type LimitRule = 'daily' | 'weekly' | 'monthly' | 'total' | 'rolling'

/** A limit as a claim on counters. */
export interface LimitClaim {
  subject: LimitSubject
  rule: LimitRule
  counter: string
  /** The parts of a rolling window before the one that runs. */
  earlier?: readonly string[]
  limitNano: number
  /** When the counter may be forgotten, epoch milliseconds; null: never. */
  expiresAtMs: number | null
  /** When the window begins anew; null: never, or by and by. */
  resetsAtMs: number | null
  rollingHours?: number
}

/** How long a counter outlives its window, so that requests that run past its end still settle into it. */
const afterWindowMs = 48 * 3_600_000
const hourMs = 3_600_000
/** A rolling window moves in steps of a twelfth: what is a step older than the window still counts. */
const rollingParts = 12
const minuteMs = 60_000
const minuteParts = 6

/** What a counter counts: of whom, what, and when (null: over the whole life). */
export interface CounterMeaning {
  subject: LimitSubject
  id: number
  unit: LimitUnit
  window: TimeWindow | null
}

export function counterName({ subject, id, unit, window }: CounterMeaning): string {
  return `${subject}:${id}:${unit}:${window === null ? 'total' : `${window.fromMs}-${window.toMs}`}`
}

export function parseCounter(counter: string): CounterMeaning {
  const [subject, id, unit, when = 'total'] = counter.split(':')
  const [fromMs, toMs] = when.split('-').map(Number)
  const window = when === 'total' ? null : { fromMs: fromMs!, toMs: toMs! }
  return { subject: subject as LimitSubject, id: Number(id), unit: unit as LimitUnit, window }
}

/** The cost limits of a subject as claims. */
export function claimsOf(
  subject: LimitSubject,
  id: number,
  limits: CostLimits,
  windows: CalendarWindows,
  atMs: number,
): LimitClaim[] {
  const claims: LimitClaim[] = []
  const add = (rule: LimitRule, limitNano: number | null, window: TimeWindow | null): void => {
    if (limitNano === null) return
    claims.push({
      subject,
      rule,
      counter: counterName({ subject, id, unit: 'cost', window }),
      limitNano,
      expiresAtMs: window && window.toMs + afterWindowMs,
      resetsAtMs: window?.toMs ?? null,
    })
  }
  add('daily', limits.dailyLimitNano, windows.day)
  add('weekly', limits.weeklyLimitNano, windows.week)
  add('monthly', limits.monthlyLimitNano, windows.month)
  add('total', limits.totalLimitNano, null)
  const { rollingLimitNano: limitNano, rollingHours } = limits
  if (limitNano !== null) {
    const counters = rollingCounters(
      { subject, id, unit: 'cost' },
      (rollingHours * hourMs) / rollingParts,
      rollingParts,
      atMs,
    )
    claims.push({ subject, rule: 'rolling', ...counters, limitNano, resetsAtMs: null, rollingHours })
  }
  return claims
}

/** A limit of requests or tokens a minute, or of requests at once. */
export function rateClaim(keyId: number, unit: 'requests' | 'tokens' | 'running', limit: number, atMs: number) {
  const of = { subject: 'key', id: keyId, unit } as const
  if (unit === 'running') return { counter: counterName({ ...of, window: null }), limitNano: limit, expiresAtMs: null }
  return { ...rollingCounters(of, minuteMs / minuteParts, minuteParts, atMs), limitNano: limit }
}

function rollingCounters(of: Omit<CounterMeaning, 'window'>, partMs: number, parts: number, atMs: number) {
  const startMs = Math.floor(atMs / partMs) * partMs
  const at = (back: number): string =>
    counterName({ ...of, window: { fromMs: startMs - back * partMs, toMs: startMs - (back - 1) * partMs } })
  return {
    counter: at(0),
    earlier: Array.from({ length: parts }, (_, index) => at(parts - index)),
    expiresAtMs: startMs + (parts + 2) * partMs + afterWindowMs,
  }
}

/** How long a part of a rolling window counts after its end. */
export const rollingLengthMs = (rollingHours: number): number => rollingHours * hourMs

export const hasCostLimits = (limits: CostLimits): boolean =>
  limits.dailyLimitNano !== null ||
  limits.weeklyLimitNano !== null ||
  limits.monthlyLimitNano !== null ||
  limits.totalLimitNano !== null ||
  limits.rollingLimitNano !== null
