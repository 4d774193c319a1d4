import { randomUUID } from 'node:crypto'
import type { Database } from '../../store/database.ts'
import type { Events, Json } from '../../store/events.ts'
import type { Gauge, GaugeReading } from './gauge.ts'
import { createGaugeRows } from './gauge-rows.ts'

/** Topic; message: gauges that moved, for the processes that did not see the answer. */
export const gaugesNoted = 'accounts.gauges'

interface Noted {
  from: string
  id: number
  gauges: readonly Gauge[]
}

/** A window as it is kept: what was said last, and what its history has last. */
interface Kept {
  gauge: Gauge
  point: Gauge | null
  /** When it was told last, here and to others. */
  toldAtMs: number
  /** Up to when the database has it, or whoever saw it looks after that. */
  storedAtMs: number
}

/** Ends of windows are said with some seconds of jitter; a window that is another one ends later than that. */
const sameWindowMs = 60_000
/** What has not moved is told as often as this, so that it is seen to be fresh. */
const freshEveryMs = 60_000
/** A point of the history at the latest after this, and before that when so much has changed. */
const pointEveryMs = 600_000
const pointStepPpm = 10_000
/** The vendor names the windows; a stranger's could be any number. */
const mostWindows = 32
/** A window is forgotten a day after its end; one without an end a day after the longest that is known. */
const keptAfterMs = 24 * 3_600_000
const keptUnsaidMs = 8 * 24 * 3_600_000

/**
 * What vendors tell of their accounts' limits in passing: the last word in memory, shared between processes, stored with
 * its history in batches. Noting is on the relay's path: it compares numbers, and does the rest later.
 */
export function createGauges(parts: {
  database: Database
  events: Events
  now: () => number
  /** Gauges of an account moved: told at most once in `tellMs`, by the process that saw it. */
  onMoved: (accountId: number) => void
  onError: (error: unknown, doing: string) => void
  tellMs?: number
  writeMs?: number
}) {
  const { events, now, tellMs = 1_000 } = parts
  const self = randomUUID()
  const byAccount = new Map<number, Map<string, Kept>>()
  const moved = new Map<number, Set<Kept>>()
  let timer: NodeJS.Timeout | null = null
  const rows = createGaugeRows(parts)

  function windowsOf(accountId: number): Map<string, Kept> {
    let windows = byAccount.get(accountId)
    if (!windows) {
      windows = new Map()
      byAccount.set(accountId, windows)
    }
    return windows
  }

  /** Makes room for one more: the window that was not spoken of for the longest time goes. */
  function makeRoom(windows: Map<string, Kept>): void {
    if (windows.size < mostWindows) return
    const [oldest] = [...windows.values()].sort((one, other) => one.gauge.atMs - other.gauge.atMs)
    if (oldest) windows.delete(oldest.gauge.window)
  }

  function note(accountId: number, readings: readonly GaugeReading[], atMs: number = now()): void {
    if (readings.length === 0) return
    const windows = windowsOf(accountId)
    for (const reading of readings) {
      let kept = windows.get(reading.window)
      if (!kept) {
        makeRoom(windows)
        kept = { gauge: { ...reading, atMs }, point: null, toldAtMs: 0, storedAtMs: 0 }
        windows.set(reading.window, kept)
      } else if (hasMoved(kept.gauge, reading)) kept.gauge = gaugeAfter(kept.gauge, reading, atMs)
      else {
        // Nearly every answer says what the one before it said.
        kept.gauge.atMs = atMs
        if (atMs - kept.toldAtMs < freshEveryMs && !isPointDue(kept.point, kept.gauge)) continue
      }
      tellSoon(accountId, kept)
      if (isPointDue(kept.point, kept.gauge)) {
        kept.point = { ...kept.gauge }
        kept.storedAtMs = atMs
        rows.add(accountId, kept.point)
      }
    }
  }

  function tellSoon(accountId: number, kept: Kept): void {
    const some = moved.get(accountId)
    if (some) some.add(kept)
    else moved.set(accountId, new Set([kept]))
    timer ??= setTimeout(tell, tellMs)
    timer.unref()
  }

  function tell(): void {
    timer = null
    const atMs = now()
    for (const [id, some] of moved) {
      const gauges = [...some].map((kept) => {
        kept.toldAtMs = atMs
        return { ...kept.gauge }
      })
      const message: Noted = { from: self, id, gauges }
      events.publish(gaugesNoted, message as unknown as Json)
      parts.onMoved(id)
    }
    moved.clear()
  }

  /** What another process or the database knows; the newer word counts. */
  function take(accountId: number, gauge: Gauge): void {
    const windows = windowsOf(accountId)
    const kept = windows.get(gauge.window)
    if (kept && kept.gauge.atMs >= gauge.atMs) return
    if (!kept) makeRoom(windows)
    // Whoever saw it has made the point that it is worth.
    const point = kept?.point && !isPointDue(kept.point, gauge) ? kept.point : gauge
    windows.set(gauge.window, { gauge: { ...gauge }, point, toldAtMs: gauge.atMs, storedAtMs: gauge.atMs })
  }

  return {
    /** What an answer says of its account's windows; others stay as they are. */
    note,

    /** What another process noted. */
    applyNoted(message: Json): void {
      const { from, id, gauges } = message as unknown as Noted
      if (from !== self) for (const gauge of gauges) take(id, gauge)
    },

    /** Brings in what the database knows: at the start, and when events may have been missed. */
    async load(): Promise<void> {
      for (const { accountId, gauge } of await rows.read()) take(accountId, gauge)
    },

    /** The gauges of an account now, the shortest window first; those of windows that are long over are left out. */
    of(accountId: number): Gauge[] {
      const atMs = now()
      const windows = [...(byAccount.get(accountId)?.values() ?? [])]
      return windows
        .map(({ gauge }) => ({ ...gauge }))
        .filter(
          ({ resetMs, atMs: saidMs }) => atMs < (resetMs === null ? saidMs + keptUnsaidMs : resetMs + keptAfterMs),
        )
        .sort((one, other) => lengthOf(one.window) - lengthOf(other.window) || (one.window < other.window ? -1 : 1))
    },

    /** What a window said from one moment to another, the oldest first: at most `most` points, the newest of them. */
    history: rows.history,
    prune: rows.prune,

    /** Tells and writes what is known and not told or written yet; ends everything. */
    async stop(): Promise<void> {
      if (timer) clearTimeout(timer)
      tell()
      for (const [accountId, windows] of byAccount) {
        for (const { gauge, storedAtMs } of windows.values()) if (gauge.atMs > storedAtMs) rows.keep(accountId, gauge)
      }
      await rows.stop()
    },
  }
}

