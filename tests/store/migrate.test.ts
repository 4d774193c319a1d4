import { createHash } from 'node:crypto'
import { copyFile, readdir, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { createConnection } from 'mariadb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Database } from '../../server/store/database.ts'
import { MigrationRefused, readSteps, type Step } from '../../server/store/migrations.ts'
import { connectMysql, lockName, readMysqlUrl, takeLock } from '../../server/store/mysql/connect.ts'
import { openMysql } from '../../server/store/mysql/database.ts'
import { migrateMysql } from '../../server/store/mysql/migrate.ts'
import { openSqlite } from '../../server/store/sqlite/database.ts'
import { type DatabaseAddress, engines, newDatabaseAddress, silentLog } from '../support/engines.ts'

const engine = engines === 'services' ? 'mysql' : 'sqlite'
/** The steps of this program; tests that only count steps use the first. */
const all = await readSteps(engine)
const [init] = all as [Step]
const step = (name: string, sql: string): Step => ({
  name,
  sql,
  checksum: createHash('sha256').update(sql).digest('hex'),
})
const second = step('0002_more', 'CREATE TABLE more (id INTEGER NOT NULL PRIMARY KEY);\nINSERT INTO more VALUES (7);\n')

let address: DatabaseAddress
beforeEach(async () => {
  address = await newDatabaseAddress()
})
afterEach(() => address.drop())

const file = (): string => address.url.slice('file:'.length)
const open = (steps: Step[]): Promise<Database> =>
  engine === 'mysql'
    ? openMysql({ url: address.url, log: silentLog, steps })
    : openSqlite({ path: file(), log: silentLog, steps })

async function openAndClose(...steps: Step[]): Promise<void> {
  await (await open(steps)).close()
}

async function refusal(...steps: Step[]): Promise<Error> {
  const error: unknown = await openAndClose(...steps).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(Error)
  return error as Error
}

test('a new database gets every step, stored with its checksum, and a second start has nothing to do', async () => {
  await openAndClose(init, second)
  const database = await open([init, second])
  const sql = `SELECT migration_name, checksum, finished_at IS NOT NULL FROM _prisma_migrations ORDER BY migration_name`
  expect(await database.select(sql)).toEqual([
    ['0001_init', init.checksum, 1],
    ['0002_more', second.checksum, 1],
  ])
  expect(init.checksum).toMatch(/^[0-9a-f]{64}$/)
  expect(await database.select('SELECT id FROM more')).toEqual([[7]])
  await database.close()
})

test('an older program refuses a newer database and names both', async () => {
  await openAndClose(init, second)
  const refused = await refusal(init)
  expect(refused).toBeInstanceOf(MigrationRefused)
  expect(refused.message).toContain('it has migration 0002_more')
  expect(refused.message).toContain('knows migrations up to 0001_init')
})

test('a migration that was changed after it was applied is refused', async () => {
  await openAndClose(init, second)
  const refused = await refusal(init, { ...second, checksum: 'another' })
  expect(refused).toBeInstanceOf(MigrationRefused)
  expect(refused.message).toContain(
    `0002_more was applied with checksum ${second.checksum}, but its file now has another`,
  )
})

test('two processes that start at once both come up, and each step is applied once', async () => {
  const both = await Promise.all([open([init, second]), open([init, second])])
  expect(await both[0].select('SELECT COUNT(*) FROM _prisma_migrations')).toEqual([[2]])
  expect(await both[1].select('SELECT id FROM more')).toEqual([[7]])
  await Promise.all(both.map((one) => one.close()))
})

const embedded = test.runIf(engine === 'sqlite')
const services = test.runIf(engine === 'mysql')

embedded('SQLite: a step that fails leaves nothing behind, and its corrected file is applied', async () => {
  await openAndClose(init)
  const broken = step('0002_more', 'CREATE TABLE half (id INTEGER);\nCREATE TABLE broken (;\n')
  expect((await refusal(init, broken)).message).toContain('migration 0002_more failed and was undone')
  const database = await open([init, second])
  expect(await database.select("SELECT name FROM sqlite_master WHERE name IN ('half', 'more')")).toEqual([['more']])
  await database.close()
})

embedded('SQLite: a step that would leave rows without parents is undone', async () => {
  const database = await open(all)
  await database.client.group.create({ data: { name: 'g', owner: { create: { username: 'u', passwordHash: '' } } } })
  await database.close()
  expect((await refusal(...all, step('9999_orphans', 'DELETE FROM users;\n'))).message).toContain(
    '1 rows without parents',
  )
  const after = await open(all)
  expect(await after.client.user.count()).toBe(1)
  // Foreign keys are checked again after the step.
  await expect(after.client.group.create({ data: { name: 'h', ownerId: 99 } })).rejects.toMatchObject({ code: 'P2003' })
  await after.close()
})

embedded('SQLite: a database with data is copied before a step, whole, and three copies are kept', async () => {
  const copies = async (): Promise<string[]> =>
    (await readdir(dirname(file()))).filter((name) => name.startsWith(`${basename(file())}.before-`)).sort()
  const database = await open([init])
  await database.client.setting.create({ data: { name: 'kept', value: 'yes' } })
  await database.close()
  expect(await copies()).toEqual([])

  const steps = [init]
  for (const number of [2, 3, 4, 5]) {
    steps.push(step(`000${number}_x`, `CREATE TABLE t${number} (id INTEGER);\n`))
    await openAndClose(...steps)
  }
  await openAndClose(...steps)
  const kept = await copies()
  expect(kept.map((name) => name.match(/before-(\w+)\./)?.[1])).toEqual(['0003_x', '0004_x', '0005_x'])

  // The oldest kept copy is the database as it was: with the data, without the step.
  await copyFile(`${dirname(file())}/${kept[0]}`, `${file()}.restored`)
  const restored = await openSqlite({ path: `${file()}.restored`, log: silentLog, steps: steps.slice(0, 2) })
  expect(await restored.select('SELECT name FROM settings')).toEqual([['kept']])
  expect(await restored.select("SELECT name FROM sqlite_master WHERE name IN ('t2', 't3')")).toEqual([['t2']])
  await restored.close()
  await rm(`${file()}.restored`)
})

embedded('SQLite: free pages can be given back from the first page on', async () => {
  const database = await open([init])
  expect(await database.select('SELECT auto_vacuum FROM pragma_auto_vacuum')).toEqual([[2]])
  expect(await database.select('SELECT journal_mode FROM pragma_journal_mode')).toEqual([['wal']])
  await database.close()
})

services('MySQL: a step cut off between a statement and its row goes on where it stopped', async () => {
  const [first, ...rest] = second.sql.split('\n') as [string, string]
  await openAndClose(init)
  // The state after a process was killed between CREATE TABLE and the write of the count.
  const connection = await createConnection(readMysqlUrl(address.url).config)
  const sql = 'INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) VALUES (?, ?, ?, ?)'
  await connection.query(sql, ['x', second.checksum, second.name, new Date()])
  await connection.query(first)
  await connection.end()
  expect(rest[0]).toContain('INSERT')
  const database = await open([init, second])
  expect(await database.select('SELECT id FROM more')).toEqual([[7]])
  await database.close()
})

services('MySQL: a step that fails says where, and goes on from there when its cause is gone', async () => {
  await openAndClose(init)
  const broken = step('0002_more', 'CREATE TABLE a_table (id INTEGER);\nINSERT INTO not_there VALUES (1);\n')
  const refused = await refusal(init, broken)
  expect(refused).toBeInstanceOf(MigrationRefused)
  expect(refused.message).toContain('migration 0002_more, statement 2 failed')
  expect(refused.message).toContain('Remove the cause and start again')
  const connection = await createConnection(readMysqlUrl(address.url).config)
  await connection.query('CREATE TABLE not_there (id INTEGER)')
  await connection.end()
  const database = await open([init, broken])
  expect(await database.select('SELECT id FROM not_there')).toEqual([[1]])
  await database.close()
})

services('MySQL: while another process migrates, a start waits, and says so when it waited too long', async () => {
  const mysql = readMysqlUrl(address.url)
  const holder = await connectMysql(mysql)
  expect(await takeLock(holder, lockName('migrate', mysql.database), 0)).toBe(true)
  const waiting = migrateMysql({ address: mysql, steps: [init], log: silentLog, lockSeconds: 0 })
  await expect(waiting).rejects.toThrow('another process has been migrating')
  await holder.end()
})
