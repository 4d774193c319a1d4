import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { SpendOf } from '../../server/ledger/spend.ts'
import { insertRows } from '../../server/store/batch.ts'
import { type Database, OutcomeUnknown, type Write } from '../../server/store/database.ts'
import { engines, openTestDatabase } from '../support/engines.ts'
import { attemptWith, entryWith } from './ledger-entries.ts'
import { ledgerStand, removeFolders } from './ledger-stand.ts'
import { countOf, ledgerSums, misfits } from './ledger-sums.ts'

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
})
afterEach(async () => {
  for (const table of [
    'logs',
    'attempts',
    'hourly_rollups',
    'daily_rollups',
    'hourly_lines',
    'daily_lines',
    'client_sessions',
    'client_session_parts',
  ])
    await database.batch([{ kind: 'run', sql: `DELETE FROM \`${table}\``, args: [] }])
})
afterAll(async () => {
  await database.close()
  await removeFolders()
})

/** The same database, each batch of which goes through `fate`. */
const through = (fate: (writes: readonly Write[], batch: Database['batch']) => Promise<number[]>): Database => ({
  ...database,
  batch: (writes) => fate(writes, database.batch),
})
const ids = async () => (await database.select('SELECT `id` FROM `logs` ORDER BY `id`')).map(([id]) => String(id))
const expected = (...numbers: number[]) => numbers.map((number) => entryWith(number).id)
async function expectAgreement(rows: number, costNano: number): Promise<void> {
  const sums = await ledgerSums(database)
  expect(sums.hourly).toEqual(sums.logs)
  expect(sums.daily).toEqual(sums.logs)
  expect(sums.hourlyLines).toEqual(sums.logs)
  expect(sums.dailyLines).toEqual(sums.logs)
  expect(await misfits(database)).toBe(0)
  expect(await countOf(database, 'SELECT SUM(`requests`) FROM `daily_rollups`')).toBe(rows)
  expect(await countOf(database, 'SELECT SUM(`cost_nano`) FROM `daily_rollups`')).toBe(costNano)
}
const refusedFile = (directory: string) => readdirSync(directory).filter((file) => file.endsWith('.refused.jsonl'))

