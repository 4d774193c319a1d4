import { expect, test } from 'vitest'
import type { Account } from '../../server/accounts/account.ts'
import { reduceState } from '../../server/accounts/state/reduce.ts'
import { readyState } from '../../server/accounts/state/state.ts'
import { createModelList } from '../../server/model-patterns.ts'
import { criteriaOfNew, type RouteCriteria } from '../../server/relay/routing/route-criteria.ts'
import { createTrace } from '../../server/relay/routing/route-trace.ts'
import { choose } from '../../server/relay/routing/schedule.ts'
import { accountOf } from './some-account.ts'

const nowMs = 1_000_000
const key = { id: 7, groupId: 1 }
const criteria = (more: Partial<RouteCriteria> = {}): RouteCriteria => ({
  ...criteriaOfNew('m', nowMs, () => 0.5),
  ...more,
})
const account = (id: number, more: Partial<Account> = {}) => accountOf({ id, ...more })
const coolingDown = (ms: number) => ({
  state: reduceState(readyState, { kind: 'rate_limited', untilMs: nowMs + ms, reason: 'r' }, nowMs, 0),
  inFlight: 0,
})
const lost = { state: reduceState(readyState, { kind: 'login_needed', reason: 'r' }, nowMs, 0), inFlight: 0 }

test('every candidate of a choice says what became of it, with the end of its rest', () => {
  const members = [
    account(1, { enabled: false }),
    account(2, { models: createModelList(['other']) }),
    account(3, { live: coolingDown(5000) }),
    account(4, { live: lost }),
    account(5),
    account(6, { concurrency: 1, live: { state: readyState, inFlight: 1 } }),
    account(7, { priority: 200 }),
    account(8),
    account(9),
  ]
  const trace = createTrace()
  const asked = criteria({ tried: new Set([5]), draw: (id) => (id === 8 ? 0.1 : 0.9) })
  const chosen = choose(members, asked)
  expect(chosen?.id).toBe(8)
  trace.record('req_1', key, members, asked, chosen)
  expect(trace.of('req_1')).toEqual([
    {
      atMs: nowMs,
      apiKeyId: 7,
      groupId: 1,
      model: 'm',
      candidates: [
        { accountId: 1, reason: 'disabled', untilMs: null },
        { accountId: 2, reason: 'model_not_allowed', untilMs: null },
        { accountId: 3, reason: 'not_ready', untilMs: nowMs + 5000 },
        { accountId: 4, reason: 'not_ready', untilMs: null },
        { accountId: 5, reason: 'already_tried', untilMs: null },
        { accountId: 6, reason: 'at_concurrency_limit', untilMs: null },
        { accountId: 7, reason: 'lower_priority', untilMs: null },
        { accountId: 8, reason: 'chosen', untilMs: null },
        { accountId: 9, reason: 'not_drawn', untilMs: null },
      ],
    },
  ])
})

test('a conversation that stays names its account only; one that might have returned names all', () => {
  const members = [account(1, { priority: 1 }), account(2)]
  const trace = createTrace()
  const stays = criteria({ affinityId: 2 })
  trace.record('req_1', key, members, stays, choose(members, stays))
  const stayed = trace.of('req_1')[0]!.candidates
  expect(stayed).toEqual([{ accountId: 2, reason: 'chosen', untilMs: null }])
  const home = criteria({ affinityId: 1, returns: true })
  trace.record('req_2', key, members, home, choose(members, home))
  expect(trace.of('req_2')[0]!.candidates.map(({ reason }) => reason)).toEqual(['chosen', 'session_elsewhere'])
})

test('a request that nobody could take names every reason and no choice', () => {
  const members = [account(1, { live: coolingDown(100) }), account(2, { enabled: false })]
  const trace = createTrace()
  trace.record('req_1', key, members, criteria(), choose(members, criteria()))
  expect(trace.of('req_1')[0]!.candidates.map(({ reason }) => reason)).toEqual(['not_ready', 'disabled'])
})

test('the memory is bounded: the oldest choices go, and none is told with the candidates of another', () => {
  const trace = createTrace({ decisions: 4, candidates: 6 })
  const members = [account(1), account(2)]
  for (let n = 1; n <= 10; n++) trace.record(`req_${n}`, key, members, criteria(), members[n % 2])
  const known = Array.from({ length: 10 }, (_, n) => trace.of(`req_${n + 1}`)).map((found) => found.length)
  // Four decisions fit, but candidates of three.
  expect(known).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 1, 1])
  expect(trace.of('req_10')[0]!.candidates.map(({ reason }) => reason)).toEqual(['chosen', 'not_drawn'])
  // A request's choices come in order: the first, then after each failure another.
  trace.record('req_10', key, members, criteria({ tried: new Set([1]) }), members[1])
  expect(trace.of('req_10').map(({ candidates }) => candidates.map(({ reason }) => reason))).toEqual([
    ['chosen', 'not_drawn'],
    ['already_tried', 'chosen'],
  ])
})
