import { type Database, isRefusal, type Scalar, type Write } from '../../store/database.ts'
import type { Gauge } from './gauges.ts'

/** A row of the history, as it was said then. */
export type GaugePoint = Omit<Gauge, 'window'>

const minuteMs = 60_000
/** Rows of one statement. */
const rowsAtOnce = 50
/** Points that wait for a database that is away; beyond, the oldest are given up. */
const mostWaiting = 20_000
const longestPauseMs = 60_000
/** Of a share that was not said. */
const unsaid = -1

/** Gauges and their history in the database: gathered for some seconds, written together, tried again until it takes them. */
export function createGaugeRows(parts: {
  database: Database
  onError: (error: unknown, doing: string) => void
  writeMs?: number
}) {
  const { database, onError, writeMs = 5_000 } = parts
  /** Last words by account and window, points by their minute as well: what comes later takes the place. */
  let last = new Map<string, Scalar[]>()
  let points = new Map<string, Scalar[]>()
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> | null = null
  let failures = 0
  let stopped = false

  function writeSoon(): void {
    if (timer !== null || running !== null || stopped) return
    timer = setTimeout(() => void write(), Math.min(writeMs * 2 ** failures, Math.max(writeMs, longestPauseMs)))
    timer.unref()
  }

  /** The last word of a window. */
  function keep(accountId: number, { window, status, usedPpm, resetMs, atMs }: Gauge): void {
    last.set(`${accountId} ${window}`, [accountId, window, status, usedPpm ?? unsaid, resetMs, atMs])
    writeSoon()
  }

  function write(): Promise<void> {
    if (timer) clearTimeout(timer)
    timer = null
    running ??= work().finally(() => {
      running = null
      if (last.size > 0) writeSoon()
    })
    return running
  }

  async function work(): Promise<void> {
    const batch = { last, points }
    last = new Map()
    points = new Map()
    if (batch.last.size === 0) return
    try {
      await database.batch([
        ...replacing('account_gauges', [...batch.last.values()]),
        ...replacing('account_gauge_points', [...batch.points.values()]),
      ])
      failures = 0
    } catch (error) {
      onError(error, 'writing limit gauges')
      // Such a row would be refused for ever.
      if (isRefusal(error)) return
      failures++
      last = new Map([...batch.last, ...last])
      points = new Map([...batch.points, ...points].slice(-mostWaiting))
    }
  }

  return {
    keep,

    /** A word that belongs into the history: one a minute is kept. */
    add(accountId: number, gauge: Gauge): void {
      const minute = Math.floor(gauge.atMs / minuteMs) * minuteMs
      const { window, status, usedPpm, resetMs } = gauge
      points.set(`${accountId} ${window} ${minute}`, [accountId, window, status, usedPpm ?? unsaid, resetMs, minute])
      keep(accountId, gauge)
    },

    /** The last word of each window of all accounts that live. */
    async read(): Promise<{ accountId: number; gauge: Gauge }[]> {
      const found = await database.select(
        'SELECT `account_id`, `window_name`, `status`, `utilization_ppm`, `reset_at_ms`, `at_ms` FROM `account_gauges` ' +
          'WHERE `account_id` IN (SELECT `id` FROM `accounts` WHERE `deleted_mark` = 0)',
      )
      return found.map(([accountId, window, ...said]) => ({
        accountId: Number(accountId),
        gauge: { window: String(window), ...pointOf(said) },
      }))
    },

    /** Points of a window in time, the oldest first; of more than `most` the newest. */
    async history(
      accountId: number,
      window: string,
      { fromMs, toMs, most }: { fromMs: number; toMs: number; most: number },
    ): Promise<GaugePoint[]> {
      const found = await database.select(
        'SELECT `status`, `utilization_ppm`, `reset_at_ms`, `at_ms` FROM `account_gauge_points` ' +
          `WHERE \`account_id\` = ? AND \`window_name\` = ? AND \`at_ms\` >= ? AND \`at_ms\` < ? ORDER BY \`at_ms\` DESC LIMIT ${most}`,
        [accountId, window, fromMs, toMs],
      )
      return found.map(pointOf).reverse()
    },

    /** Deletes what was said before a moment, some at a time; returns how many points. */
    async prune(beforeMs: number, most = 10_000): Promise<number> {
      const { client, reader } = database
      const found = await reader.accountGaugePoint.findMany({
        where: { atMs: { lt: BigInt(beforeMs) } },
        orderBy: { atMs: 'asc' },
        take: most,
        select: { atMs: true },
      })
      await client.accountGauge.deleteMany({ where: { atMs: { lt: BigInt(beforeMs) } } })
      const newest = found.at(-1)
      if (!newest) return 0
      return (await client.accountGaugePoint.deleteMany({ where: { atMs: { lte: newest.atMs } } })).count
    },

    /** Writes what waits, once more; nothing is tried again after this. */
    async stop(): Promise<void> {
      stopped = true
      await running
      await write()
    },
  }
}

function pointOf([status, usedPpm, resetMs, atMs]: readonly Scalar[]): GaugePoint {
  return {
    status: String(status),
    usedPpm: Number(usedPpm) === unsaid ? null : Number(usedPpm),
    resetMs: resetMs == null ? null : Number(resetMs),
    atMs: Number(atMs),
  }
}

/** What both engines understand for: this row, whatever stood there. */
function replacing(table: string, rows: readonly Scalar[][]): Write[] {
  const columns = ['account_id', 'window_name', 'status', 'utilization_ppm', 'reset_at_ms', 'at_ms']
  const names = columns.map((name) => `\`${name}\``).join(', ')
  const writes: Write[] = []
  for (let i = 0; i < rows.length; i += rowsAtOnce) {
    const some = rows.slice(i, i + rowsAtOnce)
    const places = some.map(() => `(${columns.map(() => '?').join(', ')})`).join(', ')
    writes.push({ kind: 'run', sql: `REPLACE INTO \`${table}\` (${names}) VALUES ${places}`, args: some.flat() })
  }
  return writes
}
