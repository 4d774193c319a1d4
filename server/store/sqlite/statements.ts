import type Database from 'libsql'

export type Connection = InstanceType<typeof Database>

/** One prepared statement: its rows as arrays, or the number of rows it changed. */
export interface Prepared {
  columns: string[]
  columnTypes: string[]
  returnsRows: boolean
  all(args: readonly unknown[]): unknown[][]
  run(args: readonly unknown[]): { changes: number; lastInsertRowid: bigint }
}

/** Prepared statements of one connection by their text. The `limit` most recently used ones are kept. */
export function createStatements(connection: Connection, limit = 200): (sql: string) => Prepared {
  const known = new Map<string, Prepared>()
  return (sql) => {
    const found = known.get(sql)
    if (found) {
      // A Map keeps insertion order: set again, the statement becomes the newest.
      known.delete(sql)
      known.set(sql, found)
      return found
    }
    const prepared = prepare(connection, sql)
    known.set(sql, prepared)
    const oldest = known.size > limit ? known.keys().next().value : undefined
    if (oldest !== undefined) known.delete(oldest)
    return prepared
  }
}

function prepare(connection: Connection, sql: string): Prepared {
  const statement = connection.prepare(sql)
  statement.safeIntegers(true)
  const returnsRows = statement.reader
  if (returnsRows) statement.raw(true)
  const columns = returnsRows ? statement.columns() : []
  return {
    columns: columns.map((column) => column.name),
    columnTypes: columns.map((column) => column.type ?? ''),
    returnsRows,
    all: (args) => (statement.all(bindables(args)) as unknown[][]).map((row) => row.map(readable)),
    run(args) {
      const { changes, lastInsertRowid } = statement.run(bindables(args))
      return { changes, lastInsertRowid: BigInt(lastInsertRowid) }
    },
  }
}

/** Returns the same array when nothing has to be changed, which is nearly always. */
function bindables(args: readonly unknown[]): readonly unknown[] {
  for (let at = 0; at < args.length; at++) {
    const value = args[at]
    if (typeof value !== 'string' && (typeof value !== 'number' || !Number.isFinite(value))) return args.map(bindable)
  }
  return args
}

/** On a boolean libsql aborts the whole process (a Rust panic), so every value is checked. */
function bindable(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'string' || typeof value === 'bigint' || value === null) return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  throw new TypeError(`a value of type ${typeof value} cannot be written to the database`)
}

/** Integers become numbers where that is exact. */
function readable(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (value instanceof Uint8Array) {
    return value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength)
  }
  return value
}
