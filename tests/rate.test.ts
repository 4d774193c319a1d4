import { expect, test } from 'vitest'
import { createRate, type Rate } from '../server/rate.ts'

const allowed = (rate: Rate<number>, name: number, asked: number): number =>
  Array.from({ length: asked }, () => rate.allows(name)).filter(Boolean).length

const createCountRate = (now: () => number) => createRate<number>({ burst: 200, perSecond: 50, now, maxNames: 3 })

test('two hundred times at once and fifty times a second after that', () => {
  let nowMs = 1000
  const rate = createCountRate(() => nowMs)
  expect(allowed(rate, 1, 300)).toBe(200)
  nowMs += 1000
  expect(allowed(rate, 1, 300)).toBe(50)
  nowMs += 3_600_000
  expect(allowed(rate, 1, 300)).toBe(200)
})

test('names do not share their rates', () => {
  const rate = createCountRate(() => 0)
  allowed(rate, 1, 300)
  expect(allowed(rate, 2, 300)).toBe(200)
})

test('a clock that is set back takes nothing away', () => {
  let nowMs = 3_600_000
  const rate = createCountRate(() => nowMs)
  rate.allows(1)
  nowMs = 0
  expect(allowed(rate, 1, 300)).toBe(199)
})

test('of too many names the one that has not asked for longest begins anew', () => {
  const rate = createCountRate(() => 0)
  for (const name of [1, 2, 3]) allowed(rate, name, 200)
  rate.allows(1)
  rate.allows(4)
  expect([1, 3, 2].map((name) => allowed(rate, name, 300))).toEqual([0, 0, 200])
})
