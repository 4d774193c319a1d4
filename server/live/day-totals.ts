import type { ZoneDay } from '../zone-days.ts'
import { type LiveViewer, maySee, type SettledRequest } from './live-events.ts'

/** Sums of requests; cost in nano-USD. */
export interface Sums {
  requests: number
  failures: number
  tokens: number
  costNano: number
}

/** What the ledger holds of a day, and up to which record of each journal. One moment: one statement. */
export interface DaySeed {
  byUser: Map<number, Sums>
  checkpoints: Map<number, number>
}

/** What a subscriber gets: all of today when `snapshot`, else what to add to what it has. */
export interface CostTotals extends Sums {
  revision: string
  snapshot: boolean
  day: string
}

/** Where a subscriber stands. */
export interface TotalsView {
  /** Changes when sums were set anew: what follows must be a snapshot. */
  epoch: number
  revision: number
  day: string
  sums: Sums
}

/** What is kept of a settled request. */
interface Counted extends Sums {
  record: SettledRequest['record']
  userId: number
  startedAtMs: number
}

/** Settled requests kept for a recount while their rows are on their way into the ledger. */
const mostRecent = 20_000
const nothing: Sums = Object.freeze({ requests: 0, failures: 0, tokens: 0, costNano: 0 })

/** Today's totals in memory, by owner: the ledger's rollups at the start, then every settled request once. */
export function createDayTotals(parts: { dayAt: (atMs: number) => ZoneDay; now: () => number }) {
  const { dayAt, now } = parts
  let today = dayAt(now())
  let all: Sums = { ...nothing }
  let byUser = new Map<number, Sums>()
  let checkpoints = new Map<number, number>()
  let newestJournal = 0
  let recent: Counted[] = []
  let epoch = 0
  let revision = 0

  function turnTo(day: ZoneDay): void {
    if (day.startMs <= today.startMs) return
    // A day begins empty: its requests are those that start from now on.
    today = day
    all = { ...nothing }
    byUser = new Map()
    epoch++
    revision++
  }

  /** Whether the sum read last has it already. */
  function isIn({ record }: Counted): boolean {
    if (record === null) return false
    const checkpoint = checkpoints.get(record.journalId)
    // Of journals that the database does not know the older ones are long gone, the newer ones came after the sum.
    return checkpoint === undefined ? record.journalId < newestJournal : record.seq <= checkpoint
  }

  function count(counted: Counted): void {
    if (counted.startedAtMs < today.startMs || counted.startedAtMs >= today.endMs || isIn(counted)) return
    const sums = byUser.get(counted.userId) ?? { ...nothing }
    byUser.set(counted.userId, sums)
    addTo(sums, counted)
    addTo(all, counted)
    revision++
  }

  return {
    /** Counts a settled request: into the day on which it started, as the ledger does. */
    add(settled: SettledRequest): void {
      if (settled.startedAtMs >= today.endMs) turnTo(dayAt(settled.startedAtMs))
      const counted = countedOf(settled)
      if (settled.record && !isIn(counted)) {
        recent.push(counted)
        if (recent.length > mostRecent * 1.25) recent = recent.slice(-mostRecent)
      }
      count(counted)
    },

    /** The day that a seed must be read for. */
    day(): string {
      turnTo(dayAt(now()))
      return today.day
    },

    /** Starts anew from the ledger; requests that it does not have yet are counted on top. */
    reset(day: string, seed: DaySeed): void {
      if (day !== today.day) return
      checkpoints = seed.checkpoints
      newestJournal = Math.max(0, ...checkpoints.keys())
      byUser = seed.byUser
      all = { ...nothing }
      for (const sums of byUser.values()) addTo(all, sums)
      recent = recent.filter((counted) => !isIn(counted))
      for (const counted of recent) count(counted)
      epoch++
      revision++
    },

    view(viewer: LiveViewer): TotalsView {
      turnTo(dayAt(now()))
      const sums =
        viewer.userId === null ? all : maySee(viewer, { userId: viewer.userId }) ? byUser.get(viewer.userId) : undefined
      return { epoch, revision, day: today.day, sums: { ...(sums ?? nothing) } }
    },
  }
}

function countedOf(settled: SettledRequest): Counted {
  const { record, userId, startedAtMs, costNano } = settled
  const tokens = settled.inputTokens + settled.outputTokens + settled.cacheReadTokens + settled.cacheWriteTokens
  return {
    record,
    userId,
    startedAtMs,
    requests: 1,
    failures: settled.outcome === 'completed' ? 0 : 1,
    tokens,
    costNano,
  }
}

function addTo(sums: Sums, more: Sums): void {
  sums.requests += more.requests
  sums.failures += more.failures
  sums.tokens += more.tokens
  sums.costNano += more.costNano
}

/** What to tell a subscriber that was told `before` (null: nothing yet); null when nothing changed for it. */
export function totalsSince(before: TotalsView | null, view: TotalsView): CostTotals | null {
  const { day, sums } = view
  const revision = String(view.revision)
  if (!before || before.epoch !== view.epoch || before.day !== day) return { revision, snapshot: true, day, ...sums }
  const delta = {
    requests: sums.requests - before.sums.requests,
    failures: sums.failures - before.sums.failures,
    tokens: sums.tokens - before.sums.tokens,
    costNano: sums.costNano - before.sums.costNano,
  }
  return delta.requests === 0 && delta.costNano === 0 ? null : { revision, snapshot: false, day, ...delta }
}
