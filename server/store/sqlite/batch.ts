import { addRows, BatchConflict, insertRows, type Write } from '../batch.ts'
import { addSql, insertSql } from '../dialect.ts'
import type { Connection, Prepared } from './statements.ts'

type Statements = (sql: string) => Prepared

/**
 * Runs all writes in one transaction on the connection of this thread and returns the affected rows of each. A prepared
 * statement for one row (22 µs for 43 columns) is as fast as multi-row SQL here; json_each is slower (60 µs).
 */
export function runBatch(connection: Connection, statements: Statements, writes: readonly Write[]): number[] {
  connection.exec('BEGIN IMMEDIATE')
  try {
    const affected = writes.map((write, index) => runWrite(statements, write, index))
    connection.exec('COMMIT')
    return affected
  } catch (error) {
    // SQLite rolls back by itself on some errors (full disk); a second ROLLBACK would hide the reason.
    if (connection.inTransaction) connection.exec('ROLLBACK')
    throw error
  }
}

function runWrite(statements: Statements, write: Write, index: number): number {
  if (write.kind === 'run') {
    const statement = statements(write.sql)
    const affected = statement.returnsRows ? statement.all(write.args).length : statement.run(write.args).changes
    if (write.expect !== undefined && affected !== write.expect) throw new BatchConflict(index, write.expect, affected)
    return affected
  }
  const isAdd = write.kind === 'add'
  const sql = isAdd ? addSql('sqlite', write, 1) : insertSql(write.table, write.columns, 1)
  const rows = isAdd ? addRows(write) : insertRows(write)
  const statement = statements(sql)
  for (const row of rows) statement.run(row)
  return rows.length
}
