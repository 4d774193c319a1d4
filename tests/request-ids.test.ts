import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRequestIds, firstKeyAt, ledgerKey, requestIdOf, slotOf } from '../server/request-ids.ts'

const startMs = Date.UTC(2026, 10, 23, 12)
const keyOf = (text: string): bigint => BigInt(ledgerKey(text) ?? 'not a request id')

test('ids sort by time, as text and as ledger keys', () => {
  let atMs = startMs
  const next = createRequestIds(7, () => atMs)
  const texts = [0, 1, 1, 500, 86_400_000].map((step) => {
    atMs += step
    return next().text
  })
  expect(texts.every((text) => /^req_[0-9a-z]{14}$/.test(text))).toBe(true)
  expect([...texts].sort()).toEqual(texts)
  const keys = texts.map(keyOf)
  expect(keys.every((key, index) => index === 0 || key > keys[index - 1]!)).toBe(true)
})

test('no id comes twice while the clock stands still or runs back an hour, also beyond 4096 in a millisecond', () => {
  let atMs = startMs
  const next = createRequestIds(0, () => atMs)
  const texts: string[] = []
  const take = (count: number): void => {
    for (let i = 0; i < count; i++) texts.push(next().text)
  }
  take(10_000)
  atMs -= 3_600_000
  take(10_000)
  atMs = startMs + 1
  take(10_000)
  expect(new Set(texts).size).toBe(30_000)
  expect([...texts].sort()).toEqual(texts)
})

test('a request keeps the time of the wall clock, whatever its id had to run on to', () => {
  let atMs = startMs
  const next = createRequestIds(0, () => atMs)
  next()
  atMs -= 1000
  expect(next().atMs).toBe(startMs - 1000)
})

test('an id tells the slot of the process that made it', () => {
  for (const slot of [0, 1, 511, 1023]) expect(slotOf(createRequestIds(slot, Date.now)().text)).toBe(slot)
  expect(slotOf('req_nonsense')).toBeNull()
})

test('processes of different slots never make the same id', () => {
  const made = [0, 1, 1023].flatMap((slot) => {
    const next = createRequestIds(slot, () => startMs)
    return Array.from({ length: 5000 }, () => next().text)
  })
  expect(new Set(made).size).toBe(3 * 5000)
})

test('a machine that wakes in 1970 makes ids that can be stored and read', () => {
  const next = createRequestIds(3, () => 1000)
  const [first, second] = [next().text, next().text]
  expect(requestIdOf(keyOf(first))).toBe(first)
  expect(keyOf(second)).toBeGreaterThan(keyOf(first))
})

test('id and ledger key are two writings of one number below 2^63', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: Date.UTC(2024, 0, 1) + 1, max: Date.UTC(2090, 0, 1) }),
      fc.nat(1023),
      (atMs, slot) => {
        const { text } = createRequestIds(slot, () => atMs)()
        const key = keyOf(text)
        expect(key < 2n ** 63n).toBe(true)
        expect(requestIdOf(key)).toBe(text)
        expect(firstKeyAt(atMs) <= key && key < firstKeyAt(atMs + 1)).toBe(true)
      },
    ),
  )
})

test('text that no process can have made is no request id', () => {
  const { text } = createRequestIds(1023, () => startMs)()
  const wrong = ['', text.slice(4), `${text}0`, text.toUpperCase(), `msg_${text.slice(4)}`, `${text.slice(0, -1)}u`]
  // More than 41 bits of time, more than 22 bits of slot and counter.
  wrong.push(`req_zzzzzzzzz${text.slice(13)}`, `${text.slice(0, 13)}zzzzz`)
  expect(wrong.map(ledgerKey)).toEqual(wrong.map(() => null))
})
