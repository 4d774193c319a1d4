import { expect, test } from 'vitest'
import { isEligible, isHalfOpen, kindAt, returnsAtMs } from '../../server/accounts/state/eligibility.ts'
import { reduceState, retractionOf } from '../../server/accounts/state/reduce.ts'
import { type AccountEvent, type AccountState, readyState } from '../../server/accounts/state/state.ts'
import { stateText, storedState } from '../../server/accounts/state/state-text.ts'

const t0 = 1_700_000_000_000
const policy = { failures: 3, windowMs: 60_000, firstCooldownMs: 10_000, maxCooldownMs: 300_000, halfOpenMs: 120_000 }
const after = (state: AccountState, atMs: number, event: AccountEvent, chance = 0): AccountState =>
  reduceState(state, event, atMs, chance, policy)
const readySince = (sinceMs: number): AccountState => ({ ...readyState, sinceMs })
const failed: AccountEvent = { kind: 'failed', reason: 'ECONNRESET' }
const limited = (untilMs: number, model?: string): AccountEvent => ({
  kind: 'rate_limited',
  untilMs,
  reason: '429',
  ...(model !== undefined && { model }),
})
const failedTimes = (times: number, state: AccountState = readyState, atMs = t0, chance = 0): AccountState =>
  Array.from({ length: times }).reduce<AccountState>((known) => after(known, atMs, failed, chance), state)

test('a limit rests the account until its end, for every model, and it returns by itself', () => {
  const state = after(readyState, t0, limited(t0 + 37_000))
  expect(state).toMatchObject({ kind: 'rate_limited', untilMs: t0 + 37_000, reason: '429' })
  expect(isEligible(state, 'm', t0 + 36_999)).toBe(false)
  expect(isEligible(state, 'm', t0 + 37_000)).toBe(true)
  expect(returnsAtMs(state, 'm')).toBe(t0 + 37_000)
})

test('a second limit never shortens the first, and may prolong it', () => {
  const state = after(readyState, t0, limited(t0 + 60_000))
  expect(after(state, t0 + 1, limited(t0 + 5_000))).toBe(state)
  expect(after(state, t0 + 1, limited(t0 + 90_000)).untilMs).toBe(t0 + 90_000)
})

test('a limit of one model leaves the others alone, and is forgotten when it is over', () => {
  const state = after(readyState, t0, limited(t0 + 1000, 'opus'))
  expect(isEligible(state, 'opus', t0)).toBe(false)
  expect(isEligible(state, 'haiku', t0)).toBe(true)
  expect(returnsAtMs(state, 'opus')).toBe(t0 + 1000)
  expect(after(state, t0, limited(t0 + 500, 'opus'))).toBe(state)
  expect(isEligible(state, 'opus', t0 + 1000)).toBe(true)
  expect(after(state, t0 + 1000, { kind: 'answered' }).models).toEqual({})
})

test('three failures within the window make it cool; fewer, or further apart, do not', () => {
  const two = failedTimes(2)
  expect(two).toMatchObject({ kind: 'ready', reason: 'ECONNRESET', failures: { count: 2 } })
  expect(isEligible(two, 'm', t0)).toBe(true)
  expect(after(two, t0, failed)).toMatchObject({ kind: 'cooling_down', untilMs: t0 + 10_000, cooldowns: 1 })
  expect(after(two, t0 + 60_001, failed)).toMatchObject({ kind: 'ready', failures: { count: 1 } })
  expect(after(two, t0, { kind: 'answered' })).toEqual(readyState)
})

test('each cooling in a row is twice as long, up to the longest, with up to a fifth of jitter; an answer ends the row', () => {
  let state = failedTimes(3)
  let at = t0
  for (const seconds of [20, 40, 80, 160, 300, 300]) {
    at = state.untilMs!
    // On trial after its return: one failure is enough.
    state = after(state, at, failed)
    expect(state.untilMs! - at).toBe(seconds * 1000)
  }
  expect(failedTimes(3, readyState, t0, 0.999).untilMs! - t0).toBeGreaterThan(11_990)
  expect(failedTimes(3, readyState, t0, 0.999).untilMs! - t0).toBeLessThanOrEqual(12_000)
  expect(after(state, state.untilMs!, { kind: 'answered' })).toEqual(readySince(state.untilMs!))
})

