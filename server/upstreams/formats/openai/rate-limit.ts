import type { GaugeReading } from '../../../accounts/gauges/gauge.ts'
import type { RateLimit } from '../../classification.ts'
import { retryAfter } from '../../retry-after.ts'

/** What OpenAI and those who speak like it say of an account's limits (names in lower case). */
export const rateLimitPrefix = 'x-ratelimit-'

type Headers = ReadonlyMap<string, string>

/** Windows of requests and tokens; vendors report those they have. */
export function gaugesOfRateLimits(headers: Headers, nowMs: number): GaugeReading[] {
  return windowsOf(headers, nowMs).map(({ window, limit, remaining, resetMs }) => ({
    window,
    status: remaining === 0 ? 'rejected' : 'allowed',
    usedPpm: limit > 0 ? Math.round(((limit - Math.min(limit, remaining)) / limit) * 1e6) : null,
    resetMs,
  }))
}

/** What the headers of a 429 say: the window that is used up, else `retry-after`. */
export function readOpenaiLimit(headers: Headers, _model: string, nowMs: number): RateLimit {
  const retryAfterMs = retryAfterOf(headers, nowMs)
  const windows = windowsOf(headers, nowMs)
  const ends = windows.flatMap(({ remaining, resetMs }) => (remaining === 0 && resetMs !== null ? [resetMs] : []))
  const isSaid = windows.length > 0 || retryAfterMs !== null
  return {
    limits: ends.length > 0 ? 'account' : isSaid ? 'said' : 'unsaid',
    family: '',
    windowMs: ends.length > 0 ? Math.max(...ends) : null,
    retryAfterMs,
  }
}

function retryAfterOf(headers: Headers, nowMs: number): number | null {
  const ms = Number(headers.get('retry-after-ms') || Number.NaN)
  return Number.isFinite(ms) && ms >= 0 ? ms : retryAfter(headers.get('retry-after'), nowMs)
}

function windowsOf(headers: Headers, nowMs: number) {
  return ['requests', 'tokens'].flatMap((window) => {
    const limit = countOf(headers.get(`${rateLimitPrefix}limit-${window}`))
    const remaining = countOf(headers.get(`${rateLimitPrefix}remaining-${window}`))
    if (limit === null || remaining === null) return []
    const resetMs = resetOf(headers.get(`${rateLimitPrefix}reset-${window}`), nowMs)
    return [{ window, limit, remaining, resetMs }]
  })
}

const countOf = (text: string | undefined): number | null => {
  const count = text === undefined || text === '' ? Number.NaN : Number(text)
  return Number.isFinite(count) && count >= 0 ? count : null
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `6m0s`, `20ms`, a number of seconds, a date, or seconds or milliseconds since 1970: when the window ends. */
function resetOf(text: string | undefined, nowMs: number): number | null {
  if (text === undefined || text === '') return null
  const number = Number(text)
  if (Number.isFinite(number)) {
    if (number > 1e12) return Math.round(number)
    return Math.round(number > 1e9 ? number * 1000 : nowMs + number * 1000)
  }
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)]
  if (parts.length > 0 && parts.map(([whole]) => whole).join('') === text)
    return Math.round(nowMs + parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0))
  const date = Date.parse(text)
  return Number.isNaN(date) ? null : date
}
