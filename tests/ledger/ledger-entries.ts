import type { Admitted, AttemptEntry, LedgerEntry } from '../../server/ledger/entry.ts'
import { noCost } from '../../server/money/cost.ts'
import { noReading, noTokens, type Tokens } from '../../server/money/reading.ts'

/** Ledger entries for tests: all is as plain as it can be but for what is given. */
export const someTime = Date.UTC(2026, 10, 23, 12)

export function admittedWith(number: number, more: Partial<Admitted> = {}): Admitted {
  return {
    id: String(9_000_000_000_000_000_000n + BigInt(number)),
    startedAtMs: someTime + number,
    apiKeyId: 1,
    userId: 2,
    groupId: 3,
    accountId: 4,
    platform: 'console',
    modelRequested: 'claude-opus-5-5',
    modelSent: 'claude-opus-5-5',
    stream: true,
    sessionId: '',
    agentId: '',
    clientIp: '127.0.0.1',
    userAgent: 'test',
    requestBytes: 100 + number,
    groupChargeBp: 10_000,
    userChargeBp: 10_000,
    tag: '',
    ...more,
  }
}

export function attemptWith(
  more: Partial<AttemptEntry> & { costNano?: number; tokens?: Partial<Tokens>; model?: string } = {},
): AttemptEntry {
  const { costNano = 0, tokens = {}, model = '', ...rest } = more
  return {
    accountId: 4,
    modelSent: 'claude-opus-5-5',
    startedAtMs: someTime,
    outcome: 'answer',
    httpStatus: 200,
    errorType: '',
    errorCode: '',
    upstreamRequestId: 'req_up',
    firstByteMs: 10,
    durationMs: 20,
    charged: true,
    reading: { ...noReading, model, source: 'final', tokens: { ...noTokens, ...tokens } },
    cost: { ...noCost, totalNano: costNano, outputNano: costNano },
    ...rest,
  }
}

/** A request that cost `number` nano-dollars. */
export function entryWith(number: number, more: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    ...admittedWith(number, more),
    outcome: 'completed',
    httpStatus: 200,
    errorType: '',
    firstByteMs: 15,
    durationMs: 30,
    attempts: [attemptWith({ costNano: number, tokens: { output: number } })],
    ...more,
  }
}
