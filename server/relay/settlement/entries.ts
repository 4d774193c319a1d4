import type { Account } from '../../accounts/account.ts'
import type { Admitted, LedgerEntry } from '../../ledger/entry.ts'
import type { Ended } from '../attempt/failover.ts'
import type { Exchange } from '../request/exchange.ts'

/** A request as the ledger gets it: at its admission, and at its end. */
export function admittedOf(exchange: Exchange, first: Account | undefined, clientIp: string): Admitted {
  const { req, key } = exchange
  return {
    id: exchange.ledgerId,
    startedAtMs: exchange.id.atMs,
    apiKeyId: key.id,
    userId: key.userId,
    groupId: key.groupId,
    accountId: first?.id ?? 0,
    platform: first?.platform ?? '',
    modelRequested: exchange.model,
    modelSent: first?.mapping.map(exchange.model) ?? '',
    stream: exchange.stream,
    sessionId: exchange.sessionId,
    agentId: exchange.agentId,
    clientIp,
    userAgent: (req.headers['user-agent'] ?? '').slice(0, 191),
    requestBytes: exchange.requestBytes,
  }
}

/** Written out: a spread of so many fields costs as much as the rest of the settlement. */
export function entryOf(exchange: Exchange, admitted: Admitted, ended: Ended, nowMs: number): LedgerEntry {
  return {
    id: admitted.id,
    startedAtMs: admitted.startedAtMs,
    apiKeyId: admitted.apiKeyId,
    userId: admitted.userId,
    groupId: admitted.groupId,
    accountId: admitted.accountId,
    platform: exchange.account?.platform ?? admitted.platform,
    modelRequested: admitted.modelRequested,
    modelSent: admitted.modelSent,
    stream: admitted.stream,
    sessionId: admitted.sessionId,
    agentId: admitted.agentId,
    clientIp: admitted.clientIp,
    userAgent: admitted.userAgent,
    requestBytes: admitted.requestBytes,
    outcome: ended.outcome,
    httpStatus: ended.httpStatus,
    errorType: ended.errorType,
    firstByteMs: exchange.firstByteAtMs === 0 ? -1 : Math.max(0, exchange.firstByteAtMs - admitted.startedAtMs),
    durationMs: Math.max(0, nowMs - admitted.startedAtMs),
    attempts: exchange.attempts,
  }
}
