import type { LiveRequest, SettledRequest } from '../../live/live-events.ts'
import { ledgerKey, requestIdOf } from '../../request-ids.ts'
import type { StoredRequest } from '../../statistics/statistics.ts'
import type { Context } from '../server/context.ts'
import { visibleUse } from '../visible.ts'

/** Token counts as the ledger has them. */
export interface TokenCounts {
  inputTokens: number | bigint
  outputTokens: number | bigint
  cacheWrite5mTokens: number | bigint | null
  cacheWrite1hTokens: number | bigint | null
  cacheReadTokens: number | bigint | null
  thinkingTokens?: number | bigint
}

/** A request wherever it comes from: running, just settled, or out of the ledger. */
export interface RequestView {
  requestId: string
  startedAtMs: number
  apiKeyId: number
  /** Owner of the key; 0: none. */
  userId: number
  groupId: number
  /** Null before an account is chosen, or when none was reached. */
  accountId: number | null
  model: string
  stream: boolean
  attemptCount: number
  queuePosition: number | null
  firstByteMs: number | null
  tokens: TokenCounts
  /** Null while it runs. */
  settled: {
    outcome: string
    httpStatus: number
    errorType: string
    durationMs: number
    costNano: bigint
    billedNano: bigint
  } | null
  /** Its row; null while there is none. */
  row: () => Promise<StoredRequest | null>
}

export function viewOfRunning(request: LiveRequest): RequestView {
  const { inputTokens, outputTokens } = request
  const unknown = { cacheWrite5mTokens: null, cacheWrite1hTokens: null, cacheReadTokens: null }
  return {
    ...request,
    attemptCount: request.attempt,
    tokens: { inputTokens, outputTokens, ...unknown },
    settled: null,
    row: async () => null,
  }
}

/** What an event has no field for is read from the ledger, once, if it is asked for. */
export function viewOfSettled(request: SettledRequest, context: Context): RequestView {
  let row: Promise<StoredRequest | null> | undefined
  return {
    ...request,
    queuePosition: null,
    tokens: request,
    settled: { ...request, costNano: BigInt(request.costNano), billedNano: BigInt(request.billedNano) },
    row() {
      row ??= storedRequest(request.requestId, context)
      return row
    },
  }
}

export function viewOfRow(row: StoredRequest): RequestView {
  return {
    requestId: requestIdOf(row.id),
    startedAtMs: Number(row.startedAtMs),
    apiKeyId: row.apiKeyId,
    userId: row.userId,
    groupId: row.groupId,
    accountId: row.accountId || null,
    model: row.modelRequested,
    stream: row.stream,
    attemptCount: row.attempts,
    queuePosition: null,
    // The ledger has −1 for a time that never came.
    firstByteMs: row.firstByteMs < 0 ? null : row.firstByteMs,
    tokens: row,
    settled: row,
    row: async () => row,
  }
}

/** A request that the viewer may see, running or settled. */
export async function findRequest(requestId: string, context: Context): Promise<RequestView | null> {
  const { parts, viewer } = context
  if (viewer === null || ledgerKey(requestId) === null) return null
  const found = parts.live.find({ userId: viewer.role === 'admin' ? null : viewer.userId }, requestId)
  if (found && 'running' in found) return viewOfRunning(found.running)
  const row = await storedRequest(requestId, context)
  if (row) return viewOfRow(row)
  return found && viewOfSettled(found.settled, context)
}

/** The row of a request that the viewer may see; null when the ledger has none. */
export async function storedRequest(requestId: string, { parts, viewer }: Context): Promise<StoredRequest | null> {
  const { userId } = visibleUse(viewer)
  const [row] = await parts.statistics.requests({ requestId, ...(userId !== undefined && { userIds: [userId] }) }, 1)
  return row ?? null
}
