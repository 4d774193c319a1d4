import { expect, test } from 'vitest'
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
