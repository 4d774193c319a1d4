import { firstKeyAt } from '../request-ids.ts'
import type { Database, Scalar } from '../store/database.ts'

/** Whose spend (what is billed), and when; null: over the whole life. */
export interface SpendOf {
  subject: 'key' | 'user' | 'group'
  id: number
  window: { fromMs: number; toMs: number } | null
}

export const spendColumns = { key: 'api_key_id', user: 'user_id', group: 'group_id' } as const

/** What a settled request of a key used. */
export interface RecentUse {
  requestBytes: number
  input: number
  cacheRead: number
  cacheWrite: number
  output: number
}

const hourMs = 3_600_000
/** Requests that were admitted while the clock ran back have ids of a little later than their start. */
const idSlackMs = hourMs
/** So many of a key's newest rows are looked through for a model. */
const lookedThrough = 1000

/**
 * Nano-USD in the ledger, and the checkpoint of a journal: one statement, so that both are of one moment. Whole hours are
 * read from the rollups, the ends of a window from the rows.
 */
export async function readSpend(
  database: Pick<Database, 'select'>,
  { subject, id, window }: SpendOf,
  journalId: number,
): Promise<{ nano: number; settledSeq: number }> {
  const column = `\`${spendColumns[subject]}\` = ?`
  const line = '`subject` = ? AND `subject_id` = ?'
  const parts: string[] = []
  const args: Scalar[] = []
  const addRows = (fromMs: number, toMs: number): void => {
    if (fromMs >= toMs) return
    parts.push(
      `(SELECT COALESCE(SUM(\`billed_nano\`), 0) FROM \`logs\` WHERE ${column} AND \`id\` >= ? AND \`id\` < ? ` +
        'AND `started_at_ms` >= ? AND `started_at_ms` < ?)',
    )
    args.push(id, firstKeyAt(fromMs - idSlackMs), firstKeyAt(toMs + idSlackMs), fromMs, toMs)
  }
  if (window === null) {
    parts.push(`(SELECT COALESCE(SUM(\`billed_nano\`), 0) FROM \`daily_lines\` WHERE ${line})`)
    args.push(subject, String(id))
  } else {
    const { fromMs, toMs } = window
    const fullFromMs = Math.ceil(fromMs / hourMs) * hourMs
    const fullToMs = Math.floor(toMs / hourMs) * hourMs
    if (fullFromMs < fullToMs) {
      parts.push(
        `(SELECT COALESCE(SUM(\`billed_nano\`), 0) FROM \`hourly_lines\` WHERE ${line} AND \`hour_ms\` >= ? AND \`hour_ms\` < ?)`,
      )
      args.push(subject, String(id), fullFromMs, fullToMs)
      addRows(fromMs, fullFromMs)
      addRows(fullToMs, toMs)
    } else addRows(fromMs, toMs)
  }
  const [row] = await database.select(
    `SELECT ${parts.join(' + ')}, (SELECT \`settled_seq\` FROM \`journals\` WHERE \`id\` = ?)`,
    [...args, journalId],
  )
  return { nano: Number(row?.[0] ?? 0), settledSeq: Number(row?.[1] ?? 0) }
}

/** The newest requests of a key for a model, as far as they are in the ledger. */
export async function readRecentUse(
  database: Pick<Database, 'select'>,
  apiKeyId: number,
  model: string,
  count: number,
): Promise<RecentUse[]> {
  const rows = await database.select(
    'SELECT `request_bytes`, `input_tokens`, `cache_read_tokens`, `cache_write_5m_tokens` + `cache_write_1h_tokens`, `output_tokens` ' +
      'FROM (SELECT `request_bytes`, `input_tokens`, `cache_read_tokens`, `cache_write_5m_tokens`, `cache_write_1h_tokens`, ' +
      '`output_tokens`, `model_requested`, `outcome` FROM `logs` WHERE `api_key_id` = ? ' +
      `ORDER BY \`id\` DESC LIMIT ${lookedThrough}) AS \`newest\` ` +
      `WHERE \`model_requested\` = ? AND \`outcome\` = 'completed' LIMIT ${Math.trunc(count)}`,
    [apiKeyId, model],
  )
  return rows.map(([requestBytes, input, cacheRead, cacheWrite, output]) => ({
    requestBytes: Number(requestBytes),
    input: Number(input),
    cacheRead: Number(cacheRead),
    cacheWrite: Number(cacheWrite),
    output: Number(output),
  }))
}
