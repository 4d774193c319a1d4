import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createRedisCounters } from '../../server/store/redis/counters.ts'
import { claim, connect, hasServices } from './twins.ts'

describe.runIf(hasServices)('redis only', () => {
  const place = async (parts: { rememberMs?: number } = {}) => {
    const prefix = `test-${randomUUID()}`
    const { commands } = await connect(prefix)
    return { prefix, commands, counters: createRedisCounters({ redis: commands, prefix, now: Date.now, ...parts }) }
  }

  test('after a flush in mid-window counters are unknown, and seeded from the ledger they still refuse', async () => {
    const { prefix, commands, counters } = await place()
    await counters.seed('day', 90, null)
    await counters.hold('r1', [claim('day', 100)], 10)
    await commands.del(...(await commands.keys(`{${prefix}}:*`)))
    await commands.script('FLUSH')
    expect(await counters.hold('r2', [claim('day', 100)], 10)).toEqual({ kind: 'unknown', counters: ['day'] })
    await counters.seed('day', 99, null)
    await counters.top('r1', 50)
    await counters.settle('r1', 2, ['day'])
    expect(await counters.hold('r2', [claim('day', 100)], 10)).toEqual({ kind: 'over', counter: 'day', spentNano: 101 })
  })

  test('what can be forgotten leaves Redis by itself', async () => {
    const { prefix, commands, counters } = await place({ rememberMs: 50_000 })
    await counters.seed('day', 0, Date.now() + 100_000)
    await counters.seed('total', 0, null)
    await counters.hold('r1', [claim('day', 10, Date.now() + 1000), claim('total', 10)], 1)
    await counters.settle('r2', 1, ['total'])
    const lives = await Promise.all(
      ['counter:day', 'counter:total', 'request:r1', 'request:r2'].map((key) => commands.pttl(`{${prefix}}:${key}`)),
    )
    const [day, total, open, settled] = lives as [number, number, number, number]
    expect(day).toBeGreaterThan(100_000)
    expect(day).toBeLessThanOrEqual(160_000)
    expect(total).toBe(-1)
    for (const life of [open, settled]) {
      expect(life).toBeGreaterThan(0)
      expect(life).toBeLessThanOrEqual(50_000)
    }
    // A claim without an end removes the expiry of the key.
    await counters.hold('r3', [claim('day', 10)], 1)
    expect(await commands.pttl(`{${prefix}}:counter:day`)).toBe(-1)
  })
})
