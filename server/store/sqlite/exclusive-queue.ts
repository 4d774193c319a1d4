export interface ExclusiveQueue {
  /** Resolves when nobody holds the queue. Does not hold it: the thread runs statements in order anyway. */
  enter(): Promise<void>
  /** Resolves when the caller holds the queue. All others wait until the returned function is called; further calls do nothing. */
  acquire(): Promise<() => void>
}

/**
 * First come, first served on one connection. A statement must not run inside another caller's transaction, because a
 * rollback would undo it.
 */
export function createExclusiveQueue(): ExclusiveQueue {
  const waiting: { exclusive: boolean; go: () => void }[] = []
  let held = false

  function advance(): void {
    for (let next = waiting[0]; next && !held; next = waiting[0]) {
      waiting.shift()
      held = next.exclusive
      next.go()
    }
  }

  const wait = (exclusive: boolean): Promise<void> =>
    new Promise((go) => {
      waiting.push({ exclusive, go })
      advance()
    })

  return {
    enter: () => wait(false),
    async acquire() {
      await wait(true)
      let released = false
      return () => {
        if (released) return
        released = true
        held = false
        advance()
      }
    },
  }
}
