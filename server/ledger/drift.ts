import { firstKeyAt } from '../request-ids.ts'
import type { Database } from '../store/database.ts'
import type { ZoneDay } from '../zone-days.ts'

const hourMs = 3_600_000

const amounts = {
  requests: ['COUNT(*)', 'SUM(`requests`)'],
  cost: ['SUM(`cost_nano`)', 'SUM(`cost_nano`)'],
  billed: ['SUM(`billed_nano`)', 'SUM(`billed_nano`)'],
  input: ['SUM(`input_tokens`)', 'SUM(`input_tokens`)'],
  output: ['SUM(`output_tokens`)', 'SUM(`output_tokens`)'],
} as const

/** Requests that were admitted late in a burst, or while the clock ran back, have ids of a little later than their start. */
const idSlackMs = 3_600_000

/**
 * How many sums by key of the ledger and of its rollups differ; must be 0. Since the begin of a day in the deployment's
 * zone, or of all time. One statement, so that all of it is of one moment. Reads every row of that time: for a job, not
 * for a page.
 */
export async function ledgerDrift(database: Database, since: ZoneDay | null = null): Promise<number> {
  // Zones that are off by half an hour begin their days within an hour: from the next full one on.
  const fromHourMs = since === null ? 0 : Math.ceil(since.startMs / hourMs) * hourMs
  const from = {
    logs: (fromMs: number): string =>
      since === null ? '' : ` WHERE \`id\` >= ${firstKeyAt(fromMs - idSlackMs)} AND \`started_at_ms\` >= ${fromMs}`,
    hourly_rollups: since === null ? '' : ` WHERE \`hour_ms\` >= ${fromHourMs}`,
    daily_rollups: since === null ? '' : ` WHERE \`day\` >= '${since.day}'`,
  }
  const side = (table: string, where: string, index: 0 | 1, sign: 1 | -1): string =>
    `SELECT \`api_key_id\` AS \`k\`, ${Object.entries(amounts)
      .map(([name, pair]) => `${sign} * ${pair[index]} AS \`${name}\``)
      .join(', ')} FROM \`${table}\`${where} GROUP BY \`api_key_id\``
  const differs = Object.keys(amounts)
    .map((name) => `SUM(\`${name}\`) <> 0`)
    .join(' OR ')
  const against = (table: 'hourly_rollups' | 'daily_rollups', fromMs: number): string =>
    `(SELECT COUNT(*) FROM (SELECT \`k\` FROM (${side('logs', from.logs(fromMs), 0, 1)} UNION ALL ` +
    `${side(table, from[table], 1, -1)}) AS \`s\` ` +
    `GROUP BY \`k\` HAVING ${differs}) AS \`${table}_d\`)`
  const [row] = await database.select(
    `SELECT ${against('hourly_rollups', fromHourMs)} + ${against('daily_rollups', since?.startMs ?? 0)}`,
  )
  return Number(row?.[0] ?? 0)
}
