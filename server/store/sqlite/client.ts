import type { Scalar, Write } from '../batch.ts'
import type { ExclusiveQueue } from './exclusive-queue.ts'
import type { Executed } from './messages.ts'
import type { Link, SqliteThread } from './thread.ts'

/** Runs one statement. */
export type Execute = (sql: string, args: readonly unknown[]) => Promise<Executed>

export interface SqliteClient {
  /** One statement, outside of every transaction. */
  execute: Execute
  batch(writes: readonly Write[]): Promise<number[]>
  select(sql: string, args: readonly Scalar[]): Promise<Scalar[][]>
  /** Statements without parameters and results, outside of every transaction. */
  script(sql: string): Promise<void>
  /** Opens a transaction; no other statement runs until commit or rollback. */
  begin(): Promise<OpenTransaction>
}

/** A client, and the function that ends its thread. */
export interface SqliteConnection {
  client: SqliteClient
  close(): Promise<void>
}

export interface OpenTransaction {
  execute: Execute
  script(sql: string): Promise<void>
  commit(): Promise<void>
  rollback(): Promise<void>
  readonly closed: boolean
}

/** Statements and transactions on one thread. The writer uses `BEGIN IMMEDIATE`, so that a commit never finds the database locked. */
export function createSqliteClient(parts: {
  thread: SqliteThread
  queue: ExclusiveQueue
  readOnly: boolean
}): SqliteClient {
  const { thread, queue } = parts
  return {
    async execute(sql, args) {
      await queue.enter()
      return thread.ask({ verb: 'execute', sql, args })
    },
    async batch(writes) {
      await queue.enter()
      return thread.ask({ verb: 'batch', writes })
    },
    async select(sql, args) {
      await queue.enter()
      return thread.ask({ verb: 'select', sql, args })
    },
    async script(sql) {
      await queue.enter()
      await thread.ask({ verb: 'script', sql })
    },
    async begin() {
      const release = await queue.acquire()
      try {
        const link = thread.link()
        await link.ask({ verb: 'script', sql: parts.readOnly ? 'BEGIN' : 'BEGIN IMMEDIATE' }, rolledBack)
        return openTransaction(link, release)
      } catch (error) {
        release()
        throw error
      }
    },
  }
}

const rolledBack = (): Error =>
  Object.assign(new Error('the SQLite thread died; the transaction was rolled back'), { code: 'SQLITE_THREAD_LOST' })

function openTransaction(link: Link, release: () => void): OpenTransaction {
  let closed = false

  /** A closed transaction must not run statements: the connection may be in another one. */
  function refuseIfClosed(): void {
    if (closed) throw Object.assign(new Error('the transaction is over'), { code: 'TRANSACTION_CLOSED' })
  }

  async function end(sql: string, whenLost?: () => Error): Promise<void> {
    refuseIfClosed()
    closed = true
    try {
      await link.ask({ verb: 'script', sql }, whenLost)
    } catch (error) {
      // A failed commit leaves the transaction open; end it, so that the connection is free for the next.
      if (sql === 'COMMIT') await link.ask({ verb: 'script', sql: 'ROLLBACK' }).catch(() => undefined)
      throw error
    } finally {
      release()
    }
  }

  return {
    async execute(sql, args) {
      refuseIfClosed()
      return link.ask({ verb: 'execute', sql, args }, rolledBack)
    },
    async script(sql) {
      refuseIfClosed()
      await link.ask({ verb: 'script', sql }, rolledBack)
    },
    commit: () => end('COMMIT'),
    rollback: () => end('ROLLBACK', rolledBack),
    get closed() {
      return closed
    },
  }
}
