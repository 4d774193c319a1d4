import { firstKeyAt, ledgerKey } from '../request-ids.ts'
import type { Database } from '../store/database.ts'
import type { ZoneDay } from '../zone-days.ts'
import { readHealth, readTested } from './account-health.ts'
import { planRange, type Range } from './range-plan.ts'
import {
  bigOf,
  columns,
  conditions,
  type Dimension,
  noTotals,
  summed,
  sumsOver,
  type TotalsFilter,
  type TotalsRow,
  totalsOf,
  without,
} from './sums.ts'

export type { Range } from './range-plan.ts'
export { type Dimension, noTotals, type TotalsFilter, type TotalsRow } from './sums.ts'

/** Which requests of the ledger; of each list one must fit. */
export interface RequestFilter {
  apiKeyIds?: readonly number[]
  accountIds?: readonly number[]
  /** Owners of the keys. */
  userIds?: readonly number[]
  groupIds?: readonly number[]
  platforms?: readonly string[]
  /** As requested or as billed. */
  models?: readonly string[]
  outcomes?: readonly string[]
  httpStatuses?: readonly number[]
  sessionId?: string
  clientIp?: string
  stream?: boolean
  fromMs?: number
  toMs?: number
  minCostNano?: bigint
  maxCostNano?: bigint
  requestId?: string
}

const hourMs = 3_600_000
/** The most points that a series may have. */
export const maxPoints = 20_000
interface Summed {
  /** null: the sums are not grouped. */
  key: string | null
  totals: TotalsRow
}

interface Bucket {
  /** As the rollups have it. */
  key: string | number
  fromMs: number
  toMs: number
}

const place = ({ fromMs, toMs }: Bucket) => ({ atMs: fromMs, endMs: toMs })

