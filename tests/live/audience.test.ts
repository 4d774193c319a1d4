import { expect, onTestFinished, test } from 'vitest'
import { createAudience } from '../../server/live/audience.ts'
import type { LiveEvent, LiveFilter } from '../../server/live/live-events.ts'
import { collect, memoryPlace, request, settled, settledIds } from './live-stand.ts'

const everything: LiveFilter = { viewer: { userId: null } }
const ofKey = (apiKeyId: number): LiveFilter => ({ ...everything, kinds: ['settled'], apiKeyId })

test('only what somebody looks at is made, each reader hears of all of its own, and the totals of everything', async () => {
  const hub = await memoryPlace().join()
  const readers = [ofKey(1), ofKey(2)].map((filter) => hub.events(filter))
  const mine = [1, 2].map((apiKeyId) => Array.from({ length: 5 }, () => request({ apiKeyId })))
  for (let i = 0; i < 5; i++) {
    hub.settled(settled(mine[0]![i]!))
    hub.settled(settled(request({ apiKeyId: 3 })))
    hub.settled(settled(mine[1]![i]!))
  }
  for (const [index, reader] of readers.entries()) {
    const events = await collect(reader, (found) => settledIds(found).length === 5)
    expect(settledIds(events)).toEqual(mine[index]!.map(({ requestId }) => requestId))
    expect(events.some((event) => event.gap)).toBe(false)
  }
  expect(hub.totals(everything.viewer).requests).toBe(15)
  await hub.close()
})

test('who comes back with another way of looking, which nobody had meanwhile, is told of a gap', async () => {
  const hub = await memoryPlace().join()
  const first = hub.events(ofKey(1))
  const one = request({ apiKeyId: 1 })
  hub.settled(settled(one))
  hub.settled(settled(request({ apiKeyId: 2 })))
  const seen = (await first.next()).value as LiveEvent[]
  const other = hub.events(ofKey(2), seen.at(-1)?.sequence)
  const next = request({ apiKeyId: 2 })
  hub.settled(settled(next))
  const events = await collect(other, (found) => settledIds(found).length === 1)
  expect(events[0]?.gap).toBeDefined()
  expect(settledIds(events)).toEqual([next.requestId])

  const again = hub.events(ofKey(2), events.at(-1)?.sequence)
  const last = request({ apiKeyId: 2 })
  hub.settled(settled(last))
  const later = await collect(again, (found) => settledIds(found).length === 1)
  expect(later.some((event) => event.gap)).toBe(false)
  expect(settledIds(later)).toEqual([last.requestId])
  await hub.close()
})

test('ways of looking that nobody comes back to are not compared with for long: the latest hundred', async () => {
  const wants = (count: number) => {
    const audience = createAudience({ isAlways: false, keepMs: undefined, head: () => 0 })
    onTestFinished(audience.close)
    for (let apiKeyId = 1; apiKeyId <= count; apiKeyId++) {
      audience.came(ofKey(apiKeyId))
      audience.left(ofKey(apiKeyId))
    }
    return (apiKeyId: number) => audience.wants('settled', settled(request({ apiKeyId })))
  }
  const few = wants(100)
  expect([1, 100].map(few)).toEqual([true, true])
  const many = wants(101)
  expect([1, 2, 101].map(many)).toEqual([false, true, true])
})

test('who comes back while it is waited for misses nothing, also when many others left since', async () => {
  const audience = createAudience({ isAlways: false, keepMs: undefined, head: () => 7 })
  onTestFinished(audience.close)
  audience.came(ofKey(1))
  audience.left(ofKey(1))
  audience.came(ofKey(1))
  for (let apiKeyId = 2; apiKeyId <= 300; apiKeyId++) {
    audience.came(ofKey(apiKeyId))
    audience.left(ofKey(apiKeyId))
  }
  expect(audience.wants('settled', settled(request({ apiKeyId: 1 })))).toBe(true)
  // Given up, and then something happened that was not told.
  expect(audience.wants('settled', settled(request({ apiKeyId: 2 })))).toBe(false)
  expect(audience.came(ofKey(2))).toEqual({ ordinal: 7, missed: 1 })
})
