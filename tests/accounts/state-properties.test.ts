import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isEligible, isOut, kindAt, modelsCoolingDown, returnsAtMs } from '../../server/accounts/state/eligibility.ts'
import { reduceState } from '../../server/accounts/state/reduce.ts'
import { type AccountState, readyState } from '../../server/accounts/state/state.ts'
import { stateText, storedState } from '../../server/accounts/state/state-text.ts'
import { badNews, happenings, models, policy, stateAfter } from './any-state.ts'

/** When the account serves the model again by itself, never before now; Infinity: only when a person acts. */
const returns = (state: AccountState, model: string, nowMs: number): number =>
  Math.max(returnsAtMs(state, model) ?? Number.POSITIVE_INFINITY, nowMs)

test('bad news never shortens a rest: neither a second failure, nor a second 429, nor any other after any history', () => {
  fc.assert(
    fc.property(
      happenings,
      fc.array(badNews, { minLength: 1, maxLength: 6 }),
      fc.nat(30_000),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (history, worse, laterMs, chance) => {
        let { state, atMs } = stateAfter(history)
        for (const news of worse) {
          atMs += laterMs
          const event = news(atMs)
          const next = reduceState(state, event, atMs, chance, policy)
          for (const model of models) {
            expect(returns(next, model, atMs)).toBeGreaterThanOrEqual(returns(state, model, atMs))
            // Who could not be asked before, cannot be asked after it.
            if (!isEligible(state, model, atMs)) expect(isEligible(next, model, atMs)).toBe(false)
          }
          // What a person has to mend stays for a person.
          if (state.kind === 'reauth_required') expect(next.kind).toBe('reauth_required')
          state = next
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test('an answer to a request ends neither a limit that is not over nor what a person has to mend', () => {
  fc.assert(
    fc.property(happenings, (history) => {
      const { state, atMs } = stateAfter(history)
      const kind = kindAt(state, atMs)
      if (kind !== 'rate_limited' && kind !== 'out_of_credit' && kind !== 'reauth_required') return
      expect(reduceState(state, { kind: 'answered' }, atMs, 0, policy).kind).toBe(state.kind)
    }),
    { numRuns: 1000 },
  )
})

test('a probe’s answer brings back what it looked at, and only if nothing worse has been heard since it began', () => {
  fc.assert(
    fc.property(happenings, fc.array(badNews, { maxLength: 3 }), (history, since) => {
      const { state, atMs } = stateAfter(history)
      const startedMs = atMs + 1
      let heard = state
      for (const news of since) heard = reduceState(heard, news(startedMs + 1), startedMs + 1, 0, policy)
      const endMs = startedMs + 2
      for (const model of modelsCoolingDown(heard, endMs)) {
        const next = reduceState(heard, { kind: 'recovered', startedMs, model }, endMs, 0, policy)
        const isNews = heard.models[model] !== state.models[model]
        expect(next.models[model] === undefined).toBe(!isNews)
        // The state of the account itself is another matter.
        expect({ ...next, models: {} }).toEqual({ ...heard, models: {} })
      }
      const next = reduceState(heard, { kind: 'recovered', startedMs }, endMs, 0, policy)
      if (isOut(heard, endMs)) expect(isOut(next, endMs)).toBe(heard.sinceMs > startedMs)
    }),
    { numRuns: 1000 },
  )
})

test('a state is the same after a restart, but for a trial, which the next request is then', () => {
  fc.assert(
    fc.property(happenings, (history) => {
      const { state, atMs } = stateAfter(history)
      const stored = storedState(stateText(state))
      if (state.kind === 'recovering') expect(kindAt(stored, atMs)).toBe('recovering')
      else expect(stored).toEqual(state === readyState ? readyState : state)
      for (const model of models)
        if (state.kind !== 'recovering') expect(isEligible(stored, model, atMs)).toBe(isEligible(state, model, atMs))
    }),
    { numRuns: 500 },
  )
})
