import { expect, test } from 'vitest'
import type { AccountStep } from '../../client/graphql/account-operations.ts'
import type { ApiKey } from '../../client/graphql/key-operations.ts'
import { foldSteps } from '../../client/pages/accounts/account-events.ts'
import { countPlaces, foldPlaces } from '../../client/pages/accounts/in-flight.ts'
import { foldSpending } from '../../client/pages/keys/key-spending.ts'
import { hiddenCounts } from '../../client/values/route-decision.ts'

const key: ApiKey = {
  id: 'K1',
  name: 'k',
  secretHint: '',
  models: ['*'],
  dailyLimit: null,
  totalLimit: null,
  spentToday: '5',
  spentTotal: '9007199254740993',
  dayResetsAt: '2030-01-01T00:00:00.000Z',
  expiresAt: null,
  enabled: true,
  previousSecretUntil: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  lastUsedAt: null,
  group: { id: 'G1', name: 'g' },
  owner: null,
}
const settledAt = (apiKeyId: string, cost: string, startedAt: string) => ({
  sequence: '1',
  gap: null,
  settled: { apiKeyId, cost, startedAt, durationMs: 1 },
})

test('what is settled is added to its key alone, to the last nano-dollar, and moves its last use forwards only', () => {
  const events = [
    settledAt('K1', '7', '2026-11-23T10:00:02.000Z'),
    settledAt('K1', '3', '2026-11-23T10:00:01.000Z'),
    settledAt('K9', '1', '2026-11-23T10:00:03.000Z'),
  ]
  const [folded, other] = foldSpending([key, { ...key, id: 'K2' }], events) ?? []
  expect(folded).toMatchObject({
    spentToday: '15',
    spentTotal: '9007199254741003',
    lastUsedAt: '2026-11-23T10:00:02.000Z',
  })
  expect(other).toEqual({ ...key, id: 'K2' })
  expect(foldSpending([key], [settledAt('K9', '1', '2026-11-23T10:00:03.000Z')])).toBeNull()
})

const step = (at: string, to: AccountStep['to'], model: string | null = null): AccountStep => ({
  at,
  from: 'READY',
  to,
  model,
  until: null,
  nextProbeAt: null,
  reason: '',
  cause: 'REQUEST',
  requestId: null,
  httpStatus: null,
  errorType: null,
  errorCode: null,
  errorMessage: null,
  failure: null,
})

test('steps that were read and told stand once each, the newest first', () => {
  const old = step('2026-11-23T10:00:01.000Z', 'LIMITED')
  const model = step('2026-11-23T10:00:01.000Z', 'LIMITED', 'claude-*')
  const fresh = step('2026-11-23T10:00:05.000Z', 'COOLING')
  expect(foldSteps([old, model], [fresh, old])).toEqual([fresh, old, model])
})

test('requests are counted with the account they are with, and late progress brings none back', () => {
  const at = (accountId: string | null) => ({ requestId: 'r1', accountId })
  const event = (more: object) => ({ sequence: '1', gap: null, started: null, progress: null, settled: null, ...more })
  const ended = new Set<string>()
  const started = foldPlaces(new Map([['r0', 'A1']]), [event({ started: at(null) })], ended)
  expect(countPlaces(started)).toEqual(new Map([['A1', 1]]))
  const moved = foldPlaces(started, [event({ progress: at('A1') })], ended)
  expect(countPlaces(moved)).toEqual(new Map([['A1', 2]]))
  const over = foldPlaces(moved, [event({ settled: { requestId: 'r1' } }), event({ progress: at('A1') })], ended)
  expect(countPlaces(over)).toEqual(new Map([['A1', 1]]))
})

test('what a person cannot see of a choice is told by its number', () => {
  const account = { id: 'A1', name: 'a' }
  const decision = {
    at: '',
    model: 'm',
    candidates: [{ reason: 'CHOSEN' as const, until: null, account }],
    counts: [
      { reason: 'CHOSEN' as const, count: 1 },
      { reason: 'RESTING' as const, count: 2 },
    ],
  }
  expect(hiddenCounts(decision)).toEqual([{ reason: 'RESTING', count: 2 }])
})
