import { readdirSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { journalDone } from '../../server/ledger/ledger-writer.ts'
import { logColumn } from '../../server/ledger/rows.ts'
import type { Database } from '../../server/store/database.ts'
import { openTestDatabase } from '../support/engines.ts'
import { admittedWith, entryWith, someTime } from './ledger-entries.ts'
import { type LedgerStand, ledgerStand, removeFolders } from './ledger-stand.ts'
import { countOf, ledgerSums, misfits } from './ledger-sums.ts'

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
})
afterEach(async () => {
  for (const table of ['logs', 'attempts', 'hourly_rollups', 'daily_rollups', 'hourly_lines', 'daily_lines'])
    await database.batch([{ kind: 'run', sql: `DELETE FROM \`${table}\``, args: [] }])
})
afterAll(async () => {
  await database.close()
  await removeFolders()
})

async function expectAgreement(rows: number, costNano: number): Promise<void> {
  const sums = await ledgerSums(database)
  expect(sums.hourly).toEqual(sums.logs)
  expect(sums.daily).toEqual(sums.logs)
  expect(sums.hourlyLines).toEqual(sums.logs)
  expect(sums.dailyLines).toEqual(sums.logs)
  expect(await misfits(database)).toBe(0)
  expect(await countOf(database, 'SELECT COUNT(*) FROM `logs`')).toBe(rows)
  expect(await countOf(database, 'SELECT SUM(`cost_nano`) FROM `logs`')).toBe(costNano)
}

/** Killed with 4 records in the database, 6 in the journal only, and 3 requests under way. */
async function killedStand(): Promise<LedgerStand> {
  const stand = await ledgerStand(database, { segmentBytes: 4_000 })
  for (let number = 1; number <= 4; number++) stand.put(entryWith(number))
  await stand.settler.drained()
  for (let number = 5; number <= 10; number++) stand.put(entryWith(number))
  for (let number = 11; number <= 13; number++) stand.journal.admit(admittedWith(number))
  stand.drop()
  return stand
}

test('a killed process leaves its settled records and its open requests to the next start, which takes each once', async () => {
  const stand = await killedStand()
  expect(await stand.replay()).toEqual({ settled: 6, interrupted: 3, foreign: [], slots: [expect.any(Number)] })
  await expectAgreement(13, 55)
  expect(readdirSync(stand.directory)).toEqual([])
  expect(await stand.replay()).toEqual({ settled: 0, interrupted: 0, foreign: [], slots: [] })
  const row = await database.client.journal.findUniqueOrThrow({ where: { id: stand.journalId } })
  expect(Number(row.settledSeq)).toBe(journalDone)
})

test('killed behind any of its own steps, a replay runs again to the same ledger, and budgets hear of every row', async () => {
  let finished = false
  for (let steps = 0; !finished; steps++) {
    const stand = await killedStand()
    const told = new Set<string>()
    let left = steps
    const step = (): void => {
      if (left-- === 0) throw new Error('killed')
    }
    const dying: Database = {
      ...database,
      async batch(writes) {
        step()
        const affected = await database.batch(writes)
        step()
        return affected
      },
    }
    const onRows: Parameters<LedgerStand['replay']>[0] = {
      batchRows: 2,
      async onRows(rows) {
        step()
        for (const row of rows) told.add(String(row.log[logColumn('id')]))
        step()
      },
    }
    try {
      await stand.replay({ ...onRows, database: dying })
      finished = true
    } catch {
      left = Number.POSITIVE_INFINITY
      await stand.replay(onRows)
    }
    for (let number = 5; number <= 13; number++) expect(told).toContain(entryWith(number).id)
    await expectAgreement(13, 55)
    expect(readdirSync(stand.directory)).toEqual([])
    expect(steps).toBeLessThan(100)
    for (const table of ['logs', 'attempts', 'hourly_rollups', 'daily_rollups', 'hourly_lines', 'daily_lines'])
      await database.batch([{ kind: 'run', sql: `DELETE FROM \`${table}\``, args: [] }])
    if (finished) expect(steps).toBeGreaterThan(15)
  }
})

test('a row that the database has, but the journal knows as under way only, is neither doubled nor closed', async () => {
  const stand = await killedStand()
  const other = await ledgerStand(database)
  other.put(entryWith(12))
  await other.settler.drained()
  await stand.replay()
  await expectAgreement(13, 67)
  const [row] = await database.select('SELECT `outcome` FROM `logs` WHERE `id` = ?', [BigInt(entryWith(12).id)])
  expect(row).toEqual(['completed'])
  other.drop()
})

test('budgets do not hear again of what ended too long ago for them to know it', async () => {
  const stand = await killedStand()
  const told: string[] = []
  await stand.replay({
    now: () => someTime + 7 * 3_600_000,
    onRows: async (rows) => void told.push(...rows.map((row) => String(row.log[logColumn('outcome')]))),
  })
  expect(told).toEqual(['interrupted', 'interrupted', 'interrupted'])
})

test('a record that the database refuses does not stop the start', async () => {
  const stand = await ledgerStand(database)
  for (const number of [1, 2, 3])
    stand.put(entryWith(number, number === 2 ? { userAgent: null as unknown as string } : {}))
  stand.drop()
  await stand.replay()
  expect(stand.refused).toEqual([entryWith(2).id])
  await expectAgreement(2, 4)
  expect(readdirSync(stand.directory)).toEqual([expect.stringMatching(/\.refused\.jsonl$/)])
})

test('a journal of another database is left as it is', async () => {
  const stand = await killedStand()
  await database.client.journal.delete({ where: { id: stand.journalId } })
  const files = readdirSync(stand.directory)
  const { foreign, settled } = await stand.replay()
  expect([foreign.length, settled]).toEqual([1, 0])
  expect(readdirSync(stand.directory)).toEqual(files)
})
