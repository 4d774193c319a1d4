// One clock for all running attempts: deadlines, pings, top-ups of reservations, live progress.
import type { Attempt } from './running-attempt.ts'

/** `onTick` is called for each running attempt, after its own deadlines. The clock stands still while there is none. */
export function createClock(parts: { tickMs: number; now: () => number; onTick: (attempt: Attempt) => void }) {
  const running = new Set<Attempt>()
  let timer: NodeJS.Timeout | null = null

  function tick(): void {
    const nowMs = parts.now()
    for (const attempt of running) {
      attempt.onTick(nowMs)
      parts.onTick(attempt)
    }
  }

  return {
    running: running as ReadonlySet<Attempt>,
    add(attempt: Attempt): void {
      running.add(attempt)
      timer ??= setInterval(tick, parts.tickMs)
    },
    delete(attempt: Attempt): void {
      running.delete(attempt)
      if (running.size > 0 || timer === null) return
      clearInterval(timer)
      timer = null
    },
  }
}
