import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Account } from '../../server/accounts/account.ts'
import type { Accounts } from '../../server/accounts/accounts.ts'
import { isEligible, isHalfOpen } from '../../server/accounts/state/eligibility.ts'
import { reduceState } from '../../server/accounts/state/reduce.ts'
import type { AccountEvent } from '../../server/accounts/state/state.ts'
import type { Cause } from '../../server/accounts/state/transitions.ts'
import { cheapestModel, cooldownsAt } from '../../server/jobs/probe-plan.ts'
import { createModelList, fitsPattern } from '../../server/model-patterns.ts'
import { seedCards } from '../../server/prices/price-seed.ts'
import { createPriceBook } from '../../server/prices/prices.ts'
import { createAccountOutcome } from '../../server/relay/attempt/account-outcome.ts'
import type { RunningRequest } from '../../server/relay/request/relay-request.ts'
import { createAffinity } from '../../server/relay/routing/affinity.ts'
import { criteriaOfNew, type RequestCriteria, type RouteCriteria } from '../../server/relay/routing/route-criteria.ts'
import { createTrace, simulateRoute } from '../../server/relay/routing/route-trace.ts'
import { choose } from '../../server/relay/routing/schedule.ts'
import type { Slot } from '../../server/relay/routing/slot.ts'
import { createSlots } from '../../server/relay/routing/slots.ts'
import { platforms } from '../../server/upstreams/platforms/platforms.ts'
import { badNews, happenings, models, policy, stateAfter, t0 } from '../accounts/any-state.ts'
import { accountOf } from './some-account.ts'

/** No path passes isEligible by: whoever picks an account, picks one that it admits. The oracle asks nothing else of the state. */

const lists = [['*'], ['claude-opus-*'], ['claude-haiku-4-5', 'claude-sonnet-4-5']]

const anyAccount = fc.record({
  history: happenings,
  list: fc.constantFrom(...lists),
  priority: fc.constantFrom(1, 1, 2),
  weight: fc.constantFrom(0, 1, 100),
  concurrency: fc.constantFrom(null, null, 1, 2),
  enabled: fc.constantFrom(true, true, true, false),
})

const pool = fc.array(anyAccount, { minLength: 1, maxLength: 4 }).map((drawn) =>
  drawn.map(({ history, list, ...fields }, index) =>
    accountOf({
      ...fields,
      id: index + 1,
      models: createModelList(list),
      live: { state: stateAfter(history).state, inFlight: 0 },
    }),
  ),
)

/** What an outsider can say: switched on, allowed, not tried, a slot free, and admitted by isEligible. */
const admits = (account: Account, criteria: RouteCriteria, isLast: boolean): boolean =>
  account.enabled &&
  account.weight > 0 &&
  account.models.allows(criteria.model) &&
  !criteria.tried.has(account.id) &&
  !(criteria.needsSlot && account.concurrency !== null && account.live.inFlight >= account.concurrency) &&
  isEligible(account.live.state, criteria.model, criteria.nowMs, isLast)

/** Who may be chosen: whom isEligible admits; only where that is nobody, also one whose trial is under way. */
function choosable(members: readonly Account[], criteria: RouteCriteria): Set<Account> {
  const usual = members.filter((account) => admits(account, criteria, false))
  return new Set(usual.length > 0 ? usual : members.filter((account) => admits(account, criteria, true)))
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      session: fc.nat(3),
      model: fc.constantFrom(...models),
      metered: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('news' as const), at: fc.nat(3), news: badNews }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), fails: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(30_000) }) },
)

/** The parts of the relay that choose, made once: their caches are large. Each run has sessions of its own. */
let members: readonly Account[] = []
let returnsToPriority = false
let runs = 0
let seed = 1
const clock = { atMs: 0 }
const now = () => clock.atMs
const reported: AccountEvent[] = []
const accounts = {
  ofGroup: () => members,
  byId: (id: number) => members.find((account) => account.id === id),
  group: () => ({ returnsToPriority }),
  report(account: Account, event: AccountEvent): void {
    reported.push(event)
    account.live.state = reduceState(account.live.state, event, now(), 0.5, policy)
  },
} as unknown as Accounts
const chance = () => {
  seed = (seed * 16_807) % 2_147_483_647
  return seed / 2_147_483_647
}
const trace = createTrace({ decisions: 8, candidates: 64 })
const slots = createSlots({ accounts, queue: { waitMs: 0, length: 0 }, trace, onPosition() {}, now })
const affinity = createAffinity({ accounts, platforms, now, chance })
const outcome = createAccountOutcome({ accounts, now })
const byRequest: Cause = { by: 'request', requestId: '', evidence: null }

const runningOf = (session: number, model: string, metered: boolean): RunningRequest =>
  ({
    request: {
      id: { text: 'req', atMs: now() },
      key: { id: 1, groupId: 1 },
      model,
      affinityKey: session === 0 ? '' : `${runs}|${session}|`,
      metered,
      lastMessage: undefined,
      body: Buffer.alloc(0),
    },
    client: { hasLeft: false, onLeave: null },
    live: null,
    account: null,
  }) as unknown as RunningRequest

interface UnderWay {
  running: RunningRequest
  criteria: RequestCriteria
  slot: Slot
}