test('failures of requests that were already on their way do not prolong a rest', () => {
  const cooling = failedTimes(3)
  expect(after(cooling, t0 + 1, failed)).toBe(cooling)
  const limit = after(readyState, t0, limited(t0 + 1000))
  expect(after(limit, t0 + 1, failed)).toBe(limit)
})

test('an answer ends a cooling at once, but neither a limit nor what a person has to mend', () => {
  expect(after(failedTimes(3), t0 + 1, { kind: 'answered' })).toEqual(readySince(t0 + 1))
  const limit = after(readyState, t0, limited(t0 + 1000))
  expect(after(limit, t0 + 1, { kind: 'answered' })).toBe(limit)
  const lost = after(readyState, t0, { kind: 'login_needed', reason: '401' })
  expect(after(lost, t0 + 1, { kind: 'answered' })).toBe(lost)
  expect(after(readyState, t0, { kind: 'answered' })).toBe(readyState)
})

test('a lost login and spent money need a person, and no limit hides them', () => {
  const lost = after(readyState, t0, { kind: 'login_needed', reason: '401' })
  const outOfCredit = after(readyState, t0, { kind: 'out_of_credit', untilMs: null, reason: '402' })
  for (const state of [lost, outOfCredit]) {
    expect(isEligible(state, 'm', t0 + 1e12)).toBe(false)
    expect(returnsAtMs(state, 'm')).toBeNull()
    expect(after(state, t0, limited(t0 + 1000))).toBe(state)
    expect(after(state, t0, { kind: 'cleared' })).toEqual(readySince(t0))
  }
  const nextMonth = after(readyState, t0, { kind: 'out_of_credit', untilMs: t0 + 1e6, reason: '429' })
  expect(isEligible(nextMonth, 'm', t0 + 1e6)).toBe(true)
})

test('after a cooling one request is the trial; others wait for it, unless there is no other account', () => {
  const cooling = failedTimes(3)
  const end = cooling.untilMs!
  expect(isHalfOpen(cooling, end - 1)).toBe(false)
  expect(after(cooling, end - 1, { kind: 'half_open_request' })).toBe(cooling)
  expect(isHalfOpen(cooling, end)).toBe(true)
  expect(kindAt(cooling, end)).toBe('recovering')
  const probing = after(cooling, end, { kind: 'half_open_request' })
  expect(probing).toMatchObject({ kind: 'recovering', untilMs: end + policy.halfOpenMs })
  expect(isEligible(probing, 'm', end)).toBe(false)
  expect(isEligible(probing, 'm', end, true)).toBe(true)
  expect(after(probing, end, { kind: 'half_open_request' })).toBe(probing)
  expect(returnsAtMs(probing, 'm')).toBe(0)
  expect(after(probing, end + 1, { kind: 'answered' })).toEqual(readySince(end + 1))
  expect(after(probing, end + 1, failed)).toMatchObject({
    kind: 'cooling_down',
    untilMs: end + 1 + 20_000,
    cooldowns: 2,
  })
  // One whose client left, or that never ends, leaves the trial to the next request.
  expect(isHalfOpen(after(probing, end + 1, { kind: 'half_open_released' }), end + 1)).toBe(true)
  expect(isHalfOpen(probing, end + policy.halfOpenMs)).toBe(true)
})

test('a trial does not outlive its process', () => {
  const probing = after(failedTimes(3), t0 + 10_000, { kind: 'half_open_request' })
  expect(isHalfOpen(storedState(stateText(probing)), t0)).toBe(true)
})

test('the last account begins its cooling with a trial, and only a failed one makes it rest', () => {
  const two = failedTimes(2)
  const last = after(two, t0, { ...failed, isLast: true })
  expect(last).toMatchObject({ kind: 'cooling_down', untilMs: t0, cooldowns: 0 })
  expect(isEligible(last, 'm', t0)).toBe(true)
  const probing = after(last, t0, { kind: 'half_open_request' })
  expect(after(probing, t0, { ...failed, isLast: true })).toMatchObject({ kind: 'cooling_down', untilMs: t0 + 10_000 })
})

