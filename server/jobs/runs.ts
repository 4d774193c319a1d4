import type { RequestId } from '../request-ids.ts'
import { firstKeyAt } from '../request-ids.ts'
import type { Database } from '../store/database.ts'
import { newestOfEach, type Page } from '../store/newest-of-each.ts'
import type { RunWords } from './run-words.ts'

/** One run of a job, or with an account one probe of it. */
export interface RunRow {
  job: string
  /** 0: the job as a whole. */
  accountId: number
  /** Of a probe: the model, or the pattern of a family, that cooled down; '' for the account itself. */
  model: string
  startedAtMs: number
  durationMs: number
  outcome: 'done' | 'failed'
  /** Of a probe: the upstream's status; 0 when there was no answer. */
  status: number
  words: RunWords
  costNano: number
}

/** What jobs did, in the database: every process can list it. */
export function createRuns({ database, newId }: { database: Database; newId: () => RequestId }) {
  async function newest(which: { parent: string; only: string }, pages: readonly Page<number | string>[]) {
    const keys = await newestOfEach(database, { table: 'job_runs', at: 'started_at_ms', ...which }, pages)
    const rows = await database.reader.jobRun.findMany({ where: { id: { in: keys.flat() } } })
    const byId = new Map(rows.map((row) => [row.id, row]))
    return keys.map((ids) => ids.flatMap((id) => byId.get(id) ?? []).sort((a, b) => (a.id < b.id ? 1 : -1)))
  }

  return {
    async add({ startedAtMs, costNano, words, ...row }: RunRow): Promise<void> {
      await database.client.jobRun.create({
        data: {
          ...row,
          id: BigInt(newId().key),
          startedAtMs: BigInt(startedAtMs),
          costNano: BigInt(costNano),
          code: words.code,
          counts: JSON.stringify(words.counts),
          place: words.place.slice(0, 191),
          message: words.message,
        },
      })
    },

    /** The last run of each job, by name. */
    async last(jobs: readonly string[]) {
      const rows = await Promise.all(
        jobs.map((job) => database.reader.jobRun.findFirst({ where: { job, accountId: 0 }, orderBy: { id: 'desc' } })),
      )
      return new Map(rows.flatMap((row) => (row ? [[row.job, row] as const] : [])))
    },

    /** Probes of accounts, a list for each page, the newest first; tests by people are no probes. */
    ofAccounts: (pages: readonly Page[]) => newest({ parent: 'account_id', only: "`job` = 'probe'" }, pages),

    /** Runs of jobs as a whole, a list for each page, the newest first. */
    ofJobs: (pages: readonly Page<string>[]) => newest({ parent: 'job', only: '`account_id` = 0' }, pages),

    /** Deletes what began before a moment; returns how many. */
    async prune(beforeMs: number): Promise<number> {
      return (await database.client.jobRun.deleteMany({ where: { id: { lt: firstKeyAt(beforeMs) } } })).count
    },
  }
}

export type Runs = ReturnType<typeof createRuns>
