import { expect, test } from 'vitest'
import { claimsOf, dayCounter, parseCounter, totalCounter } from '../../server/keys/limits.ts'

const day = { day: '2026-11-23', startMs: Date.UTC(2026, 10, 23), endMs: Date.UTC(2026, 10, 24) }

test('a key without limits claims nothing', () => {
  expect(claimsOf(7, { dailyLimitNano: null, totalLimitNano: null }, day)).toEqual([])
})

test('each limit is a claim on a counter of its own; a limit of zero is a limit', () => {
  expect(claimsOf(7, { dailyLimitNano: 5_000_000_000, totalLimitNano: 0 }, day)).toEqual([
    { counter: 'key:7:day:2026-11-23', limitNano: 5_000_000_000, expiresAtMs: Date.UTC(2026, 10, 26) },
    { counter: 'key:7:total', limitNano: 0, expiresAtMs: null },
  ])
})

test('a day’s counter outlives its day, so that requests over midnight still settle into it', () => {
  const [claim] = claimsOf(7, { dailyLimitNano: 1, totalLimitNano: null }, day)
  expect(claim!.expiresAtMs!).toBeGreaterThan(day.endMs)
})

test('the name of a counter says which key and which day it counts', () => {
  expect(parseCounter(dayCounter(12, '2026-11-23'))).toEqual({ keyId: 12, day: '2026-11-23' })
  expect(parseCounter(totalCounter(12))).toEqual({ keyId: 12, day: null })
})
