import type { Database } from '../../server/store/database.ts'

/** The ledger as sums that must agree, whatever was killed: one line a table and dimension. */
const sums = {
  requests: ['COUNT(*)', 'SUM(`requests`)'],
  failures: ["SUM(CASE WHEN `outcome` = 'completed' THEN 0 ELSE 1 END)", 'SUM(`failures`)'],
  input: ['SUM(`input_tokens`)', 'SUM(`input_tokens`)'],
  output: ['SUM(`output_tokens`)', 'SUM(`output_tokens`)'],
  cacheWrite: ['SUM(`cache_write_5m_tokens` + `cache_write_1h_tokens`)', 'SUM(`cache_write_tokens`)'],
  cacheRead: ['SUM(`cache_read_tokens`)', 'SUM(`cache_read_tokens`)'],
  costNano: ['SUM(`cost_nano`)', 'SUM(`cost_nano`)'],
  billedNano: ['SUM(`billed_nano`)', 'SUM(`billed_nano`)'],
  cacheSavedNano: ['SUM(`cache_saved_nano`)', 'SUM(`cache_saved_nano`)'],
  streamed: ['SUM(`stream`)', 'SUM(`streamed`)'],
  durationMs: ['SUM(`duration_ms`)', 'SUM(`duration_ms_sum`)'],
} as const
const subjects = {
  api_key_id: 'key',
  account_id: 'account',
  user_id: 'user',
  group_id: 'group',
  platform: 'platform',
  model: 'model',
  tag: 'tag',
}

export interface LedgerSums {
  logs: string[]
  hourly: string[]
  daily: string[]
  hourlyLines: string[]
  dailyLines: string[]
}

/** Sums a dimension and value, as sorted text: from the ledger's rows, and from all rollups. Equal lists mean no drift. */
export async function ledgerSums(database: Database): Promise<LedgerSums> {
  const of = async (table: string, side: 0 | 1): Promise<string[]> => {
    const lines: string[] = []
    for (const [dimension, subject] of Object.entries(subjects)) {
      const isLine = table.endsWith('_lines')
      const column = isLine ? 'subject_id' : dimension === 'model' && side === 0 ? 'model_billed' : dimension
      const cells = Object.values(sums).map((pair) => pair[side])
      const rows = await database.select(
        `SELECT \`${column}\`, ${cells.join(', ')} FROM \`${table}\`${isLine ? ` WHERE \`subject\` = '${subject}'` : ''} GROUP BY \`${column}\``,
      )
      for (const [value, ...amounts] of rows) {
        // An account that only caused absorbed cost has a line of nothing but zeros.
        if (amounts.every((amount) => Number(amount) === 0)) continue
        const named = Object.keys(sums).map((name, index) => `${name}=${amounts[index]}`)
        lines.push(`${dimension} ${value}: ${named.join(' ')}`)
      }
    }
    return lines.sort()
  }
  return {
    logs: await of('logs', 0),
    hourly: await of('hourly_rollups', 1),
    daily: await of('daily_rollups', 1),
    hourlyLines: await of('hourly_lines', 1),
    dailyLines: await of('daily_lines', 1),
  }
}

/** One number of the database. */
export async function countOf(database: Database, sql: string): Promise<number> {
  const [row] = await database.select(sql)
  return Number(row?.[0] ?? 0)
}

/** Rows whose attempts do not fit: their number, or which one was charged, or what the charged one cost. Must be none. */
export const misfits = (database: Database): Promise<number> =>
  countOf(
    database,
    'SELECT COUNT(*) FROM `logs` LEFT JOIN (SELECT `log_id`, COUNT(*) AS `made`, SUM(`charged`) AS `paid`, ' +
      'SUM(`charged` * `cost_nano`) AS `cost`, MAX(`number`) AS `last` FROM `attempts` GROUP BY `log_id`) AS `a` ' +
      'ON `a`.`log_id` = `logs`.`id` WHERE COALESCE(`made`, 0) <> `attempts` OR COALESCE(`last`, 0) <> `attempts` ' +
      'OR COALESCE(`paid`, 0) > 1 OR COALESCE(`cost`, 0) <> `cost_nano`',
  )
