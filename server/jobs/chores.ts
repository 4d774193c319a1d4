import type { Accounts } from '../accounts/accounts.ts'
import type { Gauges } from '../accounts/gauges/gauges.ts'
import { countOver } from '../accounts/state/eligibility.ts'
import { ledgerDrift } from '../ledger/drift.ts'
import type { Database } from '../store/database.ts'
import type { ZoneDay } from '../zone-days.ts'
import { type RunWords, said } from './run-words.ts'
import type { Runs } from './runs.ts'
import type { Job } from './scheduler.ts'

export interface ChoreParts {
  accounts: Accounts
  gauges: Pick<Gauges, 'prune'>
  database: Database
  runs: Runs
  dayAt: (atMs: number) => ZoneDay
  now: () => number
  worker: URL
  times: { releaseMs: number; pruneMs: number; driftMs: number }
  /** Told of every drift check, for the log and the metric. */
  onDrift: (rows: number) => void
}

const dayMs = 24 * 3_600_000
const keepTimelineMs = 90 * dayMs
const keepRunsMs = 30 * dayMs
const keepGaugesMs = 30 * dayMs
const runsPerWhole = 24
/** Longer than any window in which tries are counted. */
const keepTriesMs = dayMs

/** What is done again and again beside probes; each needs the database, so that its worker only rings. */
export function createChores(parts: ChoreParts): Job[] {
  const { accounts, database, runs, now, worker, times } = parts
  let driftRuns = 0
  const chore = (name: string, everyMs: number, run: () => Promise<RunWords>, isDue = () => true): Job => ({
    name,
    everyMs,
    worker,
    begin: () => (isDue() ? 'ring' : null),
    decide: run,
  })

  return [
    chore(
      'release',
      times.releaseMs,
      async () => {
        const rests = restingNow(accounts, now())
        accounts.releaseDue()
        return said('rests_ended', { rests })
      },
      () => restingNow(accounts, now()) > 0,
    ),
    chore('prune', times.pruneMs, async () => {
      const atMs = now()
      const steps = await accounts.pruneTimeline(atMs - keepTimelineMs)
      const oldRuns = await runs.prune(atMs - keepRunsMs)
      const points = await parts.gauges.prune(atMs - keepGaugesMs)
      // Tokens go with their sessions.
      const { client } = database
      const sessions = (await client.session.deleteMany({ where: { expiresAt: { lt: new Date(atMs) } } })).count
      const tries = await client.signInTry.deleteMany({ where: { firstAtMs: { lt: BigInt(atMs - keepTriesMs) } } })
      return said('pruned', { steps, points, runs: oldRuns, sessions, tries: tries.count })
    }),
    chore('drift', times.driftMs, async () => {
      // The whole ledger once in a while, its last days every time.
      const sums = await ledgerDrift(database, driftRuns++ % runsPerWhole === 0 ? null : parts.dayAt(now() - dayMs))
      parts.onDrift(sums)
      return sums === 0 ? said('sums_agree') : said('sums_differ', { sums })
    }),
  ]
}

/** Rests whose time is over and that nobody has ended yet: of accounts and of models. */
function restingNow(accounts: Accounts, nowMs: number): number {
  let count = 0
  for (const { live } of accounts.all()) count += countOver(live.state, nowMs)
  return count
}
