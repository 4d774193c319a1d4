import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Claim, Counters } from '../../server/store/counters.ts'
import { claim, createClock, twins } from './twins.ts'

describe.each(twins)('%s', (_name, openTwin) => {
  test('any sequence of verbs and of time answers as the plain rules say', async () => {
    const clock = createClock()
    const holdTtlMs = 30_000
    const counters = await openTwin().counters({ now: clock.now, holdTtlMs })
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(verb, { minLength: 5, maxLength: 40 }), async (verbs) => {
        run++
        const rules = createRules(clock.now, holdTtlMs)
        const name = (text: string): string => `${run}:${text}`
        for (const act of verbs) {
          if (act.verb === 'wait') clock.forward(act.ms)
          else expect(await act.on(counters, clock.now(), name)).toEqual(await act.on(rules, clock.now(), name))
          for (const counter of ['a', 'b', 'c', 'd', 'e']) {
            expect(await counters.read(name(counter))).toEqual(await rules.read(name(counter)))
          }
        }
      }),
      { numRuns: 80 },
    )
  })
})

type Name = (text: string) => string
const counterName = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const requestId = fc.constantFrom('r1', 'r2', 'r3', 'r4')
const nano = fc.nat(100)
const lifetime = fc.option(fc.integer({ min: 1, max: 50_000 }))
const expiry = (nowMs: number, ms: number | null): number | null => (ms === null ? null : nowMs + ms)
const claims = fc.array(fc.tuple(counterName, fc.nat(300), lifetime, fc.subarray(['d', 'e'])), { maxLength: 3 })

/** One step of the test. Counters are seeded often, because little happens on absent ones. */
const verb = fc.oneof(
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 40_000 }).map((ms) => ({ verb: 'wait' as const, ms })) },
  ...[
    fc.tuple(counterName, nano, lifetime).map(
      ([counter, spent, ms]) =>
        (c: Counters, at: number, name: Name): Promise<unknown> =>
          c.seed(name(counter), spent, expiry(at, ms)),
    ),
    fc.tuple(requestId, claims, nano).map(([id, rows, amount]) => (c: Counters, at: number, name: Name) => {
      const wanted = rows.map(([counter, limit, ms, earlier]) => ({
        ...claim(name(counter), limit, expiry(at, ms)),
        ...(earlier.length > 0 && { earlier: earlier.map(name) }),
      }))
      return c.hold(name(id), wanted, amount)
    }),
    fc.tuple(requestId, nano, fc.boolean()).map(
      ([id, amount, isStrict]) =>
        (c: Counters, _at: number, name: Name): Promise<unknown> =>
          c.top(name(id), amount, isStrict),
    ),
    fc.tuple(requestId, nano, fc.option(fc.array(counterName, { maxLength: 3 }), { nil: undefined })).map(
      ([id, spent, named]) =>
        (c: Counters, _at: number, name: Name): Promise<unknown> =>
          c.settle(name(id), spent, named?.map(name)),
    ),
  ].map((on) => ({ weight: 2, arbitrary: on.map((act) => ({ verb: 'act' as const, on: act })) })),
)

/** A second implementation of the contract: it keeps only what was called, and derives everything else when asked. */
function createRules(now: () => number, holdTtlMs: number): Counters {
  const seeded = new Map<string, { spent: number; expiresAtMs: number }>()
  const holds: { id: string; counter: string; amount: number; untilMs: number; born: object }[] = []
  const requests = new Map<string, { claims: readonly Claim[]; settled: boolean }>()
  const alive = (name: string) => {
    const counter = seeded.get(name)
    return counter !== undefined && counter.expiresAtMs > now() ? counter : undefined
  }
  const heldOn = (name: string): number =>
    holds
      .filter((hold) => hold.counter === name && hold.born === alive(name) && hold.untilMs > now())
      .reduce((sum, hold) => sum + hold.amount, 0)
  const namesOf = ({ counter, earlier = [] }: Claim): string[] => [counter, ...earlier]
  const spentOf = (one: Claim): number => namesOf(one).reduce((sum, name) => sum + (alive(name)?.spent ?? 0), 0)
  const heldOf = (one: Claim): number => namesOf(one).reduce((sum, name) => sum + heldOn(name), 0)
  const mineOn = (id: string, name: string): number =>
    holds
      .filter((hold) => hold.id === id && hold.counter === name && hold.born === alive(name) && hold.untilMs > now())
      .reduce((sum, hold) => sum + hold.amount, 0)
  const put = (id: string, name: string, amount: number): void => {
    const born = alive(name)
    if (born === undefined) return
    const mine = holds.find((h) => h.id === id && h.counter === name && h.born === born && h.untilMs > now())
    const untilMs = now() + holdTtlMs
    if (mine === undefined) holds.push({ id, counter: name, amount, untilMs, born })
    else Object.assign(mine, { amount: Math.max(mine.amount, amount), untilMs })
  }
  return {
    async seed(name, spent, expiresAtMs) {
      if (alive(name) === undefined) seeded.set(name, { spent, expiresAtMs: expiresAtMs ?? Infinity })
    },
    async hold(id, wanted, amount) {
      if (requests.has(id) || wanted.length === 0) return { kind: 'held', amountNano: amount, spentNano: [] }
      const unknown = [...new Set(wanted.flatMap(namesOf))].filter((name) => alive(name) === undefined)
      if (unknown.length > 0) return { kind: 'unknown', counters: unknown }
      for (const one of wanted) {
        if (spentOf(one) >= one.limitNano) return { kind: 'over', counter: one.counter, spentNano: spentOf(one) }
      }
      const alone = wanted.filter((one) => heldOf(one) === 0).map((one) => one.limitNano - spentOf(one))
      const fitted = Math.min(amount, ...alone)
      for (const one of wanted) {
        const [spentNano, heldNano] = [spentOf(one), heldOf(one)]
        if (spentNano + heldNano + fitted > one.limitNano)
          return { kind: 'busy', counter: one.counter, spentNano, heldNano }
      }
      for (const { counter, expiresAtMs } of wanted) {
        put(id, counter, fitted)
        const found = alive(counter)!
        found.expiresAtMs = Math.max(found.expiresAtMs, expiresAtMs ?? Infinity)
      }
      requests.set(id, { claims: wanted, settled: false })
      return { kind: 'held', amountNano: fitted, spentNano: wanted.map(spentOf) }
    },
    unsettled: async () => [...requests].flatMap(([id, { settled }]) => (settled ? [] : [id])),
    async top(id, amount, isStrict = false) {
      const request = requests.get(id)
      if (request === undefined || request.settled) return true
      const fits = request.claims.every((one) => {
        const own = mineOn(id, one.counter)
        return spentOf(one) + heldOf(one) - own + Math.max(own, amount) <= one.limitNano
      })
      for (const { counter } of request.claims) put(id, counter, isStrict && !fits ? 0 : amount)
      return fits
    },
    async settle(id, spent, named = []) {
      const claims = named.map((counter) => ({ counter, limitNano: 0, expiresAtMs: null }))
      const request = requests.get(id) ?? { claims, settled: false }
      if (request.settled || request.claims.length === 0) return
      requests.set(id, { ...request, settled: true })
      for (const name of new Set(request.claims.map(({ counter }) => counter))) {
        const counter = alive(name)
        if (counter !== undefined) counter.spent += spent
      }
      for (const hold of holds) if (hold.id === id) hold.untilMs = 0
    },
    async read(name) {
      const counter = alive(name)
      return counter === undefined ? null : { spentNano: counter.spent, heldNano: heldOn(name) }
    },
    close: async () => undefined,
  }
}
