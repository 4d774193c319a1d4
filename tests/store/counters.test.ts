import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { claim, createClock, startMs, twins } from './twins.ts'

const usd = 1_000_000_000
describe.each(twins)('%s', (_name, openTwin) => {
  test('a counter has no value until it is seeded, and keeps the first one', async () => {
    const counters = await openTwin().counters({ now: createClock().now })
    expect(await counters.read('total')).toBeNull()
    const asked = await counters.hold('r1', [claim('day', usd), claim('total', usd), claim('day', usd)], 1)
    expect(asked).toEqual({ kind: 'unknown', counters: ['day', 'total'] })
    await counters.seed('day', 5, null)
    await counters.seed('total', 7, null)
    await counters.seed('day', 999, null)
    expect(await counters.hold('r1', [claim('day', usd), claim('total', usd), claim('day', usd)], 1)).toEqual({
      kind: 'held',
      amountNano: 1,
      spentNano: [5, 7, 5],
    })
    expect(await counters.read('day')).toEqual({ spentNano: 5, heldNano: 1 })
    expect(await counters.read('total')).toEqual({ spentNano: 7, heldNano: 1 })
  })

  test('a request is held on every claim or on none, and the answer says whether spending or requests in flight refuse it', async () => {
    const counters = await openTwin().counters({ now: createClock().now })
    await counters.seed('day', 40, null)
    await counters.seed('total', 90, null)
    const held = { kind: 'held', amountNano: 10, spentNano: [40, 90] }
    expect(await counters.hold('r1', [claim('day', 100), claim('total', 100)], 10)).toEqual(held)
    expect(await counters.hold('r1', [claim('day', 100), claim('total', 100)], 10)).toEqual({ ...held, spentNano: [] })
    const busy = { kind: 'busy', counter: 'total', spentNano: 90, heldNano: 10 }
    expect(await counters.hold('r2', [claim('day', 100), claim('total', 100)], 1)).toEqual(busy)
    const over = { kind: 'over', counter: 'total', spentNano: 90 }
    expect(await counters.hold('r3', [claim('day', 50), claim('total', 90)], 1)).toEqual(over)
    expect(await counters.hold('r4', [claim('day', 0)], 0)).toEqual({ kind: 'over', counter: 'day', spentNano: 40 })
    expect(await counters.read('day')).toEqual({ spentNano: 40, heldNano: 10 })
    // Beside others only what fits; alone all that is left.
    expect(await counters.hold('r5', [claim('total', 101)], 2)).toEqual(busy)
    expect(await counters.hold('r5', [claim('total', 101)], 1)).toEqual({
      kind: 'held',
      amountNano: 1,
      spentNano: [90],
    })
    await counters.seed('alone', 90, null)
    const alone = { kind: 'held', amountNano: 11, spentNano: [90] }
    expect(await counters.hold('r7', [claim('alone', 101)], usd)).toEqual(alone)
    expect(await counters.hold('r6', [], usd)).toEqual({ kind: 'held', amountNano: usd, spentNano: [] })
  })

  test('a hold asked for twice, a lower top-up and a top-up after the end change nothing', async () => {
    const counters = await openTwin().counters({ now: createClock().now })
    await counters.seed('day', 0, null)
    await counters.hold('r1', [claim('day', usd)], 10)
    await counters.hold('r1', [claim('day', usd)], 500)
    expect(await counters.read('day')).toEqual({ spentNano: 0, heldNano: 10 })
    await counters.top('r1', 30)
    await counters.top('r1', 20)
    await counters.top('unheard-of', 20)
    expect(await counters.read('day')).toEqual({ spentNano: 0, heldNano: 30 })
    await counters.settle('r1', 25)
    await counters.top('r1', 40)
    await counters.hold('r1', [claim('day', usd)], 10)
    expect(await counters.read('day')).toEqual({ spentNano: 25, heldNano: 0 })
  })

  test('a request settles once, also when another process settles it again and names its counters', async () => {
    const twin = openTwin()
    const parts = { now: createClock().now }
    const [first, second] = [await twin.counters(parts), await twin.counters(parts)]
    await first.seed('day', 100, null)
    await first.hold('r1', [claim('day', usd)], 10)
    await Promise.all([first.settle('r1', 7), second.settle('r1', 7, ['day']), second.settle('r1', 7)])
    expect(await first.read('day')).toEqual({ spentNano: 107, heldNano: 0 })
    // An unknown request: without names nothing happens, and it can still be settled with names.
    await first.settle('r2', 3)
    await second.settle('r2', 3, ['day', 'day'])
    await first.settle('r2', 3, ['day'])
    expect(await second.read('day')).toEqual({ spentNano: 110, heldNano: 0 })
  })

  test('the hold of a process that died goes after its time, and a topped-up one stays', async () => {
    const twin = openTwin()
    const clock = createClock()
    const parts = { now: clock.now, holdTtlMs: 60_000 }
    const [dying, living] = [await twin.counters(parts), await twin.counters(parts)]
    await living.seed('day', 0, null)
    await dying.hold('dead', [claim('day', 100)], 60)
    await living.hold('alive', [claim('day', 100)], 30)
    clock.forward(59_999)
    await living.top('alive', 30)
    expect(await living.read('day')).toEqual({ spentNano: 0, heldNano: 90 })
    clock.forward(1)
    expect(await living.read('day')).toEqual({ spentNano: 0, heldNano: 30 })
    // The process was only slow: what it holds and spends counts again.
    await dying.top('dead', 65)
    expect(await living.read('day')).toEqual({ spentNano: 0, heldNano: 95 })
    clock.forward(60_000)
    await dying.settle('dead', 70)
    expect(await living.read('day')).toEqual({ spentNano: 70, heldNano: 0 })
  })

  test('what is held and not settled can be listed, whoever holds it', async () => {
    const twin = openTwin()
    const parts = { now: createClock().now }
    const [one, other] = [await twin.counters(parts), await twin.counters(parts)]
    await one.seed('day', 0, null)
    expect(await one.unsettled()).toEqual([])
    for (const id of ['r1', 'r2', 'r3']) await one.hold(id, [claim('day', 100)], 1)
    await one.settle('r2', 1)
    expect((await other.unsettled()).sort()).toEqual(['r1', 'r3'])
  })

  test('holds go one by one, each at its own time, also those of a clock that runs behind', async () => {
    const clock = createClock()
    const counters = await openTwin().counters({ now: clock.now, holdTtlMs: 60_000 })
    await counters.seed('day', 0, null)
    const heldAfter = async (ms: number): Promise<number | undefined> => {
      clock.forward(ms)
      return (await counters.read('day'))?.heldNano
    }
    await counters.hold('r1', [claim('day', 100)], 1)
    await counters.hold('r1b', [claim('day', 100)], 10)
    clock.forward(-10_000)
    await counters.hold('r2', [claim('day', 100)], 20)
    expect(await heldAfter(60_000)).toBe(11)
    expect(await heldAfter(9_999)).toBe(11)
    await counters.hold('r3', [claim('day', 100)], 40)
    expect(await heldAfter(1)).toBe(40)
    expect(await heldAfter(59_998)).toBe(40)
    expect(await heldAfter(1)).toBe(0)
  })

  test('an absent counter is not started by a settlement, so that its window is never opened anew', async () => {
    const clock = createClock()
    const counters = await openTwin().counters({ now: clock.now })
    await counters.seed('day', 95, startMs + 1000)
    await counters.seed('total', 95, null)
    await counters.hold('r1', [claim('day', 100, startMs + 1000), claim('total', 100)], 10)
    clock.forward(1000)
    await counters.settle('r1', 10)
    expect(await counters.read('day')).toBeNull()
    expect(await counters.read('total')).toEqual({ spentNano: 105, heldNano: 0 })
  })

  test('a counter is forgotten at its time, which a later claim puts off and an earlier one does not', async () => {
    const clock = createClock()
    const counters = await openTwin().counters({ now: clock.now })
    await counters.seed('past', 5, startMs)
    expect(await counters.read('past')).toBeNull()
    for (const name of ['plain', 'longer', 'kept']) await counters.seed(name, 5, startMs + 1000)
    await counters.hold('r1', [claim('plain', 100, startMs + 10), claim('longer', 100, startMs + 5000)], 1)
    await counters.hold('r2', [claim('kept', 100)], 1)
    clock.forward(1000)
    expect(await counters.read('plain')).toBeNull()
    expect(await counters.read('longer')).toEqual({ spentNano: 5, heldNano: 1 })
    clock.forward(4000)
    expect(await counters.read('longer')).toBeNull()
    expect(await counters.read('kept')).toEqual({ spentNano: 5, heldNano: 1 })
    await counters.seed('plain', 0, null)
    expect(await counters.read('plain')).toEqual({ spentNano: 0, heldNano: 0 })
  })

  test('amounts are exact up to 2^53, and what is no amount is refused', async () => {
    const counters = await openTwin().counters({ now: createClock().now })
    const top = Number.MAX_SAFE_INTEGER
    await counters.seed('total', top - 10, null)
    await counters.seed('large', 1e15 + 1, null)
    await counters.hold('r1', [claim('total', top), claim('large', top)], 9)
    const busy = { kind: 'busy', counter: 'total', spentNano: top - 10, heldNano: 9 }
    expect(await counters.hold('r2', [claim('total', top - 1)], 1)).toEqual(busy)
    await counters.top('r1', 1e15 + 3)
    expect(await counters.read('large')).toEqual({ spentNano: 1e15 + 1, heldNano: 1e15 + 3 })
    await counters.settle('r1', 10)
    expect(await counters.read('total')).toEqual({ spentNano: top, heldNano: 0 })
    expect(await counters.read('large')).toEqual({ spentNano: 1e15 + 11, heldNano: 0 })
    for (const wrong of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(counters.seed('c', wrong, null)).rejects.toThrow(RangeError)
      await expect(counters.hold('r', [claim('c', 1)], wrong)).rejects.toThrow(RangeError)
      await expect(counters.hold('r', [claim('c', wrong)], 1)).rejects.toThrow(RangeError)
      await expect(counters.top('r', wrong)).rejects.toThrow(RangeError)
      await expect(counters.settle('r', wrong)).rejects.toThrow(RangeError)
    }
  })

  test('of 200 requests at once through two processes, those admitted cost no more than the limit and a last one that was alone', async () => {
    const twin = openTwin()
    const parts = { now: createClock().now }
    const processes = [await twin.counters(parts), await twin.counters(parts)]
    const [limit, cost] = [10 * usd, 1.3 * usd]
    await processes[0]!.seed('key:1:total', 0, null)
    const admitted = await Promise.all(
      [...Array(200).keys()].map(async (i) => {
        const counters = processes[i % 2]!
        const result = await counters.hold(`r${i}`, [claim('key:1:total', limit)], cost)
        if (result.kind === 'held') await counters.settle(`r${i}`, cost)
        return result.kind === 'held' ? 1 : 0
      }),
    )
    const count = admitted.reduce<number>((sum, one) => sum + one, 0)
    // Seven leave 0.9 USD: an eighth is admitted only when it is alone, and then holds what is left.
    expect([7, 8]).toContain(count)
    expect(await processes[1]!.read('key:1:total')).toEqual({ spentNano: count * cost, heldNano: 0 })
    expect(count * cost).toBeLessThanOrEqual(limit + cost)
  })

  test('however requests interleave, the sum is exact, nothing stays held and the overshoot keeps its bound', async () => {
    const twin = openTwin()
    const parts = { now: createClock().now }
    const processes = [await twin.counters(parts), await twin.counters(parts)]
    const amount = fc.nat(60)
    const request = fc.record({
      hold: amount,
      tops: fc.array(amount, { maxLength: 3 }),
      spent: amount,
      again: fc.boolean(),
    })
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.nat(300),
        fc.array(request, { minLength: 1, maxLength: 15 }),
        async (s, limit, requests) => {
          const [day, total, id] = [`${++run}:day`, `${run}:total`, (i: number) => `${run}:${i}`]
          await processes[0]!.seed(day, 0, null)
          await processes[0]!.seed(total, 1000, null)
          const flows = requests.map(async ({ hold, tops, spent, again }, i) => {
            const [mine, other] = [processes[i % 2]!, processes[(i + 1) % 2]!]
            const turn = (): Promise<void> => s.schedule(Promise.resolve())
            await turn()
            const { kind } = await mine.hold(id(i), [claim(day, limit), claim(total, 1000 + limit)], hold)
            if (kind !== 'held') return 0
            for (const top of tops) await turn().then(() => mine.top(id(i), top))
            await turn()
            await Promise.all([mine.settle(id(i), spent), again && other.settle(id(i), spent, [day, total])])
            return 1
          })
          const admitted = await s.waitFor(Promise.all(flows))
          const sum = requests.reduce((all, { spent }, i) => all + spent * admitted[i]!, 0)
          const above = requests.reduce((all, { spent, hold }, i) => all + Math.max(0, spent - hold) * admitted[i]!, 0)
          expect(await processes[0]!.read(day)).toEqual({ spentNano: sum, heldNano: 0 })
          expect(await processes[1]!.read(total)).toEqual({ spentNano: 1000 + sum, heldNano: 0 })
          // What is alone holds what is left, which may be less than it asked for.
          const most = Math.max(...requests.map(({ hold, spent }) => Math.max(hold, spent)))
          expect(sum).toBeLessThanOrEqual(limit + most + above)
          if (limit > 60 * 15) expect(admitted).not.toContain(0)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe.each(twins.filter(([name]) => name === 'memory'))('%s only', (_name, openTwin) => {
  test('settled ids are forgotten after their time and beyond a hundred thousand, so that memory stays bounded', async () => {
    const clock = createClock()
    const counters = await openTwin().counters({ now: clock.now, rememberMs: 1000 })
    await counters.seed('total', 0, null)
    await counters.settle('r1', 5, ['total'])
    clock.forward(999)
    await counters.settle('r1', 5, ['total'])
    expect(await counters.read('total')).toEqual({ spentNano: 5, heldNano: 0 })
    clock.forward(1)
    await counters.settle('r1', 5, ['total'])
    expect(await counters.read('total')).toEqual({ spentNano: 10, heldNano: 0 })
    for (let i = 0; i < 100_002; i++) await counters.settle(`filler${i}`, 0, ['total'])
    await counters.settle('r1', 5, ['total'])
    expect(await counters.read('total')).toEqual({ spentNano: 15, heldNano: 0 })
  })
})
