import { billedNano } from '../money/charge.ts'
import type { Cost } from '../money/cost.ts'
import { priceInputsText } from '../money/price-inputs.ts'
import { storedReading } from '../money/stored-reading.ts'
import { firstKeyAt } from '../request-ids.ts'
import type { Database, Scalar, Write } from '../store/database.ts'
import type { ZoneDay } from '../zone-days.ts'
import type { PriceReading } from './ledger.ts'
import { rollupWrites } from './rollups.ts'
import { attemptColumns, type Cell, type LedgerRows, logColumns } from './rows.ts'
import { sessionWrites } from './session-sums.ts'

/** Which rows are priced anew: those that began in a range, of some models or accounts. */
export interface RerateFilter {
  fromMs: number
  toMs: number
  /** As billed; absent: all. */
  models?: readonly string[]
  /** Of the last attempt; absent: all. */
  accountIds?: readonly number[]
  /** Only rows that the fallback card priced. */
  onlyFallback?: boolean
}

/** What a batch of rows came to. */
export interface RerateSums {
  rows: number
  changed: number
  costBeforeNano: bigint
  costAfterNano: bigint
  billedBeforeNano: bigint
  billedAfterNano: bigint
}

export interface RerateBatch extends RerateSums {
  /** The id of the last row; null: there are no more. */
  lastId: bigint | null
  /** What writes the new prices, with the rollups that have these rows. */
  writes: Write[]
}

export const noRerateSums: RerateSums = {
  rows: 0,
  changed: 0,
  costBeforeNano: 0n,
  costAfterNano: 0n,
  billedBeforeNano: 0n,
  billedAfterNano: 0n,
}

/** Flags that a price gives; the others come from the usage and stay. */
const priceFlags = new Set(
  'fallback_price derived_rate capped fast_as_standard batch_as_standard priority_as_standard flex_as_standard unit_unpriced'.split(
    ' ',
  ),
)
/** How far the time in a key may be from the begin of its request. */
const keySlackMs = 3_600_000

const logAt = Object.fromEntries(logColumns.map((name, index) => [name, index])) as Record<string, number>
const attemptAt = Object.fromEntries(attemptColumns.map((name, index) => [name, index])) as Record<string, number>
const logPriceColumns = (
  'flags cost_nano input_cost_nano output_cost_nano cache_write_cost_nano cache_read_cost_nano unit_cost_nano price_card_id ' +
  'price_source price_tier_min_tokens price_modifiers billed_nano cache_saved_nano'
).split(' ')
const attemptPriceColumns = 'cost_nano price_card_id price_source price_multiplier_bp price_inputs'.split(' ')

/**
 * The next rows behind an id with the prices of today's book. Nothing is written here: `writes` are the rows, their
 * rollups and the sums of their sessions, to be run in one transaction. A row that has changed meanwhile makes that transaction fail with a BatchConflict.
 * Charge factors stay those of the request. The same again changes nothing.
 */
export async function rerateBatch(
  parts: { database: Database; price: PriceReading; dayAt: (atMs: number) => ZoneDay },
  filter: RerateFilter,
  afterId: bigint,
  maxRows: number,
): Promise<RerateBatch> {
  const logs = await readLogs(parts.database, filter, afterId, maxRows)
  const attempts = await readAttempts(parts.database, logs)
  const sums = { ...noRerateSums, rows: logs.length }
  const before: LedgerRows[] = []
  const after: LedgerRows[] = []
  for (const log of logs) {
    const old = { log, attempts: attempts.get(String(log[0])) ?? [] }
    const fresh = pricedAnew(old, parts.price)
    const number = (rows: LedgerRows, name: string) => BigInt(rows.log[logAt[name]!]!)
    sums.costBeforeNano += number(old, 'cost_nano')
    sums.costAfterNano += number(fresh, 'cost_nano')
    sums.billedBeforeNano += number(old, 'billed_nano')
    sums.billedAfterNano += number(fresh, 'billed_nano')
    if (JSON.stringify(old) === JSON.stringify(fresh)) continue
    before.push(old)
    after.push(fresh)
  }
  sums.changed = after.length
  const lastId = logs.length < maxRows ? null : BigInt(logs.at(-1)![0]!)
  return { ...sums, lastId, writes: after.length === 0 ? [] : writesOf(before, after, parts.dayAt) }
}

async function readLogs(database: Database, filter: RerateFilter, afterId: bigint, maxRows: number): Promise<Cell[][]> {
  const { fromMs, toMs, models, accountIds, onlyFallback } = filter
  const among = (column: string, values: readonly Scalar[] | undefined) =>
    values === undefined ? '' : ` AND \`${column}\` IN (${values.map(() => '?').join(', ')})`
  const first = BigInt(firstKeyAt(fromMs - keySlackMs))
  const rows = await database.select(
    `SELECT ${names(logColumns)} FROM \`logs\` WHERE \`id\` > ? AND \`id\` < ? AND \`started_at_ms\` >= ? AND \`started_at_ms\` < ?` +
      among('model_billed', models) +
      among('account_id', accountIds) +
      (onlyFallback ? " AND `price_source` = 'fallback'" : '') +
      ` ORDER BY \`id\` LIMIT ${Math.trunc(maxRows)}`,
    [
      afterId > first ? afterId : first,
      firstKeyAt(toMs + keySlackMs),
      fromMs,
      toMs,
      ...(models ?? []),
      ...(accountIds ?? []),
    ],
  )
  return rows.map(cells)
}