/** One choice, held to the oracle. */
function take(running: RunningRequest, criteria: RequestCriteria): UnderWay[] {
  const allowed = choosable(members, criteria)
  const slot = slots.take(running, criteria)
  if (!slot) {
    expect(allowed.size).toBe(0)
    return []
  }
  const { account } = slot
  expect(allowed.has(account)).toBe(true)
  const wasHalfOpen = isHalfOpen(account.live.state, now())
  expect(outcome.begun(running.request, account)).toBe(wasHalfOpen)
  // A trial is one request: whoever comes next goes elsewhere, if there is an elsewhere.
  if (wasHalfOpen) expect(isEligible(account.live.state, criteria.model, now())).toBe(false)
  return [{ running, criteria, slot }]
}

/** The account fails the request; another one is tried, as failover does. */
function fail({ running, criteria, slot }: UnderWay): UnderWay[] {
  const { account } = slot
  criteria.tried.add(account.id)
  const untried = { ...criteria, tried: new Set<number>(), needsSlot: false, nowMs: now() }
  const others = members.filter((other) => other !== account && admits(other, untried, false))
  const failure = {
    kind: 'next' as const,
    errorType: 'e',
    connectPhase: true,
    misconfigured: false,
    event: { kind: 'failed' as const, reason: 'f' },
    cause: byRequest,
    sameAs: '',
    passIfLast: false,
    ifServedElsewhere: false,
    tooLarge: false,
    refusal: '',
    response: null,
  }
  outcome.failed(running.request, account, failure, null)
  // The last one is whom isEligible leaves alone.
  expect((reported.at(-1) as { isLast?: boolean }).isLast === true).toBe(others.length === 0)
  slot.free()
  criteria.nowMs = now()
  return criteria.tried.size < 3 ? take(running, criteria) : []
}

test('scheduler, affinity, failover, half-open trials and panic choose only whom isEligible admits', () => {
  fc.assert(
    fc.property(pool, fc.array(step, { minLength: 5, maxLength: 25 }), fc.boolean(), (drawn, steps, returning) => {
      runs++
      members = drawn
      returnsToPriority = returning
      clock.atMs = t0 + 200_000
      const underWay: UnderWay[] = []
      for (const one of steps) {
        if (one.do === 'wait') clock.atMs += one.ms
        else if (one.do === 'news') accounts.report(members[one.at % members.length]!, one.news(now()), byRequest)
        else if (one.do === 'ask') {
          const running = runningOf(one.session, one.model, one.metered)
          underWay.push(...take(running, affinity.criteriaOf(running.request)))
        } else {
          const ended = underWay.shift()
          if (!ended) continue
          if (one.fails) underWay.push(...fail(ended))
          else {
            const { running, criteria, slot } = ended
            accounts.report(slot.account, { kind: 'answered' }, byRequest)
            affinity.remember(running.request, criteria, slot.account)
            slot.free()
          }
        }
      }
      for (const { slot } of underWay) slot.free()
      expect(members.map(({ live }) => live.inFlight)).toEqual(members.map(() => 0))
    }),
    { numRuns: 800 },
  )
})

test('a simulated route and the reasons it gives agree with isEligible', () => {
  fc.assert(
    fc.property(pool, fc.constantFrom(...models), (members, model) => {
      const criteria = criteriaOfNew(model, t0 + 200_000, () => 0.3)
      const allowed = choosable(members, criteria)
      const { candidates } = simulateRoute({ id: 1, groupId: 1 }, members, criteria)
      const chosen = choose(members, criteria)
      expect(candidates.filter(({ reason }) => reason === 'chosen').map(({ accountId }) => accountId)).toEqual(
        chosen ? [chosen.id] : [],
      )
      for (const { accountId, reason } of candidates) {
        const account = members.find(({ id }) => id === accountId)!
        if (reason === 'chosen') expect(allowed.has(account)).toBe(true)
        if (reason === 'not_ready') expect(isEligible(account.live.state, model, criteria.nowMs)).toBe(false)
        if (reason === 'not_drawn' || reason === 'lower_priority')
          expect(isEligible(account.live.state, model, criteria.nowMs)).toBe(true)
      }
    }),
    { numRuns: 1000 },
  )
})

const book = createPriceBook(seedCards)

test('probes look only at what isEligible bars, or at what is on trial, and ask for no other model that rests', () => {
  fc.assert(
    fc.property(pool, (members) => {
      const nowMs = t0 + 200_000
      for (const account of members) {
        const { state } = account.live
        const rests = cooldownsAt(account, nowMs)
        if (!account.enabled) {
          expect(rests).toEqual([])
          continue
        }
        const barred = models.filter((model) => !isEligible(state, model, nowMs))
        // Whatever is barred is looked at, and nothing else but a trial that is due.
        for (const model of barred)
          expect(rests.some((rest) => rest === '' || rest === model || fitsPattern(rest, model))).toBe(true)
        for (const rest of rests) {
          if (rest === '') expect(barred.length === models.length || isHalfOpen(state, nowMs)).toBe(true)
          else
            for (const model of models) if (model === rest || fitsPattern(rest, model)) expect(barred).toContain(model)
          const asked = cheapestModel(account, models, book, nowMs, rest)
          if (asked === null) continue
          expect(account.models.allows(asked)).toBe(true)
          if (rest === '') expect(isEligible({ ...state, kind: 'ready', untilMs: null }, asked, nowMs)).toBe(true)
          else expect(asked === rest || fitsPattern(rest, asked)).toBe(true)
        }
      }
    }),
    { numRuns: 1000 },
  )
})
