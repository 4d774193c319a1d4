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
  const recent = createRecent(mostRecent)
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
  function isIn(journalId: number, seq: number): boolean {
    const checkpoint = checkpoints.get(journalId)
    // Of journals that the database does not know the older ones are long gone, the newer ones came after the sum.
    return checkpoint === undefined ? journalId < newestJournal : seq <= checkpoint
  }

  function count(userId: number, startedAtMs: number, failures: number, tokens: number, costNano: number): void {
    if (startedAtMs < today.startMs || startedAtMs >= today.endMs) return
    let sums = byUser.get(userId)
    if (sums === undefined) {
      sums = { ...nothing }
      byUser.set(userId, sums)
    }
    addTo(sums, 1, failures, tokens, costNano)
    addTo(all, 1, failures, tokens, costNano)
    revision++
  }

  return {
    /** Counts a settled request: into the day on which it started, as the ledger does. */
    add(settled: SettledRequest): void {
      if (settled.startedAtMs >= today.endMs) turnTo(dayAt(settled.startedAtMs))
      const { record, userId, startedAtMs, costNano } = settled
      const failures = settled.outcome === 'completed' ? 0 : 1
      const tokens = settled.inputTokens + settled.outputTokens + settled.cacheReadTokens + settled.cacheWriteTokens
      if (record !== null) {
        if (isIn(record.journalId, record.seq)) return
        recent.add(record, userId, startedAtMs, failures, tokens, costNano)
      }
      count(userId, startedAtMs, failures, tokens, costNano)
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
      for (const { requests, failures, tokens, costNano } of byUser.values())
        addTo(all, requests, failures, tokens, costNano)
      recent.visit((journalId, seq, userId, startedAtMs, failures, tokens, costNano) => {
        if (!isIn(journalId, seq)) count(userId, startedAtMs, failures, tokens, costNano)
      })
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

function addTo(sums: Sums, requests: number, failures: number, tokens: number, costNano: number): void {
  sums.requests += requests
  sums.failures += failures
  sums.tokens += tokens
  sums.costNano += costNano
}

type Place = NonNullable<SettledRequest['record']>

/** What is known of a settled request: where its record stands, whose it is, and what it adds. */
type Counted = [
  journalId: number,
  seq: number,
  userId: number,
  startedAtMs: number,
  failures: number,
  tokens: number,
  costNano: number,
]

/** The last `most` settled requests, oldest first. As numbers in lasting memory: objects would all grow old. */
function createRecent(most: number) {
  const width = 7
  const cells = new Float64Array(most * width)
  let added = 0
  return {
    add(record: Place, userId: number, startedAtMs: number, failures: number, tokens: number, costNano: number): void {
      const at = (added++ % most) * width
      cells[at] = record.journalId
      cells[at + 1] = record.seq
      cells[at + 2] = userId
      cells[at + 3] = startedAtMs
      cells[at + 4] = failures
      cells[at + 5] = tokens
      cells[at + 6] = costNano
    },
    visit(each: (...counted: Counted) => void): void {
      for (let i = Math.max(0, added - most); i < added; i++) {
        const at = (i % most) * width
        each(...(cells.subarray(at, at + width) as unknown as Counted))
      }
    },
  }
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
