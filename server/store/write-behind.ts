import { runAgain } from '../run-again.ts'

const firstPauseMs = 100

/**
 * Brings what waits in memory into the database, off the caller's path: soon, one write at a time, and after growing pauses
 * again until the database takes it. What waits is the caller's.
 */
export function createWriteBehind(parts: {
  /** What waits, for error messages. */
  name: string
  /** Writes some of what waits, or all of it. Rejects when the database does not take it now. */
  write: () => Promise<void>
  isWaiting: () => boolean
  /** From the first thing that waits to its write. */
  delayMs: number
  maxPauseMs: number
  onError: (error: unknown) => void
}) {
  const { isWaiting, delayMs } = parts
  let timer: NodeJS.Timeout | null = null
  let failures = 0
  let stopped = false

  const run = runAgain(async () => {
    if (timer) clearTimeout(timer)
    timer = null
    try {
      await parts.write()
      failures = 0
    } catch (error) {
      failures++
      parts.onError(error)
    }
    if (isWaiting()) soon()
  })

  function soon(): void {
    if (timer || stopped) return
    const pauseMs = Math.min(Math.max(delayMs, firstPauseMs) * 2 ** failures, Math.max(delayMs, parts.maxPauseMs))
    timer = setTimeout(() => void run(), failures === 0 ? delayMs : pauseMs)
    timer.unref()
  }

  return {
    /** Something waits. */
    soon,
    /** Writes without delay; resolves when the write has ended, also when it failed. */
    now: run,
    isFailing: (): boolean => failures > 0,
    /** Writes until `isDone`; rejects when the database does not take it now. */
    async drained(isDone: () => boolean = () => !isWaiting()): Promise<void> {
      do {
        await run()
        if (failures > 0) throw new Error(`the database does not take ${parts.name}`)
      } while (!isDone() && !stopped)
    },
    /** No write begins by itself any more. */
    stop(): void {
      stopped = true
      if (timer) clearTimeout(timer)
      timer = null
    },
  }
}
