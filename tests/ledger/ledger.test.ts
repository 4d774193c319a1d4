import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LedgerEntry } from '../../server/ledger/entry.ts'
import {
  durationBucketsMs,
  firstByteBucketsMs,
  rollupDimensions,
  rollupSums,
  rollupWrites,
} from '../../server/ledger/rollups.ts'
import {
  attemptColumns,
  attemptRows,
  type Cell,
  type LedgerRows,
  logColumns,
  logRow,
} from '../../server/ledger/rows.ts'
import type { Database } from '../../server/store/database.ts'
import { createZoneDays } from '../../server/zone-days.ts'
import { openTestDatabase } from '../support/engines.ts'
import { attemptWith, entryWith } from './ledger-entries.ts'

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())

async function columnsOf(table: string): Promise<string[]> {
  const rows = await database.select(
    database.engine === 'sqlite'
      ? `SELECT name FROM pragma_table_info('${table}') ORDER BY cid`
      : `SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = '${table}' ORDER BY ordinal_position`,
  )
  return rows.map(([name]) => String(name))
}

test.each([
  ['logs', [...logColumns, 'journal_id', 'journal_seq']],
  ['attempts', attemptColumns],
  ['hourly_rollups', ['hour_ms', ...rollupDimensions, ...rollupSums]],
  ['daily_rollups', ['day', ...rollupDimensions, ...rollupSums]],
  ['hourly_lines', ['hour_ms', 'subject', 'subject_id', ...rollupSums]],
  ['daily_lines', ['day', 'subject', 'subject_id', ...rollupSums]],
])('rows for %s have the columns of the table, in its order', async (table, columns) => {
  expect(columns).toEqual(await columnsOf(table))
})

test('every value of a request lands in the column that bears its name', () => {
  const charged = attemptWith({
    accountId: 9,
    costNano: 41,
    tokens: { input: 31, output: 32, cacheWrite5m: 33, cacheWrite1h: 34, cacheRead: 35, thinking: 36, webSearches: 37 },
  })
  const failed = attemptWith({
    accountId: 8,
    outcome: 'limited',
    httpStatus: 429,
    charged: false,
    errorType: 'rate_limit_error',
    errorCode: 'ramp',
  })
  const entry = entryWith(7, {
    attempts: [failed, charged],
    sessionId: 's',
    agentId: 'a',
    durationMs: 51,
    firstByteMs: 52,
  })
  const named = Object.fromEntries(logRow(entry).map((cell, index) => [logColumns[index], cell]))
  expect(logRow(entry)).toHaveLength(logColumns.length)
  expect(named).toMatchObject({
    id: entry.id,
    started_at_ms: entry.startedAtMs,
    account_id: 9,
    attempts: 2,
    duration_ms: 51,
    first_byte_ms: 52,
    input_tokens: 31,
    output_tokens: 32,
    cache_write_5m_tokens: 33,
    cache_write_1h_tokens: 34,
    cache_read_tokens: 35,
    thinking_tokens: 36,
    web_searches: 37,
    cost_nano: 41,
    output_cost_nano: 41,
    session_id: 's',
    agent_id: 'a',
    request_bytes: 107,
  })
  const attempts = attemptRows(entry).map((row) =>
    Object.fromEntries(row.map((cell, index) => [attemptColumns[index], cell])),
  )
  expect(attemptRows(entry)[0]).toHaveLength(attemptColumns.length)
  expect(attempts).toMatchObject([
    {
      number: 1,
      account_id: 8,
      outcome: 'limited',
      http_status: 429,
      charged: 0,
      error_type: 'rate_limit_error',
      error_code: 'ramp',
    },
    { number: 2, account_id: 9, outcome: 'answer', charged: 1, cost_nano: 41, cache_read_tokens: 35 },
  ])
})

const sumAt = (name: string) => 1 + rollupDimensions.length + rollupSums.indexOf(name)
const total = (rows: readonly (readonly (string | number)[])[], name: string) =>
  rows.reduce((sum, row) => sum + (row[sumAt(name)] as number), 0)

const count = fc.integer({ min: 0, max: 1_000_000 })
const attempt = fc.record({
  accountId: fc.integer({ min: 1, max: 3 }),
  costNano: count,
  model: fc.constantFrom('a', 'b'),
  tokens: fc.record({ input: count, output: count, cacheWrite5m: count, cacheWrite1h: count, cacheRead: count }),
})
const entry = fc
  .record({
    startedAtMs: fc.integer({ min: Date.UTC(2026, 2, 1), max: Date.UTC(2026, 10, 30) }),
    apiKeyId: fc.integer({ min: 1, max: 3 }),
    outcome: fc.constantFrom('completed' as const, 'failed' as const, 'aborted' as const, 'interrupted' as const),
    durationMs: fc.integer({ min: 0, max: 300_000 }),
    firstByteMs: fc.integer({ min: -1, max: 60_000 }),
    charged: attempt,
    absorbed: fc.array(attempt, { maxLength: 2 }),
  })
  .map(({ charged, absorbed, ...more }): LedgerEntry => {
    const attempts = [...absorbed.map((one) => attemptWith({ ...one, charged: false })), attemptWith(charged)]
    return entryWith(1, { ...more, attempts })
  })
