import type { Database, Scalar } from '../store/database.ts'

/** Requests of one caller that were refused for one reason within one hour. */
export interface StoredRejection {
  hourMs: number
  /** 0: no key of ours. */
  apiKeyId: number
  secretHash: string
  userId: number
  groupId: number
  reason: string
  requests: number
  lastAtMs: number
  message: string
}

/** Which rejections; of each list one must fit. Times widen to whole hours. */
export interface RejectionFilter {
  apiKeyIds?: readonly number[]
  userIds?: readonly number[]
  groupIds?: readonly number[]
  reasons?: readonly string[]
  secretHash?: string
  fromMs?: number
  toMs?: number
}

/** All rejections for one reason. */
export interface RejectionSum {
  reason: string
  requests: number
  lastAtMs: number
  /** What the last one was told. */
  message: string
}

const hourMs = 3_600_000
const place = ['hour_ms', 'api_key_id', 'secret_hash', 'user_id', 'group_id', 'reason'] as const
const columns = [...place, 'requests', 'last_at_ms', 'message'].map((name) => `\`${name}\``).join(', ')

/** Where a row stands in the list: its cursor. */
export const rejectionCursor = (row: StoredRejection): string =>
  JSON.stringify([row.hourMs, row.apiKeyId, row.secretHash, row.userId, row.groupId, row.reason])

/** The rows before a cursor, the newest hour first. Null: it is no cursor. */
export async function readRejections(
  database: Pick<Database, 'select'>,
  filter: RejectionFilter,
  limit: number,
  after?: string,
): Promise<StoredRejection[] | null> {
  const { sql, args } = conditions(filter)
  const from = after === undefined ? [] : placeOf(after)
  if (from === null) return null
  const behind =
    from.length === 0
      ? ''
      : ` AND (${place.map((name) => `\`${name}\``).join(', ')}) < (${place.map(() => '?').join(', ')})`
  const order = place.map((name) => `\`${name}\` DESC`).join(', ')
  const rows = await database.select(
    `SELECT ${columns} FROM \`rejections\` WHERE ${sql}${behind} ORDER BY ${order} LIMIT ${Math.trunc(limit)}`,
    [...args, ...from],
  )
  return rows.map(([hour, apiKeyId, secretHash, userId, groupId, reason, requests, lastAtMs, message]) => ({
    hourMs: Number(hour),
    apiKeyId: Number(apiKeyId),
    secretHash: String(secretHash),
    userId: Number(userId),
    groupId: Number(groupId),
    reason: String(reason),
    requests: Number(requests),
    lastAtMs: Number(lastAtMs),
    message: String(message),
  }))
}

/** By reason, the most frequent first. */
export async function sumRejections(
  database: Pick<Database, 'select'>,
  filter: RejectionFilter,
): Promise<RejectionSum[]> {
  const { sql, args } = conditions(filter)
  const newest =
    `SELECT \`r\`.\`message\` FROM \`rejections\` AS \`r\` WHERE \`r\`.\`reason\` = \`rejections\`.\`reason\` AND ${sql} ` +
    'ORDER BY `r`.`last_at_ms` DESC LIMIT 1'
  const rows = await database.select(
    `SELECT \`reason\`, SUM(\`requests\`) AS \`times\`, MAX(\`last_at_ms\`), (${newest}) FROM \`rejections\` ` +
      `WHERE ${sql} GROUP BY \`reason\` ORDER BY \`times\` DESC, \`reason\``,
    [...args, ...args],
  )
  return rows.map(([reason, requests, lastAtMs, message]) => ({
    reason: String(reason),
    requests: Number(requests),
    lastAtMs: Number(lastAtMs),
    message: String(message ?? ''),
  }))
}

function conditions(filter: RejectionFilter): { sql: string; args: Scalar[] } {
  const parts: string[] = ['1 = 1']
  const args: Scalar[] = []
  const add = (sql: string, ...values: readonly Scalar[]): void => {
    parts.push(sql)
    args.push(...values)
  }
  const among = (column: string, values: readonly Scalar[] | undefined): void => {
    if (values === undefined) return
    if (values.length === 0) add('1 = 0')
    else add(`\`${column}\` IN (${values.map(() => '?').join(', ')})`, ...values)
  }
  among('api_key_id', filter.apiKeyIds)
  among('user_id', filter.userIds)
  among('group_id', filter.groupIds)
  among('reason', filter.reasons)
  if (filter.secretHash !== undefined) add('`secret_hash` = ?', filter.secretHash)
  if (filter.fromMs !== undefined) add('`hour_ms` >= ?', filter.fromMs - (filter.fromMs % hourMs))
  if (filter.toMs !== undefined) add('`hour_ms` < ?', filter.toMs)
  return { sql: parts.join(' AND '), args }
}

function placeOf(cursor: string): Scalar[] | null {
  try {
    const values: unknown = JSON.parse(cursor)
    const isPlace =
      Array.isArray(values) &&
      values.length === place.length &&
      values.every((value) => typeof value === 'string' || Number.isSafeInteger(value))
    return isPlace ? (values as Scalar[]) : null
  } catch {
    return null
  }
}
