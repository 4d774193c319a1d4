import { defaultLockWaitMs, LockBusy, type Locks, type LockTimes } from '../locks/locks.ts'

/** Locks within one process: a queue for each name, first come, first served. `ttlMs` has no effect here. */
export function createMemoryLocks({ waitMs = defaultLockWaitMs }: LockTimes = {}): Locks {
  /** The waiting callers by name. A name that is in the map is held. */
  const queues = new Map<string, (() => void)[]>()
  const never = new AbortController().signal

  return {
    async withLock(name, _ttlMs, fn) {
      const queue = queues.get(name)
      if (queue === undefined) queues.set(name, [])
      else await turn(queue, name)
      try {
        return await fn(never)
      } finally {
        release(name)
      }
    },
  }

  function turn(queue: (() => void)[], name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        queue.splice(queue.indexOf(enter), 1)
        reject(new LockBusy(name, waitMs))
      }, waitMs)
      queue.push(enter)
    })
  }

  function release(name: string): void {
    const next = queues.get(name)?.shift()
    if (next === undefined) queues.delete(name)
    else next()
  }
}
