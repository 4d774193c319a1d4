import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Database, isOutcomeUnknown } from '../../server/store/database.ts'
import { createSqliteClient } from '../../server/store/sqlite/client.ts'
import { openSqlite } from '../../server/store/sqlite/database.ts'
import { createExclusiveQueue } from '../../server/store/sqlite/exclusive-queue.ts'
import { createSqliteThread } from '../../server/store/sqlite/thread.ts'
import { startThread } from '../../server/thread.ts'
import { deferred } from '../support/deferred.ts'
import { silentLog } from '../support/engines.ts'

// Only SQLite has threads, which can be busy and can die.

let folder: string
let database: Database
let threads: { worker: Worker; readOnly: boolean }[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'relay-thread-'))
  threads = []
  const start: typeof startThread = (entry, given) => {
    const worker = startThread(entry, given)
    threads.push({ worker, readOnly: (given as { readOnly: boolean }).readOnly })
    return worker
  }
  database = await openSqlite({ path: join(folder, 'relay.db'), log: silentLog, start })
})
afterEach(async () => {
  await database.close()
  await rm(folder, { recursive: true, force: true })
})

const countTo = (rows: number): string =>
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT SUM(i) FROM n`
const put = 'INSERT INTO settings (name, value, updated_at) VALUES (?, ?, 1)'
const names = () => database.select('SELECT name FROM settings ORDER BY name')
const writerThread = (): Worker => threads.filter((one) => !one.readOnly).at(-1)!.worker

/** How often a timer of 5 ms fired before `work` was done. */
async function ringsDuring(work: () => Promise<unknown>): Promise<number> {
  let rings = 0
  const interval = setInterval(() => rings++, 5)
  try {
    await work()
  } finally {
    clearInterval(interval)
  }
  return rings
}

test.each([
  ['a heavy query', () => database.select(countTo(3_000_000))],
  ['a heavy query through Prisma', () => database.reader.$queryRawUnsafe(countTo(3_000_000))],
  ['a heavy batch', () => database.batch([{ kind: 'run', sql: `${put.replace(/VALUES.*/, '')} ${bulk}`, args: [] }])],
])('the main loop keeps ticking during %s', async (_name, work) => {
  await names()
  // Work on the event loop would be done before the timer fires once.
  expect(await ringsDuring(work)).toBeGreaterThan(5)
})
const bulk = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT 'n' || i, '', 1 FROM n`

test('a heavy query on the reader does not hold up a write', async () => {
  await names()
  const order: string[] = []
  const query = database.select(countTo(3_000_000)).then(() => order.push('query'))
  const write = database.batch([{ kind: 'run', sql: put, args: ['quick', ''] }]).then(() => order.push('write'))
  await Promise.all([query, write])
  expect(order).toEqual(['write', 'query'])
})

test('the reader cannot write', async () => {
  await expect(database.reader.setting.create({ data: { name: 'no', value: '' } })).rejects.toThrow('readonly')
  expect(await names()).toEqual([])
})

test('a cached statement that was read to its end holds no old snapshot', async () => {
  expect(await names()).toEqual([])
  await database.batch([{ kind: 'run', sql: put, args: ['new', ''] }])
  expect(await names()).toEqual([['new']])
})

test('a thread that dies rejects what it was asked, and the next query starts another', async () => {
  await database.batch([{ kind: 'run', sql: put, args: ['kept', ''] }])
  const dying = writerThread()
  const busy = database.client.$queryRawUnsafe(countTo(300_000_000))
  const batch = database.batch([{ kind: 'run', sql: put, args: ['lost', ''] }])
  const settled = Promise.allSettled([busy, batch])
  await dying.terminate()
  const [first, second] = await settled
  expect(first.status).toBe('rejected')
  expect(second.status === 'rejected' && isOutcomeUnknown(second.reason)).toBe(true)
  expect(await database.batch([{ kind: 'run', sql: put, args: ['after', ''] }])).toEqual([1])
  expect(writerThread()).not.toBe(dying)
  expect(await names()).toEqual([['after'], ['kept']])
})

