import type { GaugeReading } from '../../../accounts/gauges/gauge.ts'
import { fitsPattern } from '../../../model-patterns.ts'
import { familyOf } from '../../model-family.ts'

/** One window of a subscription's limits as a response's headers report it (protocol.md §1.8). */
export interface LimitWindow {
  /** allowed, allowed_warning, rejected; '' where it is missing. */
  status: string
  /** Share that is used, 0 to 1 and beyond; null where it is missing. */
  utilization: number | null
  resetMs: number | null
}

export interface UnifiedLimits {
  status: string
  /** When the window that binds now ends. */
  resetMs: number | null
  /** By name: 5h, 7d, 7d_sonnet, overage, …: the vendor changes the set. */
  windows: Readonly<Record<string, LimitWindow>>
  /** five_hour, seven_day, …; '' where it is missing. */
  representativeClaim: string
  /** out_of_credits, org_level_disabled, …; '' where it is missing. */
  overageDisabledReason: string
}

/** What the headers of a subscription's limits begin with. */
export const unifiedPrefix = 'anthropic-ratelimit-unified-'
/** Behind the prefix. */
const windowHeader = /^([a-z0-9_]{1,32})-(status|utilization|reset)$/
/** An upstream could name any number of windows. */
const maxWindows = 32
const maxStatusChars = 32
const maxShare = 100

/** The limits of a subscription from a response's headers (names in lower case); null when there are none. */
export function readUnifiedLimits(headers: ReadonlyMap<string, string>): UnifiedLimits | null {
  const windows = new Map<string, LimitWindow>()
  let found = false
  for (const [name, value] of headers) {
    if (!name.startsWith(unifiedPrefix)) continue
    found = true
    const [, window, what] = windowHeader.exec(name.slice(unifiedPrefix.length)) ?? []
    if (window === undefined) continue
    let known = windows.get(window)
    if (!known) {
      if (windows.size >= maxWindows) continue
      known = { status: '', utilization: null, resetMs: null }
      windows.set(window, known)
    }
    if (what === 'status') known.status = word(value)
    else if (what === 'utilization') known.utilization = fraction(value)
    else known.resetMs = unixMs(value)
  }
  if (!found) return null
  return {
    status: word(headers.get(`${unifiedPrefix}status`)),
    resetMs: unixMs(headers.get(`${unifiedPrefix}reset`)),
    windows: Object.fromEntries(windows),
    representativeClaim: word(headers.get(`${unifiedPrefix}representative-claim`)),
    overageDisabledReason: word(headers.get(`${unifiedPrefix}overage-disabled-reason`)),
  }
}

/** The same as gauges; none where there are no such headers. */
export function gaugesOfHeaders(headers: ReadonlyMap<string, string>): GaugeReading[] {
  const limits = readUnifiedLimits(headers)
  if (!limits) return []
  return Object.entries(limits.windows).map(([window, { status, utilization, resetMs }]) => ({
    window,
    status: status.slice(0, maxStatusChars),
    usedPpm: utilization === null ? null : ppmOf(utilization),
    resetMs,
  }))
}

/** A share (1: all of it) in millionths; more than a hundred times the limit is cut to that. */
export const ppmOf = (share: number): number => Math.round(Math.min(share, maxShare) * 1e6)

/** What a refused request ran into. `untilMs` null: the headers do not say until when. */
export type LimitReached =
  /** A window of the whole account is used up. */
  | { scope: 'account'; untilMs: number | null }
  /** A window of some models is used up; `family` is a pattern with `*`, or the model itself. */
  | { scope: 'family'; family: string; untilMs: number | null }

/** Windows of the whole account; all others are of some models. */
const accountWindows = new Set(['5h', '7d'])

/** Which limit a 429 with these headers is about; null: none of them explains it. Only what says rejected is used up. */
export function limitReached(limits: UnifiedLimits, model: string): LimitReached | null {
  const used = Object.entries(limits.windows).filter(([name, window]) => isRejected(name, window, limits))
  const whole = used.filter(([name]) => accountWindows.has(name))
  if (whole.length > 0) return { scope: 'account', untilMs: latest(whole) ?? limits.resetMs }
  if (used.length > 0) {
    const named = used.map(([name]) => familyOfWindow(name)).find((family) => family && fitsPattern(family, model))
    return { scope: 'family', family: named ?? familyOf(model), untilMs: latest(used) ?? limits.resetMs }
  }
  if (limits.overageDisabledReason === 'out_of_credits') {
    const untilMs = limits.windows['overage']?.resetMs ?? limits.resetMs
    return { scope: 'family', family: familyOf(model), untilMs }
  }
  if (limits.status !== 'rejected' || isAllowed(limits.windows['overage']?.status)) return null
  // The headers report all windows together, or name the one that binds without saying more of it.
  const claimed = windowOfClaim(limits.representativeClaim)
  if (claimed !== '' && !accountWindows.has(claimed))
    return { scope: 'family', family: familyOfWindow(claimed) ?? familyOf(model), untilMs: limits.resetMs }
  const namesWindows = Object.keys(limits.windows).some((name) => accountWindows.has(name))
  return claimed !== '' || !namesWindows ? { scope: 'account', untilMs: limits.resetMs } : null
}

/** The limits allow, or an overage does: what was refused is the request, and not the account. */
export function saysAllowed({ status, windows }: UnifiedLimits): boolean {
  if (isAllowed(status) || isAllowed(windows['overage']?.status)) return true
  const known = Object.values(windows).filter((window) => window.status !== '')
  return status === '' && known.length > 0 && known.every((window) => isAllowed(window.status))
}

const isAllowed = (status: string | undefined): boolean => status?.startsWith('allowed') === true

/** A window that is full may go on serving: only its own status says that it is used up, or the whole's with its claim. */
function isRejected(name: string, window: LimitWindow, limits: UnifiedLimits): boolean {
  if (name === 'overage') return false
  const isOverageAllowed = isAllowed(limits.windows['overage']?.status) && limits.status !== 'rejected'
  if (accountWindows.has(name) && isOverageAllowed) return false
  if (window.status !== '') return window.status === 'rejected'
  return limits.status === 'rejected' && windowOfClaim(limits.representativeClaim) === name
}

/** `seven_day_overage_included` → `7d_oi`. */
const windowOfClaim = (claim: string): string =>
  claim
    .replace(/^five_hour/, '5h')
    .replace(/^seven_day/, '7d')
    .replace(/_overage_included$/, '_oi')

/** `7d_sonnet` → `*sonnet*`; null where the name holds no model. */
function familyOfWindow(name: string): string | null {
  const word = /_([a-z]{3,})$/.exec(name)?.[1]
  return word === undefined ? null : `*${word}*`
}

function latest(windows: readonly [string, LimitWindow][]): number | null {
  const ends = windows.flatMap(([, { resetMs }]) => resetMs ?? [])
  return ends.length === 0 ? null : Math.max(...ends)
}

const word = (value: string | undefined): string => (value !== undefined && /^[\w.-]{1,80}$/.test(value) ? value : '')

function fraction(value: string): number | null {
  const number = Number(value)
  return value !== '' && Number.isFinite(number) && number >= 0 ? number : null
}

/** Seconds since 1970 → ms; null for what is no moment of this century. */
function unixMs(value: string | undefined): number | null {
  const seconds = Number(value ?? '')
  return Number.isFinite(seconds) && seconds > 1e9 && seconds < 5e9 ? Math.round(seconds * 1000) : null
}
