import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { defaultLockWaitMs, LockBusy, type Locks, type LockTimes } from '../locks/locks.ts'
import { createMemoryLocks } from '../memory/locks.ts'
import { createScript } from './script.ts'

// The same token may already hold the key: then the reply to an earlier attempt was lost.
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
  /** The prefix of every key, in braces, so that a Redis Cluster keeps them together. */
  prefix: string
  /** The average time between two attempts at a taken lock. */
  pollMs?: number
}

/**
 * Locks across processes: a key with the owner's token and a time to live, renewed while held and deleted by its owner only.
 * There is one Redis and no quorum: code that must be right also when Redis loses its data checks a version when it writes.
 */
export function createRedisLocks({ redis, prefix, waitMs = defaultLockWaitMs, pollMs = 50 }: RedisLockParts): Locks {
  const acquire = createScript(redis, acquireLua)
  const renew = createScript(redis, renewLua)
  const release = createScript(redis, releaseLua)
  /** Callers in this process queue here, so that only the first of them asks Redis. */
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
          // A lock that cannot be deleted ends with its time to live.
          await release([key], [token]).catch(() => undefined)
        }
      })
    },
  }

  async function take(key: string, token: string, name: string, ttlMs: number, deadline: number): Promise<void> {
    while ((await acquire([key], [token, ttlMs])) !== 1) {
      if (performance.now() >= deadline) throw new LockBusy(name, waitMs)
      // Random, so that waiting processes do not all ask at the same time.
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
        // Redis is away: the lock is ours until its time to live is over, and the next tick asks again.
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
