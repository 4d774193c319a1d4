import { readFile } from 'node:fs/promises'
import { type Connection, createConnection } from 'mariadb'
import { expect, test } from 'vitest'
import { engines as allEngines, engineSchema } from '../../scripts/engine-schema.ts'
import { type DataModel, mysqlDdl } from '../../scripts/mysql-ddl.ts'
import { sqliteDiff } from '../../scripts/schema-engine.ts'
import { connectMysql, readMysqlUrl } from '../../server/store/mysql/connect.ts'
import { splitStatements } from '../../server/store/mysql/migrate.ts'
import { openDatabase } from '../../server/store/open-database.ts'
import { engines, newDatabaseAddress, silentLog } from '../support/engines.ts'

const read = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8')
const dataModel = async (engine: string): Promise<DataModel> =>
  JSON.parse(await read(`server/generated/dmmf.${engine}.json`)) as DataModel

test.each(allEngines)('prisma/%s/schema.prisma is what generate writes from prisma/schema.prisma', async (engine) => {
  expect(await read(`prisma/${engine}/schema.prisma`)).toBe(engineSchema(engine, await read('prisma/schema.prisma')))
})

test('both clients have the same models, fields, enums and indexes', async () => {
  const [sqlite, mysql] = await Promise.all(['sqlite', 'mysql'].map(dataModel))
  const withoutNativeTypes = (model: DataModel | undefined): unknown =>
    JSON.parse(
      JSON.stringify(model, (key, value: unknown) =>
        key === 'nativeType' || key === 'documentation' ? undefined : value,
      ),
    )
  expect(sqlite?.models.map((one) => one.dbName)).toEqual(
    expect.arrayContaining(['users', 'accounts', 'api_keys', 'groups', 'logs', 'api_logs']),
  )
  expect(withoutNativeTypes(mysql)).toEqual(withoutNativeTypes(sqlite))
})

test('SQLite: what the migrations make is what the schema says', async () => {
  const { url, drop } = await newDatabaseAddress('embedded')
  const database = await openDatabase({ url, log: silentLog })
  await database.close()
  const schema = await read('prisma/sqlite/schema.prisma')
  const path = url.slice('file:'.length)
  expect((await sqliteDiff({ kind: 'file', path, schema }, schema)).trim()).toBe('-- This is an empty migration.')
  // With one more column the result must differ, or this test proves nothing.
  const other = schema.replace('model Setting {', 'model Setting {\n  forgotten Int @default(0)')
  expect(await sqliteDiff({ kind: 'file', path, schema: other }, other)).toContain('"forgotten"')
  await drop()
})

test.runIf(engines === 'services')('MySQL: what the migrations make is what the schema says', async () => {
  const migrated = await newDatabaseAddress('services')
  const declared = await newDatabaseAddress('services')
  await (await openDatabase({ url: migrated.url, log: silentLog })).close()
  const built = await connectMysql(readMysqlUrl(declared.url))
  for (const statement of splitStatements(mysqlDdl(await dataModel('mysql')))) await built.query(statement)
  const asMigrated = await createConnection(readMysqlUrl(migrated.url).config)
  try {
    const want = await tablesOf(built)
    expect(Object.keys(want)).toHaveLength((await dataModel('mysql')).models.length)
    expect(await tablesOf(asMigrated)).toEqual(want)
    await asMigrated.query('ALTER TABLE settings ADD COLUMN forgotten INT')
    expect(await tablesOf(asMigrated)).not.toEqual(want)
  } finally {
    await Promise.all([built.end(), asMigrated.end()])
    await Promise.all([migrated.drop(), declared.drop()])
  }
})

async function tablesOf(connection: Connection): Promise<Record<string, string>> {
  const tables = await connection.query<[string][]>({ sql: 'SHOW TABLES', rowsAsArray: true })
  const made: Record<string, string> = {}
  for (const [table] of tables) {
    if (table === '_prisma_migrations') continue
    const rows = await connection.query<[string, string][]>({
      sql: `SHOW CREATE TABLE \`${table}\``,
      rowsAsArray: true,
    })
    made[table] = String(rows[0]?.[1])
  }
  return made
}
