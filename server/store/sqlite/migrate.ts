import { randomUUID } from 'node:crypto'
import { copyFile, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type AppliedStep, appliedTable, MigrationRefused, pendingSteps, type Step } from '../migrations.ts'
import type { StoreLog } from '../store-log.ts'
import type { OpenTransaction, SqliteClient, SqliteConnection } from './client.ts'

const copiesKept = 3

interface Parts {
  path: string
  steps: readonly Step[]
  open: () => SqliteConnection
  log: StoreLog
  now?: () => Date
}

/**
 * Brings a SQLite file up to date and returns the open connection. Each step and its row are one transaction, so a failed
 * step changes nothing. A file that holds data is first copied to the same folder, while no connection is open. Throws
 * MigrationRefused for a newer or altered database.
 */
export async function migrateSqlite({
  path,
  steps,
  open,
  log,
  now = () => new Date(),
}: Parts): Promise<SqliteConnection> {
  let connection = open()
  try {
    const applied = await readApplied(connection.client)
    const pending = pendingSteps(steps, applied)
    const first = pending[0]
    if (!first) return connection
    if (applied.length > 0) {
      // All data must be in the one file that is copied. No connection may be open: closing the copied file drops this process's locks on it.
      await connection.client.execute('PRAGMA wal_checkpoint(TRUNCATE)', [])
      await connection.close()
      await copyBeside(path, first.name, now(), log)
      connection = open()
    }
    for (const step of pending) await apply(connection.client, step, now())
    log.info({ steps: pending.map((step) => step.name) }, 'the database was migrated')
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}

async function readApplied(client: Pick<SqliteClient, 'execute'>): Promise<AppliedStep[]> {
  const table = await client.execute("SELECT 1 FROM sqlite_master WHERE name = '_prisma_migrations'", [])
  if (table.rows.length === 0) return []
  const sql = `SELECT migration_name, checksum, finished_at IS NOT NULL, applied_steps_count
    FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY migration_name`
  const { rows } = await client.execute(sql, [])
  return rows.map(([name, checksum, finished, done]) => ({
    name: String(name),
    checksum: String(checksum),
    finished: finished === 1,
    done: Number(done),
  }))
}

async function apply(client: SqliteClient, step: Step, at: Date): Promise<void> {
  // A table that others refer to can be rebuilt only with this off, and SQLite ignores the switch inside a transaction.
  await client.execute('PRAGMA foreign_keys = OFF', [])
  const open = await client.begin()
  try {
    await applyInside(open, step, at)
  } catch (error) {
    await open.rollback()
    if (error instanceof MigrationRefused) throw error
    throw new Error(`migration ${step.name} failed and was undone: ${(error as Error).message}`, { cause: error })
  }
  await open.commit()
  await client.execute('PRAGMA foreign_keys = ON', [])
}

async function applyInside(open: OpenTransaction, step: Step, at: Date): Promise<void> {
  await open.script(appliedTable.sqlite)
  // Asked again under the write lock: another process may have applied it meanwhile.
  if ((await readApplied(open)).some((row) => row.name === step.name && row.finished)) return
  await open.script(step.sql)
  const broken = await open.execute('PRAGMA foreign_key_check', [])
  if (broken.rows.length > 0) {
    throw new MigrationRefused(
      `migration ${step.name} was undone: it would leave ${broken.rows.length} rows without parents`,
    )
  }
  await open.execute(
    `INSERT INTO _prisma_migrations (id, checksum, started_at, finished_at, migration_name, applied_steps_count)
      VALUES (?, ?, ?, ?, ?, 1)`,
    [randomUUID(), step.checksum, at.getTime(), Date.now(), step.name],
  )
}

/** Makes `relay.db.before-0002_x.<time>`, under another name first, so that half a copy is never taken for a whole one. */
async function copyBeside(path: string, step: string, at: Date, log: StoreLog): Promise<void> {
  const target = `${path}.before-${step}.${at.toISOString().replace(/[-:.]/g, '')}`
  await copyFile(path, `${target}.partial`)
  await rename(`${target}.partial`, target)
  log.info({ copy: target }, 'the database was copied before it is migrated')
  const prefix = `${basename(path)}.before-`
  const timeOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1)
  const copies = (await readdir(dirname(path)))
    .filter((name) => name.startsWith(prefix) && !name.endsWith('.partial'))
    .sort((a, b) => timeOf(a).localeCompare(timeOf(b)))
  for (const old of copies.slice(0, -copiesKept)) await rm(join(dirname(path), old))
}
