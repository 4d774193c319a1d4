import type { Database } from '../store/database.ts'

const amounts = {
  requests: ['COUNT(*)', 'SUM(`requests`)'],
  cost: ['SUM(`cost_nano`)', 'SUM(`cost_nano`)'],
  input: ['SUM(`input_tokens`)', 'SUM(`input_tokens`)'],
  output: ['SUM(`output_tokens`)', 'SUM(`output_tokens`)'],
} as const

/**
 * How many sums by key of the ledger and of its rollups differ; must be 0. One statement, so that all of it is of one
 * moment. Reads the whole ledger: for a job, not for a page.
 */
export async function ledgerDrift(database: Database): Promise<number> {
  const side = (table: string, index: 0 | 1, sign: 1 | -1): string =>
    `SELECT \`api_key_id\` AS \`k\`, ${Object.entries(amounts)
      .map(([name, pair]) => `${sign} * ${pair[index]} AS \`${name}\``)
      .join(', ')} FROM \`${table}\` GROUP BY \`api_key_id\``
  const differs = Object.keys(amounts)
    .map((name) => `SUM(\`${name}\`) <> 0`)
    .join(' OR ')
  const against = (table: string): string =>
    `(SELECT COUNT(*) FROM (SELECT \`k\` FROM (${side('logs', 0, 1)} UNION ALL ${side(table, 1, -1)}) AS \`s\` ` +
    `GROUP BY \`k\` HAVING ${differs}) AS \`${table}_d\`)`
  const [row] = await database.select(`SELECT ${against('hourly_rollups')} + ${against('daily_rollups')}`)
  return Number(row?.[0] ?? 0)
}
