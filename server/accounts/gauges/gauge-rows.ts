import { type Database, isRefusal, type Scalar, type Write } from '../../store/database.ts'
import { createWriteBehind } from '../../store/write-behind.ts'
import type { Gauge, GaugePoint } from './gauge.ts'

const minuteMs = 60_000
/** Rows of one statement. */
const rowsAtOnce = 50
/** Gauges that wait for a database that is away; beyond, the oldest are given up. */
const maxWaiting = 20_000
const maxPauseMs = 60_000
/** In place of a share that was not reported. */
const unknownPpm = -1

interface Waiting {
  accountId: number
  gauge: Gauge
  /** It belongs into the history too. */
  isPoint: boolean
}

/** Gauges and their history in the database: gathered for some seconds, and written together. */
export function createGaugeRows(parts: {
  database: Database
  onError: (error: unknown, doing: string) => void
  writeMs?: number
}) {
  const { database } = parts
  let waiting: Waiting[] = []
  const onError = (error: unknown): void => parts.onError(error, 'writing limit gauges')
  const queue = createWriteBehind({
    name: 'limit gauges',
    write,
    isWaiting: () => waiting.length > 0,
    delayMs: parts.writeMs ?? 5_000,
    maxPauseMs,
    onError,
  })

  function push(entry: Waiting): void {
    waiting.push(entry)
    if (waiting.length > maxWaiting) waiting.shift()
    queue.soon()
  }

  async function write(): Promise<void> {
    const batch = waiting
    waiting = []
    if (batch.length === 0) return
    // Of several gauges of one window the last is written, and of several points of one minute the last.
    const last = new Map<string, Scalar[]>()
    const points = new Map<string, Scalar[]>()
    for (const { accountId, gauge, isPoint } of batch) {
      const { window, status, usedPpm, resetMs, atMs } = gauge
      const minute = Math.floor(atMs / minuteMs) * minuteMs
      const rowAt = (time: number): Scalar[] => [accountId, window, status, usedPpm ?? unknownPpm, resetMs, time]
      last.set(`${accountId} ${window}`, rowAt(atMs))
      if (isPoint) points.set(`${accountId} ${window} ${minute}`, rowAt(minute))
    }
    try {
      await database.batch([
        ...replacing('account_gauges', [...last.values()]),
        ...replacing('account_gauge_points', [...points.values()]),
      ])
    } catch (error) {
      // Such a row would be refused for ever.
      if (isRefusal(error)) return onError(error)
      waiting = [...batch, ...waiting].slice(-maxWaiting)
      throw error
    }
  }

  return {
    /** The newest gauge of a window. */
    keep: (accountId: number, gauge: Gauge): void => push({ accountId, gauge: { ...gauge }, isPoint: false }),

    /** A gauge that belongs into the history too: one a minute is kept there. */
    add: (accountId: number, gauge: Gauge): void => push({ accountId, gauge: { ...gauge }, isPoint: true }),

    /** The newest gauge of each window, of all accounts that are not deleted. */
    async read(): Promise<{ accountId: number; gauge: Gauge }[]> {
      const found = await database.select(
        'SELECT `account_id`, `window_name`, `status`, `utilization_ppm`, `reset_at_ms`, `at_ms` FROM `account_gauges` ' +
          'WHERE `account_id` IN (SELECT `id` FROM `accounts` WHERE `deleted_mark` = 0)',
      )
      return found.map(([accountId, window, ...values]) => ({
        accountId: Number(accountId),
        gauge: { window: String(window), ...pointOf(values) },
      }))
    },

    /** Points of a window in time, the oldest first; of more than `max` the newest. */
    async history(
      accountId: number,
      window: string,
      { fromMs, toMs, max }: { fromMs: number; toMs: number; max: number },
    ): Promise<GaugePoint[]> {
      const found = await database.select(
        'SELECT `status`, `utilization_ppm`, `reset_at_ms`, `at_ms` FROM `account_gauge_points` ' +
          `WHERE \`account_id\` = ? AND \`window_name\` = ? AND \`at_ms\` >= ? AND \`at_ms\` < ? ORDER BY \`at_ms\` DESC LIMIT ${max}`,
        [accountId, window, fromMs, toMs],
      )
      return found.map(pointOf).reverse()
    },

    /** Deletes what was reported before a moment, some at a time; returns how many points. */
    async prune(beforeMs: number, max = 10_000): Promise<number> {
      const { client, reader } = database
      const found = await reader.accountGaugePoint.findMany({
        where: { atMs: { lt: BigInt(beforeMs) } },
        orderBy: { atMs: 'asc' },
        take: max,
        select: { atMs: true },
      })
      await client.accountGauge.deleteMany({ where: { atMs: { lt: BigInt(beforeMs) } } })
      const newest = found.at(-1)
      if (!newest) return 0
      return (await client.accountGaugePoint.deleteMany({ where: { atMs: { lte: newest.atMs } } })).count
    },

    /** Writes what waits, once more; nothing is tried again after this. */
    async stop(): Promise<void> {
      queue.stop()
      await queue.now()
    },
  }
}

function pointOf([status, usedPpm, resetMs, atMs]: readonly Scalar[]): GaugePoint {
  return {
    status: String(status),
    usedPpm: Number(usedPpm) === unknownPpm ? null : Number(usedPpm),
    resetMs: resetMs == null ? null : Number(resetMs),
    atMs: Number(atMs),
  }
}

/** Puts rows in place of those with the same key; REPLACE is what both engines have for it. */
function replacing(table: string, rows: readonly Scalar[][]): Write[] {
  const columns = ['account_id', 'window_name', 'status', 'utilization_ppm', 'reset_at_ms', 'at_ms']
  const names = columns.map((name) => `\`${name}\``).join(', ')
  const writes: Write[] = []
  for (let i = 0; i < rows.length; i += rowsAtOnce) {
    const some = rows.slice(i, i + rowsAtOnce)
    const tuples = some.map(() => `(${columns.map(() => '?').join(', ')})`).join(', ')
    writes.push({ kind: 'run', sql: `REPLACE INTO \`${table}\` (${names}) VALUES ${tuples}`, args: some.flat() })
  }
  return writes
}
