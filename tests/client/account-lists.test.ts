import { expect, test } from 'vitest'
import type { AccountStep } from '../../client/graphql/account-operations.ts'
import { mergeSteps } from '../../client/pages/accounts/drawer/merge-steps.ts'
import { applyInFlight, countByAccount } from '../../client/pages/accounts/in-flight.ts'
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
  const old = step('2026-11-23T10:00:01.000Z', 'RATE_LIMITED')
  const model = step('2026-11-23T10:00:01.000Z', 'RATE_LIMITED', 'claude-*')
  const fresh = step('2026-11-23T10:00:05.000Z', 'COOLING_DOWN')
  expect(mergeSteps([old, model], [fresh, old])).toEqual([fresh, old, model])
})

test('requests are counted with the account they are with, and late progress brings none back', () => {
  const at = (id: string | null) => ({ requestId: 'r1', account: id === null ? null : { id } })
  const hasStarted = { __typename: 'RequestStarted' as const, request: at(null) }
  const hasMoved = { __typename: 'RequestProgressed' as const, request: at('A1') }
  const hasSettled = {
    __typename: 'RequestSettled' as const,
    request: { requestId: 'r1', outcome: 'COMPLETED' as const, account: { id: 'A1' } },
  }
  const ended = new Set<string>()
  const started = applyInFlight(new Map([['r0', 'A1']]), [hasStarted], ended)
  expect(countByAccount(started)).toEqual(new Map([['A1', 1]]))
  const moved = applyInFlight(started, [hasMoved], ended)
  expect(countByAccount(moved)).toEqual(new Map([['A1', 2]]))
  const over = applyInFlight(moved, [hasSettled, hasMoved], ended)
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
      { reason: 'NOT_READY' as const, count: 2 },
    ],
  }
  expect(hiddenCounts(decision)).toEqual([{ reason: 'NOT_READY', count: 2 }])
})
