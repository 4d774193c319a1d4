import type { Account } from '../accounts/account.ts'
import type { LedgerEntry } from '../ledger/entry.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { LiveSource } from '../live/hub.ts'
import type { Reading } from '../money/reading.ts'
import type { Prices } from '../prices/open-prices.ts'
import type { RequestId } from '../request-ids.ts'

/** What marks the rows of probes in the ledger, among their flags. */
const probeFlag = 'recovery_probe'

/**
 * Books what a probe cost: a row of its own in the ledger, on the account alone: on no key, no group and nobody. Returns the
 * cost in nano-USD.
 */
export async function recordProbe(
  parts: { prices: Prices; ledger: Ledger; live: LiveSource; newId: () => RequestId },
  account: Account,
  probe: { model: string; startedMs: number; durationMs: number; reading: Reading },
): Promise<number> {
  const { prices, ledger } = parts
  const { startedMs, durationMs } = probe
  const modelSent = account.mapping.map(probe.model)
  const reading = { ...probe.reading, flags: [...probe.reading.flags, probeFlag] }
  const cost = prices.price(reading.model === '' ? { ...reading, model: modelSent } : reading, startedMs, account.id)
  const id = parts.newId()
  const admitted = {
    id: id.key,
    startedAtMs: startedMs,
    apiKeyId: 0,
    userId: 0,
    groupId: 0,
    accountId: account.id,
    platform: account.platform,
    modelRequested: probe.model,
    modelSent,
    stream: false,
    sessionId: '',
    agentId: '',
    clientIp: '',
    userAgent: '',
    requestBytes: 0,
    groupChargeBp: 10_000,
    userChargeBp: 10_000,
    tag: '',
  }
  const entry: LedgerEntry = {
    ...admitted,
    outcome: 'completed',
    httpStatus: 200,
    errorType: '',
    firstByteMs: -1,
    durationMs,
    attempts: [
      {
        accountId: account.id,
        modelSent,
        startedAtMs: startedMs,
        outcome: 'answer',
        httpStatus: 200,
        errorType: '',
        errorCode: '',
        upstreamRequestId: '',
        firstByteMs: -1,
        durationMs,
        charged: true,
        reading,
        cost,
      },
    ],
  }
  const admission = ledger.admit(admitted)
  const failure = await admission.written
  if (failure !== undefined) throw failure
  const { record } = ledger.settle(admission, entry)
  const { tokens } = reading
  parts.live.settled({
    requestId: id.text,
    startedAtMs: startedMs,
    apiKeyId: 0,
    apiKeyName: '',
    userId: 0,
    groupId: 0,
    accountId: account.id,
    accountName: account.name,
    model: probe.model,
    stream: false,
    outcome: 'completed',
    httpStatus: 200,
    errorType: '',
    attemptCount: 1,
    firstByteMs: null,
    durationMs,
    inputTokens: tokens.input,
    outputTokens: tokens.output,
    cacheReadTokens: tokens.cacheRead,
    cacheWrite5mTokens: tokens.cacheWrite5m,
    cacheWrite1hTokens: tokens.cacheWrite1h,
    thinkingTokens: tokens.thinking,
    costNano: cost.totalNano,
    billedNano: cost.totalNano,
    record,
  })
  return cost.totalNano
}
