import { setTimeout as delay } from 'node:timers/promises'
import { LockBusy, type Locks } from '../store/locks/locks.ts'

/** After a process that leads has died, its jobs stand still for `ttlMs` and `retryMs` at most. */
const usualTimes = { ttlMs: 15_000, retryMs: 5_000 }

/** One of all processes leads: it holds a lock as long as it lives, the others ask again and again. `locks` must not wait. */
export function createLease(parts: {
  locks: Locks
  name: string
  times?: { ttlMs: number; retryMs: number }
  onError: (error: unknown, doing: string) => void
}) {
  const { ttlMs, retryMs } = parts.times ?? usualTimes
  const stopping = new AbortController()
  const { signal } = stopping
  let leads = false

  async function strive(): Promise<void> {
    while (!signal.aborted) {
      try {
        await parts.locks.withLock(parts.name, ttlMs, async (lost) => {
          leads = true
          await aborted(AbortSignal.any([signal, lost]))
          leads = false
        })
      } catch (error) {
        if (!(error instanceof LockBusy) && !signal.aborted) parts.onError(error, 'asking for the lease of the jobs')
      }
      await delay(retryMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  const striving = strive()
  return {
    leads: (): boolean => leads,
    /** Gives the lease up, so that another process can have it at once. */
    async stop(): Promise<void> {
      stopping.abort()
      await striving
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