test('what turned out to be the request’s fault is taken back: the state is what it was before', () => {
  const lostLogin: AccountEvent = { kind: 'login_needed', reason: 'rule' }
  const noFunds: AccountEvent = { kind: 'out_of_credit', untilMs: null, reason: 'rule' }
  const earlier = after(readyState, t0, limited(t0 + 1000))
  for (const before of [readyState, failedTimes(2), earlier]) {
    for (const event of [
      limited(t0 + 9000),
      { kind: 'rate_limited', untilMs: null, reason: 'r' } as const,
      lostLogin,
      noFunds,
    ]) {
      const made = after(before, t0 + 1, event)
      const state = retractionOf(before, made)!
      const { kind, untilMs, reason, limits, failures } = before
      expect(after(made, t0 + 2, { kind: 'retracted', state })).toMatchObject({
        kind,
        untilMs,
        reason,
        limits,
        failures,
      })
    }
  }
})

test('a state that changed meanwhile is not taken back, and what changed nothing is nothing to take back', () => {
  const made = after(readyState, t0, limited(t0 + 9000))
  const state = retractionOf(readyState, made)!
  const longer = after(made, t0 + 1, limited(t0 + 99_000))
  expect(after(longer, t0 + 2, { kind: 'retracted', state })).toBe(longer)
  const lost = after(made, t0 + 1, { kind: 'login_needed', reason: '401' })
  expect(after(lost, t0 + 2, { kind: 'retracted', state })).toBe(lost)
  expect(retractionOf(made, after(made, t0 + 1, limited(t0 + 5000)))).toBeNull()
})

test('a trial whose result is taken back leaves the trial to the next request', () => {
  const cooling = failedTimes(3)
  const end = cooling.untilMs!
  const probing = after(cooling, end, { kind: 'half_open_request' })
  const made = after(probing, end + 1, limited(end + 9000))
  const back = after(made, end + 2, { kind: 'retracted', state: retractionOf(probing, made)! })
  expect(isHalfOpen(back, end + 2)).toBe(true)
  expect(after(back, end + 3, { kind: 'half_open_request' }).kind).toBe('recovering')
})

test('with a model that was refused, the login that was lost by it is taken back too', () => {
  const forbidden = (model: string, keyId: number): AccountEvent => ({
    kind: 'forbidden',
    model,
    keyId,
    untilMs: t0 + 9000,
    reason: '403',
  })
  const one = after(readyState, t0, forbidden('opus', 1))
  const lost = after(one, t0, forbidden('haiku', 2))
  expect(lost.kind).toBe('reauth_required')
  const back = after(lost, t0, { kind: 'retracted', state: retractionOf(one, lost)! })
  expect(back).toMatchObject({ kind: 'ready', models: { opus: { untilMs: t0 + 9000 } } })
})

test('what has no end is on trial when it is opened half way; what ends by a clock is not', () => {
  for (const kind of ['login_needed', 'out_of_credit'] as const) {
    const refused: AccountEvent = { kind, untilMs: null, reason: 'no' }
    const lost = after(readyState, t0, refused)
    expect(isEligible(lost, 'm', t0 + 1e9)).toBe(false)
    const open = after(lost, t0 + 5000, { kind: 'half_opened' })
    expect(open).toMatchObject({ kind: 'recovering', untilMs: t0 + 5000, nextProbeAtMs: null, cooldowns: 1 })
    expect(isEligible(open, 'm', t0 + 5000)).toBe(true)
    const trial = after(open, t0 + 5000, { kind: 'half_open_request' })
    expect(isEligible(trial, 'm', t0 + 5001)).toBe(false)
    expect(after(trial, t0 + 5002, { kind: 'answered' })).toMatchObject({ kind: 'ready', cooldowns: 0 })
    // Refused again it is what it was, and is opened later the next time.
    expect(after(trial, t0 + 5002, refused)).toMatchObject({ kind: lost.kind, untilMs: null, cooldowns: 1 })
  }
  const rests = after(readyState, t0, limited(t0 + 9000))
  expect(after(rests, t0 + 5000, { kind: 'half_opened' })).toBe(rests)
  expect(after(readyState, t0, { kind: 'half_opened' })).toBe(readyState)
})
