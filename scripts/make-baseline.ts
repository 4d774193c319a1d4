// Writes prisma/migrations/<engine>/0001_init.sql from the rendered schemas: `npm run migration`.
// Only before the first release; afterwards a change is a new file (SQLite's SQL from sqliteDiff, MySQL's by hand).
import { readFile, writeFile } from 'node:fs/promises'
import { type DataModel, mysqlDdl } from './mysql-ddl.ts'
import { sqliteDiff } from './schema-engine.ts'

const generated = new URL('../server/generated/', import.meta.url)
const migrations = new URL('../prisma/migrations/', import.meta.url)

const schema = await readFile(new URL('schema.sqlite.prisma', generated), 'utf8')
await writeFile(new URL('sqlite/0001_init.sql', migrations), await sqliteDiff({ kind: 'empty' }, schema))

const model = JSON.parse(await readFile(new URL('dmmf.mysql.json', generated), 'utf8')) as DataModel
await writeFile(new URL('mysql/0001_init.sql', migrations), mysqlDdl(model))
