// What live subscribers see of a request, while it runs and at its end.
import type { Account } from '../../accounts/account.ts'
import { billedOf, chargedAttempt, type LedgerEntry } from '../../ledger/entry.ts'
import type { LiveRequest, SettledRequest } from '../../live/live-events.ts'
import type { RelayRequest } from '../request/relay-request.ts'

/** The relay changes this very object as the request goes on. */
export function liveRequestOf(request: RelayRequest, first: Account | undefined): LiveRequest {
  const { id, key } = request
  return {
    requestId: id.text,
    startedAtMs: id.atMs,
    apiKeyId: key.id,
    apiKeyName: key.name,
    userId: key.userId,
    groupId: key.groupId,
    accountId: first?.id ?? null,
    accountName: first?.name ?? null,
    model: request.model,
    stream: request.stream,
    attempt: 0,
    queuePosition: null,
    firstByteMs: null,
    inputTokens: 0,
    outputTokens: 0,
  }
}

/** Its end, as the ledger was given it. */
export function settledRequestOf(
  entry: LedgerEntry,
  live: LiveRequest,
  record: SettledRequest['record'],
): SettledRequest {
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
    cacheWrite5mTokens: tokens?.cacheWrite5m ?? 0,
    cacheWrite1hTokens: tokens?.cacheWrite1h ?? 0,
    thinkingTokens: tokens?.thinking ?? 0,
    costNano: charged?.cost.totalNano ?? 0,
    billedNano: billedOf(entry),
    record,
  }
}
