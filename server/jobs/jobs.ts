import type { Account } from '../accounts/account.ts'
import type { Gauges } from '../accounts/gauges/gauges.ts'
import type { Events } from '../store/events.ts'
import type { Locks } from '../store/locks/locks.ts'
import { createLease } from './lease.ts'
import { createMaintenance, type MaintenanceParts } from './maintenance.ts'
import { createNextRuns } from './next-runs.ts'
import { createProbes, type ProbeOutcome, type ProbesParts } from './probes.ts'
import { said, saidAs } from './run-words.ts'
import { createRuns } from './runs.ts'
import { createScheduler, type JobRun } from './scheduler.ts'
import { createTimer, type Task } from './timer.ts'

/** What tests and deployments set. */
export interface JobTimes {
  probeMs: number
  releaseMs: number
  pruneMs: number
  driftMs: number
  /** A worker that takes longer is ended. */
  patienceMs: number
  /** The longest pause between two probes of an account. */
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
    Pick<MaintenanceParts, 'onDrift' | 'dayAt'> {
  gauges: Pick<Gauges, 'note' | 'prune'>
  locks: Locks
  events: Pick<Events, 'publish' | 'subscribe'>
  times: JobTimes
  /** More tasks, whose work is another room's. */
  tasks?: readonly Task[]
  /** In place of our own worker. */
  probeWorker?: URL | undefined
  onError: (error: unknown, doing: string) => void
}

/** A test of an account by a person. */
export interface AccountTest {
  ok: boolean
  /** The upstream's; 0 when there was no response. */
  status: number
  startedAtMs: number
  durationMs: number
  message: string
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

/** The door of what happens by itself: one process of all runs the jobs, and every process can list them. */
export function createJobs(parts: JobsParts) {
  const { times, onError } = parts
  const runs = createRuns(parts)
  const probes = createProbes({
    ...parts,
    runs,
    worker: parts.probeWorker ?? new URL('./workers/probe.ts', import.meta.url),
    everyMs: times.probeMs,
    // Half of the worker's own time, so that it can say that nobody answered.
    patienceMs: Math.ceil(times.patienceMs / 2),
    longestMs: times.longestProbeMs,
  })
  const tasks = [...createMaintenance({ ...parts, runs, times }), ...(parts.tasks ?? [])]
  const jobs = [probes.job, ...tasks]
  const lease = createLease({ locks: parts.locks, name: 'jobs', onError })
  function store(run: JobRun): void {
    runs
      .add({ ...run, accountId: 0, model: '', status: 0, costNano: 0 })
      .catch((error: unknown) => onError(error, 'storing the run of a job'))
  }
  const timer = createTimer({
    tasks,
    now: parts.now,
    chance: parts.chance,
    leads: lease.leads,
    onRun: store,
    onError,
  })
  const scheduler = createScheduler({
    jobs: [probes.job],
    now: parts.now,
    chance: parts.chance,
    leads: lease.leads,
    patienceMs: times.patienceMs,
    onError,
    onRing: () => nextRuns.tell(),
    onRun(run) {
      if (run.outcome === 'failed') probes.failed(run.words)
      store(run)
    },
    onFree(name) {
      if (probes.isWanted()) void scheduler.runNow(name)
    },
  })

  const nextRuns = createNextRuns({
    events: parts.events,
    leads: lease.leads,
    own: () =>
      Object.fromEntries(
        jobs.flatMap(({ name }) => {
          const atMs = scheduler.nextAtMs(name) ?? timer.nextAtMs(name)
          return atMs === null ? [] : [[name, atMs]]
        }),
      ),
    now: parts.now,
  })

  let stopped: Promise<void> | null = null
  async function stop(): Promise<void> {
    await Promise.all([scheduler.stop(), timer.stop(), nextRuns.stop()])
    probes.failed(said('stopping'))
    await lease.stop()
  }

  return {
    async start(): Promise<void> {
      await nextRuns.start()
      timer.start()
      await scheduler.start()
    },

    /** Runs a job now, whoever leads; false when it runs already. */
    runNow: async (name: string): Promise<boolean> => timer.runNow(name) || (await scheduler.runNow(name)),

    /** When the first probe of a cooldown that has just begun is due; null: none is. */
    firstProbeMs: probes.firstProbeMs,

    /** Probes an account now, or a model that is cooling down there; whoever leads. */
    async probeNow(account: Account, model = ''): Promise<ProbeOutcome> {
      const outcome = probes.want(account, model)
      await scheduler.runNow('probe')
      return outcome
    },

    /** Keeps what a person's test of an account came to. */
    noteTest: (accountId: number, { ok, status, startedAtMs, durationMs, message }: AccountTest): Promise<void> =>
      runs.add({
        job: 'test',
        accountId,
        model: '',
        startedAtMs,
        durationMs,
        outcome: ok ? 'done' : 'failed',
        status,
        words: saidAs(message),
        costNano: 0,
      }),

    /** The probes of accounts, a list for each page. */
    probesOf: runs.ofAccounts,

    /** The runs of jobs, a list for each page. */
    runsOf: runs.ofJobs,

    async list(): Promise<JobInfo[]> {
      const last = await runs.last(jobs.map(({ name }) => name))
      return jobs.map((job) => {
        const { name, everyMs } = job
        const row = last.get(name)
        return {
          name,
          everyMs,
          nextAtMs: nextRuns.of(job),
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
