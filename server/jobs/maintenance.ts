import type { Accounts } from '../accounts/accounts.ts'
import type { Gauges } from '../accounts/gauges/gauges.ts'
import { countOver } from '../accounts/state/eligibility.ts'
import { ledgerDrift } from '../ledger/drift.ts'
import type { Database } from '../store/database.ts'
import type { ZoneDay } from '../zone-days.ts'
import { said } from './run-words.ts'
import type { Runs } from './runs.ts'
import type { Task } from './timer.ts'

export interface MaintenanceParts {
  accounts: Accounts
  gauges: Pick<Gauges, 'prune'>
  database: Database
  runs: Runs
  dayAt: (atMs: number) => ZoneDay
  now: () => number
  times: { releaseMs: number; pruneMs: number; driftMs: number }
  /** Called after every drift check, for the log and the metric. */
  onDrift: (rows: number) => void
}

const dayMs = 24 * 3_600_000
const keepTimelineMs = 90 * dayMs
const keepRunsMs = 30 * dayMs
const keepGaugesMs = 30 * dayMs
const runsPerWhole = 24
/** Longer than any window in which tries are counted. */
const keepTriesMs = dayMs

/** What is done again and again beside probes: cooldowns that are over, rows that are old, sums that must agree. */
export function createMaintenance(parts: MaintenanceParts): Task[] {
  const { accounts, database, runs, now, times } = parts
  let driftRuns = 0

  /** Cooldowns of accounts and models whose time is over and that nobody has ended yet. */
  function cooldownsOver(): number {
    const atMs = now()
    let count = 0
    for (const { live } of accounts.all()) count += countOver(live.state, atMs)
    return count
  }

  return [
    {
      name: 'release',
      everyMs: times.releaseMs,
      isDue: () => cooldownsOver() > 0,
      async run() {
        const rests = cooldownsOver()
        accounts.releaseDue()
        return said('rests_ended', { rests })
      },
    },
    {
      name: 'prune',
      everyMs: times.pruneMs,
      async run() {
        const atMs = now()
        const steps = await accounts.pruneTimeline(atMs - keepTimelineMs)
        const oldRuns = await runs.prune(atMs - keepRunsMs)
        const points = await parts.gauges.prune(atMs - keepGaugesMs)
        // The tokens of a session are deleted with it.
        const { client } = database
        const sessions = (await client.session.deleteMany({ where: { expiresAt: { lt: new Date(atMs) } } })).count
        const tries = await client.signInTry.deleteMany({ where: { firstAtMs: { lt: BigInt(atMs - keepTriesMs) } } })
        return said('pruned', { steps, points, runs: oldRuns, sessions, tries: tries.count })
      },
    },
    {
      name: 'drift',
      everyMs: times.driftMs,
      async run() {
        // The whole ledger once in a while, its last days every time.
        const sums = await ledgerDrift(database, driftRuns++ % runsPerWhole === 0 ? null : parts.dayAt(now() - dayMs))
        parts.onDrift(sums)
        return sums === 0 ? said('sums_agree') : said('sums_differ', { sums })
      },
    },
  ]
}
