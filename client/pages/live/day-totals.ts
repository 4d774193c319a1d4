import type { CostTotalsEvent } from '../../graphql/live-operations.ts'

export type DayTotals = Omit<CostTotalsEvent, '__typename'>

/** Today's totals after one more event: a snapshot replaces, a delta adds. A delta before the first snapshot changes nothing. */
export function addTotals(totals: DayTotals | undefined, event: CostTotalsEvent): DayTotals | undefined {
  const { __typename, ...next } = event
  if (__typename === 'CostTotalsSnapshot') return next
  if (totals === undefined) return undefined
  // Another day begins at nothing; its first delta is all there is.
  const base = next.day === totals.day ? totals : { requests: 0, failures: 0, rejected: 0, tokens: 0, cost: '0' }
  return {
    day: next.day,
    requests: base.requests + next.requests,
    failures: base.failures + next.failures,
    rejected: base.rejected + next.rejected,
    tokens: base.tokens + next.tokens,
    cost: String(BigInt(base.cost) + BigInt(next.cost)),
  }
}
