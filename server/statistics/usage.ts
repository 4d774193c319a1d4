import type { Database, Scalar } from '../store/database.ts'
import type { ZoneDay } from '../zone-days.ts'
import { planRange, type Range } from './range-plan.ts'
import {
  added,
  type Dimension,
  noTotals,
  type Order,
  orders,
  type SumsOptions,
  sumsByTime,
  sumsOver,
  type TotalsFilter,
  type TotalsRow,
  totalsOf,
} from './sums.ts'

export type Interval = 'hour' | 'day' | 'week' | 'month'

/** The sums of an hour, day, week or month; of the first and the last of a series only what lies in its range. */
export interface Point {
  /** Id or name of the dimension; null without one. */
  key: string | null
  /** Of the whole interval. */
  atMs: number
  endMs: number
  totals: TotalsRow
}

interface Bucket {
  /** As the rollups have it. */
  key: string | number
  fromMs: number
  toMs: number
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Reads sums over ranges of time from the rollups, and from the ledger where a range begins or ends within an hour. */
export function createUsage(parts: {
  database: Pick<Database, 'select'>
  dayAt: (atMs: number) => ZoneDay
  now: () => number
  /** From when on the ledger has its rows: older ones may be deleted. */
  rowsSinceMs: () => number
}) {
  const { database, dayAt, now } = parts

  /**
   * The range that can be told exactly: where the rows of an edge are deleted, it widens to whole hours, or to whole days in a
   * zone whose days begin within an hour.
   */
  function effective({ fromMs, toMs }: Range): Range {
    const widened = (atMs: number, up: boolean): number => {
      if (atMs >= parts.rowsSinceMs()) return atMs
      const day = dayAt(atMs)
      if (day.startMs % hourMs !== 0) return up && day.startMs < atMs ? day.endMs : day.startMs
      return (up ? Math.ceil(atMs / hourMs) : Math.floor(atMs / hourMs)) * hourMs
    }
    return { fromMs: widened(fromMs, false), toMs: widened(toMs, true) }
  }

  /** Exact sums over a range, by a dimension if one is given. */
  async function read(range: Range, options: SumsOptions): Promise<{ key: string | null; totals: TotalsRow }[]> {
    const query = sumsOver(planRange(range, dayAt, now()), options)
    if (query === null) return []
    const rows = await database.select(query.sql, query.args)
    return rows.map((row) =>
      options.by ? { key: String(row[0]), totals: totalsOf(row.slice(1)) } : { key: null, totals: totalsOf(row) },
    )
  }

  /** The hours or days that a range touches. */
  function bucketsOf(range: Range, unit: 'hour' | 'day'): Bucket[] {
    const found: Bucket[] = []
    if (unit === 'hour') {
      for (let atMs = range.fromMs - (range.fromMs % hourMs); atMs < range.toMs; atMs += hourMs)
        found.push({ key: atMs, fromMs: atMs, toMs: atMs + hourMs })
      return found
    }
    for (let day = dayAt(range.fromMs); day.startMs < range.toMs; day = dayAt(day.endMs))
      found.push({ key: day.day, fromMs: day.startMs, toMs: day.endMs })
    return found
  }

  /** The points of hours or days at which something happened. */
  async function readPoints(range: Range, unit: 'hour' | 'day', options: SumsOptions): Promise<Point[]> {
    const all = bucketsOf(range, unit)
    // What has not come yet is not missing from a bucket.
    const isWhole = ({ fromMs, toMs }: Bucket) => range.fromMs <= fromMs && (toMs <= range.toMs || range.toMs > now())
    const place = ({ fromMs, toMs }: Bucket) => ({ atMs: fromMs, endMs: toMs })
    const whole = all.filter(isWhole)
    const [first, last] = [whole[0], whole.at(-1)]
    const cut = all.filter((bucket) => !isWhole(bucket))
    const byKey = new Map(whole.map((bucket) => [String(bucket.key), bucket]))
    const readWhole = async (): Promise<Point[]> => {
      if (!first || !last) return []
      const { sql, args } = sumsByTime(unit, first.key as Scalar, last.key as Scalar, options)
      return (await database.select(sql, args)).flatMap(([time, ...row]) => {
        const bucket = byKey.get(String(time))
        if (bucket === undefined) return []
        const key = options.by ? String(row[0]) : null
        return [{ ...place(bucket), key, totals: totalsOf(options.by ? row.slice(1) : row) }]
      })
    }
    const found = await Promise.all([
      readWhole(),
      ...cut.map(async (bucket) => {
        const part = { fromMs: Math.max(bucket.fromMs, range.fromMs), toMs: Math.min(bucket.toMs, range.toMs) }
        return (await read(part, options)).map((row) => ({ ...place(bucket), ...row }))
      }),
    ])
    return found.flat()
  }

  /** The intervals that a range touches, whole, in order. `weekStart`: 0 is Sunday. */
  function intervalsOf({ fromMs, toMs }: Range, interval: Interval, weekStart: number): Range[] {
    if (interval === 'hour' || interval === 'day') return bucketsOf({ fromMs, toMs }, interval)
    const nameOf = (day: string): string => (interval === 'month' ? day.slice(0, 7) : weekOf(day, weekStart))
    const firstName = nameOf(dayAt(fromMs).day)
    let first = dayAt(fromMs)
    for (let day = first; nameOf(day.day) === firstName; day = dayAt(day.startMs - 1)) first = day
    const found: (Range & { name: string })[] = []
    for (let day = first; ; day = dayAt(day.endMs)) {
      const name = nameOf(day.day)
      const current = found.at(-1)
      if (current?.name === name) current.toMs = day.endMs
      else if (day.startMs >= toMs) return found
      else found.push({ name, fromMs: day.startMs, toMs: day.endMs })
    }
  }

  return {
    effective,

    /** How many points one line of a series has. */
    pointCount: (range: Range, interval: Interval): number => {
      const length = { hour: hourMs, day: dayMs, week: 7 * dayMs, month: 28 * dayMs }[interval]
      return Math.ceil((range.toMs - range.fromMs) / length) + 2
    },

    /** The sums over exactly this range. */
    async totals(range: Range, filter: TotalsFilter, buckets = false): Promise<TotalsRow> {
      return (await read(effective(range), { filter, by: null, buckets }))[0]?.totals ?? noTotals
    },

    /** The first by an order. */
    async ranking(
      range: Range,
      by: Dimension,
      filter: TotalsFilter,
      { orderBy, first, buckets }: { orderBy: Order; first: number; buckets: boolean },
    ): Promise<{ key: string; totals: TotalsRow }[]> {
      const tail = ` ORDER BY ${orders[orderBy]} DESC, SUM(\`requests\`) DESC, \`k\` LIMIT ${Math.trunc(first)}`
      const rows = await read(effective(range), { filter, by, buckets, tail })
      return rows.map(({ key, totals }) => ({ key: String(key), totals }))
    },

    /**
     * A point for every interval that the range touches, in order, also where nothing happened: one line, or one for each of
     * `keys` of a dimension.
     */
    async series(
      given: Range,
      interval: Interval,
      filter: TotalsFilter,
      options: { by: Dimension | null; keys: readonly string[]; weekStart: number; buckets: boolean },
    ): Promise<Point[]> {
      const { by, keys, weekStart, buckets } = options
      const range = effective(given)
      const lines = by === null ? [null] : keys
      const among = by === null ? filter : { ...filter, ...filterOf(by, keys) }
      const points = await readPoints(range, interval === 'hour' ? 'hour' : 'day', { filter: among, by, buckets })
      const sums = new Map<string, TotalsRow>()
      const intervals = intervalsOf(range, interval, weekStart)
      // Both are in order of time.
      const starts = intervals.map(({ fromMs }) => fromMs)
      for (const { key, atMs, totals } of points) {
        const name = `${starts[lastAtMost(starts, atMs)]} ${key}`
        const known = sums.get(name)
        sums.set(name, known ? added(known, totals) : totals)
      }
      return intervals.flatMap(({ fromMs, toMs }) =>
        lines.map((key) => ({ key, atMs: fromMs, endMs: toMs, totals: sums.get(`${fromMs} ${key}`) ?? noTotals })),
      )
    },
  }
}

/** The filter for some values of a dimension. */
function filterOf(by: Dimension, keys: readonly string[]): TotalsFilter {
  const ids = keys.map(Number)
  return {
    key: { apiKeyIds: ids },
    account: { accountIds: ids },
    user: { userIds: ids },
    group: { groupIds: ids },
    platform: { platforms: keys },
    model: { models: keys },
    tag: { tags: keys },
  }[by]
}

/** The first day of the week of a day. */
function weekOf(day: string, weekStart: number): string {
  const atMs = Date.parse(`${day}T00:00:00Z`)
  const back = (new Date(atMs).getUTCDay() - weekStart + 7) % 7
  return new Date(atMs - back * dayMs).toISOString().slice(0, 10)
}

/** Where the last number that is not larger stands. */
function lastAtMost(numbers: readonly number[], limit: number): number {
  let low = 0
  let high = numbers.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (numbers[middle]! <= limit) low = middle
    else high = middle - 1
  }
  return low
}
