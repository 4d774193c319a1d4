import { firstKeyAt, ledgerKey } from '../request-ids.ts'
import type { Database } from '../store/database.ts'
import type { ZoneDay } from '../zone-days.ts'
import { readHealth, readTested } from './account-health.ts'
import { summed, type TotalsRow, totalsOf } from './sums.ts'
import { createUsage } from './usage.ts'

export type { Range } from './range-plan.ts'
export type { TotalsRow } from './sums.ts'

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

/** Reads the ledger and its rollups for people. No relay request waits for it. */
export function createStatistics(parts: {
  database: Database
  dayAt: (atMs: number) => ZoneDay
  now: () => number
  /** From when on the ledger has its rows; absent: from the beginning. */
  rowsSinceMs?: (() => number) | undefined
}) {
  const { database, dayAt, now } = parts

  return {
    /** Sums over ranges of time. */
    usage: createUsage({ database, dayAt, now, rowsSinceMs: parts.rowsSinceMs ?? (() => 0) }),

    /** The sums of keys or accounts since the begin of a day; null: of all time. */
    async since(of: 'key' | 'account', ids: readonly number[], day: string | null): Promise<Map<number, TotalsRow>> {
      const rows = await database.select(
        `SELECT \`subject_id\`, ${summed(true)} FROM \`daily_lines\` WHERE \`subject\` = ? ` +
          `AND \`subject_id\` IN (${marks(ids)})${day === null ? '' : ' AND `day` >= ?'} GROUP BY \`subject_id\``,
        [of, ...ids.map(String), ...(day === null ? [] : [day])],
      )
      return new Map(rows.map(([id, ...values]) => [Number(id), totalsOf(values)]))
    },

    /** Begin of the newest request of keys or accounts. */
    async lastUsed(of: 'key' | 'account', ids: readonly number[]): Promise<Map<number, number>> {
      const column = of === 'key' ? 'api_key_id' : 'account_id'
      // One index lookup for each, instead of reading all rows.
      const one = `SELECT ?, (SELECT \`started_at_ms\` FROM \`logs\` WHERE \`${column}\` = ? ORDER BY \`id\` DESC LIMIT 1)`
      const rows = await database.select(
        ids.map(() => one).join(' UNION ALL '),
        ids.flatMap((id) => [id, id]),
      )
      return new Map(
        rows.flatMap(([id, atMs]) => (atMs === null || atMs === undefined ? [] : [[Number(id), Number(atMs)]])),
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
