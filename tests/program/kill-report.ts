import { expect } from 'vitest'
import { counterName } from '../../server/keys/limits.ts'
import { requestIdOf } from '../../server/request-ids.ts'
import type { Database } from '../../server/store/database.ts'
import { openRedis } from '../../server/store/redis/connect.ts'
import { createRedisCounters } from '../../server/store/redis/counters.ts'
import { ledgerSums, misfits } from '../ledger/ledger-sums.ts'
import { engines, redisUrl, silentLog } from '../support/engines.ts'
import type { Killed } from './kills.ts'

/** Holds the ledger against what upstream and clients saw; returns the numbers, for people to read. */
export async function expectExactLedger(killed: Killed): Promise<Record<string, number>> {
  const { database, calls, answered } = killed
  const rows = await database.select(
    'SELECT `session_id`, `id`, `outcome`, `usage_source`, `attempts`, `input_tokens`, `output_tokens`, ' +
      '`cache_write_5m_tokens`, `cache_write_1h_tokens`, `cache_read_tokens` FROM `logs`',
  )
  const byMark = new Map(rows.map((row) => [String(row[0]), row]))
  expect(byMark.size, 'no request has two rows').toBe(rows.length)
  const missing = [...calls.keys()].filter((mark) => !byMark.has(mark))
  expect(missing, 'requests that reached the upstream and have no row').toEqual([])

  let final = 0
  let interrupted = 0
  for (const [mark, row] of byMark) {
    const seen = calls.get(mark) ?? []
    if (row[2] === 'interrupted') {
      interrupted++
      continue
    }
    expect(row[4], 'one attempt for every call that the upstream saw').toBe(seen.length)
    if (row[3] !== 'final') continue
    final++
    const counted = seen.find((request) => request.usage !== null)?.usage?.tokens
    expect(row.slice(5)).toEqual(
      counted && [counted.input, counted.output, counted.cacheWrite5m, counted.cacheWrite1h, counted.cacheRead],
    )
  }
  for (const [mark, requestId] of answered) expect(requestIdOf(BigInt(String(byMark.get(mark)?.[1])))).toBe(requestId)
  expect(await misfits(database)).toBe(0)
  const sums = await ledgerSums(database)
  expect(sums.hourly).toEqual(sums.logs)
  expect(sums.daily).toEqual(sums.logs)
  expect(killed.exitCode).toBe(0)
  expect(killed.leftInJournal).toEqual([])
  return {
    sent: killed.sent,
    reachedUpstream: calls.size,
    upstreamCalls: killed.upstream.requests.length,
    answeredWhole: answered.size,
    rows: rows.length,
    final,
    interrupted,
    ...(engines === 'services' && (await expectExactCounters(database))),
  }
}

/** Redis outlives every process: the counters of key `limited` are the ledger's sums, and nothing is held any more. */
export async function expectExactCounters(database: Database): Promise<Record<string, number>> {
  const { value: deployment } = await database.client.setting.findUniqueOrThrow({ where: { name: 'deployment_id' } })
  const { id } = await database.client.apiKey.findFirstOrThrow({ where: { name: 'limited' } })
  const prefix = `ccr:${deployment}`
  const redis = await openRedis(redisUrl, silentLog)
  const counters = createRedisCounters({ redis: redis.commands, prefix, now: Date.now })
  try {
    const days = await database.select(
      'SELECT `day`, SUM(`cost_nano`) FROM `daily_rollups` WHERE `api_key_id` = ? GROUP BY `day`',
      [id],
    )
    const total = counterName({ subject: 'key', id, unit: 'cost', window: null })
    const whole = days.reduce((sum, [, nano]) => sum + Number(nano), 0)
    expect(whole).toBeGreaterThan(0)
    expect((await counters.read(total))?.spentNano).toBe(whole)
    for (const [day, nano] of days) {
      const fromMs = Date.parse(`${String(day)}T00:00:00Z`)
      const window = { fromMs, toMs: fromMs + 24 * 3_600_000 }
      const counter = counterName({ subject: 'key', id, unit: 'cost', window })
      expect((await counters.read(counter))?.spentNano).toBe(Number(nano))
    }
    // Also of requests that were killed between the hold and the journal: they have no row.
    expect((await counters.read(total))?.heldNano).toBe(0)
    expect(await counters.unsettled()).toEqual([])
  } finally {
    const keys = await redis.commands.keys(`{${prefix}}:*`)
    if (keys.length > 0) await redis.commands.del(...keys)
    await redis.close()
  }
  return { counterDriftNano: 0 }
}
