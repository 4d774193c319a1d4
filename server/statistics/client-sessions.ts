import type { Database, Scalar } from '../store/database.ts'
import { bigOf } from './sums.ts'

/** The sums of a client's session, or of a part of it. */
export interface SessionSums {
  startedAtMs: number
  /** End of the request that ended last. */
  endedAtMs: number
  requests: number
  failures: number
  cancelled: number
  failovers: number
  inputTokens: number
  outputTokens: number
  cacheWrite5mTokens: number
  cacheWrite1hTokens: number
  cacheReadTokens: number
  costNano: bigint
  billedNano: bigint
  absorbedNano: bigint
  cacheSavedNano: bigint
}

/** What a session is known by. A key that changes its owner begins another one. */
export interface SessionName {
  apiKeyId: number
  userId: number
  sessionId: string
}

export interface ClientSession extends SessionName, SessionSums {}

/** What one agent of a session used of one model. */
export interface SessionPart extends SessionSums {
  /** '' for the main thread. */
  agentId: string
  model: string
}

/** Of each list one must fit. Sessions that ended within the range. */
export interface SessionFilter {
  apiKeyIds?: readonly number[] | undefined
  userIds?: readonly number[] | undefined
  sessionId?: string | undefined
  fromMs?: number | undefined
  toMs?: number | undefined
}

const numbers = ['startedAtMs', 'endedAtMs', 'requests', 'failures', 'cancelled', 'failovers'] as const
const tokens = ['inputTokens', 'outputTokens', 'cacheWrite5mTokens', 'cacheWrite1hTokens', 'cacheReadTokens'] as const
const amounts = ['costNano', 'billedNano', 'absorbedNano', 'cacheSavedNano'] as const
const columnOf = (name: string): string =>
  `\`${name.replace(/[A-Z]|(?<=[a-z])\d/g, (letter) => `_${letter.toLowerCase()}`)}\``
const columns = [...numbers, ...tokens, ...amounts].map(columnOf).join(', ')

function sumsOf(values: readonly Scalar[]): SessionSums {
  const counts = [...numbers, ...tokens].map((name, index) => [name, Number(values[index])])
  const nano = amounts.map((name, index) => [name, bigOf(values[counts.length + index])])
  return Object.fromEntries([...counts, ...nano]) as unknown as SessionSums
}

/** What a list can go by; the highest first. */
export const sessionOrders = {
  ended: '`ended_at_ms`',
  started: '`started_at_ms`',
  cost: '`cost_nano`',
  requests: '`requests`',
} as const
export type SessionOrder = keyof typeof sessionOrders
const orderValues: Record<SessionOrder, (session: ClientSession) => number | bigint> = {
  ended: ({ endedAtMs }) => endedAtMs,
  started: ({ startedAtMs }) => startedAtMs,
  cost: ({ costNano }) => costNano,
  requests: ({ requests }) => requests,
}

/** Where a session stands in a list: its cursor. */
export const sessionCursor = (session: ClientSession, orderBy: SessionOrder): string =>
  JSON.stringify([String(orderValues[orderBy](session)), session.apiKeyId, session.userId, session.sessionId])

const names = '`api_key_id`, `user_id`, `session_id`'

/** Up to `limit` sessions behind a cursor. Null: it is no cursor. */
export async function readSessions(
  database: Pick<Database, 'select'>,
  filter: SessionFilter,
  orderBy: SessionOrder,
  limit: number,
  after?: string,
): Promise<ClientSession[] | null> {
  const from = after === undefined ? undefined : placeOf(after)
  if (from === null) return null
  const parts = ['1 = 1']
  const args: Scalar[] = []
  const among = (column: string, values: readonly Scalar[] | undefined): void => {
    if (values === undefined) return
    parts.push(values.length === 0 ? '1 = 0' : `${column} IN (${values.map(() => '?').join(', ')})`)
    args.push(...values)
  }
  among('`api_key_id`', filter.apiKeyIds)
  among('`user_id`', filter.userIds)
  if (filter.sessionId !== undefined) among('`session_id`', [filter.sessionId])
  if (filter.fromMs !== undefined) {
    parts.push('`ended_at_ms` >= ?')
    args.push(filter.fromMs)
  }
  if (filter.toMs !== undefined) {
    parts.push('`ended_at_ms` < ?')
    args.push(filter.toMs)
  }
  const order = sessionOrders[orderBy]
  if (from !== undefined) {
    parts.push(`(${order}, ${names}) < (?, ?, ?, ?)`)
    args.push(...from)
  }
  const rows = await database.select(
    `SELECT ${names}, ${columns} FROM \`client_sessions\` WHERE ${parts.join(' AND ')} ` +
      `ORDER BY ${order} DESC, \`api_key_id\` DESC, \`user_id\` DESC, \`session_id\` DESC LIMIT ${Math.trunc(limit)}`,
    args,
  )
  return rows.map(sessionOf)
}

/** One session; null when there is none. */
export async function readSession(
  database: Pick<Database, 'select'>,
  { apiKeyId, userId, sessionId }: SessionName,
): Promise<ClientSession | null> {
  const [row] = await database.select(
    `SELECT ${names}, ${columns} FROM \`client_sessions\` WHERE \`api_key_id\` = ? AND \`user_id\` = ? AND \`session_id\` = ?`,
    [apiKeyId, userId, sessionId],
  )
  return row === undefined ? null : sessionOf(row)
}

/** The parts of sessions, by agent and model; the earliest first. */
export async function readSessionParts(
  database: Pick<Database, 'select'>,
  { apiKeyId, userId, sessionId }: SessionName,
): Promise<SessionPart[]> {
  const rows = await database.select(
    `SELECT \`agent_id\`, \`model\`, ${columns} FROM \`client_session_parts\` ` +
      'WHERE `api_key_id` = ? AND `user_id` = ? AND `session_id` = ? ORDER BY `started_at_ms`, `agent_id`, `model`',
    [apiKeyId, userId, sessionId],
  )
  return rows.map(([agentId, model, ...values]) => ({
    agentId: String(agentId),
    model: String(model),
    ...sumsOf(values),
  }))
}

function sessionOf([apiKeyId, userId, sessionId, ...values]: readonly Scalar[]): ClientSession {
  return { apiKeyId: Number(apiKeyId), userId: Number(userId), sessionId: String(sessionId), ...sumsOf(values) }
}

function placeOf(cursor: string): Scalar[] | null {
  try {
    const [value, apiKeyId, userId, sessionId, ...more]: unknown[] = JSON.parse(cursor)
    const isPlace =
      typeof value === 'string' &&
      /^\d{1,18}$/.test(value) &&
      Number.isSafeInteger(apiKeyId) &&
      Number.isSafeInteger(userId) &&
      typeof sessionId === 'string' &&
      more.length === 0
    return isPlace ? [BigInt(value), Number(apiKeyId), Number(userId), sessionId] : null
  } catch {
    return null
  }
}

/** Sums of parts in one. */
export function sumOfParts(parts: readonly SessionSums[]): SessionSums {
  const [first, ...rest] = parts
  if (first === undefined) return sumsOf([])
  const sum = { ...first }
  for (const part of rest) {
    for (const name of [...numbers.slice(2), ...tokens]) sum[name] += part[name]
    for (const name of amounts) sum[name] += part[name]
    sum.startedAtMs = Math.min(sum.startedAtMs, part.startedAtMs)
    sum.endedAtMs = Math.max(sum.endedAtMs, part.endedAtMs)
  }
  return sum
}
