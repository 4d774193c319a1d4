import type { Pool, PoolConnection } from 'mariadb'
import { addSql, insertSql } from '../dialect.ts'
import { BatchConflict, insertRows, OutcomeUnknown, type Rows, type Scalar, type Write } from '../writes.ts'
import { withoutSql } from './mysql-connect.ts'

/** Rows of one statement: enough to spare round trips, small against max_allowed_packet (16 MB at the least). */
const rowsAtOnce = 250
const bytesAtOnce = 4 * 1024 * 1024
/** Deadlock, and lock wait timeout: both are rolled back and worth another try. */
const transient = new Set([1213, 1205])

/** Runs all writes in one transaction on one connection and returns the affected rows of each; a deadlock is tried three times. */
export async function runMysqlBatch(pool: Pool, writes: readonly Write[], tries = 3): Promise<number[]> {
  try {
    return await runOnce(pool, writes)
  } catch (error) {
    if (tries > 1 && transient.has((error as { errno?: number }).errno ?? 0))
      return runMysqlBatch(pool, writes, tries - 1)
    throw error
  }
}

async function runOnce(pool: Pool, writes: readonly Write[]): Promise<number[]> {
  const connection = await pool.getConnection()
  try {
    await connection.query('BEGIN')
    const affected: number[] = []
    for (const [index, write] of writes.entries()) affected.push(await runWrite(connection, write, index))
    await commit(connection)
    await connection.release()
    return affected
  } catch (error) {
    // What the connection still holds is unknown after an error: rolled back if it answers, else thrown away.
    await connection.rollback().then(
      () => connection.release(),
      () => connection.destroy(),
    )
    throw withoutSql(error)
  }
}

async function commit(connection: PoolConnection): Promise<void> {
  try {
    await connection.query('COMMIT')
  } catch (error) {
    // An error that the server sent is an answer; one of the connection is not.
    if ((error as { fatal?: boolean }).fatal !== true) throw error
    throw new OutcomeUnknown('the connection was lost during the commit', { cause: withoutSql(error) })
  }
}

async function runWrite(connection: PoolConnection, write: Write, index: number): Promise<number> {
  if (write.kind === 'run') {
    const affected = await execute(connection, write.sql, write.args)
    if (write.expect !== undefined && affected !== write.expect) throw new BatchConflict(index, write.expect, affected)
    return affected
  }
  const isAdd = write.kind === 'add'
  const columns = isAdd ? [...write.keys, ...write.sums] : write.columns
  const rows = isAdd ? write.rows : [...insertRows(write.rows)].flat()
  for (const chunk of chunks(rows, columns.length)) {
    const sql = isAdd
      ? addSql('mysql', write.table, write.keys, write.sums, chunk.length)
      : insertSql(write.table, columns, chunk.length)
    await execute(connection, sql, chunk.flat())
  }
  // MySQL counts a row that an `add` updated twice: told is what SQLite tells.
  return rows.length
}

async function execute(connection: PoolConnection, sql: string, args: readonly Scalar[]): Promise<number> {
  const answer = await connection.query<{ affectedRows?: number; length?: number }>(sql, [...args])
  return answer.affectedRows ?? answer.length ?? 0
}

function* chunks(rows: Rows, width: number): Generator<Rows> {
  let from = 0
  let bytes = 0
  for (const [index, row] of rows.entries()) {
    if (row.length !== width) throw new RangeError(`a row of ${row.length} values for ${width} columns`)
    const size = row.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length * 3 : 20), 0)
    if (index > from && (index - from >= rowsAtOnce || bytes + size > bytesAtOnce)) {
      yield rows.slice(from, index)
      from = index
      bytes = 0
    }
    bytes += size
  }
  if (from < rows.length) yield rows.slice(from)
}
