import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSubscribers } from '../../server/live/subscribers.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => vi.useRealTimers())

/** Subscribers that read on and on; `found` gets the number of new events at each wake-up. */
function addReaders(subscribers: ReturnType<typeof createSubscribers>, count: number) {
  let emitted = 0
  const found: number[] = []
  for (let number = 0; number < count; number++) {
    let taken = 0
    const reader = subscribers.add(() => {
      if (taken === emitted) return null
      const more = emitted - taken
      taken = emitted
      return more
    }, undefined)
    void (async () => {
      for await (const more of reader) found.push(more)
    })()
  }
  return {
    found,
    async emit(events: number) {
      emitted += events
      subscribers.wake(events)
      await vi.advanceTimersByTimeAsync(0)
    },
  }
}

test('the first event goes out at once, what follows soon after in one piece', async () => {
  const subscribers = createSubscribers(50)
  const { found, emit } = addReaders(subscribers, 1)
  await emit(1)
  expect(found).toEqual([1])
  await emit(1)
  await emit(1)
  expect(found).toEqual([1])
  await vi.advanceTimersByTimeAsync(60)
  expect(found).toEqual([1, 2])
})

test('many subscribers get many events in fewer, larger pieces, at the latest after a second', async () => {
  const subscribers = createSubscribers(50)
  const { found, emit } = addReaders(subscribers, 100)
  await emit(10)
  expect(found).toHaveLength(100)
  for (let at = 0; at < 18; at++) {
    await vi.advanceTimersByTimeAsync(50)
    await emit(10)
  }
  expect(found).toHaveLength(100)
  await vi.advanceTimersByTimeAsync(100)
  expect(found).toHaveLength(200)
  expect(found.slice(100)).toEqual(Array.from({ length: 100 }, () => 180))
})

test('events of one kind wake nobody who waits for another', async () => {
  const sums = createSubscribers(50)
  let asked = 0
  const events = createSubscribers(50)
  const reader = events.add(() => {
    asked++
    return null
  }, undefined)
  void reader.next()
  expect(asked).toBe(1)
  addReaders(sums, 3)
  sums.wake(1)
  expect(asked).toBe(1)
  events.wake(1)
  expect(asked).toBe(2)
})

test('those of an ended session end, the others at the close, and who comes later at once', async () => {
  const subscribers = createSubscribers(50)
  const session = { userId: 1, sessionId: 7, expiresAtMs: 0 }
  const ended = subscribers.add(() => null, session).next()
  const other = subscribers.add(() => null, { ...session, sessionId: 8 }).next()
  expect(subscribers.size()).toBe(2)
  subscribers.end((whose) => whose?.sessionId === 7)
  expect(await ended).toMatchObject({ done: true })
  expect(subscribers.size()).toBe(1)
  subscribers.close()
  expect(await other).toMatchObject({ done: true })
  expect(await subscribers.add(() => null, session).next()).toMatchObject({ done: true })
})
