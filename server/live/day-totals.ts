import type { ZoneDay } from '../zone-days.ts'
import { storedBy } from './checkpoints.ts'
import { canRead, type LiveViewer, type RejectedRequests, type SettledRequest } from './live-events.ts'

/** Sums of requests; cost in nano-USD. `rejected` ones are not among `requests`, `cancelled` ones are among `failures`. */
export interface Sums {
  requests: number
  failures: number
  cancelled: number
  rejected: number
  tokens: number
  costNano: number
}

/** The ledger's sums of a day, and up to which record of each journal they go. */
export interface DaySeed {
  byUser: Map<number, Sums>
  checkpoints: Map<number, number>
}

export interface DayTotals extends Sums {
  /** YYYY-MM-DD */
  day: string
}

/** What a subscriber gets: all of today when `snapshot`, else what to add to what it has. */
export interface TotalsEvent extends DayTotals {
  snapshot: boolean
}

/** Totals at one moment, as a subscriber has them. */
export interface TotalsView {
  /** Changes when sums were set anew: the next value must be a snapshot. */
  epoch: number
  day: string
  sums: Sums
}

/** What a settled request adds. */
interface Addition {
  record: SettledRequest['record']
  userId: number
  startedAtMs: number
  failures: number
  cancelled: number
  tokens: number
  costNano: number
}

/** Settled requests kept for a recount while their rows are on their way into the ledger. */
const maxRecent = 20_000
const nothing: Sums = Object.freeze({ requests: 0, failures: 0, cancelled: 0, rejected: 0, tokens: 0, costNano: 0 })
const names = ['requests', 'failures', 'cancelled', 'rejected', 'tokens', 'costNano'] as const

/** Today's totals in memory, by owner: the ledger's rollups at the start, then every settled request once. */
export function createDayTotals(parts: { dayAt: (atMs: number) => ZoneDay; now: () => number }) {
  const { dayAt, now } = parts
  let today = dayAt(now())
  let all: Sums = { ...nothing }
  let byUser = new Map<number, Sums>()
  /** Whether the seed read last includes a record. */
  let isCounted = storedBy(new Map())
  /** Oldest first. */
  let recent: Addition[] = []
  let epoch = 0

  function moveTo(day: ZoneDay): void {
    if (day.startMs <= today.startMs) return
    today = day
    all = { ...nothing }
    byUser = new Map()
    epoch++
  }

  function count(userId: number, atMs: number, more: Sums): void {
    if (atMs < today.startMs || atMs >= today.endMs) return
    let sums = byUser.get(userId)
    if (sums === undefined) {
      sums = { ...nothing }
      byUser.set(userId, sums)
    }
    addTo(sums, more)
    addTo(all, more)
  }

  const countSettled = ({ userId, startedAtMs, failures, cancelled, tokens, costNano }: Addition): void =>
    count(userId, startedAtMs, { requests: 1, failures, cancelled, rejected: 0, tokens, costNano })

  return {
    /** Counts a settled request: into the day on which it started, as the ledger does. */
    add(settled: SettledRequest): void {
      if (settled.startedAtMs >= today.endMs) moveTo(dayAt(settled.startedAtMs))
      const { record, userId, startedAtMs, costNano } = settled
      const failures = settled.outcome === 'completed' ? 0 : 1
      const cancelled = settled.outcome === 'aborted' ? 1 : 0
      const written = settled.cacheWrite5mTokens + settled.cacheWrite1hTokens
      const tokens = settled.inputTokens + settled.outputTokens + settled.cacheReadTokens + written
      const addition = { record, userId, startedAtMs, failures, cancelled, tokens, costNano }
      if (record !== null) {
        if (isCounted(record)) return
        recent.push(addition)
        if (recent.length >= 2 * maxRecent) recent = recent.slice(-maxRecent)
      }
      countSettled(addition)
    },

    /** Counts requests that were refused, on the day of the last one. */
    reject({ userId, lastAtMs, requests }: RejectedRequests): void {
      if (lastAtMs >= today.endMs) moveTo(dayAt(lastAtMs))
      count(userId, lastAtMs, { ...nothing, rejected: requests })
    },

    /** The day that a seed must be read for. */
    day(): string {
      moveTo(dayAt(now()))
      return today.day
    },

    /** Starts anew from the ledger; requests that it does not have yet are counted on top. */
    reset(day: string, seed: DaySeed): void {
      if (day !== today.day) return
      isCounted = storedBy(seed.checkpoints)
      byUser = seed.byUser
      all = { ...nothing }
      for (const sums of byUser.values()) addTo(all, sums)
      for (const addition of recent) if (addition.record && !isCounted(addition.record)) countSettled(addition)
      epoch++
    },

    view(viewer: LiveViewer): TotalsView {
      moveTo(dayAt(now()))
      const sums =
        viewer.userId === null
          ? all
          : canRead(viewer, { userId: viewer.userId })
            ? byUser.get(viewer.userId)
            : undefined
      return { epoch, day: today.day, sums: { ...(sums ?? nothing) } }
    },
  }
}

function addTo(sums: Sums, more: Sums): void {
  for (const name of names) sums[name] += more[name]
}

/** The next value for a subscriber that has `before` (null: nothing yet); null when nothing changed for it. */
export function totalsSince(before: TotalsView | null, view: TotalsView): TotalsEvent | null {
  const { day, sums } = view
  if (!before || before.epoch !== view.epoch || before.day !== day) return { snapshot: true, day, ...sums }
  const delta = { ...nothing }
  for (const name of names) delta[name] = sums[name] - before.sums[name]
  return delta.requests === 0 && delta.rejected === 0 && delta.costNano === 0
    ? null
    : { snapshot: false, day, ...delta }
}
