/** What we use of Bree 9.2.9, which comes without types. */
declare module 'bree' {
  import type { EventEmitter } from 'node:events'
  import type { Worker } from 'node:worker_threads'

  export interface BreeJob {
    name: string
    path: string
    /** Milliseconds to the first run. */
    timeout: number
    /** Milliseconds between runs after it. */
    interval: number
    closeWorkerAfterMs: number
  }

  export interface BreeOptions {
    root: false
    silenceRootCheckError: true
    logger: false
    acceptedExtensions: string[]
    jobs: BreeJob[]
    errorHandler: (error: Error, about: { name: string }) => void
    workerMessageHandler: (about: { name: string; message: unknown }) => void
  }

  export default class Bree extends EventEmitter {
    constructor(options: BreeOptions)
    /** By job, those that run. */
    workers: Map<string, Worker>
    init(): Promise<void>
    start(name?: string): Promise<void>
    run(name?: string): Promise<void>
    stop(name?: string): Promise<void>
    createWorker(path: string, options: unknown): Worker
  }
}
