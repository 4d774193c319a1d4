import { symlink } from 'node:fs/promises'
import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  BatchConflict,
  type Database,
  isDuplicate,
  isOutcomeUnknown,
  type Scalar,
} from '../../server/store/database.ts'
import { openDatabase } from '../../server/store/open-database.ts'
import { deferred } from '../support/deferred.ts'
import { engines, openTestDatabase, silentLog } from '../support/engines.ts'

let database: Database & { url: string }
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())

const attemptColumns = (
  'log_id number account_id model_sent model_billed started_at_ms outcome http_status error_type upstream_request_id ' +
  'first_byte_ms duration_ms charged input_tokens output_tokens cache_write_5m_tokens cache_write_1h_tokens ' +
  'cache_read_tokens usage_source cost_nano price_card_id price_inputs'
).split(' ')
const attempt = (logId: Scalar, costNano: Scalar, charged = true): Scalar[] =>
  [logId, 1, 3, '模型🙂', 'model', 1_700_000_000_000, 'answer', 200, '', 'req', 5, 10].concat([
    charged,
    1,
    2,
    3,
    4,
    5,
    'final',
    costNano,
    'card',
    '',
  ])
const big = 9_007_199_254_740_993n
const settingNamed = (name: string) => database.client.setting.findUnique({ where: { name } })

test('rows given as arrays and as JSON text are stored in the same way, exact beyond 2^53', async () => {
  const json = JSON.stringify([attempt(String(big + 1n), String(big), false), attempt(12, 7)])
  const affected = await database.batch([
    { kind: 'insert', table: 'attempts', columns: attemptColumns, rows: [attempt(big, big), attempt(11, 7, false)] },
    { kind: 'insert', table: 'attempts', columns: attemptColumns, rows: json },
  ])
  expect(affected).toEqual([2, 2])
  const sql = 'SELECT log_id, cost_nano, charged, model_sent, started_at_ms FROM attempts ORDER BY log_id'
  expect(await database.select(sql)).toEqual([
    [11, 7, 0, '模型🙂', 1_700_000_000_000],
    [12, 7, 1, '模型🙂', 1_700_000_000_000],
    [big, big, 1, '模型🙂', 1_700_000_000_000],
    [big + 1n, big, 0, '模型🙂', 1_700_000_000_000],
  ])
  const row = await database.client.attempt.findUnique({ where: { logId_number: { logId: big, number: 1 } } })
  expect(row).toMatchObject({ costNano: big, charged: true, modelSent: '模型🙂' })
  expect(await database.select('SELECT SUM(cost_nano), AVG(number) FROM attempts')).toEqual([[2n * big + 14n, 1]])
})

test('an add inserts the row, and the next add sums onto it', async () => {
  const table = 'hourly_rollups'
  const keys = ['hour_ms', 'api_key_id', 'account_id', 'user_id', 'group_id', 'platform', 'model', 'tag']
  const all = Object.keys((await columnsOf(table)) as object)
  const sums = all.filter((name) => !keys.includes(name))
  const row = (model: string, value: Scalar): Scalar[] => [
    3_600_000,
    1,
    0,
    0,
    1,
    'console',
    model,
    '',
    ...sums.map(() => value),
  ]
  expect(await database.batch([{ kind: 'add', table, keys, sums, rows: [row('a', 1), row('A', big)] }])).toEqual([2])
  expect(await database.batch([{ kind: 'add', table, keys, sums, rows: [row('a', 2), row('a', 3)] }])).toEqual([2])
  const found = await database.reader.hourlyRollup.findMany({
    where: { model: { in: ['a', 'A'] } },
    orderBy: { requests: 'asc' },
  })
  expect(found.map((one) => [one.model, one.requests, one.firstByteMore])).toEqual([
    ['a', 6n, 6n],
    ['A', big, big],
  ])
})

async function columnsOf(table: string): Promise<unknown> {
  const names =
    engines === 'services'
      ? await database.select(
          'SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?',
          [table],
        )
      : await database.select('SELECT name FROM pragma_table_info(?)', [table])
  return Object.fromEntries(names.map(([name]) => [name, true]))
}

