import { setTimeout as delay } from 'node:timers/promises'
import { type RunWords, saidAs } from './run-words.ts'
import type { JobRun } from './scheduler.ts'

/** Something that is done again and again in this thread: it waits for the database and blocks nothing. */
export interface Task {
  name: string
  everyMs: number
  /** False: there is nothing to do now. */
  isDue?: () => boolean
  run: () => Promise<RunWords>
}

/** How long a stop waits for tasks under way. */
const stopMs = 2000

/** Runs tasks by the clock, in the process that leads. */
export function createTimer(parts: {
  tasks: readonly Task[]
  now: () => number
  chance: () => number
  leads: () => boolean
  onRun: (run: JobRun) => void
  onError: (error: unknown, doing: string) => void
}) {
  const { tasks, now } = parts
  const timers = new Map<string, NodeJS.Timeout>()
  const nextAtMs = new Map<string, number>()
  const running = new Map<string, Promise<void>>()
  let stopping = false

  function schedule(task: Task, afterMs: number): void {
    nextAtMs.set(task.name, now() + afterMs)
    const timer = setTimeout(() => {
      schedule(task, task.everyMs)
      if (parts.leads()) begin(task)
    }, afterMs)
    timer.unref()
    timers.set(task.name, timer)
  }

  function begin(task: Task): void {
    const { name, isDue } = task
    if (stopping || running.has(name) || isDue?.() === false) return
    running.set(
      name,
      run(task).finally(() => running.delete(name)),
    )
  }

  async function run({ name: job, run }: Task): Promise<void> {
    const startedAtMs = now()
    const ended = (outcome: JobRun['outcome'], words: RunWords): void => {
      if (!stopping) parts.onRun({ job, startedAtMs, durationMs: Math.max(0, now() - startedAtMs), outcome, words })
    }
    try {
      ended('done', await run())
    } catch (error) {
      parts.onError(error, `job ${job}`)
      ended('failed', saidAs(String((error as Error).message)))
    }
  }

  return {
    start(): void {
      // Processes that start together, and tasks of one process, do not all begin at once.
      for (const task of tasks) schedule(task, Math.ceil(task.everyMs * (0.2 + 0.8 * parts.chance())))
    },

    /** Runs a task now, whoever leads; false when there is none of this name, or it runs already. */
    runNow(name: string): boolean {
      const task = tasks.find((candidate) => candidate.name === name)
      if (!task || running.has(name)) return false
      begin(task)
      return true
    },

    /** When it runs next; null before the start. */
    nextAtMs: (name: string): number | null => nextAtMs.get(name) ?? null,

    /** Begins nothing more; tasks under way get a moment. */
    async stop(): Promise<void> {
      stopping = true
      for (const timer of timers.values()) clearTimeout(timer)
      const patience = new AbortController()
      const moment = delay(stopMs, undefined, { signal: patience.signal }).catch(() => {})
      await Promise.race([Promise.allSettled(running.values()), moment])
      patience.abort()
    },
  }
}
