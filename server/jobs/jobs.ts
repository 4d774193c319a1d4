import type { Account } from '../accounts/account.ts'
import type { Gauges } from '../accounts/gauges/gauges.ts'
import type { Locks } from '../store/locks.ts'
import { type ChoreParts, createChores } from './chores.ts'
import { createLease } from './lease.ts'
import { createProbes, type ProbeOutcome, type ProbesParts } from './probes.ts'
import { type RunWords, said } from './run-words.ts'
import { createRuns } from './runs.ts'
import { createScheduler, type Job } from './scheduler.ts'

/** What tests and deployments set. */
export interface JobTimes {
  probeMs: number
  releaseMs: number
  pruneMs: number
  driftMs: number
  /** A worker that takes longer is ended. */
  patienceMs: number
  /** The longest pause between two looks at an account. */
  longestProbeMs: number
}

export const defaultTimes: JobTimes = {
  probeMs: 5_000,
  releaseMs: 5_000,
  pruneMs: 6 * 3_600_000,
  driftMs: 3_600_000,
  patienceMs: 60_000,
  longestProbeMs: 30 * 60_000,
}

export interface JobsParts
  extends Omit<ProbesParts, 'runs' | 'worker' | 'everyMs' | 'patienceMs' | 'longestMs'>,
    Pick<ChoreParts, 'onDrift' | 'dayAt'> {
  gauges: Pick<Gauges, 'note' | 'prune'>
  locks: Locks
  times: JobTimes
  /** More jobs, whose work is another room's. */
  others?: readonly { name: string; everyMs: number; isDue: () => boolean; run: () => Promise<RunWords> }[]
  /** In place of our own workers. */
  workers?: { probe?: URL; chore?: URL } | undefined
  onError: (error: unknown, doing: string) => void
}

/** A job as people see it. */
export interface JobInfo {
  name: string
  everyMs: number
  nextAtMs: number | null
  last: {
    startedAtMs: number
    durationMs: number
    outcome: string
    message: string
    code: string
    /** JSON. */
    counts: string
  } | null
}

/** The door of what happens by itself: one process of all runs the jobs, every process can tell of them. */
export function createJobs(parts: JobsParts) {
  const { times, onError } = parts
  const workers = {
    probe: new URL('./workers/probe.ts', import.meta.url),
    chore: new URL('./workers/chore.ts', import.meta.url),
    ...parts.workers,
  }
  const runs = createRuns(parts)
  const probes = createProbes({
    ...parts,
    runs,
    worker: workers.probe,
    everyMs: times.probeMs,
    // Half of the worker's own time, so that it can say that nobody answered.
    patienceMs: Math.ceil(times.patienceMs / 2),
    longestMs: times.longestProbeMs,
  })
  const others = (parts.others ?? []).map(
    ({ name, everyMs, isDue, run }): Job => ({
      name,
      everyMs,
      worker: workers.chore,
      begin: () => (isDue() ? 'ring' : null),
      decide: run,
    }),
  )
  const jobs = [probes.job, ...createChores({ ...parts, runs, worker: workers.chore, times }), ...others]
  const lease = createLease({ locks: parts.locks, name: 'jobs', onError })
  const scheduler = createScheduler({
    jobs,
    now: parts.now,
    chance: parts.chance,
    leads: lease.leads,
    patienceMs: times.patienceMs,
    onError,
    onRun(run) {
      if (run.job === 'probe' && run.outcome === 'failed') probes.failed(run.words)
      runs
        .add({ ...run, accountId: 0, model: '', status: 0, costNano: 0 })
        .catch((error: unknown) => onError(error, 'storing the run of a job'))
    },
    onFree(name) {
      if (name === 'probe' && probes.isWanted()) void scheduler.runNow(name)
    },
  })

  let stopped: Promise<void> | null = null
  async function stop(): Promise<void> {
    await scheduler.stop()
    probes.failed(said('stopping'))
    await lease.stop()
  }

  return {
    start: scheduler.start,

    runNow: scheduler.runNow,

    /** When a probe looks first at a rest that has just begun; null: not at all. */
    firstProbeMs: probes.firstProbeMs,

    /** Asks a resting account now, or with a model whether that one is back there; whoever leads. */
    async probeNow(account: Account, model = ''): Promise<ProbeOutcome> {
      const outcome = probes.want(account, model)
      await scheduler.runNow('probe')
      return outcome
    },

    /** The probes of an account, the newest first. */
    probesOf: (accountId: number, most: number) => runs.ofAccount(accountId, most),

    async list(): Promise<JobInfo[]> {
      const last = await runs.last(jobs.map(({ name }) => name))
      return jobs.map(({ name, everyMs }) => {
        const row = last.get(name)
        return {
          name,
          everyMs,
          nextAtMs: scheduler.nextAtMs(name),
          last: row ? { ...row, startedAtMs: Number(row.startedAtMs) } : null,
        }
      })
    },

    /** Ends everything within seconds, hung workers too; the lease goes to another process at once. Once is enough. */
    stop(): Promise<void> {
      stopped ??= stop()
      return stopped
    },
  }
}
