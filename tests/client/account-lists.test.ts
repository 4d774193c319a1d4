import { expect, test } from 'vitest'
import type { AccountStep } from '../../client/graphql/account-operations.ts'
import { applyInFlight, countByAccount } from '../../client/pages/accounts/in-flight.ts'
import { mergeSteps } from '../../client/pages/accounts/steps.ts'
import { hiddenCounts } from '../../client/values/route-decision.ts'

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

test('steps that were read and that events brought stand once each, the newest first', () => {
  const old = step('2026-11-23T10:00:01.000Z', 'LIMITED')
  const model = step('2026-11-23T10:00:01.000Z', 'LIMITED', 'claude-*')
  const fresh = step('2026-11-23T10:00:05.000Z', 'COOLING')
  expect(mergeSteps([old, model], [fresh, old])).toEqual([fresh, old, model])
})

test('requests are counted with the account they are with, and late progress brings none back', () => {
  const at = (accountId: string | null) => ({ requestId: 'r1', accountId })
  const event = (more: object) => ({ sequence: '1', gap: null, started: null, progress: null, settled: null, ...more })
  const ended = new Set<string>()
  const started = applyInFlight(new Map([['r0', 'A1']]), [event({ started: at(null) })], ended)
  expect(countByAccount(started)).toEqual(new Map([['A1', 1]]))
  const moved = applyInFlight(started, [event({ progress: at('A1') })], ended)
  expect(countByAccount(moved)).toEqual(new Map([['A1', 2]]))
  const over = applyInFlight(moved, [event({ settled: { requestId: 'r1' } }), event({ progress: at('A1') })], ended)
  expect(countByAccount(over)).toEqual(new Map([['A1', 1]]))
})

test('of what a person cannot see of a decision the number is shown', () => {
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
