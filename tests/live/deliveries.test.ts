import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createDeliveries } from '../../server/live/deliveries.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => vi.useRealTimers())

/** Subscribers that read on and on, and the numbers of news that each found at its wakings. */
function readersOf(deliveries: ReturnType<typeof createDeliveries>, count: number) {
  let news = 0
  const found: number[] = []
  for (let number = 0; number < count; number++) {
    let taken = 0
    const reader = deliveries.subscribe(() => {
      if (taken === news) return null
      const more = news - taken
      taken = news
      return more
    }, undefined)
    void (async () => {
      for await (const more of reader) found.push(more)
    })()
  }
  return {
    found,
    async tell(events: number) {
      news += events
      deliveries.schedule(events)
      await vi.advanceTimersByTimeAsync(0)
    },
  }
}

test('the first news goes out at once, what follows soon after in one piece', async () => {
  const deliveries = createDeliveries(50)
  const { found, tell } = readersOf(deliveries, 1)
  await tell(1)
  expect(found).toEqual([1])
  await tell(1)
  await tell(1)
  expect(found).toEqual([1])
  await vi.advanceTimersByTimeAsync(60)
  expect(found).toEqual([1, 2])
})

test('many subscribers hear of much in fewer, larger pieces, at the latest after a second', async () => {
  const deliveries = createDeliveries(50)
  const { found, tell } = readersOf(deliveries, 100)
  await tell(10)
  expect(found).toHaveLength(100)
  for (let at = 0; at < 18; at++) {
    await vi.advanceTimersByTimeAsync(50)
    await tell(10)
  }
  expect(found).toHaveLength(100)
  await vi.advanceTimersByTimeAsync(100)
  expect(found).toHaveLength(200)
  expect(found.slice(100)).toEqual(Array.from({ length: 100 }, () => 180))
})

test('news of one kind wakes nobody who waits for another', async () => {
  const sums = createDeliveries(50)
  let asked = 0
  const events = createDeliveries(50)
  const reader = events.subscribe(() => {
    asked++
    return null
  }, undefined)
  void reader.next()
  expect(asked).toBe(1)
  readersOf(sums, 3)
  sums.schedule(1)
  expect(asked).toBe(1)
  events.schedule(1)
  expect(asked).toBe(2)
})

test('those of an ended session end, the others at the close, and who comes later at once', async () => {
  const deliveries = createDeliveries(50)
  const session = { userId: 1, sessionId: 7, expiresAtMs: 0 }
  const ended = deliveries.subscribe(() => null, session).next()
  const other = deliveries.subscribe(() => null, { ...session, sessionId: 8 }).next()
  expect(deliveries.size()).toBe(2)
  deliveries.end((whose) => whose?.sessionId === 7)
  expect(await ended).toMatchObject({ done: true })
  expect(deliveries.size()).toBe(1)
  deliveries.close()
  expect(await other).toMatchObject({ done: true })
  expect(await deliveries.subscribe(() => null, session).next()).toMatchObject({ done: true })
})
