/** Mutual exclusion by name, within a process or across all that share a Redis. Not re-entrant. */
export interface Locks {
  /**
   * Runs `fn` while holding `name`, and returns its result. The lock is kept as long as `fn` runs. When the holder's process
   * dies, it is free after at most `ttlMs`. `signal` aborts when the lock was lost while `fn` runs (Redis was away for longer
   * than `ttlMs`): another process may hold it then. Throws LockBusy, without running `fn`, when the lock is not free within
   * the wait.
   */
  withLock<T>(name: string, ttlMs: number, fn: (signal: AbortSignal) => Promise<T>): Promise<T>
}

/** Another caller held the lock during the whole wait. */
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
