import type { LiveEvent, LiveResponse, RunningRequest, SettledRequest } from '../../graphql/live-operations.ts'

export interface LiveRows {
  /** Running, oldest first, by request id. */
  running: ReadonlyMap<string, RunningRequest>
  /** Ended, newest first. */
  settled: readonly SettledRequest[]
}

/** So many ended requests stay on the page; more are in the logs. */
const maxSettled = 50

export const noRows: LiveRows = { running: new Map(), settled: [] }

/** Applies events to the rows. A request that has ended stays ended, whatever late progress says. */
export function applyEvents(rows: LiveRows, events: readonly LiveEvent[]): LiveRows {
  const running = new Map(rows.running)
  const settled = [...rows.settled]
  const ended = new Set(settled.map((row) => row.requestId))
  for (const event of events) {
    if (event.__typename === 'RequestsRejected') {
      for (const id of event.requestIds) running.delete(id)
      continue
    }
    const { requestId } = event.request
    if (event.__typename === 'RequestSettled') {
      running.delete(requestId)
      if (!ended.has(requestId)) settled.unshift(event.request)
      ended.add(requestId)
    } else if (!ended.has(requestId)) running.set(requestId, event.request)
  }
  return { running, settled: settled.slice(0, maxSettled) }
}

/**
 * Rows of a response, with the events applied that came while it was under way: the response may be older than they are.
 */
export function applyResponse(response: LiveResponse, before: LiveRows, since: readonly LiveEvent[]): LiveRows {
  const read = response.requests?.nodes ?? []
  const known = new Set(read.map((row) => row.requestId))
  // The ledger is written in batches: what this page saw end may not be there yet.
  const seen = before.settled.filter((row) => !known.has(row.requestId))
  const settled = [...seen, ...read].sort((a, b) => endOf(b) - endOf(a)).slice(0, maxSettled)
  const ended = new Set(settled.map((row) => row.requestId))
  const running = new Map(
    response.liveRequests?.nodes.filter((row) => !ended.has(row.requestId)).map((row) => [row.requestId, row]),
  )
  return applyEvents({ running, settled }, since)
}

const endOf = (row: SettledRequest): number => Date.parse(row.startedAt) + (row.durationMs ?? 0)
