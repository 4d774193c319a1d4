import type { Account, accountChanged } from '../../graphql/account-operations.ts'
import type { ResultOf } from '../../graphql/tada.ts'

type AccountEvent = ResultOf<typeof accountChanged>['events'][number]

/** Lays changes of state over the rows that are shown; an account that is not shown stays so. */
export function foldAccountEvents(rows: Account[], events: readonly AccountEvent[]): Account[] {
  const latest = new Map(events.flatMap(({ account }) => (account ? [[account.accountId, account] as const] : [])))
  if (latest.size === 0) return rows
  return rows.map((row) => {
    const change = latest.get(row.id)
    if (change === undefined) return row
    const { name, enabled, inFlight, state } = change
    return { ...row, name, enabled, inFlight, state }
  })
}
