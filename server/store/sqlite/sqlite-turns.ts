export interface Turns {
  /** Resolves when no transaction is open, or is about to be. */
  pass(): Promise<void>
  /** Waits for its turn and keeps everybody else out until the returned function is called (once; later calls do nothing). */
  hold(): Promise<() => void>
}

/**
 * First come, first served on one connection: a statement from outside must not land inside somebody's transaction, where a
 * rollback would swallow it. Statements that pass are not waited for, since the thread answers in order anyway.
 */
export function createTurns(): Turns {
  const queue: { exclusive: boolean; go: () => void }[] = []
  let held = false

  function advance(): void {
    for (let next = queue[0]; next && !held; next = queue[0]) {
      queue.shift()
      held = next.exclusive
      next.go()
    }
  }

  const wait = (exclusive: boolean): Promise<void> =>
    new Promise((go) => {
      queue.push({ exclusive, go })
      advance()
    })

  return {
    pass: () => wait(false),
    async hold() {
      await wait(true)
      let mine = true
      return () => {
        if (!mine) return
        mine = false
        held = false
        advance()
      }
    },
  }
}
