/** A promise with its resolve and reject, so that a test decides when something happens instead of sleeping. */
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
  // It may be rejected before anyone awaits it, which must not end the process; a later await still gets the error.
  promise.catch(() => {})
  return { promise, resolve, reject }
}

/** A gate at which a server waits: closed until `open()`, then always open. */
export function gate(): { open: () => void; passed: Promise<void> } {
  const { promise, resolve } = deferred()
  return { open: () => resolve(), passed: promise }
}
