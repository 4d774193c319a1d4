import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type ResourceLimits, Worker } from 'node:worker_threads'

/** Node 20 cannot run .ts in a worker, even with `--import tsx`: a few lines of JavaScript register tsx there first. */
const fromSource = `
const { workerData } = require('node:worker_threads')
import(workerData.tsx).then(({ register }) => {
  register()
  return import(workerData.entry)
})
`

/**
 * Starts a worker thread on the module `entry` (written as `new URL('./name.ts', import.meta.url)`), which finds `workerData`
 * under `workerData.given` (see {@link givenTo}). From dist the .js beside it is started: the compiler rewrites imports, not URLs.
 * A thread that grows beyond `limits` is ended with an error event; the process goes on.
 */
export function startThread(entry: URL, workerData: unknown, limits?: ResourceLimits): Worker {
  // What the parent was started with (loaders, inspectors) is not the thread's business.
  const execArgv: string[] = []
  const options = { execArgv, ...(limits && { resourceLimits: limits }) }
  if (!fileURLToPath(import.meta.url).endsWith('.ts')) {
    const compiled = new URL(entry.href.replace(/\.ts$/, '.js'))
    return new Worker(compiled, { workerData: { given: workerData }, ...options })
  }
  // The .cjs that require() finds cannot be imported; the module lies beside it.
  const tsx = pathToFileURL(
    createRequire(import.meta.url)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  ).href
  return new Worker(fromSource, { eval: true, workerData: { given: workerData, entry: entry.href, tsx }, ...options })
}

/** What {@link startThread} was given, read inside the thread from node:worker_threads' `workerData`. */
export function givenTo<T>(workerData: unknown): T {
  return (workerData as { given: T }).given
}