test('a batch whose update finds other rows than expected leaves nothing behind', async () => {
  await database.client.journal.create({ data: { name: 'journal-1', settledSeq: 5n } })
  const advance = (from: number, to: number) =>
    database.batch([
      { kind: 'insert', table: 'attempts', columns: attemptColumns, rows: [attempt(1000 + to, 1)] },
      {
        kind: 'run',
        sql: 'UPDATE journals SET settled_seq = ? WHERE name = ? AND settled_seq = ?',
        args: [to, 'journal-1', from],
        expect: 1,
      },
    ])
  expect(await advance(5, 6)).toEqual([1, 1])
  const refused = await advance(5, 7).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(BatchConflict)
  expect(refused).toMatchObject({ index: 1, expected: 1, affected: 0 })
  expect(isOutcomeUnknown(refused)).toBe(false)
  expect(await database.select('SELECT log_id FROM attempts WHERE log_id IN (1006, 1007)')).toEqual([[1006]])
})

test('an update that changes nothing counts the rows it matched', async () => {
  const sql = "UPDATE journals SET settled_seq = settled_seq WHERE name = 'journal-1'"
  expect(await database.batch([{ kind: 'run', sql, args: [], expect: 1 }])).toEqual([1])
})

test('a row that is already there fails the whole batch, recognisably, and shows no value', async () => {
  await database.batch([{ kind: 'insert', table: 'attempts', columns: attemptColumns, rows: [attempt(2000, 1)] }])
  const rows = [attempt(2001, 1), attempt(2000, 1)]
  const refused = await database
    .batch([{ kind: 'insert', table: 'attempts', columns: attemptColumns, rows }])
    .catch((error: unknown) => error)
  expect(isDuplicate(refused)).toBe(true)
  expect(inspect(refused)).not.toContain('模型')
  // The error fits a log line: without the 40 KB of SQL that the driver attaches.
  expect(inspect(refused)).not.toContain('price_card_id')
  expect(await database.select('SELECT COUNT(*) FROM attempts WHERE log_id = 2001')).toEqual([[0]])
})

test('a row too short for its columns is refused', async () => {
  const rows = [attempt(3000, 1).slice(1)]
  const batch = database.batch([{ kind: 'insert', table: 'attempts', columns: attemptColumns, rows }])
  await expect(batch).rejects.toThrow(
    `a row of ${attemptColumns.length - 1} values for ${attemptColumns.length} columns`,
  )
})

test('dates come back to the millisecond, and sort', async () => {
  const at = new Date('2026-03-04T05:06:07.089Z')
  await database.client.user.create({ data: { username: 'Ada', passwordHash: '', createdAt: at } })
  expect((await database.reader.user.findFirst({ where: { createdAt: { lte: at } } }))?.createdAt).toEqual(at)
  expect(await database.reader.user.count({ where: { createdAt: { lt: at } } })).toBe(0)
  expect(await database.select("SELECT created_at FROM users WHERE username = 'Ada'")).toEqual([[at.getTime()]])
})

test('names that differ in case are two names, and the same name twice is P2002', async () => {
  await database.client.user.create({ data: { username: 'ada', passwordHash: '' } })
  await expect(database.client.user.create({ data: { username: 'ada', passwordHash: '' } })).rejects.toMatchObject({
    code: 'P2002',
  })
  await expect(database.client.group.create({ data: { name: 'g', ownerId: 999_999 } })).rejects.toMatchObject({
    code: 'P2003',
  })
})

test('forty increments under one lock are all counted', async () => {
  await database.client.setting.create({ data: { name: 'counter', value: '0' } })
  await Promise.all(
    Array.from({ length: 40 }, () =>
      database.locked(['settings'], async (tx) => {
        const { value } = await tx.setting.findUniqueOrThrow({ where: { name: 'counter' } })
        await tx.setting.update({ where: { name: 'counter' }, data: { value: String(Number(value) + 1) } })
      }),
    ),
  )
  expect((await settingNamed('counter'))?.value).toBe('40')
})

test('a lock that two want keeps other processes out too', async () => {
  const other = await openDatabase({ url: database.url, log: silentLog })
  try {
    const order: string[] = []
    const inside = deferred()
    const leave = deferred()
    const first = database.locked(['settings', 'accounts'], async () => {
      inside.resolve()
      await leave.promise
      order.push('first')
    })
    await inside.promise
    const second = other.locked(['accounts', 'users'], async () => {
      order.push('second')
    })
    leave.resolve()
    await Promise.all([first, second])
    expect(order).toEqual(['first', 'second'])
  } finally {
    await other.close()
  }
})

