import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LedgerEntry } from '../../server/ledger/entry.ts'
import { durationBucketsMs, firstByteBucketsMs, rejectionRollups, rollupWrites } from '../../server/ledger/rollups.ts'
import { attemptColumns, attemptRows, logColumns, logRow } from '../../server/ledger/rows.ts'
import { firstKeyAt } from '../../server/request-ids.ts'
import { durationBoundsMs, firstByteBoundsMs, percentileOf } from '../../server/statistics/buckets.ts'
import {
  type Dimension,
  dimensions,
  noTotals,
  type TotalsFilter,
  type TotalsRow,
} from '../../server/statistics/sums.ts'
import { createUsage } from '../../server/statistics/usage.ts'
import type { Database } from '../../server/store/database.ts'
import { createZoneDays } from '../../server/zone-days.ts'
import { attemptWith, entryWith } from '../ledger/ledger-entries.ts'
import { openTestDatabase } from '../support/engines.ts'

const hourMs = 3_600_000
/** Berlin leaves summer time on 25 October; Kolkata's days begin within an hour of UTC. */
const zones = ['Europe/Berlin', 'Asia/Kolkata'] as const
const beginMs = Date.UTC(2026, 9, 20)
const endMs = Date.UTC(2026, 10, 6)
const nowMs = endMs + 17 * 60_000

/** A generator of the same numbers at every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

const draw = numbers(13)
const outcomes = ['completed', 'completed', 'failed', 'aborted', 'interrupted'] as const
const entries: LedgerEntry[] = Array.from({ length: 1500 }, (_, number) => {
  const startedAtMs = beginMs + draw(endMs - beginMs)
  const model = ['opus', 'sonnet', 'haiku'][draw(3)]!
  const tokens = {
    input: draw(90),
    output: draw(90),
    cacheWrite5m: draw(9),
    cacheWrite1h: draw(9),
    cacheRead: draw(900),
  }
  const charged = attemptWith({ accountId: 1 + draw(4), costNano: draw(9999), tokens, model })
  charged.cost = { ...charged.cost, cacheSavedNano: draw(200) - 100 }
  const lost = attemptWith({ accountId: 1 + draw(4), charged: false, costNano: draw(99), model: 'haiku' })
  return entryWith(number, {
    id: String(firstKeyAt(startedAtMs) + BigInt(number)),
    startedAtMs,
    apiKeyId: 1 + draw(3),
    userId: draw(3),
    groupId: 1 + draw(2),
    platform: ['console', 'claude'][draw(2)]!,
    tag: ['', 'web', 'app'][draw(3)]!,
    stream: draw(2) === 0,
    outcome: outcomes[draw(outcomes.length)]!,
    firstByteMs: draw(5) === 0 ? -1 : draw(40_000),
    durationMs: draw(300_000),
    attempts: draw(4) === 0 ? [lost, charged] : [charged],
  })
})
const rejections = Array.from({ length: 200 }, () => ({
  // By whole hours.
  lastAtMs: beginMs + Math.floor(draw(endMs - beginMs) / hourMs) * hourMs,
  apiKeyId: 1 + draw(3),
  userId: draw(3),
  groupId: 1 + draw(2),
  requests: 1 + draw(5),
}))

const databases = new Map<string, Database>()
beforeAll(async () => {
  const records = entries.map((entry) => ({ log: logRow(entry), attempts: attemptRows(entry) }))
  for (const zone of zones) {
    const database = await openTestDatabase()
    databases.set(zone, database)
    await database.batch([
      { kind: 'insert', table: 'logs', columns: logColumns, rows: records.map(({ log }) => log) },
      { kind: 'insert', table: 'attempts', columns: attemptColumns, rows: records.flatMap(({ attempts }) => attempts) },
      ...rollupWrites(records, createZoneDays(zone)),
      ...rejectionRollups(rejections, createZoneDays(zone)),
    ])
  }
})
afterAll(() => Promise.all([...databases.values()].map((database) => database.close())))

interface Fact {
  atMs: number
  /** Its values of the dimensions. */
  of: Record<Dimension, string>
  sums: Partial<TotalsRow>
}

