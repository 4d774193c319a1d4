import type { Redis } from 'ioredis'
import {
  type CounterParts,
  type Counters,
  checkAmount,
  defaultHoldTtlMs,
  defaultRememberMs,
  distinct,
  type HoldResult,
} from '../counters.ts'
import { holdLua, readLua, seedLua, settleLua, topLua } from './counter-scripts.ts'
import { createScript } from './script.ts'

export interface RedisCounterParts extends CounterParts {
  redis: Redis
  /** The prefix of every key, in braces, so that a Redis Cluster keeps them together. */
  prefix: string
}

/**
 * Counters that processes share: each call is one script and one round trip. A call rejects when Redis does not reply. It
 * may be repeated: nothing counts twice.
 */
export function createRedisCounters(parts: RedisCounterParts): Counters {
  const { redis, prefix, now, holdTtlMs = defaultHoldTtlMs, rememberMs = defaultRememberMs } = parts
  const seed = createScript(redis, seedLua)
  const hold = createScript(redis, holdLua)
  const top = createScript(redis, topLua)
  const settle = createScript(redis, settleLua)
  const read = createScript(redis, readLua)
  const counterKeys = `{${prefix}}:counter:`
  const requestKey = (requestId: string): string => `{${prefix}}:request:${requestId}`
  const nowMs = (): number => Math.floor(now())

  return {
    async seed(counter, spentNano, expiresAtMs) {
      checkAmount('spentNano', spentNano)
      await seed([counterKeys + counter], [nowMs(), counterKeys, spentNano, expiresAtMs ?? ''])
    },

    async hold(requestId, claims, amountNano) {
      checkAmount('amountNano', amountNano)
      for (const claim of claims) checkAmount('limitNano', claim.limitNano)
      if (claims.length === 0) return { kind: 'held', amountNano, spentNano: [] }
      const at = nowMs()
      const rows = claims.map((claim) => [
        claim.counter,
        claim.limitNano,
        claim.expiresAtMs ?? -1,
        ...(claim.earlier ?? []),
      ])
      return readHold(
        await hold(
          [requestKey(requestId)],
          [at, counterKeys, requestId, JSON.stringify(rows), amountNano, at + holdTtlMs, rememberMs],
        ),
      )
    },

    async top(requestId, amountNano, isStrict = false) {
      checkAmount('amountNano', amountNano)
      const at = nowMs()
      const args = [at, counterKeys, requestId, amountNano, at + holdTtlMs, rememberMs, isStrict ? 1 : 0]
      return (await top([requestKey(requestId)], args)) !== 0
    },

    async settle(requestId, spentNano, counters) {
      checkAmount('spentNano', spentNano)
      const named = JSON.stringify(distinct(counters ?? []).map((name) => [name]))
      await settle([requestKey(requestId)], [nowMs(), counterKeys, requestId, spentNano, named, rememberMs])
    },

    async unsettled() {
      const ids: string[] = []
      const start = requestKey('')
      for await (const keys of redis.scanStream({ match: `${start}*`, count: 1000 }) as AsyncIterable<string[]>) {
        if (keys.length === 0) continue
        const values = await redis.mget(keys)
        ids.push(
          ...keys
            .filter((_, index) => (values[index] ?? 'settled') !== 'settled')
            .map((key) => key.slice(start.length)),
        )
      }
      // SCAN may return a key twice.
      return distinct(ids)
    },

    async read(counter) {
      const [spent, held] = (await read([counterKeys + counter], [nowMs(), counterKeys])) as string[]
      return spent === undefined ? null : { spentNano: Number(spent), heldNano: Number(held) }
    },

    // The connection is closed where it was opened.
    close: async () => undefined,
  }
}

/** Reads the reply of the hold script: a word, then names or decimal text. */
function readHold(answer: unknown): HoldResult {
  const [kind, ...rest] = answer as [HoldResult['kind'], ...string[]]
  if (kind === 'unknown') return { kind, counters: distinct(rest) }
  if (kind === 'held') return { kind, amountNano: Number(rest[0]), spentNano: rest.slice(1).map(Number) }
  const [counter = '', spent, held] = rest
  if (kind === 'over') return { kind, counter, spentNano: Number(spent) }
  return { kind, counter, spentNano: Number(spent), heldNano: Number(held) }
}
