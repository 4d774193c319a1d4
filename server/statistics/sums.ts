import { firstKeyAt } from '../request-ids.ts'
import type { Scalar } from '../store/database.ts'
import type { Range, RangePlan } from './range-plan.ts'

/** Sums over requests. A request counts for its last account; the cost of its failed attempts is `absorbedNano`. */
export interface TotalsRow {
  requests: number
  failures: number
  /** Among the failures. */
  cancelled: number
  /** Refused before any upstream was asked: not among the requests. Counted by whole hours. */
  rejected: number
  inputTokens: number
  outputTokens: number
  cacheWriteTokens: number
  cacheReadTokens: number
  costNano: bigint
  absorbedNano: bigint
  /** The cost times the charge factors. */
  billedNano: bigint
}

/** Which requests to count; an absent field means all. `userId` also limits people to their own requests. */
export interface TotalsFilter {
  apiKeyId?: number
  accountId?: number
  userId?: number
  groupId?: number
  model?: string
}

export type Dimension = 'key' | 'account' | 'model' | 'user' | 'group'

export const columns: Record<Dimension, string> = {
  key: 'api_key_id',
  account: 'account_id',
  model: 'model',
  user: 'user_id',
  group: 'group_id',
}

const sums = [
  'requests',
  'failures',
  'input_tokens',
  'output_tokens',
  'cache_write_tokens',
  'cache_read_tokens',
  'cost_nano',
  'absorbed_nano',
  'cancelled',
  'rejected',
  'billed_nano',
]
export const summed = sums.map((name) => `SUM(\`${name}\`)`).join(', ')

/** The same sums, of rows of the ledger. */
const ofRequests = [
  'COUNT(*)',
  "SUM(CASE WHEN l.`outcome` = 'completed' THEN 0 ELSE 1 END)",
  'SUM(l.`input_tokens`)',
  'SUM(l.`output_tokens`)',
  'SUM(l.`cache_write_5m_tokens` + l.`cache_write_1h_tokens`)',
  'SUM(l.`cache_read_tokens`)',
  'SUM(l.`cost_nano`)',
  '0',
  "SUM(CASE WHEN l.`outcome` = 'aborted' THEN 1 ELSE 0 END)",
  '0',
  'SUM(l.`billed_nano`)',
]
const ofAbsorbed = ['0', '0', '0', '0', '0', '0', '0', 'SUM(a.`cost_nano`)', '0', '0', '0']
const ofRejected = ['0', '0', '0', '0', '0', '0', '0', '0', '0', 'SUM(`rejected`)', '0']

/** A rejection has neither account nor model: a row of them says nothing there. */
export const without = (by: Dimension | null | undefined): string =>
  by === 'account' || by === 'model' ? ' AND (`requests` > 0 OR `absorbed_nano` > 0)' : ''

/** Where a dimension stands in the ledger: an absorbed attempt has an account and a model of its own. */
const ledgerColumns: Record<Dimension, [ofRequest: string, ofAttempt: string]> = {
  key: ['l.`api_key_id`', 'l.`api_key_id`'],
  account: ['l.`account_id`', 'a.`account_id`'],
  model: ['l.`model_billed`', 'a.`model_billed`'],
  user: ['l.`user_id`', 'l.`user_id`'],
  group: ['l.`group_id`', 'l.`group_id`'],
}

export interface Query {
  sql: string
  args: Scalar[]
}

/** One statement for all pieces of a range, grouped by a dimension. Its columns: the dimension if there is one, then the sums. */
export function sumsOver(plan: RangePlan, filter: TotalsFilter, by: Dimension | null, tail = ''): Query | null {
  const pieces: Query[] = []
  const inRollups = (table: string, column: string, first: Scalar, last: Scalar) => {
    const { sql, args } = conditions(filter, (name) => `\`${columns[name]}\``)
    const key = by ? `\`${columns[by]}\`` : ''
    pieces.push({
      sql: `SELECT ${named(
        key,
        sums.map((name) => `SUM(\`${name}\`)`),
      )} FROM \`${table}\` WHERE \`${column}\` >= ? AND \`${column}\` <= ?${sql}${without(by)}${grouped(key)}`,
      args: [first, last, ...args],
    })
  }
  if (plan.days) inRollups('daily_rollups', 'day', plan.days.first, plan.days.last)
  for (const { fromMs, toMs } of plan.hours) inRollups('hourly_rollups', 'hour_ms', fromMs, toMs - 1)
  for (const edge of plan.edges) pieces.push(...inLedger(edge, filter, by), ...rejectedIn(edge, filter, by))
  if (pieces.length === 0) return null
  const key = by ? '`k`' : ''
  return {
    sql: `SELECT ${key && `${key}, `}${summed} FROM (${pieces.map(({ sql }) => sql).join(' UNION ALL ')}) AS pieces${grouped(key)}${tail}`,
    args: pieces.flatMap(({ args }) => args),
  }
}

