import type { InFlightEvent } from '../../graphql/live-operations.ts'

/** Running requests and the account each is with. */
export type InFlight = ReadonlyMap<string, string | null>

/** Applies events; `ended` remembers requests that are over, so that late progress does not bring them back. */
export function applyInFlight(before: InFlight, events: readonly InFlightEvent[], ended: Set<string>): InFlight {
  const next = new Map(before)
  for (const event of events) {
    if (event.__typename === 'RequestsRejected') {
      for (const id of event.requestIds) next.delete(id)
      continue
    }
    const { requestId } = event.request
    if (event.__typename === 'RequestSettled') {
      next.delete(requestId)
      ended.add(requestId)
    } else if (!ended.has(requestId)) next.set(requestId, event.request.account?.id ?? null)
  }
  return next
}

/** How many requests each account serves. */
export function countByAccount(inFlight: InFlight): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const accountId of inFlight.values()) {
    if (accountId !== null) counts.set(accountId, (counts.get(accountId) ?? 0) + 1)
  }
  return counts
}
