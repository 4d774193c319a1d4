import type { Stream, StreamListener } from '../stream.ts'

/** The stream of a deployment with one process: batches go straight to the listener, and none is kept. */
export function createMemoryStream<T>(parts: { now: () => number }): Stream<T> {
  let listener: StreamListener<T> | null = null
  // Ids must grow also when the clock stands still or is set back.
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
