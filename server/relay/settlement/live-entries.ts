import type { Account } from '../../accounts/account.ts'
import { chargedAttempt, type LedgerEntry } from '../../ledger/entry.ts'
import type { LiveRequest, SettledRequest } from '../../live/live-events.ts'
import type { Exchange } from '../request/exchange.ts'

/** What is told of a request while it runs: the relay changes this very object as it goes. */
export function liveRequestOf(exchange: Exchange, first: Account | undefined): LiveRequest {
  const { id, key } = exchange
  return {
    requestId: id.text,
    startedAtMs: id.atMs,
    apiKeyId: key.id,
    apiKeyName: key.name,
    userId: key.userId,
    groupId: key.groupId,
    accountId: first?.id ?? null,
    accountName: first?.name ?? null,
    model: exchange.model,
    stream: exchange.stream,
    attempt: 0,
    queuePosition: null,
    firstByteMs: null,
    inputTokens: 0,
    outputTokens: 0,
  }
}

/** What is told of its end: what the ledger was given. */
export function settledOf(entry: LedgerEntry, live: LiveRequest, record: SettledRequest['record']): SettledRequest {
  const charged = chargedAttempt(entry)
  const tokens = charged?.reading.tokens
  return {
    requestId: live.requestId,
    startedAtMs: live.startedAtMs,
    apiKeyId: live.apiKeyId,
    apiKeyName: live.apiKeyName,
    userId: live.userId,
    groupId: live.groupId,
    accountId: live.accountId,
    accountName: live.accountName,
    model: live.model,
    stream: live.stream,
    outcome: entry.outcome,
    httpStatus: entry.httpStatus,
    errorType: entry.errorType,
    attemptCount: entry.attempts.length,
    firstByteMs: entry.firstByteMs < 0 ? null : entry.firstByteMs,
    durationMs: entry.durationMs,
    inputTokens: tokens?.input ?? 0,
    outputTokens: tokens?.output ?? 0,
    cacheReadTokens: tokens?.cacheRead ?? 0,
    cacheWriteTokens: tokens ? tokens.cacheWrite5m + tokens.cacheWrite1h : 0,
    costNano: charged?.cost.totalNano ?? 0,
    record,
  }
}
