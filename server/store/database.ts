import type { Prisma, PrismaClient } from '../generated/sqlite/client.ts'
import type { Scalar, Write } from './batch.ts'
import type { Engine } from './dialect.ts'
import type { LockName } from './locks/lock-name.ts'
import type { StoreLog } from './store-log.ts'

export { BatchConflict, type Scalar, type Write } from './batch.ts'
export { isDuplicate, isOutcomeUnknown, isRefusal, OutcomeUnknown } from './write-failures.ts'
export type { Engine, LockName, PrismaClient, StoreLog }
/** Prisma inside an interactive transaction. */
export type Tx = Prisma.TransactionClient

/** What a reader leaves out of its rows. */
export const readerOmits = { user: { passwordHash: true } } as const

/** Without Redis a process must be alone on its database; with Redis several may share it. */
export type DatabaseUse = 'alone' | 'shared'

/** One database, SQLite or MySQL. Raw SQL uses `?` and backticks; dates are always passed, never left to the database. */
export interface Database {
  engine: Engine
  /** Prisma on the writing connection. */
  client: PrismaClient
  /**
   * For lists and statistics. SQLite: a read-only connection in a thread of its own. MySQL: the same pool. It reads password
   * hashes only for a query that says `omit: { passwordHash: false }`; the type does not know that.
   */
  reader: PrismaClient
  /**
   * Runs all writes in one transaction. Returns the affected rows of each; an `insert` or `add` counts the rows given. Throws
   * BatchConflict, and errors for which isDuplicate, isRefusal or isOutcomeUnknown is true. Nothing was written, except that
   * after isOutcomeUnknown the whole batch may have been committed.
   */
  batch(writes: readonly Write[]): Promise<number[]>
  /** The rows of one SELECT on the reader, as arrays. Integers are numbers where that is exact, else bigint; dates are epoch ms. */
  select(sql: string, args?: readonly Scalar[]): Promise<Scalar[][]>
  /**
   * Runs `fn` in a transaction that holds every lock in `names`; no other process holds one of them at the same time. Use it
   * wherever a write depends on what was read. `fn` must use only `tx`: any other query would wait for
   * this transaction to end. On MySQL `fn` may run again after a deadlock. The transaction ends after 30 s. Without names: a plain
   * transaction.
   */
  locked<T>(names: readonly LockName[], fn: (tx: Tx) => Promise<T>): Promise<T>
  /** SQLite: gives free pages of the file back to the disk and returns how many. Other writes run in between. MySQL: 0. */
  incrementalVacuum(): Promise<number>
  /**
   * Locks the database for this process until it is closed or the process ends. False when another process uses it alone, or
   * when this one wants to be alone and others use it. SQLite locks the file `<database>.lock`, MySQL takes named locks.
   */
  lockForProcess(use: DatabaseUse): Promise<boolean>
  close(): Promise<void>
}
