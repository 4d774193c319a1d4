import { firstKeyAt } from '../request-ids.ts'
import type { Scalar } from '../store/database.ts'
import { durationBoundsMs, firstByteBoundsMs } from './buckets.ts'
import type { Range, RangePlan } from './range-plan.ts'

/** Sums over requests. A request counts for its last account; the cost of its failed attempts is `absorbedNano`. */
export interface TotalsRow {
  requests: number
  failures: number
  /** Among the failures. */
  cancelled: number
  /** Refused before any upstream was asked: not among the requests. Counted by whole hours. */
  rejected: number
  /** Attempts beyond the first of each request. */
  failovers: number
  streamed: number
  inputTokens: number
  outputTokens: number
  cacheWriteTokens: number
  cacheReadTokens: number
  costNano: bigint
  /** The cost times the charge factors. */
  billedNano: bigint
  absorbedNano: bigint
  /** Negative where caching cost more than it saved. */
  cacheSavedNano: bigint
  durationMsSum: number
  firstByteMsSum: number
  /** Requests that had a first byte. */
  firstByteCount: number
  /** Requests by bucket. */
  durations: number[]
  firstBytes: number[]
}

/** Which requests to count: of each list one must fit; an absent list means all. `userIds` also limits people to their own. */
export interface TotalsFilter {
  apiKeyIds?: readonly number[] | undefined
  accountIds?: readonly number[] | undefined
  userIds?: readonly number[] | undefined
  groupIds?: readonly number[] | undefined
  platforms?: readonly string[] | undefined
  models?: readonly string[] | undefined
  tags?: readonly string[] | undefined
}

export const dimensions = ['key', 'account', 'user', 'group', 'platform', 'model', 'tag'] as const
export type Dimension = (typeof dimensions)[number]

/** Where a dimension stands: in the rollups, in the ledger, in an attempt that no key pays, in a filter. */
const places: Record<Dimension, { rollup: string; request: string; attempt: string; filter: keyof TotalsFilter }> = {
  key: { rollup: 'api_key_id', request: 'l.`api_key_id`', attempt: 'l.`api_key_id`', filter: 'apiKeyIds' },
  account: { rollup: 'account_id', request: 'l.`account_id`', attempt: 'a.`account_id`', filter: 'accountIds' },
  user: { rollup: 'user_id', request: 'l.`user_id`', attempt: 'l.`user_id`', filter: 'userIds' },
  group: { rollup: 'group_id', request: 'l.`group_id`', attempt: 'l.`group_id`', filter: 'groupIds' },
  platform: { rollup: 'platform', request: 'l.`platform`', attempt: 'l.`platform`', filter: 'platforms' },
  model: { rollup: 'model', request: 'l.`model_billed`', attempt: 'a.`model_billed`', filter: 'models' },
  tag: { rollup: 'tag', request: 'l.`tag`', attempt: 'l.`tag`', filter: 'tags' },
}

/** A sum as the rollups have it, and the same sum of rows of the ledger. */
const times = (condition: string): string => `SUM(CASE WHEN ${condition} THEN 1 ELSE 0 END)`
const inBuckets = (name: string, column: string, bounds: readonly number[]): [string, string][] => [
  ...bounds.map((ms, index): [string, string] => [
    `${name}_le_${ms}`,
    times(`${column} > ${index === 0 ? -1 : bounds[index - 1]} AND ${column} <= ${ms}`),
  ]),
  [`${name}_more`, times(`${column} > ${bounds.at(-1)}`)],
]
const allSums: readonly (readonly [rollup: string, ofRequests: string])[] = [
  ['requests', 'COUNT(*)'],
  ['failures', times("l.`outcome` <> 'completed'")],
  ['cancelled', times("l.`outcome` = 'aborted'")],
  ['rejected', '0'],
  ['failovers', 'SUM(CASE WHEN l.`attempts` > 1 THEN l.`attempts` - 1 ELSE 0 END)'],
  ['streamed', times('l.`stream` = 1')],
  ['input_tokens', 'SUM(l.`input_tokens`)'],
  ['output_tokens', 'SUM(l.`output_tokens`)'],
  ['cache_write_tokens', 'SUM(l.`cache_write_5m_tokens` + l.`cache_write_1h_tokens`)'],
  ['cache_read_tokens', 'SUM(l.`cache_read_tokens`)'],
  ['cost_nano', 'SUM(l.`cost_nano`)'],
  ['billed_nano', 'SUM(l.`billed_nano`)'],
  ['absorbed_nano', '0'],
  ['cache_saved_nano', 'SUM(l.`cache_saved_nano`)'],
  ['duration_ms_sum', 'SUM(l.`duration_ms`)'],
  ['first_byte_ms_sum', 'SUM(CASE WHEN l.`first_byte_ms` >= 0 THEN l.`first_byte_ms` ELSE 0 END)'],
  ['first_byte_count', times('l.`first_byte_ms` >= 0')],
  ...inBuckets('duration', 'l.`duration_ms`', durationBoundsMs),
  ...inBuckets('first_byte', 'l.`first_byte_ms`', firstByteBoundsMs),
]
const firstBucket = allSums.findIndex(([name]) => name.startsWith('duration_le'))

