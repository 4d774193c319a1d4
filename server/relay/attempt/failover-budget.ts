/** Second failovers of a group may be this share of its requests in flight, but always at least this many. */
const share = 0.2
const always = 10

/**
 * Counts a group's requests in flight and its second failovers, so that a provider that is down for all is not asked three
 * times for every request.
 */
export function createFailoverBudget() {
  const groups = new Map<number, { inFlight: number; taken: number }>()

  return {
    /** A request of the group is under way. Returns its end. */
    begin(groupId: number): () => void {
      const group = groups.get(groupId) ?? { inFlight: 0, taken: 0 }
      groups.set(groupId, group)
      group.inFlight++
      return () => {
        group.inFlight--
        if (group.inFlight === 0) groups.delete(groupId)
      }
    },

    /** Takes one second failover from the group's budget. Returns the function that gives it back; null: the budget is used up. */
    take(groupId: number): (() => void) | null {
      const group = groups.get(groupId)
      if (!group || group.taken >= Math.max(always, group.inFlight * share)) return null
      group.taken++
      let isTaken = true
      return () => {
        if (isTaken) group.taken--
        isTaken = false
      }
    },
  }
}
