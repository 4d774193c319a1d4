import type { Scalar, Write } from '../batch.ts'

/** What the thread that owns a SQLite connection is started with. */
export interface Opening {
  path: string
  readOnly: boolean
  /** How long a statement waits for another process's lock. */
  busyTimeoutMs: number
}

/** What that thread can be asked. Requests are answered in the order in which they were sent. */
export type Request =
  | { verb: 'execute'; sql: string; args: readonly unknown[] }
  | { verb: 'script'; sql: string }
  | { verb: 'batch'; writes: readonly Write[] }
  | { verb: 'select'; sql: string; args: readonly Scalar[] }
  | { verb: 'close' }

/** The answer to `execute`, in the shape of @libsql/client's ResultSet as far as Prisma's adapter reads it. */
export interface Executed {
  columns: string[]
  columnTypes: string[]
  rows: unknown[][]
  rowsAffected: number
  lastInsertRowid: bigint | undefined
}

export interface Answers {
  execute: Executed
  script: null
  batch: number[]
  select: Scalar[][]
  close: null
}

/** An error as it crosses the thread's border. `conflict` is set for a BatchConflict. */
export interface Failure {
  message: string
  code: string
  rawCode?: number
  conflict?: { index: number; expected: number; affected: number }
}

/** The first message of a thread, once its connection is open. */
export const openedId = 0

export type Reply = { id: number; value: unknown } | { id: number; failure: Failure }