/** Reads the ledger and its rollups for people. No relay request waits for it. */
export function createStatistics(parts: { database: Database; dayAt: (atMs: number) => ZoneDay; now: () => number }) {
  const { database, dayAt, now } = parts

  const plan = (range: Range) => planRange(range, dayAt, now())

  /** Exact sums over a range, by a dimension if one is given. */
  async function read(range: Range, filter: TotalsFilter, by: Dimension | null, tail?: string): Promise<Summed[]> {
    const query = sumsOver(plan(range), filter, by, tail)
    if (query === null) return []
    const rows = await database.select(query.sql, query.args)
    return rows.map((row) => ({ key: by ? String(row[0]) : null, totals: totalsOf(by ? row.slice(1) : row) }))
  }

  /** The hours or days that the range touches. */
  function buckets(range: Range, interval: 'hour' | 'day'): Bucket[] {
    const found: Bucket[] = []
    if (interval === 'hour') {
      for (let atMs = range.fromMs - (range.fromMs % hourMs); atMs < range.toMs; atMs += hourMs)
        found.push({ key: atMs, fromMs: atMs, toMs: atMs + hourMs })
      return found
    }
    for (let day = dayAt(range.fromMs); day.startMs < range.toMs; day = dayAt(day.endMs))
      found.push({ key: day.day, fromMs: day.startMs, toMs: day.endMs })
    return found
  }

  /** The rows of whole hours or days, in one statement. */
  async function readBuckets(whole: readonly Bucket[], interval: 'hour' | 'day', filter: TotalsFilter, by?: Dimension) {
    const [first, last] = [whole[0], whole.at(-1)]
    if (!first || !last) return []
    const [table, column] = interval === 'day' ? ['daily_rollups', 'day'] : ['hourly_rollups', 'hour_ms']
    const { sql, args } = conditions(filter, (name) => `\`${columns[name]}\``)
    const group = [column, ...(by ? [columns[by]] : [])].map((name) => `\`${name}\``).join(', ')
    const rows = await database.select(
      `SELECT ${group}, ${summed} FROM \`${table}\` WHERE \`${column}\` >= ? AND \`${column}\` <= ?${sql}${without(by)} GROUP BY ${group} LIMIT ${maxPoints + 1}`,
      [first.key, last.key, ...args],
    )
    const bucketOf = new Map(whole.map((bucket) => [String(bucket.key), bucket]))
    return rows.map(([time, ...row]) => ({
      ...place(bucketOf.get(String(time)) ?? first),
      key: by ? String(row[0]) : null,
      totals: totalsOf(by ? row.slice(1) : row),
    }))
  }

  return {
    /** The sums over exactly this range. */
    async totals(range: Range, filter: TotalsFilter): Promise<TotalsRow> {
      return (await read(range, filter, null))[0]?.totals ?? noTotals
    },

    /**
     * One point per hour or day, in order; the first and the last hold only what lies in the range. Without `by`, intervals
     * without requests are included. With `by`, each point has the id or model in `key`, and there are only points with
     * requests. Returns at most one more than `maxPoints`.
     */
    async series(range: Range, interval: 'hour' | 'day', filter: TotalsFilter, by?: Dimension) {
      const all = buckets(range, interval)
      // What has not come yet is not missing from a bucket.
      const isWhole = ({ fromMs, toMs }: Bucket) => range.fromMs <= fromMs && (toMs <= range.toMs || range.toMs > now())
      const cut = all.filter((bucket) => !isWhole(bucket))
      const points = await Promise.all([
        readBuckets(all.filter(isWhole), interval, filter, by),
        ...cut.map(async (bucket) => {
          const part = { fromMs: Math.max(bucket.fromMs, range.fromMs), toMs: Math.min(bucket.toMs, range.toMs) }
          const rows = await read(part, filter, by ?? null)
          return rows.map((row) => ({ ...place(bucket), ...row }))
        }),
      ])
      const found = points.flat()
      if (by) return found.sort((a, b) => a.atMs - b.atMs).slice(0, maxPoints + 1)
      const byTime = new Map(found.map((point) => [point.atMs, point.totals]))
      return all.map((bucket) => ({ ...place(bucket), key: null, totals: byTime.get(bucket.fromMs) ?? noTotals }))
    },

    /** The most expensive first. */
    async ranking(range: Range, by: Dimension, filter: TotalsFilter, limit: number) {
      const order = ` ORDER BY SUM(\`cost_nano\`) DESC, SUM(\`requests\`) DESC, \`k\` LIMIT ${Math.trunc(limit)}`
      const rows = await read(range, filter, by, order)
      return rows.map(({ key, totals }) => ({ key: String(key), totals }))
    },

    /** Today's sums by account. */
    async todayByAccount(accountIds: readonly number[]): Promise<Map<number, TotalsRow>> {
      const rows = await database.select(
        `SELECT \`account_id\`, ${summed} FROM \`daily_rollups\` WHERE \`day\` = ? AND \`account_id\` IN (${marks(accountIds)}) GROUP BY \`account_id\``,
        [dayAt(now()).day, ...accountIds],
      )
      return new Map(rows.map(([id, ...values]) => [Number(id), totalsOf(values)]))
    },

    /** Nano-USD that was billed to keys today and in total, as limits count it, and when each was last used. Read from the ledger, so that no request has to write it. */
    async keyUse(apiKeyIds: readonly number[]) {
      const [spent, used] = await Promise.all([
        database.select(
          'SELECT `api_key_id`, SUM(CASE WHEN `day` = ? THEN `billed_nano` ELSE 0 END), SUM(`billed_nano`) ' +
            `FROM \`daily_rollups\` WHERE \`api_key_id\` IN (${marks(apiKeyIds)}) GROUP BY \`api_key_id\``,
          [dayAt(now()).day, ...apiKeyIds],
        ),
        // One index lookup for each key, instead of reading all its rows.
        database.select(
          apiKeyIds
            .map(
              () => 'SELECT ?, (SELECT `started_at_ms` FROM `logs` WHERE `api_key_id` = ? ORDER BY `id` DESC LIMIT 1)',
            )
            .join(' UNION ALL '),
          apiKeyIds.flatMap((id) => [id, id]),
        ),
      ])
      const lastUsed = new Map(
        used.map(([id, atMs]) => [Number(id), atMs === null || atMs === undefined ? null : Number(atMs)]),
      )
      const sumsOf = new Map(
        spent.map(([id, today, total]) => [Number(id), { today: bigOf(today), total: bigOf(total) }]),
      )
      return new Map(
        apiKeyIds.map((id) => [
          id,
          {
            todayNano: sumsOf.get(id)?.today ?? 0n,
            totalNano: sumsOf.get(id)?.total ?? 0n,
            lastUsedAtMs: lastUsed.get(id) ?? null,
          },
        ]),
      )
    },

    /** Up to `limit` ledger rows before `before` (an id), the newest first. There is no total, because counting reads every row. */
    async requests(filter: RequestFilter, limit: number, before?: bigint) {
      const id = idRange(filter, before)
      if (id === null) return []
      const among = <Value>(values: readonly Value[] | undefined) => values && { in: [...values] }
      const model = among(filter.models)
      return database.reader.log.findMany({
        where: {
          AND: [
            { id },
            model === undefined ? {} : { OR: [{ modelRequested: model }, { modelBilled: model }] },
            {
              apiKeyId: among(filter.apiKeyIds),
              accountId: among(filter.accountIds),
              userId: among(filter.userIds),
              groupId: among(filter.groupIds),
              platform: among(filter.platforms),
              outcome: among(filter.outcomes),
              httpStatus: among(filter.httpStatuses),
              sessionId: filter.sessionId,
              clientIp: filter.clientIp,
              stream: filter.stream,
              costNano: { gte: filter.minCostNano, lte: filter.maxCostNano },
            },
          ],
        },
        orderBy: { id: 'desc' },
        take: limit,
      })
    },

    /** What the attempts of the last day say, by account. */
    health: () => readHealth(database, now() - 24 * hourMs),

    /** Accounts that have ever answered. */
    tested: (accountIds: readonly number[]) => readTested(database, accountIds),

    /** Rows of the ledger by their keys. */
    byKeys: (keys: readonly bigint[], userId?: number) =>
      database.reader.log.findMany({ where: { id: { in: [...keys] }, userId } }),

    async attempts(logIds: readonly bigint[]) {
      return database.reader.attempt.findMany({ where: { logId: { in: [...logIds] } }, orderBy: { number: 'asc' } })
    },
  }
}

export type Statistics = ReturnType<typeof createStatistics>
export type StoredRequest = Awaited<ReturnType<Statistics['requests']>>[number]
export type StoredAttempt = Awaited<ReturnType<Statistics['attempts']>>[number]

/** Times and cursors as one range of the primary key; null when the range is empty. */
function idRange({ fromMs, toMs, requestId }: RequestFilter, before?: bigint) {
  const upper = [...(toMs === undefined ? [] : [firstKeyAt(toMs)]), ...(before === undefined ? [] : [before])]
  const range: { gte?: bigint; lt?: bigint; equals?: bigint } = {}
  if (fromMs !== undefined) range.gte = firstKeyAt(fromMs)
  if (upper.length > 0) range.lt = upper.reduce((a, b) => (a < b ? a : b))
  if (requestId !== undefined) {
    const key = ledgerKey(requestId)
    if (key === null) return null
    range.equals = BigInt(key)
  }
  return range
}

const marks = (values: readonly unknown[]): string => values.map(() => '?').join(', ')
