import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { defaultLockWaitMs, LockBusy, type Locks, type LockTimes } from '../locks.ts'
import { createMemoryLocks } from '../memory/locks.ts'
import { createScript } from './script.ts'

// Taken already by the same token: the answer to an earlier attempt was lost.
const acquireLua = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`

const renewLua = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`

const releaseLua = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`

export interface RedisLockParts extends LockTimes {
  redis: Redis
  /** Goes before every key, in braces, so that a Redis Cluster keeps them together. */
  prefix: string
  /** How often, about, a taken lock is asked for again. */
  pollMs?: number
}

/**
 * Locks across processes: a key with the owner's token and a time to live, renewed while held, deleted by its owner only.
 * One Redis, no quorum: whoever must survive its loss checks a version at the write as well.
 */
export function createRedisLocks({ redis, prefix, waitMs = defaultLockWaitMs, pollMs = 50 }: RedisLockParts): Locks {
  const acquire = createScript(redis, acquireLua)
  const renew = createScript(redis, renewLua)
  const release = createScript(redis, releaseLua)
  /** The process's own waiters queue here, so that only the first of them asks Redis. */
  const inProcess = createMemoryLocks({ waitMs })

  return {
    withLock(name, ttlMs, fn) {
      const deadline = performance.now() + waitMs
      return inProcess.withLock(name, ttlMs, async () => {
        const key = `{${prefix}}:lock:${name}`
        const token = randomUUID()
        try {
          await take(key, token, name, ttlMs, deadline)
          return await hold(key, token, name, ttlMs, fn)
        } finally {
          // Best effort: a lock that cannot be deleted ends with its time to live.
          await release([key], [token]).catch(() => undefined)
        }
      })
    },
  }

  async function take(key: string, token: string, name: string, ttlMs: number, deadline: number): Promise<void> {
    while ((await acquire([key], [token, ttlMs])) !== 1) {
      if (performance.now() >= deadline) throw new LockBusy(name, waitMs)
      // Uneven, so that waiting processes do not knock together.
      await delay(pollMs * (0.5 + Math.random()))
    }
  }

  async function hold<T>(
    key: string,
    token: string,
    name: string,
    ttlMs: number,
    fn: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const lost = new AbortController()
    let sureUntil = performance.now() + ttlMs
    let asking = false
    const renewal = setInterval(() => void keep(), ttlMs / 3)
    async function keep(): Promise<void> {
      const askedAt = performance.now()
      if (askedAt >= sureUntil) lose()
      if (asking) return
      asking = true
      try {
        if ((await renew([key], [token, ttlMs])) === 1) sureUntil = askedAt + ttlMs
        else lose()
      } catch {
        // Redis is away: the lock is ours until its time is over, and the next tick asks again.
      } finally {
        asking = false
      }
    }
    function lose(): void {
      clearInterval(renewal)
      lost.abort(new Error(`lock ${name} was lost`))
    }
    try {
      return await fn(lost.signal)
    } finally {
      clearInterval(renewal)
    }
  }
}
