import type { RouteDecision } from '../graphql/route-operations.ts'

/** What is counted beyond the candidates that this person can see. */
export function hiddenCounts({ candidates, counts }: RouteDecision): RouteDecision['counts'] {
  return counts
    .map(({ reason, count }) => ({
      reason,
      count: count - candidates.filter((candidate) => candidate.reason === reason).length,
    }))
    .filter(({ count }) => count > 0)
}
