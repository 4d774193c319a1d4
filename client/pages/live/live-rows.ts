import type { LiveEvent, LoggedRequest, RunningRequest, SettledRequest } from '../../graphql/live-operations.ts'

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
    const moving = event.started ?? event.progress
    if (moving && !ended.has(moving.requestId)) running.set(moving.requestId, moving)
    if (event.settled) {
      running.delete(event.settled.requestId)
      if (!ended.has(event.settled.requestId)) settled.unshift(event.settled)
      ended.add(event.settled.requestId)
    }
  }
  return { running, settled: settled.slice(0, maxSettled) }
}

/**
 * Rows of a response, with the events applied that came while it was under way: the response may be older than they are.
 */
export function applyResponse(
  response: { liveRequests: readonly RunningRequest[]; logs: { edges: readonly { node: LoggedRequest }[] } },
  before: LiveRows,
  since: readonly LiveEvent[],
): LiveRows {
  const read = response.logs.edges.map((edge) => settledFromLog(edge.node))
  const known = new Set(read.map((row) => row.requestId))
  // The log is written in batches: what this page saw end may not be there yet.
  const seen = before.settled.filter((row) => !known.has(row.requestId))
  const settled = [...seen, ...read].sort((a, b) => endOf(b) - endOf(a)).slice(0, maxSettled)
  const ended = new Set(settled.map((row) => row.requestId))
  const running = new Map(
    response.liveRequests.filter((row) => !ended.has(row.requestId)).map((row) => [row.requestId, row]),
  )
  return applyEvents({ running, settled }, since)
}

const endOf = (row: SettledRequest): number => Date.parse(row.startedAt) + row.durationMs

function settledFromLog(log: LoggedRequest): SettledRequest {
  const { apiKey, account, modelRequested, tokens, ...rest } = log
  return {
    ...rest,
    apiKeyName: apiKey?.name ?? '',
    accountName: account?.name ?? null,
    model: modelRequested,
    inputTokens: tokens.input,
    outputTokens: tokens.output,
    cacheReadTokens: tokens.cacheRead,
    cacheWriteTokens: tokens.cacheWrite5m + tokens.cacheWrite1h,
  }
}
