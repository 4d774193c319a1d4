import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Worker } from 'node:worker_threads'
import Bree from 'bree'
import { startThread } from '../thread.ts'
import { type RunWords, said, saidAs } from './run-words.ts'

/** Something that a worker does again and again: the worker looks, the main thread decides. */
export interface Job {
  name: string
  everyMs: number
  /** The worker's module, as `new URL('./workers/name.ts', import.meta.url)`. */
  worker: URL
  /** What the worker is given; null: there is nothing to do now, and no worker is started. */
  begin(): unknown
  /** Does what follows from the worker's first message; resolves with what came of it. Later messages do not count. */
  decide(said: unknown): Promise<RunWords>
}

export interface JobRun {
  job: string
  startedAtMs: number
  durationMs: number
  outcome: 'done' | 'failed'
  words: RunWords
}

export interface SchedulerParts {
  jobs: readonly Job[]
  now: () => number
  chance: () => number
  /** True while this process is the one that runs jobs. */
  leads: () => boolean
  /** A worker that has not ended by then is ended. */
  patienceMs: number
  onRun: (run: JobRun) => void
  /** A clock has rung, and the next moment is set. */
  onRing?: () => void
  /** Its worker has ended: it can be run again. */
  onFree: (job: string) => void
  onError: (error: unknown, doing: string) => void
}

interface Running {
  startedAtMs: number
  given: unknown
  /** The worker has sent its message: how it ends does not matter any more. */
  deciding: Promise<void> | null
}

/** How long a stop waits for workers to end by themselves, and then for decisions under way. */
const politeMs = 1000
const decidingMs = 2000
/** A worker that needs more than this is ended, and not the process. */
const workerLimits = { maxOldGenerationSizeMb: 256 }

/** Bree keeps the clock and the workers; what a worker is given, what its message means and how it is stopped is here. */
export function createScheduler(parts: SchedulerParts) {
  const { now, chance, onError } = parts
  const byName = new Map(parts.jobs.map((job) => [job.name, job]))
  // Processes that start together, and jobs of one process, do not all begin at once.
  const firstMs = new Map(parts.jobs.map(({ name, everyMs }) => [name, Math.ceil(everyMs * (0.2 + 0.8 * chance()))]))
  const running = new Map<string, Running>()
  const nextAtMs = new Map<string, number>()
  let stopping = false

  class Scheduler extends Bree {
    /** Bree's timers call this. */
    override async run(name?: string): Promise<void> {
      const job = name === undefined ? undefined : byName.get(name)
      if (!job) return
      nextAtMs.set(job.name, now() + job.everyMs)
      parts.onRing?.()
      if (parts.leads()) await begin(job)
    }

    async startWorker(name: string): Promise<void> {
      await super.run(name)
    }

    override createWorker(path: string): Worker {
      return startThread(pathToFileURL(path), running.get(starting)?.given, workerLimits)
    }
  }

  /** The job whose worker Bree creates in this turn of the loop; Bree passes the path only. */
  let starting = ''

  const isBusy = (name: string): boolean => running.has(name) || bree.workers.has(name)

  async function begin(job: Job): Promise<void> {
    if (stopping || isBusy(job.name)) return
    const run: Running = { startedAtMs: now(), given: null, deciding: null }
    running.set(job.name, run)
    try {
      run.given = await job.begin()
    } catch (error) {
      finish(job.name, run, 'failed', saidAs(String((error as Error).message)))
      return
    }
    if (run.given === null || stopping) {
      running.delete(job.name)
      return
    }
    starting = job.name
    bree.startWorker(job.name).catch((error: unknown) => finish(job.name, run, 'failed', saidAs(String(error))))
  }

  function onMessage(name: string, message: unknown): void {
    const job = byName.get(name)
    const run = running.get(name)
    if (!job || !run || run.deciding || message === 'cancelled' || message === 'done') return
    run.deciding = job
      .decide(message)
      .then(
        (words) => finish(name, run, 'done', words),
        (error: unknown) => {
          onError(error, `job ${name}`)
          finish(name, run, 'failed', saidAs(String((error as Error).message)))
        },
      )
      .finally(() => void bree.workers.get(name)?.terminate())
  }

  function finish(name: string, run: Running, outcome: JobRun['outcome'], words: RunWords): void {
    if (running.get(name) !== run) return
    running.delete(name)
    if (stopping) return
    const durationMs = Math.max(0, now() - run.startedAtMs)
    parts.onRun({ job: name, startedAtMs: run.startedAtMs, durationMs, outcome, words })
  }

  const bree = new Scheduler({
    root: false,
    silenceRootCheckError: true,
    logger: false,
    acceptedExtensions: ['.js', '.ts'],
    jobs: parts.jobs.map((job) => ({
      name: job.name,
      path: pathOf(job),
      timeout: firstMs.get(job.name)!,
      interval: job.everyMs,
      closeWorkerAfterMs: parts.patienceMs,
    })),
    errorHandler(error, { name }) {
      const run = running.get(name)
      if (stopping || !run || run.deciding) return
      const isLate = now() - run.startedAtMs >= parts.patienceMs
      onError(error, `job ${name}`)
      finish(name, run, 'failed', isLate ? said('took_too_long') : saidAs(error.message))
    },
    workerMessageHandler: ({ name, message }) => onMessage(name, message),
  })

  bree.on('worker deleted', (name: string) => {
    if (!stopping) parts.onFree(name)
  })

  return {
    async start(): Promise<void> {
      await bree.init()
      for (const [name, ms] of firstMs) nextAtMs.set(name, now() + ms)
      await bree.start()
    },

    /** Runs a job now, whoever leads; false when it runs already. */
    async runNow(name: string): Promise<boolean> {
      const job = byName.get(name)
      if (!job || isBusy(name)) return false
      await begin(job)
      return true
    },

    /** When it runs next; null before the start. */
    nextAtMs: (name: string): number | null => nextAtMs.get(name) ?? null,

    /** Starts nothing more; workers that do not end by themselves are ended, and decisions under way get a moment. */
    async stop(): Promise<void> {
      stopping = true
      // Bree waits for ever for a worker that does not answer.
      const polite = bree.stop().catch((error: unknown) => onError(error, 'stopping jobs'))
      const decisions = Array.from(running.values(), async ({ deciding }) => deciding)
      const patience = new AbortController()
      const quiet = delay(politeMs, undefined, { signal: patience.signal }).catch(() => {})
      await Promise.race([polite, quiet])
      const moment = delay(decidingMs, undefined, { signal: patience.signal }).catch(() => {})
      await Promise.race([Promise.allSettled(decisions), moment])
      patience.abort()
      await Promise.all([...bree.workers.values()].map((worker) => worker.terminate()))
    },
  }
}

/** The path beside the sources or the compiled one: Bree checks that the file exists. */
function pathOf({ worker }: Job): string {
  const isCompiled = !import.meta.url.endsWith('.ts')
  return fileURLToPath(isCompiled ? new URL(worker.href.replace(/\.ts$/, '.js')) : worker)
}
