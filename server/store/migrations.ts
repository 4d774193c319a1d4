import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import type { Engine } from './dialect.ts'

/** One file of prisma/migrations/<engine>; `name` without `.sql`, `checksum` the SHA-256 of its bytes in hex, as Prisma books it. */
export interface Step {
  name: string
  sql: string
  checksum: string
}

/** One row of `_prisma_migrations`. `done`: statements applied so far; `finished` false when a start was cut off in the middle. */
export interface Booked {
  name: string
  checksum: string
  finished: boolean
  done: number
}

/** The database and this program do not fit together; the message says what to do. */
export class MigrationRefused extends Error {
  override name = 'MigrationRefused'
}

/** The booking table in Prisma's own columns, so that its tools can read it. Dates are written explicitly, as milliseconds or UTC. */
export const bookingTable: Record<Engine, string> = {
  sqlite: `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id TEXT PRIMARY KEY NOT NULL, checksum TEXT NOT NULL, finished_at DATETIME, migration_name TEXT NOT NULL, logs TEXT,
  rolled_back_at DATETIME, started_at DATETIME NOT NULL, applied_steps_count INTEGER UNSIGNED NOT NULL DEFAULT 0)`,
  mysql: `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at DATETIME(3), migration_name VARCHAR(255) NOT NULL,
  logs TEXT, rolled_back_at DATETIME(3), started_at DATETIME(3) NOT NULL, applied_steps_count INTEGER UNSIGNED NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
}

/** The migrations of an engine in order, from the folder beside the program (sources and dist have it at different distances). */
export async function readSteps(engine: Engine, folder: URL = migrationsFolder()): Promise<Step[]> {
  const inside = new URL(`${engine}/`, folder)
  const files = (await readdir(inside)).filter((file) => file.endsWith('.sql')).sort()
  return Promise.all(
    files.map(async (file) => {
      const sql = await readFile(new URL(file, inside), 'utf8')
      return { name: file.slice(0, -'.sql'.length), sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

function migrationsFolder(): URL {
  const candidates = ['../../prisma/migrations/', '../../../prisma/migrations/']
  const found = candidates.map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url))
  if (!found) throw new Error('the folder prisma/migrations is missing beside the program')
  return found
}

/**
 * What is left to apply, in order; an unfinished step counts as left. Throws MigrationRefused when the database was written by a
 * newer program, or when a file that was applied is no longer the same.
 */
export function pendingSteps(steps: readonly Step[], booked: readonly Booked[]): Step[] {
  const newest = steps.at(-1)?.name ?? 'none'
  const unknown = booked.filter((row) => !steps.some((step) => step.name === row.name)).at(-1)
  if (unknown) {
    throw new MigrationRefused(
      `the database is newer than this program: it has migration ${unknown.name}, this program knows migrations up to ${newest}. ` +
        'Start the newer program, or restore the copy made before that migration.',
    )
  }
  for (const step of steps) {
    const row = booked.find((one) => one.name === step.name)
    if (!row || row.checksum === step.checksum) continue
    throw new MigrationRefused(
      `migration ${step.name} was applied with checksum ${row.checksum}, but its file now has ${step.checksum}. ` +
        'Restore the file as it was released; a change needs a migration of its own.',
    )
  }
  return steps.filter((step) => !booked.some((row) => row.name === step.name && row.finished))
}
