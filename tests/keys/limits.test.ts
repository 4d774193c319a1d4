import { expect, test } from 'vitest'
import { claimsOf, counterName, noCostLimits, parseCounter, rateClaim } from '../../server/keys/limits.ts'
import { createWindows } from '../../server/keys/windows.ts'
import { createZoneDays } from '../../server/zone-days.ts'

const atMs = Date.UTC(2026, 10, 25, 10, 7)
const iso = (ms: number) => new Date(ms).toISOString().slice(0, 16)
const windowsAt = (zone: string, resetHour: number, weekStart: number, ms: number) => {
  const { day, week, month } = createWindows(createZoneDays(zone, resetHour), weekStart)(ms)
  return [day, week, month].map(({ fromMs, toMs }) => [iso(fromMs), iso(toMs)])
}

test('a subject without limits claims nothing', () => {
  expect(claimsOf('key', 7, noCostLimits, createWindows(createZoneDays('UTC'), 1)(atMs), atMs)).toEqual([])
})

test('each limit is a claim on a counter of its own, with its end; a limit of zero is a limit', () => {
  const limits = {
    dailyLimitNano: 1,
    weeklyLimitNano: 2,
    monthlyLimitNano: 3,
    totalLimitNano: 0,
    rollingLimitNano: 5,
    rollingHours: 5,
  }
  const claims = claimsOf('user', 7, limits, createWindows(createZoneDays('UTC'), 1)(atMs), atMs)
  expect(claims.map(({ rule, limitNano, resetsAtMs }) => [rule, limitNano, resetsAtMs && iso(resetsAtMs)])).toEqual([
    ['daily', 1, '2026-11-26T00:00'],
    ['weekly', 2, '2026-11-30T00:00'],
    ['monthly', 3, '2026-12-01T00:00'],
    ['total', 0, null],
    ['rolling', 5, null],
  ])
  const rolling = claims.at(-1)!
  const parts = [...rolling.earlier!, rolling.counter].map((name) => parseCounter(name).window!)
  // No moment of the last five hours is left out, and none counts twice.
  expect(parts[0]!.fromMs).toBeLessThanOrEqual(atMs - 5 * 3_600_000)
  expect(parts.at(-1)!.toMs).toBeGreaterThan(atMs)
  for (const [index, { toMs }] of parts.slice(0, -1).entries()) expect(parts[index + 1]!.fromMs).toBe(toMs)
  for (const { expiresAtMs, resetsAtMs } of claims.slice(0, 3)) expect(expiresAtMs!).toBeGreaterThan(resetsAtMs!)
})

test('the name of a counter says whose it is, what it counts and when', () => {
  for (const meaning of [
    { subject: 'key', id: 12, unit: 'cost', window: { fromMs: 5, toMs: 9 } },
    { subject: 'group', id: 3, unit: 'running', window: null },
  ] as const)
    expect(parseCounter(counterName(meaning))).toEqual(meaning)
  expect(parseCounter(rateClaim(3, 'requests', 10, atMs).counter)).toMatchObject({ unit: 'requests', id: 3 })
})

test('windows follow the zone, its summer time, the first day of the week and the reset hour', () => {
  expect(windowsAt('Asia/Shanghai', 0, 1, atMs)).toEqual([
    ['2026-11-24T16:00', '2026-11-25T16:00'],
    ['2026-11-22T16:00', '2026-11-29T16:00'],
    ['2026-10-31T16:00', '2026-11-30T16:00'],
  ])
  expect(windowsAt('UTC', 0, 0, atMs)[1]).toEqual(['2026-11-22T00:00', '2026-11-29T00:00'])
  // At three the day before is not over where days begin at four.
  const atThree = Date.UTC(2026, 11, 1, 3)
  expect(windowsAt('UTC', 4, 1, atThree)).toEqual([
    ['2026-11-30T04:00', '2026-12-01T04:00'],
    ['2026-11-30T04:00', '2026-12-07T04:00'],
    ['2026-11-01T04:00', '2026-12-01T04:00'],
  ])
  // The week of the change to winter time has an hour more, that to summer time one less.
  const length = (ms: number) => {
    const { week } = createWindows(createZoneDays('Europe/Berlin', 3), 1)(ms)
    return (week.toMs - week.fromMs) / 3_600_000
  }
  expect([length(Date.UTC(2026, 9, 22)), length(Date.UTC(2026, 2, 25))]).toEqual([169, 167])
})

test('windows of three months with a change to summer time neither skip nor overlap', () => {
  const windows = createWindows(createZoneDays('America/New_York', 2), 1)
  let before = windows(Date.UTC(2026, 1, 1))
  for (let ms = Date.UTC(2026, 1, 1); ms < Date.UTC(2026, 4, 1); ms += 6 * 3_600_000) {
    const now = windows(ms)
    for (const name of ['day', 'week', 'month'] as const) {
      expect(now[name].fromMs <= ms && ms < now[name].toMs).toBe(true)
      if (now[name].fromMs !== before[name].fromMs) expect(now[name].fromMs).toBe(before[name].toMs)
    }
    before = now
  }
})
