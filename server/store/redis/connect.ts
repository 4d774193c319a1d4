import { Redis, type RedisOptions } from 'ioredis'
import type { StoreLog } from '../store-log.ts'

/** The two connections of a process. A connection that subscribes cannot send other commands. */
export interface RedisConnections {
  /** Fails within about two seconds while Redis is away, so that callers can fall back. */
  commands: Redis
  /** Waits for Redis without a limit, and subscribes again when it is back. */
  subscriber: Redis
  close(): Promise<void>
}

export interface RedisTimes {
  /** How long the start waits for the server. */
  startTimeoutMs?: number
  /** After this time without a reply a command fails. */
  commandTimeoutMs?: number
}

/**
 * Opens both connections and resolves when they are ready. `url` is redis:// or rediss:// with host, port, user, password
 * and database number. Rejects when the server is not reachable in time or refuses the password. No error and no log line
 * contains the password.
 */
export async function openRedis(
  url: string,
  log: StoreLog,
  { startTimeoutMs = 5_000, commandTimeoutMs = 2_000 }: RedisTimes = {},
): Promise<RedisConnections> {
  const { address, secrets } = readAddress(url)
  const safe = (error: Error): string => clean(error, secrets)
  const both: RedisOptions = {
    lazyConnect: true,
    keepAlive: 10_000,
    connectTimeout: startTimeoutMs,
    retryStrategy: (attempt) => Math.min(25 * 2 ** attempt, 2_000),
  }
  const commands = new Redis(url, {
    ...both,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: commandTimeoutMs,
  })
  const subscriber = new Redis(url, { ...both, maxRetriesPerRequest: null })
  const connections = { commands, subscriber }
  for (const [name, redis] of Object.entries(connections))
    logBreaks(redis, { redis: address, connection: name }, log, safe)
  try {
    await Promise.all([commands, subscriber].map((redis) => start(redis, address, startTimeoutMs, safe)))
  } catch (error) {
    commands.disconnect()
    subscriber.disconnect()
    throw error
  }
  return {
    ...connections,
    async close() {
      subscriber.disconnect()
      // QUIT waits for pending replies. A server that is away sends none.
      await commands.quit().catch(() => commands.disconnect())
    },
  }
}

function readAddress(url: string): { address: string; secrets: string[] } {
  try {
    const { protocol, hostname, port, password } = new URL(url)
    if (/^rediss?:$/.test(protocol) && hostname !== '') {
      const secrets = password === '' ? [] : [decodeURIComponent(password), password]
      return { address: `${hostname}:${port || '6379'}`, secrets }
    }
  } catch {
    // The error of `new URL` would show the password.
  }
  throw new Error('the Redis URL must look like redis://user:password@host:6379/0 or rediss://…, percent-encoded')
}

/** Resolves at `ready`; rejects at the first refusal, or with the last error when the time is over. */
function start(redis: Redis, address: string, timeoutMs: number, safe: (error: Error) => string): Promise<void> {
  return new Promise((resolve, reject) => {
    let last = 'no answer'
    const timer = setTimeout(() => done(`is not reachable after ${timeoutMs} ms: ${last}`), timeoutMs)
    const done = (problem?: string): void => {
      clearTimeout(timer)
      redis.off('error', onError).off('ready', done)
      if (problem === undefined) resolve()
      else reject(Object.assign(new Error(`Redis at ${address} ${problem}`), { code: 'REDIS_START' }))
    }
    const onError = (error: Error): void => {
      last = safe(error)
      if (/^(WRONGPASS|NOPERM|ERR )|NOAUTH/.test(last)) done(`refuses us: ${last}`)
    }
    redis.on('error', onError).once('ready', done)
    // Rejects for the first failed attempt only; the events above report every one.
    redis.connect().catch(() => undefined)
  })
}

/** One line when the connection breaks (not one for each attempt that follows) and one when it is back. */
function logBreaks(redis: Redis, who: Record<string, unknown>, log: StoreLog, safe: (error: Error) => string): void {
  let logged = ''
  redis.on('error', (error: Error) => {
    const problem = safe(error)
    if (problem !== logged) log.warn({ ...who, problem }, 'Redis connection failed')
    logged = problem
  })
  redis.on('reconnecting', () => {
    if (logged === '') log.warn(who, 'Redis connection lost')
    logged ||= 'lost'
  })
  redis.on('ready', () => {
    if (logged !== '') log.info(who, 'Redis connection is back')
    logged = ''
  })
}

/**
 * Takes the password out of the error itself and gives its message. ioredis attaches the command to the error, with AUTH and
 * its password. It is cleaned in the same tick, before any other code sees it.
 */
function clean(error: Error & { command?: unknown }, secrets: readonly string[]): string {
  delete error.command
  for (const secret of secrets) {
    error.message = error.message.replaceAll(secret, '***')
    error.stack = error.stack?.replaceAll(secret, '***')
  }
  return error.message
}
