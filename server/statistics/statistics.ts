import { firstKeyAt, ledgerKey } from '../request-ids.ts'
import type { Database, Scalar } from '../store/database.ts'
import type { ZoneDay } from '../zone-days.ts'

/** Sums over requests. A request counts for its last account; the cost of its failed attempts is `absorbedNano`. */
export interface TotalsRow {
  requests: number
  failures: number
  inputTokens: number
  outputTokens: number
  cacheWriteTokens: number
  cacheReadTokens: number
  costNano: bigint
  absorbedNano: bigint
}

/** Which requests to count; an absent field means all. `userId` also limits people to their own requests. */
export interface TotalsFilter {
  apiKeyId?: number
  accountId?: number
  userId?: number
  groupId?: number
  model?: string
}

export interface Range {
  fromMs: number
  /** Not included. */
  toMs: number
}

export type Dimension = 'key' | 'account' | 'model' | 'user' | 'group'

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
/** Shorter ranges are read by hours, longer ones by whole days. */
const byHourBelowMs = 3 * 24 * hourMs
const columns: Record<Dimension, string> = {
  key: 'api_key_id',
  account: 'account_id',
  model: 'model',
  user: 'user_id',
  group: 'group_id',
}
const sums = [
  'requests',
  'failures',
  'input_tokens',
  'output_tokens',
  'cache_write_tokens',
  'cache_read_tokens',
  'cost_nano',
  'absorbed_nano',
]
const summed = sums.map((name) => `SUM(\`${name}\`)`).join(', ')

export const noTotals: TotalsRow = Object.freeze(totalsOf([]))

