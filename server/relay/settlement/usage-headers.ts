// Headers that tell Claude Code how much of its key's limits is used.
import type { LimitClaim, LimitRule } from '../../keys/limits.ts'

/** Hundredths of a limit from which on Claude Code warns its user, the greatest first. */
const thresholds = [
  [95, '0.95'],
  [75, '0.75'],
] as const

/**
 * For a successful response: the limit of which most is used (claude-code-signin.md, "A cap the client can show"). Other
 * clients of the format ignore it. `spentNano`: settled spend by claim; without any there are no headers.
 */
export function usageHeaders(claims: readonly LimitClaim[], spentNano: readonly number[]): readonly string[] {
  let maxHundredths = -1
  let shown: LimitClaim | undefined
  for (const [index, spent] of spentNano.entries()) {
    const claim = claims[index]!
    // A key that was let in has not reached its limit, whatever rounding says.
    const hundredths = Math.min(99, Math.floor((spent * 100) / claim.limitNano))
    if (hundredths <= maxHundredths) continue
    maxHundredths = hundredths
    shown = claim
  }
  if (shown === undefined) return []
  const threshold = thresholds.find(([from]) => maxHundredths >= from)?.[1]
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
    (maxHundredths / 100).toFixed(2),
  ]
  if (threshold !== undefined) headers.push('anthropic-ratelimit-unified-overage-surpassed-threshold', threshold)
  // A total limit never begins anew, and a rolling one by and by.
  if (shown.resetsAtMs !== null) {
    const resetS = String(Math.ceil(shown.resetsAtMs / 1000))
    headers.push('anthropic-ratelimit-unified-reset', resetS, 'anthropic-ratelimit-unified-overage-reset', resetS)
  }
  return headers
}

/** For the refusal of a key that has reached a limit which ends. */
export function limitHeaders(rule: LimitRule, resetMs: number): readonly string[] {
  const resetS = String(Math.ceil(resetMs / 1000))
  // The client knows no other periods.
  const isPeriod = rule === 'daily' || rule === 'weekly' || rule === 'monthly'
  const period = isPeriod ? ['anthropic-ratelimit-unified-overage-period', rule] : []
  return [
    'anthropic-ratelimit-unified-status',
    'rejected',
    'anthropic-ratelimit-unified-reset',
    resetS,
    'anthropic-ratelimit-unified-overage-reset',
    resetS,
    'anthropic-ratelimit-unified-overage-utilization',
    '1',
    'anthropic-ratelimit-unified-overage-surpassed-threshold',
    '1',
    ...period,
    'anthropic-ratelimit-unified-overage-disabled-reason',
    'org_spend_cap_reached',
  ]
}
