/** A value as both engines store it. Times are epoch milliseconds (number or bigint), never Date objects. */
export type Scalar = string | number | bigint | boolean | null

/** Rows of values, in the order of the columns. */
export type Rows = readonly (readonly Scalar[])[]

/**
 * One write of a batch.
 * - `insert`: rows, or the text of a JSON array of rows, which is parsed where it is written (on SQLite in the thread); integers
 *   beyond 2^53 are decimal strings there. A row whose key exists already fails the batch (`isDuplicate`).
 * - `add`: inserts a row, or adds its `sums` to the row with the same `keys`, which keeps the smaller of each `least` and the
 *   larger of each `greatest`. A row holds the keys, the sums, the least, the greatest.
 * - `run`: one statement with `?` for values and backticks around names. With `expect`, another number of affected (matched)
 *   rows rolls the whole batch back and throws {@link BatchConflict}.
 */
export type Write =
  | { kind: 'insert'; table: string; columns: readonly string[]; rows: Rows | string }
  | {
      kind: 'add'
      table: string
      keys: readonly string[]
      sums: readonly string[]
      least?: readonly string[]
      greatest?: readonly string[]
      rows: Rows
    }
  | { kind: 'run'; sql: string; args: readonly Scalar[]; expect?: number }

/** The rows of an `insert`. Throws RangeError for a row with a wrong number of values: missing ones would become NULL. */
export function insertRows(write: Extract<Write, { kind: 'insert' }>): Rows {
  const rows = typeof write.rows === 'string' ? (JSON.parse(write.rows) as Rows) : write.rows
  checkWidth(rows, write.columns.length)
  return rows
}

/** The rows of an `add`; throws as {@link insertRows} does. */
export function addRows(write: Extract<Write, { kind: 'add' }>): Rows {
  checkWidth(write.rows, addedColumns(write).length)
  return write.rows
}

/** The columns of an `add`, in the order of its rows. */
export const addedColumns = ({ keys, sums, least = [], greatest = [] }: Extract<Write, { kind: 'add' }>): string[] => [
  ...keys,
  ...sums,
  ...least,
  ...greatest,
]

function checkWidth(rows: Rows, width: number): void {
  for (const row of rows) {
    if (row.length !== width) throw new RangeError(`a row of ${row.length} values for ${width} columns`)
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
