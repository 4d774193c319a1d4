import type { Write } from '../store/database.ts'
import { attemptColumns, type Cell, type LedgerRows, logColumn } from './rows.ts'

const sums = [
  'requests',
  'failures',
  'cancelled',
  'failovers',
  'input_tokens',
  'output_tokens',
  'cache_write_5m_tokens',
  'cache_write_1h_tokens',
  'cache_read_tokens',
  'cost_nano',
  'billed_nano',
  'absorbed_nano',
  'cache_saved_nano',
]
const sessionKeys = ['api_key_id', 'user_id', 'session_id']
const partKeys = [...sessionKeys, 'agent_id', 'model']

const at = {
  startedAtMs: logColumn('started_at_ms'),
  durationMs: logColumn('duration_ms'),
  outcome: logColumn('outcome'),
  attempts: logColumn('attempts'),
  sessionId: logColumn('session_id'),
}
const [sessionAt, partAt] = [sessionKeys, partKeys].map((keys) =>
  keys.map((name) => logColumn(name === 'model' ? 'model_billed' : name)),
) as [number[], number[]]
/** These sums are the row's own columns. */
const ownAt = sums.map((name) =>
  ['requests', 'failures', 'cancelled', 'failovers', 'absorbed_nano'].includes(name) ? -1 : logColumn(name),
)
const attemptAt = { charged: attemptColumns.indexOf('charged'), costNano: attemptColumns.indexOf('cost_nano') }

/**
 * What is added to the sums of clients' sessions in the transaction that inserts the rows; with −1 what is taken out, for rows
 * that are replaced by others in the same transaction.
 */
export function sessionWrites(records: readonly LedgerRows[], sign: 1 | -1 = 1): Write[] {
  const sessions = new Map<string, Cell[]>()
  const parts = new Map<string, Cell[]>()
  for (const record of records) {
    if (record.log[at.sessionId] === '') continue
    addTo(sessions, sessionAt, record, sign)
    addTo(parts, partAt, record, sign)
  }
  const adding = (table: string, keys: readonly string[], rows: Map<string, Cell[]>): Write => ({
    kind: 'add',
    table,
    keys,
    sums,
    least: ['started_at_ms'],
    greatest: ['ended_at_ms'],
    rows: [...rows.keys()].sort().map((key) => rows.get(key)!),
  })
  return [adding('client_sessions', sessionKeys, sessions), adding('client_session_parts', partKeys, parts)]
}

function addTo(
  rows: Map<string, Cell[]>,
  keysAt: readonly number[],
  { log, attempts }: LedgerRows,
  sign: 1 | -1,
): void {
  const keys = keysAt.map((column) => log[column]!)
  const startedAtMs = log[at.startedAtMs] as number
  const endedAtMs = startedAtMs + (log[at.durationMs] as number)
  const name = JSON.stringify(keys)
  let row = rows.get(name)
  if (row === undefined) {
    row = [...keys, ...sums.map(() => 0), startedAtMs, endedAtMs]
    rows.set(name, row)
  }
  const absorbedNano = attempts.reduce(
    (sum, attempt) => sum + (attempt[attemptAt.charged] === 1 ? 0 : (attempt[attemptAt.costNano] as number)),
    0,
  )
  const outcome = log[at.outcome]
  const values: Record<string, number> = {
    requests: 1,
    failures: outcome === 'completed' ? 0 : 1,
    cancelled: outcome === 'aborted' ? 1 : 0,
    failovers: Math.max(0, (log[at.attempts] as number) - 1),
    absorbed_nano: absorbedNano,
  }
  for (const [index, column] of ownAt.entries()) {
    const value = column < 0 ? values[sums[index]!]! : (log[column] as number)
    row[keys.length + index] = (row[keys.length + index] as number) + sign * value
  }
  const startAt = keys.length + sums.length
  row[startAt] = Math.min(row[startAt] as number, startedAtMs)
  row[startAt + 1] = Math.max(row[startAt + 1] as number, endedAtMs)
}
