import type { Scalar, Write } from '../batch.ts'

/** The start parameters of the thread that owns a SQLite connection. */
export interface Opening {
  path: string
  readOnly: boolean
  /** How long a statement waits for another process's lock. */
  busyTimeoutMs: number
}

/** A request to that thread. It replies in the order in which requests were sent. */
export type Request =
  | { verb: 'execute'; sql: string; args: readonly unknown[] }
  | { verb: 'script'; sql: string }
  | { verb: 'batch'; writes: readonly Write[] }
  | { verb: 'select'; sql: string; args: readonly Scalar[] }
  | { verb: 'close' }

/** The reply to `execute`: the fields of @libsql/client's ResultSet that Prisma's adapter reads. */
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

/** An error as it is sent between threads. `conflict` is set for a BatchConflict. */
export interface Failure {
  message: string
  code: string
  rawCode?: number
  conflict?: { index: number; expected: number; affected: number }
}

/** The id of the first message of a thread, which it sends once its connection is open. */
export const openedId = 0

export type Reply = { id: number; value: unknown } | { id: number; failure: Failure }
