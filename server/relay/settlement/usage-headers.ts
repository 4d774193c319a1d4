import type { LimitClaim } from '../../keys/limits.ts'
import type { ZoneDay } from '../../zone-days.ts'

/** Hundredths of a limit from which on Claude Code tells its user, the greatest first. */
const thresholds = [
  [95, '0.95'],
  [75, '0.75'],
] as const

/**
 * What a good answer tells of its key's budgets, of the one that is most used (claude-code-signin.md, "A cap the client can
 * show"). Other clients of the format pass over it. `spentNano`: settled spend by claim; none known, none told.
 */
export function usageHeaders(
  claims: readonly LimitClaim[],
  spentNano: readonly number[],
  day: ZoneDay,
): readonly string[] {
  let most = -1
  let told: LimitClaim | undefined
  for (const [index, spent] of spentNano.entries()) {
    const claim = claims[index]!
    // A key that was let in has not reached its limit, whatever rounding says.
    const hundredths = Math.min(99, Math.floor((spent * 100) / claim.limitNano))
    if (hundredths <= most) continue
    most = hundredths
    told = claim
  }
  if (told === undefined) return []
  const threshold = thresholds.find(([from]) => most >= from)?.[1]
  const status = threshold === undefined ? 'allowed' : 'allowed_warning'
  const headers = [
    'anthropic-ratelimit-unified-status',
    status,
    // The client takes other claims for rolling windows.
    'anthropic-ratelimit-unified-representative-claim',
    'overage',
    'anthropic-ratelimit-unified-overage-status',
    status,
    'anthropic-ratelimit-unified-overage-utilization',
    (most / 100).toFixed(2),
  ]
  if (threshold !== undefined) headers.push('anthropic-ratelimit-unified-overage-surpassed-threshold', threshold)
  // A total limit never begins anew.
  if (told.expiresAtMs !== null) {
    const resetS = String(Math.ceil(day.endMs / 1000))
    headers.push('anthropic-ratelimit-unified-reset', resetS, 'anthropic-ratelimit-unified-overage-reset', resetS)
  }
  return headers
}
