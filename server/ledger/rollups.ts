import type { ZoneDay } from '../zone-days.ts'
import { attemptColumns, type Cell, type LedgerRows, logColumn } from './rows.ts'

export const durationBucketsMs = [500, 1000, 2000, 5000, 10_000, 20_000, 60_000, 180_000]
export const firstByteBucketsMs = [250, 500, 1000, 2000, 5000, 10_000, 30_000]

export const rollupDimensions = ['api_key_id', 'account_id', 'user_id', 'group_id', 'platform', 'model']
export const rollupSums = [
  'requests',
  'failures',
  'input_tokens',
  'output_tokens',
  'cache_write_tokens',
  'cache_read_tokens',
  'web_searches',
  'cost_nano',
  'absorbed_nano',
  'duration_ms_sum',
  'first_byte_ms_sum',
  'first_byte_count',
  ...durationBucketsMs.map((ms) => `duration_le_${ms}`),
  'duration_more',
  ...firstByteBucketsMs.map((ms) => `first_byte_le_${ms}`),
  'first_byte_more',
  'cancelled',
  'rejected',
  'billed_nano',
]

const dimensionColumns = rollupDimensions.map((name) => logColumn(name === 'model' ? 'model_billed' : name))
const at = {
  startedAtMs: logColumn('started_at_ms'),
  outcome: logColumn('outcome'),
  durationMs: logColumn('duration_ms'),
  firstByteMs: logColumn('first_byte_ms'),
  input: logColumn('input_tokens'),
  output: logColumn('output_tokens'),
  write5m: logColumn('cache_write_5m_tokens'),
  write1h: logColumn('cache_write_1h_tokens'),
  read: logColumn('cache_read_tokens'),
  webSearches: logColumn('web_searches'),
  costNano: logColumn('cost_nano'),
  billedNano: logColumn('billed_nano'),
}
const accountDimension = rollupDimensions.indexOf('account_id')
const modelDimension = rollupDimensions.indexOf('model')
const attemptAt = {
  accountId: attemptColumns.indexOf('account_id'),
  modelBilled: attemptColumns.indexOf('model_billed'),
  charged: attemptColumns.indexOf('charged'),
  costNano: attemptColumns.indexOf('cost_nano'),
}

const hourMs = 3_600_000

/** Sums of requests by hour and by day: what is added to the rollups in the same transaction as the rows. */
export function rollUp(
  records: readonly LedgerRows[],
  dayAt: (atMs: number) => ZoneDay,
): { hourly: Cell[][]; daily: Cell[][] } {
  const hourly = new Map<string, Cell[]>()
  const daily = new Map<string, Cell[]>()
  for (const { log, attempts } of records) {
    const startedAtMs = log[at.startedAtMs] as number
    const hour = startedAtMs - (startedAtMs % hourMs)
    const { day } = dayAt(startedAtMs)
    const dimensions = dimensionColumns.map((column) => log[column]!)
    addRequest(bucketOf(hourly, hour, dimensions), log)
    addRequest(bucketOf(daily, day, dimensions), log)
    for (const attempt of attempts) {
      const absorbed = attempt[attemptAt.costNano] as number
      if (attempt[attemptAt.charged] === 1 || absorbed === 0) continue
      const ofAttempt = dimensions.slice()
      ofAttempt[accountDimension] = attempt[attemptAt.accountId]!
      ofAttempt[modelDimension] = attempt[attemptAt.modelBilled]!
      add(bucketOf(hourly, hour, ofAttempt), absorbedSum, absorbed)
      add(bucketOf(daily, day, ofAttempt), absorbedSum, absorbed)
    }
  }
  return { hourly: [...hourly.values()], daily: [...daily.values()] }
}

function bucketOf(buckets: Map<string, Cell[]>, when: Cell, dimensions: readonly Cell[]): Cell[] {
  const key = `${when}|${dimensions.join('|')}`
  let row = buckets.get(key)
  if (!row) {
    row = [when, ...dimensions]
    for (let i = 0; i < rollupSums.length; i++) row.push(0)
    buckets.set(key, row)
  }
  return row
}

const absorbedSum = rollupSums.indexOf('absorbed_nano')
const cancelledSum = rollupSums.indexOf('cancelled')
const rejectedSum = rollupSums.indexOf('rejected')
const billedSum = rollupSums.indexOf('billed_nano')
const firstDuration = rollupSums.indexOf('first_byte_count') + 1
const firstFirstByte = firstDuration + durationBucketsMs.length + 1

function addRequest(row: Cell[], log: readonly Cell[]): void {
  const number = (column: number) => log[column] as number
  const durationMs = number(at.durationMs)
  const firstByteMs = number(at.firstByteMs)
  const hasFirstByte = firstByteMs >= 0
  add(row, 0, 1)
  add(row, 1, log[at.outcome] === 'completed' ? 0 : 1)
  add(row, 2, number(at.input))
  add(row, 3, number(at.output))
  add(row, 4, number(at.write5m) + number(at.write1h))
  add(row, 5, number(at.read))
  add(row, 6, number(at.webSearches))
  add(row, 7, number(at.costNano))
  add(row, billedSum, number(at.billedNano))
  add(row, 9, durationMs)
  if (hasFirstByte) {
    add(row, 10, firstByteMs)
    add(row, 11, 1)
  }
  add(row, firstDuration + slotOf(durationBucketsMs, durationMs), 1)
  if (hasFirstByte) add(row, firstFirstByte + slotOf(firstByteBucketsMs, firstByteMs), 1)
  if (log[at.outcome] === 'aborted') add(row, cancelledSum, 1)
}

/** The rollup rows of requests that were refused before any upstream was asked: no account, no platform, no model. */
export function rejectedRow(
  when: Cell,
  of: { apiKeyId: number; userId: number; groupId: number; requests: number },
): Cell[] {
  const row: Cell[] = [when, of.apiKeyId, 0, of.userId, of.groupId, '', '']
  for (let i = 0; i < rollupSums.length; i++) row.push(0)
  add(row, rejectedSum, of.requests)
  return row
}

const firstSum = 1 + rollupDimensions.length
function add(row: Cell[], sum: number, amount: number): void {
  row[firstSum + sum] = (row[firstSum + sum] as number) + amount
}

/** The first bucket whose bound is not passed; the last one takes the rest. */
function slotOf(bounds: readonly number[], value: number): number {
  let slot = 0
  while (slot < bounds.length && value > bounds[slot]!) slot++
  return slot
}
