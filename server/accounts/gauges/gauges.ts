import { randomUUID } from 'node:crypto'
import type { Database } from '../../store/database.ts'
import type { Events, Json } from '../../store/events.ts'
import type { Gauge, GaugeReading } from './gauge.ts'
import { createGaugeRows } from './gauge-rows.ts'

/** Topic; message: gauges that changed, for the processes that did not see the response. */
export const gaugesNoted = 'accounts.gauges'

interface Noted {
  from: string
  id: number
  gauges: readonly Gauge[]
}

/** A window in memory: its newest gauge, and the newest point of its history. */
interface Kept {
  gauge: Gauge
  point: Gauge | null
  /** When it was published last. */
  publishedAtMs: number
  /** The database has every gauge up to then, or the process that saw it writes it. */
  storedAtMs: number
}

/** Vendors report the end of one window with some seconds of jitter; the next window ends later than that. */
const sameWindowMs = 60_000
/** A gauge that did not change is published as often as this, so that pages see that it is fresh. */
const freshEveryMs = 60_000
/** A point of the history at the latest after this, and before that when so much has changed. */
const pointEveryMs = 600_000
const pointStepPpm = 10_000
/** The vendor names the windows: an unknown upstream could send any number of them. */
const maxWindows = 32
/** A window is forgotten a day after its end; one without an end after eight days, a day longer than the longest known. */
const keptAfterMs = 24 * 3_600_000
const keptWithoutEndMs = 8 * 24 * 3_600_000

/**
 * Limits of accounts as their vendors report them with responses: the newest in memory, shared between processes, and stored
 * with their history in batches. `note` is on the relay's path: it compares numbers, and leaves the rest to timers.
 */
export function createGauges(parts: {
  database: Database
  events: Events
  now: () => number
  /** Gauges of an account changed: called at most once in `publishMs`, in the process that saw it. */
  onMoved: (accountId: number) => void
  onError: (error: unknown, doing: string) => void
  publishMs?: number
  writeMs?: number
}) {
  const { events, now, publishMs = 1_000 } = parts
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

  /** Makes room for one more: the window that was not reported for the longest time goes. */
  function makeRoom(windows: Map<string, Kept>): void {
    if (windows.size < maxWindows) return
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
        kept = { gauge: { ...reading, atMs }, point: null, publishedAtMs: 0, storedAtMs: 0 }
        windows.set(reading.window, kept)
      } else if (hasMoved(kept.gauge, reading)) kept.gauge = gaugeAfter(kept.gauge, reading, atMs)
      else {
        // Nearly every response reports what the one before it did.
        kept.gauge.atMs = atMs
        if (atMs - kept.publishedAtMs < freshEveryMs && !isPointDue(kept.point, kept.gauge)) continue
      }
      publishSoon(accountId, kept)
      if (isPointDue(kept.point, kept.gauge)) {
        kept.point = { ...kept.gauge }
        kept.storedAtMs = atMs
        rows.add(accountId, kept.point)
      }
    }
  }

  function publishSoon(accountId: number, kept: Kept): void {
    const some = moved.get(accountId)
    if (some) some.add(kept)
    else moved.set(accountId, new Set([kept]))
    timer ??= setTimeout(publish, publishMs)
    timer.unref()
  }

  function publish(): void {
    timer = null
    const atMs = now()
    for (const [id, some] of moved) {
      const gauges = [...some].map((kept) => {
        kept.publishedAtMs = atMs
        return { ...kept.gauge }
      })
      const message: Noted = { from: self, id, gauges }
      events.publish(gaugesNoted, message as unknown as Json)
      parts.onMoved(id)
    }
    moved.clear()
  }

  /** A gauge of another process or of the database; the newer one counts. */
  function take(accountId: number, gauge: Gauge): void {
    const windows = windowsOf(accountId)
    const kept = windows.get(gauge.window)
    if (kept && kept.gauge.atMs >= gauge.atMs) return
    if (!kept) makeRoom(windows)
    // The process that saw it has added its point.
    const point = kept?.point && !isPointDue(kept.point, gauge) ? kept.point : gauge
    windows.set(gauge.window, { gauge: { ...gauge }, point, publishedAtMs: gauge.atMs, storedAtMs: gauge.atMs })
  }

  return {
    /** What a response reports of its account's windows; others stay as they are. */
    note,

    /** The windows of an account as they are from now on: the same object, kept up to date. */
    windowsOf: (accountId: number): ReadonlyMap<string, { gauge: Gauge }> => windowsOf(accountId),

    /** What another process noted. */
    applyNoted(message: Json): void {
      const { from, id, gauges } = message as unknown as Noted
      if (from !== self) for (const gauge of gauges) take(id, gauge)
    },

    /** Reads the database: at the start, and when events may have been missed. */
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
          ({ resetMs, atMs: reportedMs }) =>
            atMs < (resetMs === null ? reportedMs + keptWithoutEndMs : resetMs + keptAfterMs),
        )
        .sort((one, other) => lengthOf(one.window) - lengthOf(other.window) || (one.window < other.window ? -1 : 1))
    },

    /** Points of a window from one moment to another, the oldest first; of more than `max` the newest. */
    history: rows.history,
    prune: rows.prune,

    /** Publishes and writes what is not published or written yet; ends everything. */
    async stop(): Promise<void> {
      if (timer) clearTimeout(timer)
      publish()
      for (const [accountId, windows] of byAccount) {
        for (const { gauge, storedAtMs } of windows.values()) if (gauge.atMs > storedAtMs) rows.keep(accountId, gauge)
      }
      await rows.stop()
    },
  }
}

export type Gauges = ReturnType<typeof createGauges>

/** True when a reading differs from the one before it. */
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

/** The end of one window stays as it was reported first, whatever its jitter. */
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
