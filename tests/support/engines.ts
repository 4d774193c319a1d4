import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConnection } from 'mariadb'
import type { Database, StoreLog } from '../../server/store/database.ts'
import { openDatabase } from '../../server/store/open-database.ts'

/** The engines of this run: SQLite and memory, or MySQL and Redis (`vitest --project services`). */
export const engines: 'embedded' | 'services' = process.env['TEST_ENGINES'] === 'services' ? 'services' : 'embedded'

/** The Redis of the services run. Other tests use it too, so each needs a prefix for its keys and channels. */
export const redisUrl = 'redis://127.0.0.1:6379'

const mysqlServer = { host: '127.0.0.1', port: 3306, user: 'root' }

/** A log that writes nothing. */
export const silentLog: StoreLog = { info: () => undefined, warn: () => undefined, error: () => undefined }

export interface DatabaseAddress {
  url: string
  drop: () => Promise<void>
}

/** The address of a database that does not exist yet; `drop` deletes what was made there. */
export async function newDatabaseAddress(engine = engines): Promise<DatabaseAddress> {
  if (engine === 'embedded') {
    const folder = await mkdtemp(join(tmpdir(), 'relay-store-'))
    return { url: `file:${join(folder, 'relay.db')}`, drop: () => rm(folder, { recursive: true, force: true }) }
  }
  const name = `relay_test_${process.pid}_${randomBytes(6).toString('hex')}`
  const { host, port, user } = mysqlServer
  return {
    url: `mysql://${user}@${host}:${port}/${name}`,
    drop: () => onMysqlServer((connection) => connection.query(`DROP DATABASE IF EXISTS \`${name}\``)),
  }
}

/** Runs `fn` with a connection to the test server, with no database selected. */
async function onMysqlServer(
  fn: (connection: Awaited<ReturnType<typeof createConnection>>) => Promise<unknown>,
): Promise<void> {
  const connection = await createConnection(mysqlServer)
  try {
    await fn(connection)
  } finally {
    await connection.end()
  }
}

/** A fresh, migrated database of this run's engine; `close` drops it. `url` opens it a second time. */
export async function openTestDatabase(log: StoreLog = silentLog): Promise<Database & { url: string }> {
  const { url, drop } = await newDatabaseAddress()
  const database = await openDatabase({ url, log })
  return {
    ...database,
    url,
    async close() {
      await database.close()
      await drop()
    },
  }
}
