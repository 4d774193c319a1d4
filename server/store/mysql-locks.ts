import { type Connection, connectMysql, lockName, type MysqlAddress, takeLock } from './mysql-connect.ts'
import type { StoreLog } from './store-log.ts'

export interface SingleProcess {
  /** True when this process has the lock; it is kept until `release`, and asked for again when the connection is lost. */
  hold(): Promise<boolean>
  release(): Promise<void>
}

/** A named lock on a connection of its own, held as long as the process lives: what more than one process without Redis is refused by. */
export function createSingleProcess(parts: { address: MysqlAddress; log: StoreLog; checkMs?: number }): SingleProcess {
  const { address, log, checkMs = 30_000 } = parts
  const name = lockName('single', address.database)
  let connection: Connection | undefined
  let checks: NodeJS.Timeout | undefined

  async function take(): Promise<boolean> {
    const fresh = await connectMysql(address)
    // Without a listener, a connection lost while idle would end the process.
    fresh.on('error', () => undefined)
    await fresh.query('SET SESSION wait_timeout = 86400')
    if (!(await takeLock(fresh, name, 0))) {
      await fresh.end()
      return false
    }
    connection = fresh
    return true
  }

  async function check(): Promise<void> {
    try {
      if (connection?.isValid()) await connection.ping()
      else if (!(await take()))
        log.error({}, 'another process took the place of this one on the database; stop one of them')
    } catch (error) {
      connection?.destroy()
      connection = undefined
      log.warn({ reason: (error as Error).message }, 'the connection that holds the single-process lock was lost')
    }
  }

  return {
    async hold() {
      if (connection) return true
      const held = await take()
      if (held) checks = setInterval(() => void check(), checkMs).unref()
      return held
    },
    async release() {
      clearInterval(checks)
      await connection?.end().catch(() => undefined)
      connection = undefined
    },
  }
}