/** Without `buckets` half of the columns stay unread. */
const chosen = (buckets: boolean) => (buckets ? allSums : allSums.slice(0, firstBucket))
export const summed = (buckets: boolean): string =>
  chosen(buckets)
    .map(([name]) => `SUM(\`${name}\`)`)
    .join(', ')

/** What a ranking can go by; the highest first. */
export const orders = {
  cost: 'SUM(`cost_nano`)',
  requests: 'SUM(`requests`)',
  tokens: 'SUM(`input_tokens` + `output_tokens` + `cache_write_tokens` + `cache_read_tokens`)',
  failures: 'SUM(`failures`)',
  rejected: 'SUM(`rejected`)',
  failovers: 'SUM(`failovers`)',
  cacheSaved: 'SUM(`cache_saved_nano`)',
} as const
export type Order = keyof typeof orders

export interface Query {
  sql: string
  args: Scalar[]
}

export interface SumsOptions {
  filter: TotalsFilter
  /** One row for each of these; null: one row. */
  by: Dimension | null
  /** With the buckets of durations and first bytes. */
  buckets: boolean
  tail?: string
}

/** Tables that hold what is asked: sums by one dimension alone where that is all that is told apart, else all combinations. */
interface Source {
  hourly: string
  daily: string
  key: string
  where: Query
}

function sourceOf({ filter, by }: SumsOptions): Source {
  const given = dimensions.filter((name) => filter[places[name].filter] !== undefined)
  const [name, ...others] = [...new Set(by ? [by, ...given] : given)]
  if (others.length > 0) {
    const where = conditions(filter, (one) => `\`${places[one].rollup}\``)
    const key = by ? `\`${places[by].rollup}\`` : ''
    return { hourly: 'hourly_rollups', daily: 'daily_rollups', key, where: { ...where, sql: where.sql + without(by) } }
  }
  const key = by ? '`subject_id`' : ''
  const ids = name && filter[places[name].filter]
  const where = { sql: ' AND `subject` = ?', args: [name ?? 'all'] as Scalar[] }
  if (ids) {
    where.sql += among('`subject_id`', ids)
    where.args.push(...ids.map(String))
  }
  return { hourly: 'hourly_lines', daily: 'daily_lines', key, where }
}

/** A rejection has no account, platform and model: a row of it says nothing there. */
const isOfAttempts = (by: Dimension | null): boolean => by === 'account' || by === 'platform' || by === 'model'
const without = (by: Dimension | null): string =>
  isOfAttempts(by) ? ' AND (`requests` > 0 OR `absorbed_nano` <> 0)' : ''

/** One statement for all pieces of a range, grouped by a dimension. Its columns: the dimension if there is one, then the sums. */
export function sumsOver(plan: RangePlan, options: SumsOptions): Query | null {
  const { by, buckets, tail = '' } = options
  const { hourly, daily, key, where } = sourceOf(options)
  const pieces: Query[] = []
  const inRollups = (table: string, column: string, first: Scalar, last: Scalar, also = '') => {
    pieces.push({
      sql: `SELECT ${named(key, rollupValues(buckets))} FROM \`${table}\` WHERE \`${column}\` >= ? AND \`${column}\` <= ?${also}${where.sql}${grouped(key)}`,
      args: [first, last, ...where.args],
    })
  }
  if (plan.days) inRollups(daily, 'day', plan.days.first, plan.days.last)
  for (const { fromMs, toMs } of plan.hours) inRollups(hourly, 'hour_ms', fromMs, toMs - 1)
  for (const edge of plan.edges) {
    pieces.push(...inLedger(edge, options))
    // Rejections have no rows: of the hours that an edge touches, all are counted.
    if (isOfAttempts(by)) continue
    pieces.push({
      sql: `SELECT ${named(key, onlyValue(buckets, 'rejected', 'SUM(`rejected`)'))} FROM \`${hourly}\` WHERE \`hour_ms\` >= ? AND \`hour_ms\` < ? AND \`rejected\` > 0${where.sql}${grouped(key)}`,
      args: [edge.fromMs - (edge.fromMs % 3_600_000), edge.toMs, ...where.args],
    })
  }
  if (pieces.length === 0) return null
  const group = by ? '`k`' : ''
  return {
    sql: `SELECT ${group && `${group}, `}${summed(buckets)} FROM (${pieces.map(({ sql }) => sql).join(' UNION ALL ')}) AS pieces${grouped(group)}${tail}`,
    args: pieces.flatMap(({ args }) => args),
  }
}

