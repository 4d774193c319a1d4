import { setTimeout as delay } from 'node:timers/promises'
import type { DatabaseUse } from '../database.ts'
import type { StoreLog } from '../store-log.ts'
import { type Connection, connectMysql, lockName, type MysqlAddress, takeLock } from './connect.ts'

export interface ProcessLock {
  /** True when this process has the lock. It is kept until `release`, and taken again after a lost connection. */
  take(use: DatabaseUse): Promise<boolean>
  release(): Promise<void>
}

/** Numbered locks for processes that share a database. Further processes are allowed, but hold no lock. */
const maxShared = 256
/** A process that was refused because of us releases its lock within this time. */
const patienceMs = 2000

/**
 * Named locks on a connection of their own, held as long as the process runs. MySQL's named locks are exclusive: a process that
 * wants to be alone takes `single`, one that shares takes a number, and each then checks that no lock of the other kind is
 * held. Both lock first and check afterwards, so that two that start together see each other.
 */
export function createProcessLock(parts: { address: MysqlAddress; log: StoreLog; checkMs?: number }): ProcessLock {
  const { address, log, checkMs = 30_000 } = parts
  const single = lockName('single', address.database)
  const shared = Array.from({ length: maxShared }, (_, number) => lockName(`shared-${number}`, address.database))
  let connection: Connection | undefined
  let checks: NodeJS.Timeout | undefined

  async function takeOn(use: DatabaseUse): Promise<boolean> {
    const fresh = await connectMysql(address)
    // Without a listener, a connection lost while idle would end the process.
    fresh.on('error', () => undefined)
    await fresh.query('SET SESSION wait_timeout = 86400')
    if (!(await (use === 'alone' ? takeAlone(fresh) : takeShared(fresh)))) {
      await fresh.end()
      return false
    }
    connection = fresh
    return true
  }

  const takeAlone = async (fresh: Connection): Promise<boolean> =>
    (await takeLock(fresh, single, 0)) && (await areFree(fresh, shared))

  async function takeShared(fresh: Connection): Promise<boolean> {
    for (const name of shared) if (await takeLock(fresh, name, 0)) break
    for (let waitedMs = 0; ; waitedMs += 100) {
      if (await areFree(fresh, [single])) return true
      if (waitedMs >= patienceMs) return false
      await delay(100)
    }
  }

  async function check(use: DatabaseUse): Promise<void> {
    try {
      if (connection?.isValid()) await connection.ping()
      else if (!(await takeOn(use)))
        log.error({}, 'another process has locked the database meanwhile; stop one of them')
    } catch (error) {
      connection?.destroy()
      connection = undefined
      log.warn({ reason: (error as Error).message }, 'the connection that locks the database for this process was lost')
    }
  }

  return {
    async take(use) {
      if (connection) return true
      const held = await takeOn(use)
      if (held) checks = setInterval(() => void check(use), checkMs).unref()
      return held
    },
    async release() {
      clearInterval(checks)
      await connection?.end().catch(() => undefined)
      connection = undefined
    },
  }
}

async function areFree(connection: Connection, names: readonly string[]): Promise<boolean> {
  const sum = names.map(() => 'IS_FREE_LOCK(?)').join(' + ')
  const rows = await connection.query<{ free: bigint | number }[]>(`SELECT ${sum} AS free`, [...names])
  return Number(rows[0]?.free) === names.length
}
