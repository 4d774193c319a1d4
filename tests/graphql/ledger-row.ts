import { attemptColumns, logColumns } from '../../server/ledger/rows.ts'
import { firstKeyAt } from '../../server/request-ids.ts'
import type { Scalar } from '../../server/store/database.ts'
import type { GraphqlStand } from './stand.ts'

/** '' or 0, as the ledger has them for what is absent. */
const empty = (column: string): Scalar =>
  /platform|model|outcome|type|code|reason|raw|flags|card|source|modifiers|session|agent|ip|upstream_request/.test(
    column,
  )
    ? ''
    : 0

/** A request in the ledger that began at `atMs`, with an attempt if `attempt` is given; what is not named is absent. */
export async function addRequest(
  { database }: GraphqlStand,
  atMs: number,
  given: Record<string, Scalar> = {},
  attempt?: Record<string, Scalar>,
): Promise<void> {
  const id = String(firstKeyAt(atMs))
  const times = { started_at_ms: atMs, first_byte_ms: -1 }
  const log: Record<string, Scalar> = { ...times, outcome: 'failed', usage_source: 'none', ...given, id }
  const call: Record<string, Scalar> = { ...times, number: 1, outcome: 'failing', ...attempt, log_id: id }
  const row = (columns: readonly string[], values: Record<string, Scalar>) => [
    columns.map((name) => values[name] ?? empty(name)),
  ]
  await database.batch([
    { kind: 'insert', table: 'logs', columns: logColumns, rows: row(logColumns, log) },
    ...(attempt
      ? [{ kind: 'insert' as const, table: 'attempts', columns: attemptColumns, rows: row(attemptColumns, call) }]
      : []),
  ])
}
