/** Runs `task` one at a time. Calls that come while it runs are served together, by one more run after it. */
export function runAgain(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null
  let next: Promise<void> | null = null
  function run(): Promise<void> {
    if (!running) {
      running = task().finally(() => {
        running = null
      })
      return running
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = null
        return run()
      })
    return next
  }
  return run
}
