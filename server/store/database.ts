import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Prisma, PrismaClient } from '../generated/sqlite/client.ts'
import type { Engine } from './dialect.ts'
import type { LockName } from './lock-name.ts'
import type { StoreLog } from './store-log.ts'
import type { Scalar, Write } from './writes.ts'

export {
  BatchConflict,
  isDuplicate,
  isOutcomeUnknown,
  isRefusal,
  OutcomeUnknown,
  type RowsAsJson,
  type Scalar,
  type Write,
} from './writes.ts'
export type { Engine, LockName, PrismaClient, StoreLog }
/** Prisma inside an interactive transaction. */
export type Tx = Prisma.TransactionClient

/** How a process is on a database: without Redis alone, with Redis beside any others that have it too. */
export type ProcessPlace = 'alone' | 'shared'

/** One database, SQLite or MySQL. Raw SQL uses `?` and backticks; dates are always passed, never left to the database. */
export interface Database {
  engine: Engine
  /** Prisma on the writing connection. */
  client: PrismaClient
  /** For lists and statistics: a read-only connection in a thread of its own on SQLite, the same pool on MySQL. */
  reader: PrismaClient
  /**
   * All writes in one transaction, and the affected rows of each (an `insert` or `add` counts its rows). On SQLite one message
   * to the thread; on MySQL multi-row statements on one connection. Throws BatchConflict, errors that isDuplicate knows, and
   * errors that isOutcomeUnknown knows; after all but the last, nothing was written.
   */
  batch(writes: readonly Write[]): Promise<number[]>
  /** The rows of one SELECT on the reader, as arrays. Integers come as number when that is exact, else as bigint; dates as ms. */
  select(sql: string, args?: readonly Scalar[]): Promise<Scalar[][]>
  /**
   * The one way to read, decide and write: runs `fn` in a transaction that holds every lock in `names`. Nobody else holds one
   * of them meanwhile, in any process. `fn` uses only `tx` (anything else would wait for itself) and may run again after a
   * deadlock on MySQL. The transaction ends after 30 s. Without names: a plain transaction.
   */
  locked<T>(names: readonly LockName[], fn: (tx: Tx) => Promise<T>): Promise<T>
  /** Gives free pages back to the disk, between other writes; returns how many. Nothing to do on MySQL. */
  incrementalVacuum(): Promise<number>
  /**
   * False when the processes that run on the database do not go together with this one; else it has its place for as long as it
   * lives. On SQLite the file `<database>.lock` decides, on MySQL named locks.
   */
  holdPlace(place: ProcessPlace): Promise<boolean>
  close(): Promise<void>
}

/**
 * Opens the database at `url` (`file:…`, or `mysql://user:password@host:port/name`), making it if absent, and migrates it.
 * Throws MigrationRefused when program and database do not fit.
 */
export async function openDatabase({ url, log }: { url: string; log: StoreLog }): Promise<Database> {
  // Only the engine in use is loaded: each brings its own query compiler.
  if (url.startsWith('file:')) {
    const { openSqlite } = await import('./sqlite/sqlite-database.ts')
    return openSqlite({ path: sqlitePath(url), log })
  }
  if (/^(mysql|mariadb):\/\//.test(url)) {
    const { openMysql } = await import('./mysql/mysql-database.ts')
    return openMysql({ url, log })
  }
  // The URL may hold a password: only its scheme is shown.
  throw new Error(`a database URL starts with file: or mysql://, not with ${url.split(':')[0]}:`)
}

function sqlitePath(url: string): string {
  return url.startsWith('file://') ? fileURLToPath(url) : resolve(url.slice('file:'.length))
}