/** The rows of whole hours or days. Its columns: the hour or day, the dimension if there is one, the sums. */
export function sumsByTime(unit: 'hour' | 'day', first: Scalar, last: Scalar, options: SumsOptions): Query {
  const { hourly, daily, key, where } = sourceOf(options)
  const [table, column] = unit === 'day' ? [daily, '`day`'] : [hourly, '`hour_ms`']
  const group = [column, ...(key ? [key] : [])].join(', ')
  return {
    sql: `SELECT ${group}, ${summed(options.buckets)} FROM \`${table}\` WHERE ${column} >= ? AND ${column} <= ?${where.sql} GROUP BY ${group}`,
    args: [first, last, ...where.args],
  }
}

/** How far the time in a key may be from the begin of its request: a clock that was set back. */
export const keySlackMs = 300_000

function inLedger({ fromMs, toMs }: Range, { filter, by, buckets }: SumsOptions): Query[] {
  // The key is an index, the begin decides.
  const where = 'l.`id` >= ? AND l.`id` < ? AND l.`started_at_ms` >= ? AND l.`started_at_ms` < ?'
  const bounds = [firstKeyAt(fromMs - keySlackMs), firstKeyAt(toMs + keySlackMs), fromMs, toMs]
  const piece = (place: 'request' | 'attempt', values: readonly string[], from: string): Query => {
    const { sql, args } = conditions(filter, (name) => places[name][place])
    const key = by ? places[by][place] : ''
    return {
      sql: `SELECT ${named(key, values)} FROM ${from} WHERE ${where}${sql}${grouped(key)}`,
      args: [...bounds, ...args],
    }
  }
  const absorbed = '`attempts` a JOIN `logs` l ON l.`id` = a.`log_id` AND a.`charged` = 0 AND a.`cost_nano` <> 0'
  return [
    piece(
      'request',
      chosen(buckets).map(([name, value]) => `${value} AS \`${name}\``),
      '`logs` l',
    ),
    piece('attempt', onlyValue(buckets, 'absorbed_nano', 'SUM(a.`cost_nano`)'), absorbed),
  ]
}

const rollupValues = (buckets: boolean): string[] => chosen(buckets).map(([name]) => `SUM(\`${name}\`) AS \`${name}\``)
const onlyValue = (buckets: boolean, only: string, value: string): string[] =>
  chosen(buckets).map(([name]) => `${name === only ? value : '0'} AS \`${name}\``)
const named = (key: string, values: readonly string[]): string =>
  [...(key ? [`${key} AS \`k\``] : []), ...values].join(', ')
const grouped = (key: string): string => key && ` GROUP BY ${key}`
const among = (column: string, values: readonly unknown[]): string =>
  values.length === 0 ? ' AND 1 = 0' : ` AND ${column} IN (${values.map(() => '?').join(', ')})`

/** The conditions of a filter, each with AND before it. */
function conditions(filter: TotalsFilter, columnOf: (name: Dimension) => string): Query {
  const given = dimensions.flatMap((name) => {
    const values: readonly Scalar[] | undefined = filter[places[name].filter]
    return values === undefined ? [] : [{ name, values }]
  })
  return {
    sql: given.map(({ name, values }) => among(columnOf(name), values)).join(''),
    args: given.flatMap(({ values }) => values),
  }
}

/** The sums of a row, in the order of the columns. */
export function totalsOf(values: readonly Scalar[]): TotalsRow {
  const number = (index: number) => Number(values[index] ?? 0)
  const numbers = (from: number, count: number) => Array.from({ length: count }, (_, index) => number(from + index))
  const durations = durationBoundsMs.length + 1
  return {
    requests: number(0),
    failures: number(1),
    cancelled: number(2),
    rejected: number(3),
    failovers: number(4),
    streamed: number(5),
    inputTokens: number(6),
    outputTokens: number(7),
    cacheWriteTokens: number(8),
    cacheReadTokens: number(9),
    costNano: bigOf(values[10]),
    billedNano: bigOf(values[11]),
    absorbedNano: bigOf(values[12]),
    cacheSavedNano: bigOf(values[13]),
    durationMsSum: number(14),
    firstByteMsSum: number(15),
    firstByteCount: number(16),
    durations: numbers(firstBucket, durations),
    firstBytes: numbers(firstBucket + durations, firstByteBoundsMs.length + 1),
  }
}

export const noTotals: TotalsRow = Object.freeze(totalsOf([]))

/** Two sums in one; `sign` −1 takes the second out of the first. */
export function added(one: TotalsRow, other: TotalsRow, sign: 1 | -1 = 1): TotalsRow {
  const entries = Object.entries(one).map(([name, value]) => {
    const more = other[name as keyof TotalsRow]
    if (typeof value === 'bigint') return [name, value + BigInt(sign) * (more as bigint)]
    if (typeof value === 'number') return [name, value + sign * (more as number)]
    return [name, (value as number[]).map((count, index) => count + sign * (more as number[])[index]!)]
  })
  return Object.fromEntries(entries) as unknown as TotalsRow
}

export function bigOf(value: Scalar | undefined): bigint {
  return BigInt(value === null || value === undefined ? 0 : String(value))
}
