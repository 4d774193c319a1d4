import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import type { Engine } from './dialect.ts'

/** One folder of prisma/<engine>/migrations. `checksum` is the SHA-256 of its migration.sql in hex, as Prisma stores it. */
export interface Step {
  name: string
  sql: string
  checksum: string
}

/** One row of `_prisma_migrations`. `done`: statements applied so far. `finished` is false after a start that was interrupted. */
export interface AppliedStep {
  name: string
  checksum: string
  finished: boolean
  done: number
}

/** This program cannot use the database. The message says what to do. */
export class MigrationRefused extends Error {
  override name = 'MigrationRefused'
}

/** The table of applied migrations, with Prisma's own columns so that its tools can read it. */
export const appliedTable: Record<Engine, string> = {
  sqlite: `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id TEXT PRIMARY KEY NOT NULL, checksum TEXT NOT NULL, finished_at DATETIME, migration_name TEXT NOT NULL, logs TEXT,
  rolled_back_at DATETIME, started_at DATETIME NOT NULL, applied_steps_count INTEGER UNSIGNED NOT NULL DEFAULT 0)`,
  mysql: `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at DATETIME(3), migration_name VARCHAR(255) NOT NULL,
  logs TEXT, rolled_back_at DATETIME(3), started_at DATETIME(3) NOT NULL, applied_steps_count INTEGER UNSIGNED NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
}

/** The migrations of an engine, in order. */
export async function readSteps(engine: Engine, folder: URL = prismaFolder()): Promise<Step[]> {
  const migrations = new URL(`${engine}/migrations/`, folder)
  const names = (await readdir(migrations)).filter((name) => /^\d{4}_/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(`${name}/migration.sql`, migrations), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

function prismaFolder(): URL {
  const candidates = ['../../prisma/', '../../../prisma/']
  const found = candidates.map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url))
  if (!found) throw new Error('the folder prisma is missing beside the program')
  return found
}

/**
 * The steps that are not applied yet, in order, with an unfinished one. Throws MigrationRefused when the database was written
 * by a newer program, or when the file of an applied step has changed since.
 */
export function pendingSteps(steps: readonly Step[], applied: readonly AppliedStep[]): Step[] {
  const newest = steps.at(-1)?.name ?? 'none'
  const unknown = applied.filter((row) => !steps.some((step) => step.name === row.name)).at(-1)
  if (unknown) {
    throw new MigrationRefused(
      `the database is newer than this program: it has migration ${unknown.name}, this program knows migrations up to ${newest}. ` +
        'Start the newer program, or restore the copy made before that migration.',
    )
  }
  for (const step of steps) {
    const row = applied.find((one) => one.name === step.name)
    if (!row || row.checksum === step.checksum) continue
    throw new MigrationRefused(
      `migration ${step.name} was applied with checksum ${row.checksum}, but its file now has ${step.checksum}. ` +
        'Restore the file as it was released; a change needs a migration of its own.',
    )
  }
  return steps.filter((step) => !applied.some((row) => row.name === step.name && row.finished))
}