/** Everything that happened, one by one: what a sum must be the sum of. */
const facts: Fact[] = [
  ...entries.flatMap((entry): Fact[] => {
    const last = entry.attempts.at(-1)!
    const of = {
      key: String(entry.apiKeyId),
      account: String(last.accountId),
      user: String(entry.userId),
      group: String(entry.groupId),
      platform: entry.platform,
      model: last.reading.model,
      tag: entry.tag,
    }
    const { tokens } = last.reading
    const lost = entry.attempts.length > 1 ? entry.attempts[0]! : null
    const slots = (bounds: readonly number[], value: number) =>
      [...bounds, Number.POSITIVE_INFINITY].map((high, index) =>
        value <= high && value > (index === 0 ? -1 : bounds[index - 1]!) ? 1 : 0,
      )
    return [
      {
        atMs: entry.startedAtMs,
        of,
        sums: {
          requests: 1,
          failures: entry.outcome === 'completed' ? 0 : 1,
          cancelled: entry.outcome === 'aborted' ? 1 : 0,
          failovers: lost ? 1 : 0,
          streamed: entry.stream ? 1 : 0,
          inputTokens: tokens.input,
          outputTokens: tokens.output,
          cacheWriteTokens: tokens.cacheWrite5m + tokens.cacheWrite1h,
          cacheReadTokens: tokens.cacheRead,
          costNano: BigInt(last.cost.totalNano),
          billedNano: BigInt(last.cost.totalNano),
          cacheSavedNano: BigInt(last.cost.cacheSavedNano),
          durationMsSum: entry.durationMs,
          firstByteMsSum: Math.max(0, entry.firstByteMs),
          firstByteCount: entry.firstByteMs < 0 ? 0 : 1,
          durations: slots(durationBoundsMs, entry.durationMs),
          firstBytes: slots(firstByteBoundsMs, entry.firstByteMs),
        },
      },
      ...(lost
        ? [
            {
              atMs: entry.startedAtMs,
              of: { ...of, account: String(lost.accountId), model: lost.reading.model },
              sums: { absorbedNano: BigInt(lost.cost.totalNano) },
            },
          ]
        : []),
    ]
  }),
  ...rejections.map(({ lastAtMs, apiKeyId, userId, groupId, requests }) => ({
    atMs: lastAtMs,
    of: {
      key: String(apiKeyId),
      account: '0',
      user: String(userId),
      group: String(groupId),
      platform: '',
      model: '',
      tag: '',
    },
    sums: { rejected: requests },
  })),
]

function bruteForce(some: readonly Fact[]): TotalsRow {
  const sum = structuredClone(noTotals) as unknown as Record<string, number | bigint | number[]>
  for (const { sums } of some)
    for (const [name, value] of Object.entries(sums)) {
      const before = sum[name]!
      if (Array.isArray(value)) sum[name] = value.map((count, index) => count + (before as number[])[index]!)
      else sum[name] = (before as never) + (value as never)
    }
  return sum as unknown as TotalsRow
}

/** Rejections count by whole hours at the edges of a range. */
const within = (fact: Fact, fromMs: number, toMs: number): boolean =>
  fact.sums.rejected === undefined
    ? fromMs <= fact.atMs && fact.atMs < toMs
    : fromMs - (fromMs % hourMs) <= fact.atMs && fact.atMs < toMs

const fields: Record<Dimension, { filter: keyof TotalsFilter; values: readonly string[] }> = {
  key: { filter: 'apiKeyIds', values: ['1', '2', '3'] },
  account: { filter: 'accountIds', values: ['1', '2', '3', '4'] },
  user: { filter: 'userIds', values: ['0', '1', '2'] },
  group: { filter: 'groupIds', values: ['1', '2'] },
  platform: { filter: 'platforms', values: ['console', 'claude'] },
  model: { filter: 'models', values: ['opus', 'sonnet', 'haiku'] },
  tag: { filter: 'tags', values: ['', 'web', 'app'] },
}
const filters = fc.record(
  Object.fromEntries(
    dimensions.map((name) => [name, fc.subarray([...fields[name].values], { minLength: 1 })]),
  ) as Record<Dimension, fc.Arbitrary<string[]>>,
  { requiredKeys: [] },
)
/** Often on the edge of an hour or a day. */
const moments = fc.oneof(
  fc.integer({ min: beginMs - 30 * hourMs, max: endMs + 30 * hourMs }),
  fc.integer({ min: -30, max: 430 }).map((hours) => beginMs + hours * hourMs),
  fc.integer({ min: -2, max: 18 }).map((days) => createZoneDays('Europe/Berlin')(beginMs + days * 24 * hourMs).startMs),
)

