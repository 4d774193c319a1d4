/**
 * An async iterator without a queue: `take` is called when the reader asks for the next value, and again at every `wake`
 * until it gives one. A reader that never asks costs nothing.
 */
export interface Subscriber<T> {
  iterator: AsyncIterableIterator<T>
  /** There may be something to take. */
  wake(): void
  /** Ends it: the reader sees the end. */
  end(): void
}

/** `take` gives the next value, null for none now, or a promise of one of them. `onEnd` is called once. */
export function createSubscriber<T>(take: () => T | null | Promise<T | null>, onEnd: () => void): Subscriber<T> {
  let waiting: { resolve: (result: IteratorResult<T>) => void; reject: (error: unknown) => void }[] = []
  let isTaking = false
  let wokenMeanwhile = false
  let ended = false
  const done: IteratorReturnResult<undefined> = { value: undefined, done: true }

  function wake(): void {
    if (isTaking) {
      wokenMeanwhile = true
      return
    }
    while (!ended && !isTaking && waiting.length > 0) {
      let taken: ReturnType<typeof take>
      try {
        taken = take()
      } catch (error) {
        return fail(error)
      }
      if (taken === null) return
      if (taken instanceof Promise) return wait(taken)
      waiting.shift()?.resolve({ value: taken, done: false })
    }
  }

  function wait(promise: Promise<T | null>): void {
    isTaking = true
    wokenMeanwhile = false
    promise.then((value) => {
      isTaking = false
      if (ended) return
      if (value !== null) waiting.shift()?.resolve({ value, done: false })
      if (value !== null || wokenMeanwhile) wake()
    }, fail)
  }

  function fail(error: unknown): void {
    waiting.shift()?.reject(error)
    end()
  }

  function end(): void {
    if (ended) return
    ended = true
    for (const { resolve } of waiting) resolve(done)
    waiting = []
    onEnd()
  }

  const iterator: AsyncIterableIterator<T> = {
    next() {
      if (ended) return Promise.resolve(done)
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        wake()
      })
    },
    async return() {
      end()
      return done
    },
    async throw(error) {
      end()
      throw error
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return { iterator, wake, end }
}