test('those who need the same locks never wait for each other in a circle', async () => {
  const other = await openDatabase({ url: database.url, log: silentLog })
  const ends = await Promise.all(
    Array.from({ length: 20 }, (_, number) =>
      number % 2 === 0
        ? database.locked(['accounts', 'keys'], async () => number)
        : other.locked(['keys', 'accounts'], async () => number),
    ),
  )
  expect(ends).toHaveLength(20)
  await other.close()
})

test('a write beside a transaction that is rolled back is not swallowed', async () => {
  const inside = deferred()
  const leave = deferred()
  const doomed = database.locked(['settings'], async (tx) => {
    await tx.setting.create({ data: { name: 'inside', value: '' } })
    inside.resolve()
    await leave.promise
    throw new Error('changed my mind')
  })
  await inside.promise
  const beside = database.client.setting.create({ data: { name: 'beside', value: '' } })
  const sql = 'INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?)'
  const batch = database.batch([{ kind: 'run', sql, args: ['batched', '', engines === 'services' ? '2026-01-01' : 1] }])
  leave.resolve()
  await expect(doomed).rejects.toThrow('changed my mind')
  await Promise.all([beside, batch])
  expect(await settingNamed('inside')).toBeNull()
  expect(await settingNamed('beside')).not.toBeNull()
  expect(await settingNamed('batched')).not.toBeNull()
})

test('what a transaction returns is what the caller gets, and its writes are there', async () => {
  const made = await database.locked(['settings'], (tx) => tx.setting.create({ data: { name: 'made', value: 'x' } }))
  expect(made.value).toBe('x')
  expect(await settingNamed('made')).toMatchObject({ value: 'x' })
})

test('one process at a time has the database to itself, until it closes it', async () => {
  const first = await openDatabase({ url: database.url, log: silentLog })
  const second = await openDatabase({ url: database.url, log: silentLog })
  expect(await first.lockForProcess('alone')).toBe(true)
  expect(await first.lockForProcess('alone')).toBe(true)
  expect(await second.lockForProcess('alone')).toBe(false)
  expect(await second.lockForProcess('shared')).toBe(false)
  await first.close()
  expect(await second.lockForProcess('alone')).toBe(true)
  await second.close()
})

test('processes that share the database go together, and none has it to itself until the last one of them closes it', async () => {
  const [first, second, third] = await Promise.all(
    [1, 2, 3].map(() => openDatabase({ url: database.url, log: silentLog })),
  )
  expect(await Promise.all([first!.lockForProcess('shared'), second!.lockForProcess('shared')])).toEqual([true, true])
  expect(await third!.lockForProcess('alone')).toBe(false)
  await first!.close()
  expect(await third!.lockForProcess('alone')).toBe(false)
  await second!.close()
  expect(await third!.lockForProcess('alone')).toBe(true)
  await third!.close()
})

test('of two processes that come at once, one that shares and one that does not, exactly one has a place', async () => {
  for (let round = 0; round < 5; round++) {
    const [alone, shared] = await Promise.all([1, 2].map(() => openDatabase({ url: database.url, log: silentLog })))
    const held = await Promise.all([alone!.lockForProcess('alone'), shared!.lockForProcess('shared')])
    expect(held.filter(Boolean).length).toBe(1)
    await Promise.all([alone!.close(), shared!.close()])
  }
})

test.runIf(engines === 'embedded')('a file is one database under every name', async () => {
  const path = database.url.slice('file:'.length)
  await symlink(path, `${path}-elsewhere`)
  const elsewhere = await openDatabase({ url: `file:${path}-elsewhere`, log: silentLog })
  expect(await elsewhere.lockForProcess('alone')).toBe(true)
  expect(await database.lockForProcess('alone')).toBe(false)
  await elsewhere.close()
})

test('a URL of another kind is refused without being shown', async () => {
  const refused = await openDatabase({ url: 'postgres://me:secret@host/db', log: silentLog }).catch(String)
  expect(refused).toContain('not with postgres:')
  expect(refused).not.toContain('secret')
})
