import type { RateLimit } from '../../classification.ts'
import { retryAfter } from '../../retry-after.ts'
import { limitReached, readUnifiedLimits, saysAllowed } from './unified-limits.ts'

/** What the headers of a 429 say, by the table of protocol.md §1.8. A moment in the past says nothing: clocks differ. */
export function readAnthropicLimit(headers: ReadonlyMap<string, string>, model: string, nowMs: number): RateLimit {
  const header = headers.get('retry-after')
  const pauseMs = retryAfter(header, nowMs)
  const retryAfterMs = pauseMs !== null && (pauseMs > 0 || Number(header) === 0) ? pauseMs : null
  const nothing: RateLimit = { limits: 'said', family: '', windowMs: null, retryAfterMs }
  const unified = readUnifiedLimits(headers)
  const reached = unified && limitReached(unified, model)
  if (reached) {
    const windowMs = reached.untilMs !== null && reached.untilMs > nowMs ? reached.untilMs : null
    return reached.scope === 'account'
      ? { ...nothing, limits: 'account', windowMs }
      : { ...nothing, limits: 'family', family: reached.family, windowMs }
  }
  if (unified && saysAllowed(unified)) return { ...nothing, limits: 'request' }
  if (pauseMs !== null) return nothing
  const resetMs = classicResetMs(headers)
  if (resetMs !== null) return { ...nothing, retryAfterMs: resetMs > nowMs ? resetMs - nowMs : null }
  const namesLimits = [...headers.keys()].some((name) => name.startsWith('anthropic-ratelimit-'))
  return namesLimits ? nothing : { ...nothing, limits: 'unsaid' }
}

/** Of an API key's limits, the latest end of those that are used up; null when none says so. */
function classicResetMs(headers: ReadonlyMap<string, string>): number | null {
  let latest: number | null = null
  for (const [name, value] of headers) {
    const limit = /^anthropic-(?:ratelimit|priority|fast)-([a-z-]+)-remaining$/.exec(name)
    if (!limit || value.trim() === '' || Number(value) !== 0) continue
    const resetMs = Date.parse(headers.get(name.replace(/-remaining$/, '-reset')) ?? '')
    if (!Number.isNaN(resetMs)) latest = Math.max(latest ?? 0, resetMs)
  }
  return latest
}
