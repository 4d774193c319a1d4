const defaultKeepMs = 120_000

/**
 * Whether anybody reads. Where nobody does, and the last one has been gone for a while, no events are made: totals and the list of
 * what is under way go on without them, and who comes back later is told how many there would have been.
 */
export function createAudience(parts: {
  /** There may be readers that nobody here knows of. */
  isAlways: boolean
  /** How long events go on for readers that may come back; 120 s unless told. */
  keepMs: number | undefined
  /** The first reader after a time without any; `missed` events were not made. */
  onBack: (missed: number) => void
}) {
  let listens = parts.isAlways
  let missed = 0
  let timer: NodeJS.Timeout | null = null

  function stopTimer(): void {
    if (timer) clearTimeout(timer)
    timer = null
  }

  return {
    listens: () => listens,
    missed(): void {
      missed++
    },
    came(): void {
      stopTimer()
      listens = true
      if (missed > 0) parts.onBack(missed)
      missed = 0
    },
    /** The last reader has left. */
    left(): void {
      if (parts.isAlways) return
      stopTimer()
      timer = setTimeout(() => {
        listens = false
      }, parts.keepMs ?? defaultKeepMs)
      timer.unref()
    },
    close: stopTimer,
  }
}