test('the buckets of statistics are those of the ledger', () => {
  expect([durationBoundsMs, firstByteBoundsMs]).toEqual([durationBucketsMs, firstByteBucketsMs])
})

test('any sum is that of the requests one by one, across the end of summer time and of a month', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...zones),
      moments,
      moments,
      filters,
      fc.option(fc.constantFrom(...dimensions)),
      fc.constantFrom('hour', 'day', 'week', 'month'),
      async (zone, one, other, chosen, by, interval) => {
        fc.pre(one !== other)
        const range = { fromMs: Math.min(one, other), toMs: Math.max(one, other) }
        const usage = createUsage({
          database: databases.get(zone)!,
          dayAt: createZoneDays(zone),
          now: () => nowMs,
          rowsSinceMs: () => 0,
        })
        const filter: TotalsFilter = Object.fromEntries(
          Object.entries(chosen).map(([name, values]) => [
            fields[name as Dimension].filter,
            name === 'platform' || name === 'model' || name === 'tag' ? values : values!.map(Number),
          ]),
        )
        const fits = ({ of }: Fact) =>
          Object.entries(chosen).every(([name, values]) => values!.includes(of[name as Dimension]))
        const some = facts.filter((fact) => fits(fact) && within(fact, range.fromMs, range.toMs))
        const totals = await usage.totals(range, filter, true)
        expect(totals).toEqual(bruteForce(some))
        // The four outcomes add up to what was sent.
        const completed = totals.requests - totals.failures
        const failed = totals.failures - totals.cancelled
        const sent = some.reduce((sum, { sums }) => sum + (sums.requests ?? 0) + (sums.rejected ?? 0), 0)
        expect(completed + failed + totals.cancelled + totals.rejected).toBe(sent)

        if (by) {
          const ranking = await usage.ranking(range, by, filter, { orderBy: 'cost', first: 100, buckets: true })
          const isTold = (fact: Fact) =>
            fact.sums.rejected === undefined || !['account', 'platform', 'model'].includes(by)
          const keys = [...new Set(some.filter(isTold).map(({ of }) => of[by]))].sort()
          expect(ranking.map(({ key }) => key).sort()).toEqual(keys)
          for (const { key, totals: row } of ranking)
            expect(row, key).toEqual(bruteForce(some.filter((fact) => isTold(fact) && fact.of[by] === key)))
        }
        const lines = by ? (chosen[by] ?? fields[by].values) : [null]
        const series = await usage.series(range, interval as 'day', filter, {
          by,
          keys: lines.filter((line) => line !== null),
          weekStart: 1,
          buckets: true,
        })
        for (const { key, atMs, endMs: toMs, totals: point } of series) {
          const [from, to] = [Math.max(atMs, range.fromMs), Math.min(toMs, range.toMs)]
          const inside = facts.filter(
            (fact) => fits(fact) && within(fact, from, to) && (key === null || fact.of[by!] === key),
          )
          expect({ ...point, rejected: 0 }, `${interval} ${atMs}`).toEqual({ ...bruteForce(inside), rejected: 0 })
        }
        // Without gaps.
        for (const [index, { atMs }] of series.entries()) {
          const next = series[index + lines.length]
          if (next) expect(next.atMs).toBe(series[index]!.endMs)
          expect(atMs).toBeLessThan(range.toMs)
        }
      },
    ),
    { numRuns: process.env['TEST_EVERY_BYTE'] ? 1000 : 60 },
  )
}, 600_000)

test('a percentile lies in the bucket in which the true one lies', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0.5, 0.9, 0.95, 0.99),
      (values, share) => {
        const bounds = [...durationBoundsMs, Number.POSITIVE_INFINITY]
        const slotOf = (value: number) => bounds.findIndex((high) => value <= high)
        const counts = bounds.map((_, slot) => values.filter((value) => slotOf(value) === slot).length)
        const sorted = [...values].sort((a, b) => a - b)
        const slot = slotOf(sorted[Math.ceil(share * values.length) - 1]!)
        const found = percentileOf(counts, durationBoundsMs, share)!
        expect(found).toBeGreaterThanOrEqual(slot === 0 ? 0 : bounds[slot - 1]!)
        expect(found).toBeLessThanOrEqual(bounds[slot]!)
      },
    ),
  )
  expect(percentileOf([0, 0], [10], 0.5)).toBeNull()
})
