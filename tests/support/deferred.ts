/** A promise and its ends, so that a test decides when something happens instead of sleeping. */
export interface Deferred<T> {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (error: Error) => void
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void
  let reject!: (error: Error) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  // A deferred may be rejected before anyone listens; whoever awaits it still gets the error.
  promise.catch(() => {})
  return { promise, resolve, reject }
}

/** A gate a server waits at: closed until `open()`, then open for ever. */
export function gate(): { open: () => void; passed: Promise<void> } {
  const { promise, resolve } = deferred()
  return { open: () => resolve(), passed: promise }
}
