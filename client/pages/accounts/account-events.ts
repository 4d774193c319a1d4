import type { Account, AccountStep, accountChanged } from '../../graphql/account-operations.ts'
import type { ResultOf } from '../../graphql/tada.ts'

type AccountEvent = ResultOf<typeof accountChanged>['events'][number]

/** Lays changes of state over the rows that are shown; an account that is not shown stays so. */
export function foldAccountEvents(rows: Account[], events: readonly AccountEvent[]): Account[] {
  const latest = new Map(events.flatMap(({ account }) => (account ? [[account.accountId, account] as const] : [])))
  if (latest.size === 0) return rows
  return rows.map((row) => {
    const change = latest.get(row.id)
    if (change === undefined) return row
    const { name, enabled, inFlight, state, limitGauges } = change
    return { ...row, name, enabled, inFlight, state, limitGauges }
  })
}

/** Steps of both, each once, the newest first. */
export function foldSteps(steps: readonly AccountStep[], more: readonly AccountStep[]): AccountStep[] {
  const known = new Map([...steps, ...more].map((step) => [[step.at, step.from, step.to, step.model].join(), step]))
  // Of one moment the later told stands above: the order of the array is the order of telling.
  return [...known.values()].sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
}
