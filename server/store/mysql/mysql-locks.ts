import { setTimeout as delay } from 'node:timers/promises'
import type { ProcessPlace } from '../database.ts'
import type { StoreLog } from '../store-log.ts'
import { type Connection, connectMysql, lockName, type MysqlAddress, takeLock } from './mysql-connect.ts'

export interface HeldPlace {
  /** True when this process has its place; it is kept until `release`, and asked for again when the connection is lost. */
  hold(place: ProcessPlace): Promise<boolean>
  release(): Promise<void>
}

/** Processes that share a database and are told apart; more than these are not refused, and not seen by one that wants to be alone. */
const mostShared = 256
/** One that was refused because of us gives its lock back within this time. */
const patienceMs = 2000

/**
 * Named locks on a connection of its own, held as long as the process lives. Named locks are exclusive: who wants to be alone
 * takes `single`, who shares takes a number of its own, and each then looks whether the other kind is there. Both take before
 * they look, so that two that come at once see each other.
 */
export function createHeldPlace(parts: { address: MysqlAddress; log: StoreLog; checkMs?: number }): HeldPlace {
  const { address, log, checkMs = 30_000 } = parts
  const single = lockName('single', address.database)
  const shared = Array.from({ length: mostShared }, (_, number) => lockName(`shared-${number}`, address.database))
  let connection: Connection | undefined
  let checks: NodeJS.Timeout | undefined

  async function take(place: ProcessPlace): Promise<boolean> {
    const fresh = await connectMysql(address)
    // Without a listener, a connection lost while idle would end the process.
    fresh.on('error', () => undefined)
    await fresh.query('SET SESSION wait_timeout = 86400')
    if (!(await (place === 'alone' ? takeAlone(fresh) : takeShared(fresh)))) {
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

  async function check(place: ProcessPlace): Promise<void> {
    try {
      if (connection?.isValid()) await connection.ping()
      else if (!(await take(place)))
        log.error({}, 'another process took the place of this one on the database; stop one of them')
    } catch (error) {
      connection?.destroy()
      connection = undefined
      log.warn({ reason: (error as Error).message }, 'the connection that holds the place of this process was lost')
    }
  }

  return {
    async hold(place) {
      if (connection) return true
      const held = await take(place)
      if (held) checks = setInterval(() => void check(place), checkMs).unref()
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
