import type { Pool, PoolConnection } from 'mariadb'
import { addRows, BatchConflict, insertRows, type Rows, type Scalar, type Write } from '../batch.ts'
import { addSql, insertSql } from '../dialect.ts'
import { OutcomeUnknown } from '../write-failures.ts'
import { withoutSql } from './connect.ts'

/** Limits of one statement: few round trips, and far below max_allowed_packet (16 MB or more). */
const rowsAtOnce = 250
const bytesAtOnce = 4 * 1024 * 1024
/** Deadlock and lock wait timeout. Both were rolled back, so another try is safe. */
const transient = new Set([1213, 1205])

/** Runs all writes in one transaction on one connection and returns the affected rows of each. A deadlock is tried three times. */
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
    // The state of the connection is unknown after an error: it is rolled back, or closed when that fails.
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
    // An error from the server means that nothing was committed. A lost connection does not say.
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
  const rows = isAdd ? addRows(write) : insertRows(write)
  for (const chunk of chunks(rows)) {
    const sql = isAdd ? addSql('mysql', write, chunk.length) : insertSql(write.table, write.columns, chunk.length)
    await execute(connection, sql, chunk.flat())
  }
  // MySQL counts a row that an `add` updated twice; both engines return the number of rows given.
  return rows.length
}

async function execute(connection: PoolConnection, sql: string, args: readonly Scalar[]): Promise<number> {
  const answer = await connection.query<{ affectedRows?: number; length?: number }>(sql, [...args])
  return answer.affectedRows ?? answer.length ?? 0
}

function* chunks(rows: Rows): Generator<Rows> {
  let from = 0
  let bytes = 0
  for (const [index, row] of rows.entries()) {
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