/** Rejections have no rows: of the hours that an edge touches, all are counted. */
function rejectedIn({ fromMs, toMs }: Range, filter: TotalsFilter, by: Dimension | null): Query[] {
  if (without(by) !== '') return []
  const { sql, args } = conditions(filter, (name) => `\`${columns[name]}\``)
  const key = by ? `\`${columns[by]}\`` : ''
  const where = '`hour_ms` >= ? AND `hour_ms` < ? AND `rejected` > 0'
  return [
    {
      sql: `SELECT ${named(key, ofRejected)} FROM \`hourly_rollups\` WHERE ${where}${sql}${grouped(key)}`,
      args: [fromMs - (fromMs % 3_600_000), toMs, ...args],
    },
  ]
}

/** How far the time in a key may be from the begin of its request: a clock that was set back. */
export const keySlackMs = 300_000

function inLedger({ fromMs, toMs }: Range, filter: TotalsFilter, by: Dimension | null): Query[] {
  // The key is an index, the begin decides.
  const where = 'l.`id` >= ? AND l.`id` < ? AND l.`started_at_ms` >= ? AND l.`started_at_ms` < ?'
  const bounds = [firstKeyAt(fromMs - keySlackMs), firstKeyAt(toMs + keySlackMs), fromMs, toMs]
  return (
    [
      [0, ofRequests, '`logs` l', ''],
      [
        1,
        ofAbsorbed,
        '`attempts` a JOIN `logs` l ON l.`id` = a.`log_id`',
        ' AND a.`charged` = 0 AND a.`cost_nano` <> 0',
      ],
    ] as const
  ).map(([place, values, from, also]) => {
    const { sql, args } = conditions(filter, (name) => ledgerColumns[name][place])
    const key = by ? ledgerColumns[by][place] : ''
    return {
      sql: `SELECT ${named(key, values)} FROM ${from} WHERE ${where}${also}${sql}${grouped(key)}`,
      args: [...bounds, ...args],
    }
  })
}

const named = (key: string, values: readonly string[]): string =>
  [...(key ? [`${key} AS \`k\``] : []), ...values.map((value, index) => `${value} AS \`${sums[index]}\``)].join(', ')
const grouped = (key: string): string => key && ` GROUP BY ${key}`

/** The conditions of a filter, each with AND before it. */
export function conditions(filter: TotalsFilter, columnOf: (name: Dimension) => string): Query {
  const given = (
    [
      ['key', filter.apiKeyId],
      ['account', filter.accountId],
      ['user', filter.userId],
      ['group', filter.groupId],
      ['model', filter.model],
    ] as const
  ).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]))
  return {
    sql: given.map(({ name }) => ` AND ${columnOf(name)} = ?`).join(''),
    args: given.map(({ value }) => value),
  }
}

export function totalsOf(values: readonly Scalar[]): TotalsRow {
  const number = (index: number) => Number(values[index] ?? 0)
  return {
    requests: number(0),
    failures: number(1),
    inputTokens: number(2),
    outputTokens: number(3),
    cacheWriteTokens: number(4),
    cacheReadTokens: number(5),
    costNano: bigOf(values[6]),
    absorbedNano: bigOf(values[7]),
    cancelled: number(8),
    rejected: number(9),
    billedNano: bigOf(values[10]),
  }
}

export const noTotals: TotalsRow = Object.freeze(totalsOf([]))

export function bigOf(value: Scalar | undefined): bigint {
  return BigInt(value === null || value === undefined ? 0 : String(value))
}