/** Reads the ledger and its rollups for people. No relay request waits for it. */
export function createStatistics(parts: { database: Database; dayAt: (atMs: number) => ZoneDay; now: () => number }) {
  const { database, dayAt, now } = parts

  /** The rollup table for the range, and the range in its unit: whole hours (UTC) or whole days of the zone. */
  function span({ fromMs, toMs }: Range, interval?: 'hour' | 'day') {
    const firstDay = dayAt(fromMs)
    const lastDay = dayAt(Math.max(fromMs, toMs - 1))
    const wholeDays = firstDay.startMs === fromMs && (lastDay.endMs === toMs || toMs >= now())
    const daily = interval === 'day' || (interval === undefined && (wholeDays || toMs - fromMs >= byHourBelowMs))
    return daily
      ? { table: 'daily_rollups', column: 'day', first: firstDay.day, last: lastDay.day }
      : {
          table: 'hourly_rollups',
          column: 'hour_ms',
          first: fromMs - (fromMs % hourMs),
          last: Math.max(fromMs, toMs - 1) - (Math.max(fromMs, toMs - 1) % hourMs),
        }
  }

  /** Groups the rollups of a range by `by`. */
  async function read(
    range: Range,
    filter: TotalsFilter,
    by: readonly string[],
    more: { interval?: 'hour' | 'day'; order?: string; limit?: number } = {},
  ): Promise<{ key: Scalar[]; totals: TotalsRow }[]> {
    const { table, column, first, last } = span(range, more.interval)
    const { sql, args } = conditions(filter)
    const group = by.map((name) => `\`${name === 'time' ? column : name}\``).join(', ')
    const rows = await database.select(
      `SELECT ${group && `${group}, `}${summed} FROM \`${table}\` WHERE \`${column}\` >= ? AND \`${column}\` <= ?${sql}` +
        `${group && ` GROUP BY ${group}`}${more.order ? ` ORDER BY ${more.order}` : ''}` +
        `${more.limit === undefined ? '' : ` LIMIT ${Math.trunc(more.limit)}`}`,
      [first, last, ...args],
    )
    return rows.map((row) => ({ key: row.slice(0, by.length), totals: totalsOf(row.slice(by.length)) }))
  }

  /** The starts of the intervals in the range, epoch milliseconds. */
  function intervals(range: Range, interval: 'hour' | 'day'): { key: string; atMs: number }[] {
    const found: { key: string; atMs: number }[] = []
    if (interval === 'hour') {
      for (let atMs = range.fromMs - (range.fromMs % hourMs); atMs < range.toMs; atMs += hourMs)
        found.push({ key: String(atMs), atMs })
      return found
    }
    for (let day = dayAt(range.fromMs); day.startMs < range.toMs; day = dayAt(day.endMs))
      found.push({ key: day.day, atMs: day.startMs })
    return found
  }

  return {
    async totals(range: Range, filter: TotalsFilter): Promise<TotalsRow> {
      return (await read(range, filter, []))[0]?.totals ?? noTotals
    },

    /**
     * One point per hour or day, in order. Without `by`, intervals without requests are included. With `by`, each point has
     * the id or model in `key`, and there are only points with requests. Returns at most one more than `maxPoints`.
     */
    async series(range: Range, interval: 'hour' | 'day', filter: TotalsFilter, by?: Dimension) {
      const rows = await read(range, filter, ['time', ...(by ? [columns[by]] : [])], {
        interval,
        limit: maxPoints + 1,
      })
      const points = intervals(range, interval)
      if (by) {
        const atOf = new Map(points.map(({ key, atMs }) => [key, atMs]))
        return rows
          .map(({ key: [time, key], totals }) => ({ atMs: atOf.get(String(time)) ?? 0, key: String(key), totals }))
          .sort((a, b) => a.atMs - b.atMs)
      }
      const byTime = new Map(rows.map(({ key: [time], totals }) => [String(time), totals]))
      return points.map(({ key, atMs }) => ({ atMs, key: null, totals: byTime.get(key) ?? noTotals }))
    },

    /** The most expensive first. */
    async ranking(range: Range, by: Dimension, filter: TotalsFilter, limit: number) {
      const order = `SUM(\`cost_nano\`) DESC, SUM(\`requests\`) DESC, \`${columns[by]}\``
      const rows = await read(range, filter, [columns[by]], { order, limit })
      return rows.map(({ key, totals }) => ({ key: String(key[0]), totals }))
    },

    /** Today's sums by account. */
    async todayByAccount(accountIds: readonly number[]): Promise<Map<number, TotalsRow>> {
      const rows = await database.select(
        `SELECT \`account_id\`, ${summed} FROM \`daily_rollups\` WHERE \`day\` = ? AND \`account_id\` IN (${marks(accountIds)}) GROUP BY \`account_id\``,
        [dayAt(now()).day, ...accountIds],
      )
      return new Map(rows.map(([id, ...values]) => [Number(id), totalsOf(values)]))
    },

    /** Nano-USD that keys spent today and in total, and when each was last used. Read from the ledger, so that no request has to write it. */
    async keyUse(apiKeyIds: readonly number[]) {
      const [spent, used] = await Promise.all([
        database.select(
          'SELECT `api_key_id`, SUM(CASE WHEN `day` = ? THEN `cost_nano` ELSE 0 END), SUM(`cost_nano`) ' +
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

function conditions(filter: TotalsFilter): { sql: string; args: Scalar[] } {
  const given = [
    { column: 'api_key_id', value: filter.apiKeyId },
    { column: 'account_id', value: filter.accountId },
    { column: 'user_id', value: filter.userId },
    { column: 'group_id', value: filter.groupId },
    { column: 'model', value: filter.model },
  ].flatMap(({ column, value }) => (value === undefined ? [] : [{ column, value }]))
  return { sql: given.map(({ column }) => ` AND \`${column}\` = ?`).join(''), args: given.map(({ value }) => value) }
}

function totalsOf(values: readonly Scalar[]): TotalsRow {
  const number = (index: number) => Number(values[index] ?? 0)
  return {
    requests: number(0),
    failures: number(1),
    inputTokens: number(2),
    outputTokens: number(3),
    cacheWriteTokens: number(4),
    cacheReadTokens: number(5),
    costNano: bigOf(values[6]),
    absorbedNano: bigOf(values[7]),
  }
}

function bigOf(value: Scalar | undefined): bigint {
  return BigInt(value === null || value === undefined ? 0 : String(value))
}

const marks = (values: readonly unknown[]): string => values.map(() => '?').join(', ')
