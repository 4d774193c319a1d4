import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { createPool, type Pool } from 'mariadb'
import { PrismaClient as MysqlClient } from '../../generated/mysql/client.ts'
import type { PrismaClient } from '../../generated/sqlite/client.ts'
import { type Database, readerOmits, type Tx } from '../database.ts'
import { readSteps, type Step } from '../migrations.ts'
import type { StoreLog } from '../store-log.ts'
import { OutcomeUnknown } from '../write-failures.ts'
import { runMysqlBatch } from './batch.ts'
import { readMysqlUrl, utcText } from './connect.ts'
import { migrateMysql } from './migrate.ts'
import { createProcessLock } from './process-lock.ts'
import { selectMysql } from './select.ts'

export interface MysqlOptions {
  url: string
  log: StoreLog
  steps?: readonly Step[]
}

/** Opens and migrates a MySQL (or MariaDB) database: one pool for everything. */
export async function openMysql({ url, log, steps }: MysqlOptions): Promise<Database> {
  const address = readMysqlUrl(url)
  await migrateMysql({ address, steps: steps ?? (await readSteps('mysql')), log })
  const pool = createPool({ ...address.config, connectionLimit: address.connectionLimit, acquireTimeout: 10_000 })
  const adapter = new PrismaMariaDb(pool, { database: address.database })
  const transactionOptions = { maxWait: 10_000, timeout: 30_000 }
  // Both clients are generated from one schema and have the same models (a test checks it).
  const client = new MysqlClient({ adapter, transactionOptions }) as unknown as PrismaClient
  const reader = new MysqlClient({ adapter, transactionOptions, omit: readerOmits }) as unknown as PrismaClient
  const processLock = createProcessLock({ address, log })
  const lockRows = new Set<string>()

  return {
    engine: 'mysql',
    client,
    reader,
    batch: (writes) => runMysqlBatch(pool, writes),
    select: (sql, args = []) => selectMysql(pool, sql, args),
    async locked(names, fn) {
      // Always in the same order, so that two transactions never wait for each other.
      const rows = [...names].sort().map((name) => `lock:${name}`)
      for (const row of rows) {
        if (!lockRows.has(row)) await makeLockRow(pool, row)
        lockRows.add(row)
      }
      return inTurn(client, rows, fn)
    },
    incrementalVacuum: () => Promise.resolve(0),
    lockForProcess: processLock.take,
    async close() {
      await processLock.release()
      await Promise.all([client.$disconnect(), reader.$disconnect()])
      await pool.end()
    },
  }
}

/** Outside the transaction, because inserts inside would lock the gaps around the row and deadlock. */
async function makeLockRow(pool: Pool, row: string): Promise<void> {
  await pool.query('INSERT IGNORE INTO settings (name, value, updated_at) VALUES (?, ?, ?)', [
    row,
    '',
    utcText(new Date()),
  ])
}

async function inTurn<T>(
  client: PrismaClient,
  rows: readonly string[],
  fn: (tx: Tx) => Promise<T>,
  tries = 3,
): Promise<T> {
  let decided = false
  try {
    return await client.$transaction(async (tx) => {
      decided = false
      // These come first, so that everything read later includes what the last holder wrote.
      for (const row of rows) {
        const held = await tx.$queryRawUnsafe<unknown[]>('SELECT name FROM settings WHERE name = ? FOR UPDATE', row)
        if (held.length !== 1) throw new Error(`the lock row ${row} is missing from settings`)
      }
      const result = await fn(tx)
      decided = true
      return result
    })
  } catch (error) {
    const code = (error as { code?: unknown }).code
    // P2034: a deadlock. P2028: the transaction had already ended. Both were rolled back.
    if (code === 'P2034' && tries > 1) return inTurn(client, rows, fn, tries - 1)
    if (decided && code !== 'P2034' && code !== 'P2028') {
      throw new OutcomeUnknown('the connection was lost during the commit', { cause: error })
    }
    throw error
  }
}
