import fc from 'fast-check'
import { reduceState } from '../../server/accounts/state/reduce.ts'
import { type AccountEvent, type AccountState, readyState } from '../../server/accounts/state/state.ts'

/** What may happen to an account, in any order: events with the time that passes before each. */
export const models = ['claude-opus-4-5', 'claude-haiku-4-5', 'claude-sonnet-4-5'] as const
const rested = [...models, 'claude-opus-*']
export const policy = {
  failures: 2,
  windowMs: 60_000,
  firstCooldownMs: 10_000,
  maxCooldownMs: 300_000,
  halfOpenMs: 20_000,
}
export const t0 = 1_700_000_000_000

/** Bad news has an end some time from now, which may lie in the past, or none. */
const rest = fc.option(fc.integer({ min: -5_000, max: 120_000 }), { nil: null })
const reason = fc.constant('r')

/** News of any kind; `atMs` makes ends of it. */
export type News = (atMs: number) => AccountEvent

export const badNews: fc.Arbitrary<News> = fc.oneof(
  fc.record({ rest, model: fc.option(fc.constantFrom(...rested), { nil: undefined }) }).map(
    ({ rest: ms, model }): News =>
      (atMs) => ({
        kind: 'rate_limited',
        untilMs: ms === null ? null : atMs + ms,
        reason: 'rate_limited',
        ...(model !== undefined && { model }),
      }),
  ),
  fc.record({ rest: fc.integer({ min: 1, max: 120_000 }), model: fc.constantFrom(...models), keyId: fc.nat(2) }).map(
    ({ rest: ms, model, keyId }): News =>
      (atMs) => ({
        kind: 'forbidden',
        model,
        keyId,
        untilMs: atMs + ms,
        reason: 'forbidden',
      }),
  ),
  fc.record({ reason, isLast: fc.boolean() }).map(
    ({ isLast }): News =>
      () => ({ kind: 'failed', reason: 'f', isLast }),
  ),
  fc.constant<News>(() => ({ kind: 'login_needed', reason: '401' })),
  rest.map(
    (ms): News =>
      (atMs) => ({ kind: 'out_of_credit', untilMs: ms === null ? null : atMs + ms, reason: '402' }),
  ),
)

const otherNews: fc.Arbitrary<News> = fc.oneof(
  fc.constantFrom<News>(
    () => ({ kind: 'answered' }),
    () => ({ kind: 'half_open_request' }),
    () => ({ kind: 'half_open_released' }),
    () => ({ kind: 'half_opened' }),
    () => ({ kind: 'elapsed' }),
    () => ({ kind: 'cleared' }),
    () => ({ kind: 'retracted' }),
    (atMs) => ({ kind: 'recovered', startedMs: atMs - 1000 }),
    (atMs) => ({ kind: 'probe_planned', atMs: atMs + 1000 }),
  ),
  fc.constantFrom(...rested).map(
    (model): News =>
      (atMs) => ({ kind: 'recovered', startedMs: atMs - 1000, model }),
  ),
  fc.constantFrom(...models).map(
    (model): News =>
      () => ({ kind: 'retracted', model }),
  ),
  fc.constantFrom(...rested).map(
    (model): News =>
      (atMs) => ({ kind: 'probe_planned', atMs: atMs + 1000, model }),
  ),
)

export interface Happening {
  afterMs: number
  news: News
  chance: number
}

const happening: fc.Arbitrary<Happening> = fc.record({
  // Half of what happens, happens at once: rests overlap, and requests are on their way together.
  afterMs: fc.oneof(fc.constant(0), fc.nat(40_000)),
  news: fc.oneof(badNews, otherNews),
  chance: fc.double({ min: 0, max: 0.999, noNaN: true }),
})

export const happenings = fc.array(happening, { maxLength: 12 })

/** The state after all of it, and the moment. */
export function stateAfter(list: readonly Happening[]): { state: AccountState; atMs: number } {
  let state: AccountState = readyState
  let atMs = t0
  for (const { afterMs, news, chance } of list) {
    atMs += afterMs
    state = reduceState(state, news(atMs), atMs, chance, policy)
  }
  return { state, atMs }
}