test('a transaction whose thread died does not go on outside of it on the next one', async () => {
  const inside = deferred()
  const died = deferred()
  const doomed = database.locked(['settings'], async (tx) => {
    await tx.setting.create({ data: { name: 'one', value: '' } })
    inside.resolve()
    await died.promise
    await tx.setting.create({ data: { name: 'two', value: '' } })
  })
  const rejected = expect(doomed).rejects.toThrow()
  await inside.promise
  await writerThread().terminate()
  died.resolve()
  await rejected
  await database.batch([{ kind: 'run', sql: put, args: ['after', ''] }])
  expect(await names()).toEqual([['after']])
})

test('a transaction that outlived its time cannot write into the next', async () => {
  const inside = deferred()
  const late = deferred()
  const slow = database.client.$transaction(
    async (tx) => {
      await tx.setting.create({ data: { name: 'slow', value: '' } })
      inside.resolve()
      await late.promise
      await tx.setting.create({ data: { name: 'too late', value: '' } })
    },
    { timeout: 100 },
  )
  const rejected = expect(slow).rejects.toMatchObject({ code: 'P2028' })
  await inside.promise
  // Waits until the first one is rolled back, and holds the connection while that one continues.
  await database.locked(['settings'], async (tx) => {
    late.resolve()
    await rejected
    await tx.setting.create({ data: { name: 'next', value: '' } })
  })
  expect(await names()).toEqual([['next']])
})

test('a transaction that is over lets nothing more through', async () => {
  const opening = { path: join(folder, 'relay.db'), readOnly: false, busyTimeoutMs: 1000 }
  const start = () => startThread(new URL('../../server/store/sqlite/worker.ts', import.meta.url), opening)
  const thread = createSqliteThread({ start, path: '', log: silentLog })
  const client = createSqliteClient({ thread, queue: createExclusiveQueue(), readOnly: false })
  const over = await client.begin()
  await over.rollback()
  const next = await client.begin()
  for (const late of [over.execute(put, ['late', '']), over.script('ROLLBACK'), over.commit(), over.rollback()]) {
    await expect(late).rejects.toThrow('the transaction is over')
  }
  await next.execute(put, ['next', ''])
  await next.commit()
  await thread.close()
  expect(await names()).toEqual([['next']])
})

test('values that SQLite cannot hold are refused, and the thread lives on', async () => {
  const wrong = [new Date(), undefined, Number.NaN] as unknown as string[]
  for (const value of wrong) {
    await expect(database.batch([{ kind: 'run', sql: put, args: ['wrong', value] }])).rejects.toThrow(
      'cannot be written',
    )
  }
  expect(await database.batch([{ kind: 'run', sql: put, args: ['yes', true] }])).toEqual([1])
  expect(await names()).toEqual([['yes']])
})

test('pages that became free go back to the disk', async () => {
  const file = join(folder, 'relay.db')
  await database.batch([{ kind: 'run', sql: `${put.replace(/VALUES.*/, '')} ${bulk}`, args: [] }])
  await database.batch([{ kind: 'run', sql: 'DELETE FROM settings', args: [] }])
  expect(await database.incrementalVacuum()).toBeGreaterThan(1000)
  expect(await database.select('SELECT freelist_count FROM pragma_freelist_count')).toEqual([[0]])
  await database.close()
  expect((await stat(file)).size).toBeLessThan(1_000_000)
})

test('the file can be read by its owner only', async () => {
  expect((await stat(join(folder, 'relay.db'))).mode & 0o777).toBe(0o600)
})

test('after closing, queries are refused', async () => {
  await database.close()
  await expect(database.batch([{ kind: 'run', sql: put, args: ['late', ''] }])).rejects.toThrow(
    'the database is closed',
  )
})

test('a file that is no database is refused, and says so', async () => {
  const path = join(folder, 'letter.txt')
  await writeFile(path, 'Dear reader, this is not a database at all. '.repeat(200))
  const errors: string[] = []
  const log = { ...silentLog, error: (_fields: object, text: string) => void errors.push(text) }
  await expect(openSqlite({ path, log })).rejects.toThrow(`${path} could not be opened (file is not a database)`)
  // The thread did not die, and no query starts it again.
  expect(errors).toEqual([])
})
