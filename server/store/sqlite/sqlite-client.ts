import type { Scalar, Write } from '../writes.ts'
import type { Executed } from './sqlite-messages.ts'
import type { Link, SqliteThread } from './sqlite-thread.ts'
import type { Turns } from './sqlite-turns.ts'

/** One statement and its answer. */
export type Execute = (sql: string, args: readonly unknown[]) => Promise<Executed>

export interface SqliteClient {
  /** One statement, in turn with everybody else's. */
  execute: Execute
  batch(writes: readonly Write[]): Promise<number[]>
  select(sql: string, args: readonly Scalar[]): Promise<Scalar[][]>
  /** Statements without parameters and answers, each by itself. */
  script(sql: string): Promise<void>
  /** Opens a transaction; the connection is its own until commit or rollback. */
  begin(): Promise<OpenTransaction>
}

/** A client and the end of its thread. */
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

/** Statements and transactions on one thread. `begin` is `BEGIN IMMEDIATE` for the writer, so that no commit finds the lock taken. */
export function createSqliteClient(parts: { thread: SqliteThread; turns: Turns; readOnly: boolean }): SqliteClient {
  const { thread, turns } = parts
  return {
    async execute(sql, args) {
      await turns.pass()
      return thread.ask({ verb: 'execute', sql, args })
    },
    async batch(writes) {
      await turns.pass()
      return thread.ask({ verb: 'batch', writes })
    },
    async select(sql, args) {
      await turns.pass()
      return thread.ask({ verb: 'select', sql, args })
    },
    async script(sql) {
      await turns.pass()
      await thread.ask({ verb: 'script', sql })
    },
    async begin() {
      const release = await turns.hold()
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

  /** Once it is over, the connection may be in somebody else's transaction: nothing may reach it from here. */
  function refuseIfClosed(): void {
    if (closed) throw Object.assign(new Error('the transaction is over'), { code: 'TRANSACTION_CLOSED' })
  }

  async function end(sql: string, whenLost?: () => Error): Promise<void> {
    refuseIfClosed()
    closed = true
    try {
      await link.ask({ verb: 'script', sql }, whenLost)
    } catch (error) {
      // A commit that failed leaves the transaction open; the connection must be free for the next.
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
