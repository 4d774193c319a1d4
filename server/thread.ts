import { type ResourceLimits, Worker } from 'node:worker_threads'

const isBuilt = import.meta.url.endsWith('.js')
const sources = new URL('.', import.meta.url).href
const built = new URL('../dist/server/', import.meta.url).href

/**
 * Starts a worker thread on the module `entry` (written as `new URL('./name.ts', import.meta.url)`), which reads `workerData`
 * with {@link givenTo}. A thread always runs compiled code: Node 20 cannot run .ts in a worker, and the compiler rewrites
 * imports, not URLs. So tests, which run from the sources, need an up-to-date dist/.
 * A thread that grows beyond `limits` ends with an error event; the process continues.
 */
export function startThread(entry: URL, workerData: unknown, limits?: ResourceLimits): Worker {
  const compiled = entry.href.replace(/\.ts$/, '.js')
  const url = new URL(isBuilt || compiled === entry.href ? compiled : compiled.replace(sources, built))
  // No execArgv: the parent's loaders and inspectors are not for the thread.
  return new Worker(url, { workerData: { given: workerData }, execArgv: [], ...(limits && { resourceLimits: limits }) })
}

/** Reads, inside the thread, the `workerData` that {@link startThread} got. */
export function givenTo<T>(workerData: unknown): T {
  return (workerData as { given: T }).given
}
