import { mkdir, open as openFile, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PrismaClient } from '../../generated/sqlite/client.ts'
import { startThread } from '../../thread.ts'
import { type Database, readerOmits, type Tx } from '../database.ts'
import { type FileLock, takeFileLock } from '../locks/file-lock.ts'
import { readSteps, type Step } from '../migrations.ts'
import type { StoreLog } from '../store-log.ts'
import { createSqliteClient, type SqliteClient, type SqliteConnection } from './client.ts'
import { createExclusiveQueue } from './exclusive-queue.ts'
import type { Opening } from './messages.ts'
import { migrateSqlite } from './migrate.ts'
import { PrismaSqlite } from './prisma-adapter.ts'
import { createSqliteThread } from './thread.ts'

export interface SqliteOptions {
  /** The file. It and its folder are made when absent, readable by the owner only. */
  path: string
  log: StoreLog
  steps?: readonly Step[]
  busyTimeoutMs?: number
  /** How threads are started; tests use it to get hold of the thread and end it. */
  start?: typeof startThread
}

/** Pages of 4 KB that one step of a vacuum frees before other writes may run: about 2 MB. */
const vacuumPages = 500

/** Opens and migrates a SQLite file: one thread that writes, one that only reads. */
export async function openSqlite(options: SqliteOptions): Promise<Database> {
  const { path, log } = options
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await (await openFile(path, 'a', 0o600)).close()
  const connect = (readOnly: boolean) => connectTo(options, readOnly)
  const steps = options.steps ?? (await readSteps('sqlite'))
  const writer = await migrateSqlite({ path, steps, open: () => connect(false), log })
  const reading = connect(true)
  const transactionOptions = { maxWait: 10_000, timeout: 30_000 }
  const client = new PrismaClient({ adapter: new PrismaSqlite(writer.client), transactionOptions })
  const reader = new PrismaClient({
    adapter: new PrismaSqlite(reading.client),
    transactionOptions,
    omit: readerOmits,
  }) as unknown as PrismaClient
  let processLock: FileLock | null = null

  return {
    engine: 'sqlite',
    client,
    reader,
    batch: (writes) => writer.client.batch(writes),
    select: (sql, args = []) => reading.client.select(sql, args),
    // The names are not needed: there is one writer, and it holds the write lock from its first statement on.
    locked: (_names, fn) => interactive(client, fn),
    incrementalVacuum: () => vacuum(writer.client),
    async lockForProcess(use) {
      // The real path, because links in two data folders may lead to one database.
      processLock ??= takeFileLock(`${await realpath(path)}.lock`, use === 'shared')
      return processLock !== null
    },
    async close() {
      await Promise.all([client.$disconnect(), reader.$disconnect()])
      // The reader first: the last connection that closes writes the write-ahead log back into the file.
      await reading.close()
      await writer.close()
      processLock?.release()
    },
  }
}

async function interactive<T>(client: PrismaClient, fn: (tx: Tx) => Promise<T>): Promise<T> {
  return client.$transaction(async (tx) => fn(tx))
}

function connectTo(options: SqliteOptions, readOnly: boolean): SqliteConnection {
  const opening: Opening = { path: options.path, readOnly, busyTimeoutMs: options.busyTimeoutMs ?? 5000 }
  const start = () => (options.start ?? startThread)(new URL('./worker.ts', import.meta.url), opening)
  const thread = createSqliteThread({ start, path: options.path, log: options.log })
  return {
    client: createSqliteClient({ thread, queue: createExclusiveQueue(), readOnly }),
    close: () => thread.close(),
  }
}

/** Gives free pages back to the disk in small steps, so that other writes run in between. Returns how many. */
async function vacuum(client: SqliteClient): Promise<number> {
  const freePages = async (): Promise<number> =>
    Number((await client.execute('PRAGMA freelist_count', [])).rows[0]?.[0])
  const before = await freePages()
  let left = before
  for (let last = Number.POSITIVE_INFINITY; left > 0 && left < last; left = await freePages()) {
    last = left
    // As a script: the pragma frees pages while its rows are read, and a prepared statement would be stepped only once.
    await client.script(`PRAGMA incremental_vacuum(${vacuumPages})`)
  }
  return before - left
}
