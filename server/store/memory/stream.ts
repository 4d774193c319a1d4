import type { Stream, StreamListener } from '../stream.ts'

/** The stream of a deployment with one process: batches go straight to the listener, which keeps what it wants. */
export function createMemoryStream<T>(parts: { now: () => number }): Stream<T> {
  let listener: StreamListener<T> | null = null
  // A number of its own for every moment, so that ids grow also when the clock stands still or runs back.
  let lastMs = 0
  let number = 0
  return {
    isShared: false,
    async follow(next) {
      listener = next
    },
    async append(batch) {
      const nowMs = parts.now()
      if (nowMs > lastMs) {
        lastMs = nowMs
        number = 0
      } else number++
      listener?.onBatch({ id: `${lastMs}-${number}`, batch })
    },
    read: async () => null,
    async close() {
      listener = null
    },
  }
}
