// Makes migrations from the schema: see prisma/README.md.
//   npm run migration            writes 0001_init anew, for both engines; only while nothing is published
//   npm run migration -- NAME    adds the next migration: SQLite's SQL as Prisma's engine writes it, MySQL's to be written by hand
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../server/store/open-database.ts'
import { type DataModel, mysqlDdl } from './mysql-ddl.ts'
import { sqliteDiff } from './schema-engine.ts'

const prisma = new URL('../prisma/', import.meta.url)
const schema = await readFile(new URL('sqlite/schema.prisma', prisma), 'utf8')
const name = process.argv[2]

if (name === undefined) {
  const model = await readFile(new URL('../server/generated/dmmf.mysql.json', import.meta.url), 'utf8')
  await write('sqlite', '0001_init', await sqliteDiff({ kind: 'empty' }, schema))
  await write('mysql', '0001_init', mysqlDdl(JSON.parse(model) as DataModel))
} else {
  if (!/^[a-z0-9_]+$/.test(name)) throw new Error('the name of a migration has small letters, digits and underscores')
  const known = (await readdir(new URL('sqlite/migrations/', prisma))).filter((entry) => /^\d{4}_/.test(entry))
  const folder = `${String(known.length + 1).padStart(4, '0')}_${name}`
  await write('sqlite', folder, await sqliteChange())
  await write('mysql', folder, '-- Write here what MySQL needs; every statement ends with `;` at the end of a line.\n')
}

/** What leads from the migrations so far to the schema. */
async function sqliteChange(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'relay-migration-'))
  const path = join(directory, 'relay.db')
  try {
    const silent = { info: () => {}, warn: () => {}, error: () => {} }
    await (await openDatabase({ url: `file:${path}`, log: silent })).close()
    return await sqliteDiff({ kind: 'file', path, schema }, schema)
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function write(engine: string, migration: string, sql: string): Promise<void> {
  const folder = new URL(`${engine}/migrations/${migration}/`, prisma)
  await mkdir(folder, { recursive: true })
  await writeFile(new URL('migration.sql', folder), sql)
  process.stdout.write(`prisma/${engine}/migrations/${migration}/migration.sql\n`)
}
