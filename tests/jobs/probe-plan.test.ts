import { expect, test } from 'vitest'
import { reduceState } from '../../server/accounts/state/reduce.ts'
import { type AccountEvent, type AccountState, readyState } from '../../server/accounts/state/state.ts'
import { cheapestModel, cooldownsAt, isBack, nextProbeMs } from '../../server/jobs/probe-plan.ts'
import { createModelList, createModelMapping } from '../../server/model-patterns.ts'
import { seedCards } from '../../server/prices/price-seed.ts'
import { createPriceBook } from '../../server/prices/prices.ts'
import { accountOf } from '../relay/some-account.ts'

const nowMs = Date.UTC(2026, 10, 23)
const after = (event: AccountEvent): AccountState => reduceState(readyState, event, nowMs, 0)
const inState = (state: AccountState) => accountOf({ live: { state, inFlight: 0 } })
const limited = after({ kind: 'rate_limited', untilMs: nowMs + 5000, reason: 'r' })
const lost = after({ kind: 'login_needed', reason: 'r' })
const book = createPriceBook(seedCards)

test('only accounts that are switched on, have a secret and are not ready are probed', () => {
  expect(cooldownsAt(inState(readyState), nowMs)).toEqual([])
  expect(cooldownsAt(inState(lost), nowMs)).toEqual([''])
  expect(cooldownsAt(inState(after({ kind: 'out_of_credit', untilMs: null, reason: 'r' })), nowMs)).toEqual([''])
  expect(cooldownsAt(inState(limited), nowMs)).toEqual([''])
  // Its time is over: the clock brings it back, not a probe.
  expect(cooldownsAt(inState(limited), nowMs + 5000)).toEqual([])
  expect(cooldownsAt({ ...inState(lost), enabled: false }, nowMs)).toEqual([])
  expect(cooldownsAt({ ...inState(lost), secret: '' }, nowMs)).toEqual([])
})

test('models that cool down are probed one by one while the account serves others, and not while it is out itself', () => {
  const coolingDown = reduceState(
    after({ kind: 'rate_limited', model: 'claude-opus-*', untilMs: nowMs + 9000, reason: 'r' }),
    { kind: 'forbidden', model: 'claude-haiku-4-5', keyId: 1, untilMs: nowMs + 5000, reason: 'r' },
    nowMs,
    0,
  )
  expect(cooldownsAt(inState(coolingDown), nowMs)).toEqual(['claude-opus-*', 'claude-haiku-4-5'])
  expect(cooldownsAt(inState(coolingDown), nowMs + 5000)).toEqual(['claude-opus-*'])
  const lostToo = reduceState(coolingDown, { kind: 'login_needed', reason: 'r' }, nowMs, 0)
  expect(cooldownsAt(inState(lostToo), nowMs)).toEqual([''])
})

test('a model that cools down is asked for by its own name, a family by the cheapest of it; nothing else, and nothing that the account may not serve', () => {
  const some = createModelList(['claude-opus-4-5', 'claude-opus-4-1', 'claude-haiku-4-5'])
  const of = (rest: string, models = some) =>
    cheapestModel(accountOf({ models }), ['claude-haiku-4-5'], book, nowMs, rest)
  expect(of('claude-opus-4-1')).toBe('claude-opus-4-1')
  expect(of('claude-opus-*')).toBe('claude-opus-4-5')
  expect(of('claude-sonnet-4-5')).toBeNull()
  expect(of('claude-sonnet-*')).toBeNull()
  expect(of('nobody-knows', createModelList(['*']))).toBe('nobody-knows')
})

test('each probe comes after twice the pause of the one before, up to the longest, spread by a fifth', () => {
  const pace = { firstMs: 30_000, longestMs: 600_000 }
  const pauses = [0, 1, 2, 3, 4, 5, 50].map((tries) => nextProbeMs(nowMs, tries, 0.5, pace) - nowMs)
  expect(pauses).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000])
  expect(nextProbeMs(0, 0, 0, pace)).toBe(27_000)
  expect(nextProbeMs(0, 0, 0.999, pace)).toBeLessThan(33_000)
})

test('a refusal that is the request’s own proves that a cooled upstream works, and nothing about money and logins', () => {
  const decision = (kind: 'caller' | 'limited' | 'refused' | 'failing') => ({
    kind,
    errorType: 'e',
    evidence: { status: 0, errorType: 'e', code: '', message: '' },
  })
  for (const kind of ['cooling_down', 'recovering'] as const) expect(isBack({ kind }, decision('caller'))).toBe(true)
  for (const kind of ['rate_limited', 'reauth_required', 'out_of_credit'] as const) {
    expect(isBack({ kind }, decision('caller'))).toBe(false)
    expect(isBack({ kind }, null)).toBe(true)
  }
  // Answers to questions that are no messages: of the login, not of limits.
  for (const kind of ['cooling_down', 'recovering', 'reauth_required'] as const)
    expect(isBack({ kind }, null, false)).toBe(true)
  for (const kind of ['rate_limited', 'out_of_credit'] as const) expect(isBack({ kind }, null, false)).toBe(false)
  for (const kind of ['limited', 'refused', 'failing'] as const)
    expect(isBack({ kind: 'cooling_down' }, decision(kind))).toBe(false)
})

test('the cheapest model is one that the account served lately, else one that it names, else one with a price', () => {
  const of = (more: Parameters<typeof accountOf>[0], served: string[] = []) =>
    cheapestModel(accountOf(more), served, book, nowMs)
  const some = createModelList(['claude-opus-4-5', 'claude-haiku-4-5', 'claude-sonnet-4-5'])
  expect(of({ models: some })).toBe('claude-haiku-4-5')
  expect(of({ models: some }, ['claude-opus-4-5', 'claude-sonnet-4-5'])).toBe('claude-sonnet-4-5')
  // What it served once but may not serve any more is no choice.
  expect(of({ models: createModelList(['claude-opus-4-5']) }, ['claude-haiku-4-5'])).toBe('claude-opus-4-5')
  expect(of({ models: createModelList(['nobody-knows']) })).toBe('nobody-knows')
  expect(of({ mapping: createModelMapping({ 'claude-x': 'glm-4.6' }), models: createModelList(['claude-x']) })).toBe(
    'claude-x',
  )
  expect(of({})).toMatch(/^claude-/)
  const haikuRests = after({ kind: 'rate_limited', model: 'claude-haiku-4-5', untilMs: nowMs + 5000, reason: 'r' })
  expect(of({ models: some, live: { state: haikuRests, inFlight: 0 } })).toBe('claude-sonnet-4-5')
  const familyRests = after({ kind: 'rate_limited', model: 'claude-haiku-*', untilMs: nowMs + 5000, reason: 'r' })
  expect(of({ models: some, live: { state: familyRests, inFlight: 0 } })).toBe('claude-sonnet-4-5')
  expect(of({ models: createModelList(['other-*']) })).toBeNull()
})
