import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Counters } from '../../server/store/counters.ts'
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
          for (const counter of ['a', 'b', 'c']) {
            expect(await counters.read(name(counter))).toEqual(await rules.read(name(counter)))
          }
        }
      }),
      { numRuns: 80 },
    )
  })
})

type Name = (text: string) => string
const counterName = fc.constantFrom('a', 'b', 'c')
const requestId = fc.constantFrom('r1', 'r2', 'r3', 'r4')
const nano = fc.nat(100)
const lifetime = fc.option(fc.integer({ min: 1, max: 50_000 }))
const expiry = (nowMs: number, ms: number | null): number | null => (ms === null ? null : nowMs + ms)
const claims = fc.array(fc.tuple(counterName, fc.nat(300), lifetime), { maxLength: 3 })

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
      const wanted = rows.map(([counter, limit, ms]) => claim(name(counter), limit, expiry(at, ms)))
      return c.hold(name(id), wanted, amount)
    }),
    fc.tuple(requestId, nano).map(
      ([id, amount]) =>
        (c: Counters, _at: number, name: Name): Promise<unknown> =>
          c.top(name(id), amount),
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
  const requests = new Map<string, { names: string[]; settled: boolean }>()
  const alive = (name: string) => {
    const counter = seeded.get(name)
    return counter !== undefined && counter.expiresAtMs > now() ? counter : undefined
  }
  const heldOn = (name: string): number =>
    holds
      .filter((hold) => hold.counter === name && hold.born === alive(name) && hold.untilMs > now())
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
      if (requests.has(id) || wanted.length === 0) return { kind: 'held', spentNano: [] }
      const names = [...new Set(wanted.map((one) => one.counter))]
      const unknown = names.filter((name) => alive(name) === undefined)
      if (unknown.length > 0) return { kind: 'unknown', counters: unknown }
      for (const { counter, limitNano } of wanted) {
        const { spent } = alive(counter)!
        if (spent >= limitNano) return { kind: 'over', counter, spentNano: spent }
      }
      for (const { counter, limitNano } of wanted) {
        const [{ spent }, held] = [alive(counter)!, heldOn(counter)]
        if (spent + held >= limitNano) return { kind: 'busy', counter, spentNano: spent, heldNano: held }
      }
      for (const { counter, expiresAtMs } of wanted) {
        put(id, counter, amount)
        const found = alive(counter)!
        found.expiresAtMs = Math.max(found.expiresAtMs, expiresAtMs ?? Infinity)
      }
      requests.set(id, { names, settled: false })
      return { kind: 'held', spentNano: wanted.map(({ counter }) => alive(counter)!.spent) }
    },
    unsettled: async () => [...requests].flatMap(([id, { settled }]) => (settled ? [] : [id])),
    async top(id, amount) {
      const request = requests.get(id)
      if (request !== undefined && !request.settled) for (const name of request.names) put(id, name, amount)
    },
    async settle(id, spent, named = []) {
      const request = requests.get(id) ?? { names: [...new Set(named)], settled: false }
      if (request.settled || request.names.length === 0) return
      requests.set(id, { ...request, settled: true })
      for (const name of request.names) {
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
