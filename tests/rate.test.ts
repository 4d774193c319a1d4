import { expect, test } from 'vitest'
import { createCountRate } from '../../server/relay/request/count-rate.ts'

const allowed = (rate: { allows(keyId: number): boolean }, keyId: number, asked: number): number =>
  Array.from({ length: asked }, () => rate.allows(keyId)).filter(Boolean).length

test('a key may count two hundred times at once and fifty times a second after that', () => {
  let nowMs = 1000
  const rate = createCountRate(() => nowMs)
  expect(allowed(rate, 1, 300)).toBe(200)
  nowMs += 1000
  expect(allowed(rate, 1, 300)).toBe(50)
  nowMs += 3_600_000
  expect(allowed(rate, 1, 300)).toBe(200)
})

test('keys do not share their rates', () => {
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
