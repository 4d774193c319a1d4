/** A value as both engines store it; times are epoch milliseconds (number or bigint), never Date objects. */
export type Scalar = string | number | bigint | boolean | null

/**
 * One write of a batch.
 * - `insert`: rows as arrays, or as text ({@link RowsAsJson}). A row that is already there fails the batch ({@link isDuplicate}).
 * - `add`: inserts a row or adds its `sums` to the row with the same `keys`. A row holds the keys, then the sums.
 * - `run`: one statement with `?` and backticks for names. With `expect` and another number of affected (matched) rows the whole
 *   batch is rolled back and {@link BatchConflict} thrown.
 */
export type Write =
  | { kind: 'insert'; table: string; columns: readonly string[]; rows: Rows | RowsAsJson }
  | { kind: 'add'; table: string; keys: readonly string[]; sums: readonly string[]; rows: Rows }
  | { kind: 'run'; sql: string; args: readonly Scalar[]; expect?: number }

export type Rows = readonly (readonly Scalar[])[]

/**
 * Rows as UTF-8 text, parsed where they are written (on SQLite off the main thread; the bytes are the caller's again when the
 * batch is done, and are not copied when they are shared memory). Integers beyond 2^53 are decimal strings there.
 */
export interface RowsAsJson {
  /** JSON arrays of rows, one after the other. */
  json: Uint8Array
  /** Where each array ends, in bytes; the last one is the text's end. */
  ends: readonly number[]
  /** No character takes more than one byte. */
  isAscii: boolean
}

/** The rows of an `insert`, array by array. */
export function* insertRows(rows: Rows | RowsAsJson): Generator<Rows> {
  if (!('json' in rows)) {
    yield rows
    return
  }
  const { buffer, byteOffset, byteLength } = rows.json
  const text = Buffer.from(buffer, byteOffset, byteLength)
  let from = 0
  for (const end of rows.ends) {
    // As latin1 a fifth of the price: most rows have nothing else.
    yield JSON.parse(text.toString(rows.isAscii ? 'latin1' : 'utf8', from, end)) as Rows
    from = end
  }
}

/** A `run` of a batch did not affect the rows it expected; nothing of the batch was written. `index` is the write's. */
export class BatchConflict extends Error {
  override name = 'BatchConflict'
  readonly index: number
  readonly expected: number
  readonly affected: number
  constructor(index: number, expected: number, affected: number) {
    super(`write ${index} of the batch affected ${affected} rows instead of ${expected}; nothing was written`)
    this.index = index
    this.expected = expected
    this.affected = affected
  }
}

/** The connection was lost while the commit was under way: it may have happened or not. Look before writing again. */
export class OutcomeUnknown extends Error {
  override name = 'OutcomeUnknown'
}

/** True when a write may or may not have been committed. */
export function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof OutcomeUnknown
}

/** True for a batch that failed because a row with the same unique key exists; nothing of it was written. */
export function isDuplicate(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { rawCode, errno } = error as { rawCode?: unknown; errno?: unknown }
  return rawCode === 1555 || rawCode === 2067 || errno === 1062
}

/** SQLite's result codes TOOBIG, CONSTRAINT, MISMATCH, RANGE: https://www.sqlite.org/rescode.html */
const sqliteRefusals = new Set([18, 19, 20, 25])
/** MySQL's for values whose SQL state is HY000: a field without a default, text not of its character set, a packet too large. */
const mysqlRefusals = new Set([1364, 1366, 1153])

/** True when the values are at fault: the same batch would fail for ever. All else is the database's trouble, and passes. */
export function isRefusal(error: unknown): boolean {
  const { rawCode, code, errno, sqlState } = error as {
    rawCode?: number
    code?: unknown
    errno?: number
    sqlState?: unknown
  }
  if (error instanceof RangeError || code === 'SQLITE_CLIENT') return true
  if (rawCode !== undefined) return sqliteRefusals.has(rawCode & 0xff)
  // Classes 22 and 23: data exception, integrity constraint violation.
  return (typeof sqlState === 'string' && /^2[23]/.test(sqlState)) || mysqlRefusals.has(errno ?? 0)
}