const rowsOf = (one: LedgerEntry): LedgerRows => ({ log: logRow(one), attempts: attemptRows(one) })

/** The rows of each table of rollups. */
function rollUp(...args: Parameters<typeof rollupWrites>) {
  const rows = (table: string): Cell[][] => {
    const write = rollupWrites(...args).find((one) => one.kind === 'add' && one.table === table)
    return write?.kind === 'add' ? write.rows.map((row) => row.map((cell) => cell as Cell)) : []
  }
  return {
    hourly: rows('hourly_rollups'),
    daily: rows('daily_rollups'),
    hourlyLines: rows('hourly_lines'),
    dailyLines: rows('daily_lines'),
  }
}

test.each(['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Shanghai'])(
  'rollups of any requests are their sums, hours and days, of %s',
  (zone) => {
    const dayAt = createZoneDays(zone)
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 30 }), (entries) => {
        const { hourly, daily } = rollUp(entries.map(rowsOf), dayAt)
        const spent = (charged: boolean) =>
          entries
            .flatMap((one) => one.attempts)
            .reduce((sum, one) => sum + (one.charged === charged ? one.cost.totalNano : 0), 0)
        for (const rows of [hourly, daily]) {
          expect(total(rows, 'requests')).toBe(entries.length)
          expect(total(rows, 'failures')).toBe(entries.filter((one) => one.outcome !== 'completed').length)
          expect(total(rows, 'cost_nano')).toBe(spent(true))
          expect(total(rows, 'absorbed_nano')).toBe(spent(false))
          expect(new Set(rows.map((row) => row.slice(0, 8).join(' '))).size).toBe(rows.length)
          for (const row of rows) {
            const durations = [...durationBucketsMs.map((ms) => `duration_le_${ms}`), 'duration_more']
            const firstBytes = [...firstByteBucketsMs.map((ms) => `first_byte_le_${ms}`), 'first_byte_more']
            expect(durations.reduce((sum, name) => sum + (row[sumAt(name)] as number), 0)).toBe(row[sumAt('requests')])
            expect(firstBytes.reduce((sum, name) => sum + (row[sumAt(name)] as number), 0)).toBe(
              row[sumAt('first_byte_count')],
            )
          }
        }
        // A request belongs to the day that its clock on the wall said.
        const format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' })
        const days = new Set(entries.map((one) => format.format(one.startedAtMs)))
        expect(new Set(daily.map((row) => row[0]))).toEqual(days)
        for (const row of hourly) expect((row[0] as number) % 3_600_000).toBe(0)
      }),
      { numRuns: 60 },
    )
  },
)

test.each([
  ['2026-03-29', 23],
  ['2026-10-25', 25],
  ['2026-11-23', 24],
])('%s has %i hours in Berlin, each of them in its day and no other', (day, hours) => {
  const dayAt = createZoneDays('Europe/Berlin')
  const startMs = dayAt(Date.parse(`${day}T10:00:00Z`)).startMs
  const entries = Array.from({ length: hours + 2 }, (_, index) =>
    entryWith(1, { startedAtMs: startMs + (index - 1) * 3_600_000 }),
  )
  const { hourly, daily } = rollUp(entries.map(rowsOf), dayAt)
  expect(hourly).toHaveLength(hours + 2)
  expect(daily.map((row) => row[sumAt('requests')])).toEqual([1, hours, 1])
  expect(daily[1]?.[0]).toBe(day)
})

test('absorbed cost stands with the account and model that caused it, the request with the account that answered', () => {
  const lost = attemptWith({ accountId: 8, charged: false, costNano: 70, model: 'lost' })
  const { hourly } = rollUp(
    [rowsOf(entryWith(1, { attempts: [lost, attemptWith({ accountId: 9, costNano: 5, model: 'won' })] }))],
    createZoneDays('UTC'),
  )
  const lines = hourly.map((row) => [
    row[2],
    row[6],
    ...['requests', 'cost_nano', 'absorbed_nano'].map((name) => row[sumAt(name)]),
  ])
  expect(lines).toEqual([
    [8, 'lost', 0, 0, 70],
    [9, 'won', 1, 5, 0],
  ])
})
