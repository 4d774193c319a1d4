import { randomUUID } from 'node:crypto'
import { type AppliedStep, appliedTable, MigrationRefused, pendingSteps, type Step } from '../migrations.ts'
import type { StoreLog } from '../store-log.ts'
import { type Connection, connectMysql, lockName, type MysqlAddress, takeLock, utcText } from './connect.ts'

interface Parts {
  address: MysqlAddress
  steps: readonly Step[]
  log: StoreLog
  /** How long to wait for another process that is migrating. */
  lockSeconds?: number
}

/**
 * Brings a MySQL database up to date under a named lock, on one connection. MySQL commits each DDL statement by itself. So the
 * row counts statements, and an interrupted step continues where it stopped. Throws MigrationRefused when it cannot.
 */
export async function migrateMysql({ address, steps, log, lockSeconds = 60 }: Parts): Promise<void> {
  const connection = await connectMysql(address)
  try {
    if (!(await takeLock(connection, lockName('migrate', address.database), lockSeconds))) {
      throw new MigrationRefused(
        `another process has been migrating the database for ${lockSeconds} s; start again when it is done`,
      )
    }
    await refuseLaxMode(connection)
    await connection.query(appliedTable.mysql)
    const applied = await readApplied(connection)
    const pending = pendingSteps(steps, applied)
    for (const step of pending) await apply(connection, step, applied)
    if (pending.length > 0) log.info({ steps: pending.map((step) => step.name) }, 'the database was migrated')
  } finally {
    // The lock ends with the connection.
    await connection.end().catch(() => connection.destroy())
  }
}

/** Without strict mode MySQL shortens values that do not fit, without an error. */
async function refuseLaxMode(connection: Connection): Promise<void> {
  const rows = await connection.query<{ mode: string }[]>('SELECT @@SESSION.sql_mode AS mode')
  if (/STRICT_(TRANS|ALL)_TABLES/.test(rows[0]?.mode ?? '')) return
  throw new MigrationRefused('the MySQL server cuts values silently: add STRICT_TRANS_TABLES to its sql_mode')
}

async function readApplied(connection: Connection): Promise<AppliedStep[]> {
  const rows = await connection.query<unknown[][]>({
    rowsAsArray: true,
    sql: `SELECT migration_name, checksum, finished_at IS NOT NULL, applied_steps_count
        FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY migration_name`,
  })
  return rows.map(([name, checksum, finished, done]) => ({
    name: String(name),
    checksum: String(checksum),
    finished: Number(finished) === 1,
    done: Number(done),
  }))
}

async function apply(connection: Connection, step: Step, applied: readonly AppliedStep[]): Promise<void> {
  const begun = applied.find((row) => row.name === step.name)
  if (!begun) {
    await connection.query(
      'INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) VALUES (?, ?, ?, ?)',
      [randomUUID(), step.checksum, step.name, utcText(new Date())],
    )
  }
  const statements = splitStatements(step.sql)
  const done = begun?.done ?? 0
  for (const [index, sql] of statements.entries()) {
    if (index < done) continue
    // Each statement is counted after it ran: only the first statement of a continued step can have run before.
    await run(connection, sql, begun !== undefined && index === done, `migration ${step.name}, statement ${index + 1}`)
    await store(connection, 'applied_steps_count = ?', step.name, index + 1)
  }
  await store(connection, 'finished_at = ?', step.name, utcText(new Date()))
}

async function store(connection: Connection, assignment: string, name: string, value: number | string): Promise<void> {
  await connection.query(`UPDATE _prisma_migrations SET ${assignment} WHERE migration_name = ?`, [value, name])
}

async function run(connection: Connection, sql: string, mayBeDone: boolean, what: string): Promise<void> {
  try {
    await connection.query(sql)
  } catch (error) {
    const { errno, sqlMessage } = error as { errno?: number; sqlMessage?: string | null }
    if (mayBeDone && alreadyDone.has(errno ?? 0)) return
    // MariaDB reports a second foreign key of the same name as "can't create table", with errno 121 in the text.
    if (mayBeDone && errno === 1005 && /errno: 121\b/.test(sqlMessage ?? '')) return
    throw new MigrationRefused(
      `${what} failed: ${sqlMessage ?? (error as Error).message}. What came before is applied and stored. ` +
        'Remove the cause and start again: the migration goes on with this statement.',
      { cause: error },
    )
  }
}

/** Table exists, unknown table to drop, duplicate column, duplicate key, column or key already dropped, duplicate constraint. */
const alreadyDone = new Set([1050, 1051, 1060, 1061, 1091, 1826])

/** Our files end every statement with `;` at the end of a line, and use it there for nothing else. */
export function splitStatements(sql: string): string[] {
  return sql
    .split(/;\s*$/m)
    .map((one) => one.replace(/^\s*--.*$/gm, '').trim())
    .filter((one) => one !== '')
}