test('settled records reach the ledger in order, the rollups with them, and leave no file behind', async () => {
  const batches: number[] = []
  const stand = await ledgerStand(
    through((writes, batch) => {
      const write = writes[1]
      batches.push(write?.kind === 'insert' ? insertRows(write).length : -1)
      return batch(writes)
    }),
    { batchRows: 4 },
  )
  for (let number = 1; number <= 10; number++) stand.put(entryWith(number))
  await stand.settler.drained()
  expect(await ids()).toEqual(expected(1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
  expect(batches).toEqual([4, 4, 2])
  await expectAgreement(10, 55)
  expect(Number((await database.client.journal.findUniqueOrThrow({ where: { id: stand.journalId } })).settledSeq)).toBe(
    10,
  )
  stand.settler.stop()
  stand.journal.close(true)
  expect(readdirSync(stand.directory)).toEqual([])
})

test('the journal has a record on disk before the database gets its row', async () => {
  const onDisk: number[] = []
  const stand = await ledgerStand(
    through((writes, batch) => {
      const text = readFileSync(join(stand.directory, readdirSync(stand.directory)[0]!), 'utf8')
      onDisk.push(text.split('\n').filter((line) => line.startsWith('{"t":"s"')).length)
      return batch(writes)
    }),
  )
  for (let number = 1; number <= 3; number++) stand.put(entryWith(number))
  await stand.settler.drained()
  expect(onDisk).toEqual([3])
  stand.drop()
})

test('a batch whose acknowledgement was lost is counted once', async () => {
  let lost = 0
  const stand = await ledgerStand(
    through(async (writes, batch) => {
      const affected = await batch(writes)
      if (lost++ === 0) throw new OutcomeUnknown('the connection was lost during the commit')
      return affected
    }),
  )
  for (let number = 1; number <= 5; number++) stand.put(entryWith(number))
  await expect(stand.settler.drained()).rejects.toThrow()
  stand.put(entryWith(6))
  await stand.settler.drained()
  expect(stand.errors).toHaveLength(1)
  await expectAgreement(6, 21)
  expect(stand.settler.backlog()).toBe(0)
  expect(stand.journal.open()).toBe(0)
  stand.drop()
})

test('a row that is there already is left out, of the rollups too', async () => {
  const first = await ledgerStand(database)
  first.put(entryWith(2))
  await first.settler.drained()
  const stand = await ledgerStand(database)
  for (const number of [1, 2, 3]) stand.put(entryWith(number))
  await stand.settler.drained()
  await expectAgreement(3, 6)
  expect(stand.refused).toEqual([])
  for (const one of [first, stand]) one.drop()
})

test('rows that the database refuses for good are kept whole as dead letters, and everything else goes on in order', async () => {
  const taken = await ledgerStand(database)
  taken.put(entryWith(20))
  await taken.settler.drained()
  const stand = await ledgerStand(database, { batchRows: 16 })
  const strange = entryWith(5, {
    attempts: [
      attemptWith({ costNano: 5 }),
      { ...attemptWith(), charged: false, httpStatus: null as unknown as number },
    ],
  })
  for (let number = 1; number <= 30; number++) {
    // Number 20 bears the id of another request; number 5 does not fit the table.
    stand.put(number === 5 ? strange : number === 20 ? entryWith(20, { apiKeyId: 77 }) : entryWith(number))
  }
  await stand.settler.drained()
  expect(stand.refused).toEqual(expected(5, 20))
  expect(await ids()).toEqual(
    expected(...Array.from({ length: 30 }, (_, index) => index + 1).filter((number) => number !== 5)),
  )
  await expectAgreement(29, 465 - 5)
  const [file] = refusedFile(stand.directory)
  const lines = readFileSync(join(stand.directory, file!), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.map((line) => line.log[0])).toEqual(expected(5, 20))
  expect(lines[0].attempts).toHaveLength(2)
  expect(stand.journal.open()).toBe(0)
  for (const one of [taken, stand]) one.drop()
})

test.runIf(engines === 'services')('a text too long for its column is a dead letter, not tried for ever', async () => {
  const stand = await ledgerStand(database)
  for (const number of [1, 2, 3]) stand.put(entryWith(number, number === 2 ? { platform: 'p'.repeat(99) } : {}))
  await stand.settler.drained()
  expect(stand.refused).toEqual(expected(2))
  await expectAgreement(2, 4)
  stand.drop()
})

/** What a key spent, over its whole life or on a day. */
function ofKey(id: number, day?: string): SpendOf {
  const fromMs = day === undefined ? 0 : Date.parse(`${day}T00:00:00Z`)
  return { subject: 'key', id, window: day === undefined ? null : { fromMs, toMs: fromMs + 86_400_000 } }
}

test('while the database is away memory stays bounded, sums are known, and all of it arrives in order', async () => {
  let isAway = true
  const stand = await ledgerStand(
    through((writes, batch) => (isAway ? Promise.reject(new Error('away')) : batch(writes))),
    {
      batchRows: 7,
      memoryRecords: 10,
      segmentBytes: 5_000,
    },
  )
  for (let number = 1; number <= 100; number++) stand.put(entryWith(number, { apiKeyId: 1 + (number % 2) }))
  await expect(stand.settler.drained()).rejects.toThrow()
  const sum = (waiting: ReturnType<typeof stand.settler.waitingNano>) =>
    [...waiting.values()].reduce((all, { nano }) => all + nano, 0)
  expect(stand.settler.backlog()).toBe(100)
  expect(stand.settler.waitingNano(ofKey(1)).size).toBeLessThan(10)
  expect(sum(stand.settler.waitingNano(ofKey(1)))).toBe(2550)
  expect(sum(stand.settler.waitingNano(ofKey(2, '2026-11-23')))).toBe(2500)
  expect(sum(stand.settler.waitingNano(ofKey(2, '2026-11-24')))).toBe(0)
  isAway = false
  stand.put(entryWith(101))
  await stand.settler.drained()
  expect(await ids()).toEqual(expected(...Array.from({ length: 101 }, (_, index) => index + 1)))
  await expectAgreement(101, 5151)
  expect(sum(stand.settler.waitingNano(ofKey(1)))).toBe(0)
  expect(readdirSync(stand.directory)).toHaveLength(1)
  for (let number = 102; number <= 105; number++) stand.put(entryWith(number))
  await stand.settler.drained()
  await expectAgreement(105, 5151 + 102 + 103 + 104 + 105)
  stand.drop()
})

test('what was spent while the disk was full reaches the database all the same', async () => {
  let isFull = false
  const { writeSync } = await import('node:fs')
  const stand = await ledgerStand(database, {
    memoryRecords: 2,
    write: (file, bytes, offset) => {
      if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      return writeSync(file, bytes, offset)
    },
  })
  const admitted = [1, 2].map((number) => [stand.journal.admit(entryWith(number)), number] as const)
  stand.journal.flush()
  isFull = true
  for (const [{ segment }, number] of admitted) stand.settler.add(stand.journal.settle(segment, entryWith(number)))
  await stand.settler.drained()
  await expectAgreement(2, 3)
  stand.settler.stop()
  stand.journal.close(true)
})
