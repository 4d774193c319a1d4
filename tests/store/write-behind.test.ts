import { expect, test, vi } from 'vitest'
import { createWriteBehind } from '../../server/store/write-behind.ts'
import { deferred } from '../support/deferred.ts'

/** A queue of numbers on a database that can be away. */
function stand(delayMs: number) {
  let waiting: number[] = []
  const batches: number[][] = []
  const triedAtMs: number[] = []
  const errors: unknown[] = []
  const state = { isAway: false, until: Promise.resolve() }
  const queue = createWriteBehind({
    name: 'numbers',
    async write() {
      const batch = waiting
      batches.push(batch)
      triedAtMs.push(Date.now())
      await state.until
      if (state.isAway) throw new Error('away')
      waiting = waiting.filter((number) => !batch.includes(number))
    },
    isWaiting: () => waiting.length > 0,
    delayMs,
    maxPauseMs: 1000,
    onError: (error) => void errors.push(error),
  })
  const put = (number: number): void => {
    waiting = [...waiting, number]
    queue.soon()
  }
  return { queue, put, batches, triedAtMs, errors, state }
}

test('what comes within the delay is written together, and what comes during a write after it', async () => {
  const { queue, put, batches, state } = stand(3_600_000)
  put(1)
  put(2)
  const writing = deferred()
  state.until = writing.promise
  const first = queue.now()
  put(3)
  const all = queue.drained()
  writing.resolve()
  await first
  await all
  expect(batches).toEqual([[1, 2], [3]])
})

test('while the database is away it is tried again after growing pauses, and nothing is lost', async () => {
  vi.useFakeTimers()
  try {
    const { queue, put, batches, triedAtMs, errors, state } = stand(0)
    state.isAway = true
    put(1)
    await vi.advanceTimersByTimeAsync(4000)
    // After pauses of 200, 400 and 800 ms, and from then on of 1000 ms.
    const pausesMs = triedAtMs.slice(1).map((ms, index) => ms - triedAtMs[index]!)
    expect(pausesMs).toEqual([200, 400, 800, 1000, 1000])
    expect(errors).toHaveLength(triedAtMs.length)
    await expect(queue.drained()).rejects.toThrow('the database does not take numbers')
    state.isAway = false
    await queue.drained()
    expect(batches.at(-1)).toEqual([1])
    expect(queue.isFailing()).toBe(false)
  } finally {
    vi.useRealTimers()
  }
})

test('once it is stopped nothing is written by itself', async () => {
  const { queue, put, batches } = stand(0)
  queue.stop()
  put(1)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(batches).toEqual([])
  await queue.now()
  expect(batches).toEqual([[1]])
})
