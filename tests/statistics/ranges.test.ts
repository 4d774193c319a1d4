import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LedgerEntry } from '../../server/ledger/entry.ts'
import { rollupWrites } from '../../server/ledger/rollups.ts'
import { attemptColumns, attemptRows, logColumns, logRow } from '../../server/ledger/rows.ts'
import { firstKeyAt } from '../../server/request-ids.ts'
import { createStatistics } from '../../server/statistics/statistics.ts'
import type { Database } from '../../server/store/database.ts'
import { createZoneDays } from '../../server/zone-days.ts'
import { attemptWith, entryWith } from '../ledger/ledger-entries.ts'
import { openTestDatabase } from '../support/engines.ts'

const hourMs = 3_600_000
const minuteMs = 60_000
/** Days begin at half past the hour of UTC. */
const dayAt = createZoneDays('Asia/Kolkata')
const beginMs = Date.UTC(2026, 10, 20)
const nowMs = beginMs + 96 * hourMs + 25 * minuteMs
const minutes = (nowMs - beginMs) / minuteMs / 7

/** One request every seven minutes, each at another millisecond; every third with an attempt that nobody pays. */
const entries: LedgerEntry[] = Array.from({ length: Math.floor(minutes) }, (_, number) => {
  const startedAtMs = beginMs + number * 7 * minuteMs + (number % 5)
  const absorbed = attemptWith({ accountId: 9, charged: false, costNano: 7, model: 'other', outcome: 'failing' })
  const charged = attemptWith({ costNano: number, tokens: { output: number }, model: number % 2 ? 'odd' : 'even' })
  return entryWith(number, {
    id: String(firstKeyAt(startedAtMs) + 1n),
    startedAtMs,
    apiKeyId: 1 + (number % 3),
    attempts: number % 3 === 0 ? [absorbed, charged] : [charged],
  })
})

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
  const records = entries.map((entry) => ({ log: logRow(entry), attempts: attemptRows(entry) }))
  await database.batch([
    { kind: 'insert', table: 'logs', columns: logColumns, rows: records.map(({ log }) => log) },
    { kind: 'insert', table: 'attempts', columns: attemptColumns, rows: records.flatMap(({ attempts }) => attempts) },
    ...rollupWrites(records, dayAt),
  ])
})
afterAll(() => database.close())

const statistics = () => createStatistics({ database, dayAt, now: () => nowMs }).usage
const ranked = { orderBy: 'cost', first: 10, buckets: false } as const
const oneLine = { by: null, keys: [], weekStart: 1, buckets: false } as const
const inside = (fromMs: number, toMs: number) =>
  entries.filter(({ startedAtMs }) => fromMs <= startedAtMs && startedAtMs < toMs)
const costOf = (some: readonly LedgerEntry[]): bigint =>
  some.reduce((sum, { attempts }) => sum + BigInt(attempts.at(-1)!.cost.totalNano), 0n)

const ranges: [name: string, fromMs: number, toMs: number][] = [
  ['within one hour', beginMs + 10 * hourMs + 9 * minuteMs, beginMs + 10 * hourMs + 41 * minuteMs],
  ['across one hour', beginMs + 10 * hourMs + 50 * minuteMs, beginMs + 11 * hourMs + 10 * minuteMs],
  ['hours with edges', beginMs + 2 * hourMs + minuteMs, beginMs + 7 * hourMs + 3 * minuteMs + 2],
  ['days with hours and edges', beginMs + 5 * hourMs + 12 * minuteMs, beginMs + 80 * hourMs + 33 * minuteMs],
  ['whole days', dayAt(beginMs).endMs, dayAt(beginMs + 72 * hourMs).startMs],
  ['whole days and an edge', dayAt(beginMs).endMs, dayAt(beginMs + 72 * hourMs).startMs + 1],
  ['up to now', beginMs + 3 * minuteMs, nowMs],
  ['into the future', beginMs + 70 * hourMs + 3 * minuteMs, nowMs + 40 * hourMs],
]

test.each(ranges)('a range %s is exact to the millisecond', async (_name, fromMs, toMs) => {
  const some = inside(fromMs, toMs)
  const range = { fromMs, toMs }
  const totals = await statistics().totals(range, {})
  expect([totals.requests, totals.costNano]).toEqual([some.length, costOf(some)])
  expect(totals.absorbedNano).toBe(7n * BigInt(some.filter(({ attempts }) => attempts.length > 1).length))
  const ofKey = await statistics().totals(range, { apiKeyIds: [2] })
  expect(ofKey.costNano).toBe(costOf(some.filter(({ apiKeyId }) => apiKeyId === 2)))
  expect((await statistics().totals(range, { accountIds: [9] })).absorbedNano).toBe(totals.absorbedNano)
  const ranking = await statistics().ranking(range, 'model', {}, ranked)
  expect(ranking.reduce((sum, { totals: { costNano } }) => sum + costNano, 0n)).toBe(totals.costNano)
  for (const interval of ['hour', 'day', 'week', 'month'] as const) {
    const series = await statistics().series(range, interval, {}, oneLine)
    expect(series.reduce((sum, point) => sum + point.totals.requests, 0)).toBe(some.length)
    for (const { atMs, endMs, totals: point } of series) {
      expect(point.costNano).toBe(costOf(inside(Math.max(atMs, fromMs), Math.min(endMs, toMs))))
    }
    const byKey = await statistics().series(range, interval, {}, { ...oneLine, by: 'key', keys: ['1', '2', '3'] })
    expect(byKey.reduce((sum, point) => sum + point.totals.costNano, 0n)).toBe(totals.costNano)
  }
})

test('a range in the future totals zero, also within the hour and the day of now', async () => {
  for (const fromMs of [nowMs + 1, nowMs + 5 * minuteMs, nowMs + 50 * hourMs]) {
    const range = { fromMs, toMs: fromMs + 90 * hourMs }
    expect((await statistics().totals(range, {})).requests).toBe(0)
    expect(await statistics().ranking(range, 'key', {}, ranked)).toEqual([])
  }
})