export type Gauges = ReturnType<typeof createGauges>

/** True when a reading says something else than the one before it. */
function hasMoved(before: GaugeReading, after: GaugeReading): boolean {
  return before.status !== after.status || before.usedPpm !== after.usedPpm || isOtherEnd(before.resetMs, after.resetMs)
}

/** True when the history should have this: the first word, another status, window or percent, or some minutes later. */
function isPointDue(last: Gauge | null, gauge: Gauge): boolean {
  if (last === null || last.status !== gauge.status || gauge.atMs - last.atMs >= pointEveryMs) return true
  if ((last.usedPpm === null) !== (gauge.usedPpm === null) || isOtherEnd(last.resetMs, gauge.resetMs)) return true
  return Math.abs((last.usedPpm ?? 0) - (gauge.usedPpm ?? 0)) >= pointStepPpm
}

function isOtherEnd(before: number | null, after: number | null): boolean {
  if (before === null || after === null) return before !== after
  return Math.abs(after - before) >= sameWindowMs
}

/** The end of one window stays as it was said first, whatever its jitter. */
function gaugeAfter(before: Gauge, reading: GaugeReading, atMs: number): Gauge {
  const resetMs = isOtherEnd(before.resetMs, reading.resetMs) ? reading.resetMs : before.resetMs
  return { ...reading, resetMs, atMs }
}

/** `5h` → 5, `7d_sonnet` → 168; names without a length come last. */
function lengthOf(window: string): number {
  const [, count, unit] = /^(\d+)([mhd])(?:_|$)/.exec(window) ?? []
  if (count === undefined) return Number.POSITIVE_INFINITY
  return Number(count) * (unit === 'd' ? 24 : unit === 'h' ? 1 : 1 / 60)
}
