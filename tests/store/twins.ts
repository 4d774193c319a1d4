import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import type { Claim, CounterParts, Counters } from '../../server/store/counters.ts'
import type { Events, ReportEventFailure } from '../../server/store/events.ts'
import type { Locks, LockTimes } from '../../server/store/locks/locks.ts'
import { createMemoryCounters } from '../../server/store/memory/counters.ts'
import { createMemoryEvents } from '../../server/store/memory/events.ts'
import { createMemoryLocks } from '../../server/store/memory/locks.ts'
import { openRedis, type RedisConnections } from '../../server/store/redis/connect.ts'
import { createRedisCounters } from '../../server/store/redis/counters.ts'
import { createRedisEvents } from '../../server/store/redis/events.ts'
import { createRedisLocks } from '../../server/store/redis/locks.ts'
import { engines, redisUrl, silentLog } from '../support/engines.ts'

/** What processes share: the memory of one process, or a part of a Redis. Everything it opens is closed with the test. */
export interface Twin {
  name: 'memory' | 'redis'
  /** Counters as one more process has them. Memory has one process only: every call gives the same. */
  counters(parts: CounterParts): Promise<Counters>
  events(report: ReportEventFailure): Promise<Events>
  locks(times: LockTimes): Promise<Locks>
}

/** Called in a test: a new, empty memory or part of Redis. */
export type OpenTwin = () => Twin

export const hasServices = engines === 'services'

/** For `test.each`: memory always, Redis in the project `services`. */
export const twins: [string, OpenTwin][] = [['memory', openMemoryTwin]]
if (hasServices) twins.push(['redis', openRedisTwin])

function openMemoryTwin(): Twin {
  let counters: Counters | undefined
  let events: Events | undefined
  let locks: Locks | undefined
  return {
    name: 'memory',
    counters: async (parts) => (counters ??= createMemoryCounters(parts)),
    events: async (report) => (events ??= createMemoryEvents(report)),
    locks: async (times) => (locks ??= createMemoryLocks(times)),
  }
}

function openRedisTwin(): Twin {
  const prefix = `test-${randomUUID()}`
  return {
    name: 'redis',
    async counters(parts) {
      const { commands } = await connect(prefix)
      return createRedisCounters({ ...parts, redis: commands, prefix })
    },
    async events(report) {
      const { commands, subscriber } = await connect(prefix)
      return createRedisEvents({ commands, subscriber, prefix, report })
    },
    async locks(times) {
      const { commands } = await connect(prefix)
      return createRedisLocks({ ...times, redis: commands, prefix, pollMs: 10 })
    },
  }
}

/** Connections that are closed with the test; the keys of `prefix` are deleted then. */
export async function connect(prefix: string, url = redisUrl): Promise<RedisConnections> {
  const connections = await openRedis(url, silentLog)
  onTestFinished(async () => {
    const keys = await connections.commands.keys(`{${prefix}}:*`).catch(() => [])
    if (keys.length > 0) await connections.commands.del(...keys)
    await connections.close()
  })
  return connections
}

export const startMs = Date.UTC(2026, 10, 23)

/** A clock that stands still until it is moved. */
export function createClock(): { now: () => number; forward(ms: number): void } {
  let atMs = startMs
  return {
    now: () => atMs,
    forward(ms) {
      atMs += ms
    },
  }
}

export const claim = (counter: string, limitNano: number, expiresAtMs: number | null = null): Claim => ({
  counter,
  limitNano,
  expiresAtMs,
})
