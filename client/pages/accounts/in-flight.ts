import type { PlaceEvent } from '../../graphql/live-operations.ts'

/** Requests under way and the account each is with. */
export type Places = ReadonlyMap<string, string | null>

/** Lays events over the places; `ended` remembers what is over, so that late progress does not bring it back. */
export function foldPlaces(places: Places, events: readonly PlaceEvent[], ended: Set<string>): Places {
  const next = new Map(places)
  for (const { started, progress, settled } of events) {
    const moving = started ?? progress
    if (moving && !ended.has(moving.requestId)) next.set(moving.requestId, moving.accountId)
    if (settled) {
      next.delete(settled.requestId)
      ended.add(settled.requestId)
    }
  }
  return next
}

/** How many requests each account serves. */
export function countPlaces(places: Places): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const accountId of places.values()) {
    if (accountId !== null) counts.set(accountId, (counts.get(accountId) ?? 0) + 1)
  }
  return counts
}
