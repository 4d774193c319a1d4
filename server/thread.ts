import { type ResourceLimits, Worker } from 'node:worker_threads'

const isBuilt = import.meta.url.endsWith('.js')
const sources = new URL('.', import.meta.url).href
const built = new URL('../dist/server/', import.meta.url).href

/**
 * Starts a worker thread on the module `entry` (written as `new URL('./name.ts', import.meta.url)`), which finds `workerData`
 * under `workerData.given` (see {@link givenTo}). A thread always runs compiled code: Node 20 cannot run .ts in a worker, and the
 * compiler rewrites imports, not URLs. A program that runs from its sources (the tests) needs an up-to-date dist/.
 * A thread that grows beyond `limits` is ended with an error event; the process goes on.
 */
export function startThread(entry: URL, workerData: unknown, limits?: ResourceLimits): Worker {
  const compiled = entry.href.replace(/\.ts$/, '.js')
  const url = new URL(isBuilt || compiled === entry.href ? compiled : compiled.replace(sources, built))
  // What the parent was started with (loaders, inspectors) is not the thread's business.
  return new Worker(url, { workerData: { given: workerData }, execArgv: [], ...(limits && { resourceLimits: limits }) })
}

/** What {@link startThread} was given, read inside the thread from node:worker_threads' `workerData`. */
export function givenTo<T>(workerData: unknown): T {
  return (workerData as { given: T }).given
}