async function readAttempts(database: Database, logs: readonly (readonly Cell[])[]): Promise<Map<string, Cell[][]>> {
  const found = new Map<string, Cell[][]>()
  if (logs.length === 0) return found
  const rows = await database.select(
    `SELECT ${names(attemptColumns)} FROM \`attempts\` WHERE \`log_id\` IN (${logs.map(() => '?').join(', ')}) ORDER BY \`number\``,
    logs.map((log) => BigInt(log[0]!)),
  )
  for (const row of rows.map(cells)) {
    const id = String(row[0])
    const list = found.get(id) ?? []
    found.set(id, list)
    list.push(row)
  }
  return found
}

const names = (columns: readonly string[]): string => columns.map((name) => `\`${name}\``).join(', ')

/** Cells as the ledger writes them: ids beyond 2^53 as text. */
const cells = (row: readonly Scalar[]): Cell[] =>
  row.map((value) =>
    typeof value === 'bigint' ? value.toString() : typeof value === 'boolean' ? Number(value) : (value ?? ''),
  )

function pricedAnew({ log, attempts }: LedgerRows, price: PriceReading): LedgerRows {
  const freshLog = [...log]
  const freshAttempts = attempts.map((attempt) => {
    const of = (name: string): Cell => attempt[attemptAt[name]!]!
    if (of('usage_source') === 'none') return attempt
    const { reading } = storedReading({
      modelBilled: String(of('model_billed')),
      inputTokens: Number(of('input_tokens')),
      outputTokens: Number(of('output_tokens')),
      cacheWrite5mTokens: Number(of('cache_write_5m_tokens')),
      cacheWrite1hTokens: Number(of('cache_write_1h_tokens')),
      cacheReadTokens: Number(of('cache_read_tokens')),
      webSearches: Number(of('web_searches')),
      usageSource: String(of('usage_source')),
      priceInputs: String(of('price_inputs')),
    })
    const cost = price(reading, Number(of('started_at_ms')), Number(of('account_id')))
    if (of('charged') === 1) setLogPrice(freshLog, cost)
    const fresh = [...attempt]
    const values = [cost.totalNano, cost.cardId, cost.source, cost.multiplierBp, priceInputsText(reading, cost)]
    for (const [index, name] of attemptPriceColumns.entries()) fresh[attemptAt[name]!] = values[index]!
    return fresh
  })
  return { log: freshLog, attempts: freshAttempts }
}

function setLogPrice(log: Cell[], cost: Cost): void {
  const of = (name: string): Cell => log[logAt[name]!]!
  const kept = String(of('flags'))
    .split(',')
    .filter((flag) => flag !== '' && !priceFlags.has(flag))
  const flags = [...kept, ...cost.flags.filter((flag) => priceFlags.has(flag))].join(',')
  const factors = { groupChargeBp: Number(of('group_charge_bp')), userChargeBp: Number(of('user_charge_bp')) }
  const values = [
    flags,
    cost.totalNano,
    cost.inputNano,
    cost.outputNano,
    cost.cacheWriteNano,
    cost.cacheReadNano,
    cost.unitNano,
    cost.cardId,
    cost.source,
    cost.tierAbovePromptTokens,
    cost.modifiers.join(','),
    billedNano(cost.totalNano, factors),
    cost.cacheSavedNano,
  ]
  for (const [index, name] of logPriceColumns.entries()) log[logAt[name]!] = values[index]!
}

function writesOf(
  before: readonly LedgerRows[],
  after: readonly LedgerRows[],
  dayAt: (atMs: number) => ZoneDay,
): Write[] {
  const writes: Write[] = []
  const update = (
    table: string,
    columns: readonly string[],
    at: Record<string, number>,
    key: string,
    old: readonly Cell[],
    row: readonly Cell[],
    keys: readonly Scalar[],
  ) => {
    if (JSON.stringify(old) === JSON.stringify(row)) return
    writes.push({
      kind: 'run',
      sql: `UPDATE \`${table}\` SET ${columns.map((name) => `\`${name}\` = ?`).join(', ')} WHERE ${key} AND \`cost_nano\` = ?`,
      args: [...columns.map((name) => row[at[name]!]!), ...keys, old[at['cost_nano']!]!],
      expect: 1,
    })
  }
  for (const [index, fresh] of after.entries()) {
    const old = before[index]!
    const id = BigInt(fresh.log[0]!)
    update('logs', logPriceColumns, logAt, '`id` = ?', old.log, fresh.log, [id])
    for (const [place, attempt] of fresh.attempts.entries()) {
      const keys = [id, attempt[attemptAt['number']!]!]
      update(
        'attempts',
        attemptPriceColumns,
        attemptAt,
        '`log_id` = ? AND `number` = ?',
        old.attempts[place]!,
        attempt,
        keys,
      )
    }
  }
  writes.push(
    ...sessionWrites(before, -1),
    ...sessionWrites(after),
    ...rollupWrites(before, dayAt, -1),
    ...rollupWrites(after, dayAt),
  )
  return writes
}
