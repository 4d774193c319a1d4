import type { CostTotals } from '../../graphql/live-operations.ts'

/**
 * Today's totals after one more message: a snapshot replaces, a delta adds. A delta before the first snapshot, or one
 * that the snapshot already holds, changes nothing.
 */
export function addTotals(totals: CostTotals | undefined, next: CostTotals): CostTotals | undefined {
  if (next.snapshot) return next
  if (totals === undefined || BigInt(next.revision) <= BigInt(totals.revision)) return totals
  // Another day begins at nothing; its first delta is all there is.
  const base = next.day === totals.day ? totals : { requests: 0, failures: 0, tokens: 0, cost: '0' }
  return {
    ...next,
    requests: base.requests + next.requests,
    failures: base.failures + next.failures,
    tokens: base.tokens + next.tokens,
    cost: String(BigInt(base.cost) + BigInt(next.cost)),
  }
}
