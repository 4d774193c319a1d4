/** Mutual exclusion by name, within a process or across all that share a Redis. Not re-entrant. */
export interface Locks {
  /**
   * Runs `fn` while holding `name`, and gives its result. At most `ttlMs` after the holder's process died the lock is
   * free again; a living holder keeps it as long as `fn` runs. `signal` aborts when the lock was lost all the same
   * (Redis away for longer than `ttlMs`): what `fn` has not done by then, another may be doing.
   * Throws LockBusy when the lock is not free within the bounded wait; `fn` has not run then.
   */
  withLock<T>(name: string, ttlMs: number, fn: (signal: AbortSignal) => Promise<T>): Promise<T>
}

/** The lock stayed taken for the whole wait. */
export class LockBusy extends Error {
  override name = 'LockBusy'
  constructor(lock: string, waitMs: number) {
    super(`lock ${lock} was not free within ${waitMs} ms`)
  }
}

export interface LockTimes {
  /** How long withLock waits for its turn. */
  waitMs?: number
}

export const defaultLockWaitMs = 10_000
