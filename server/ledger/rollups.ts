import type { Write } from '../store/database.ts'
import type { ZoneDay } from '../zone-days.ts'
import { attemptColumns, type Cell, type LedgerRows, logColumn } from './rows.ts'

export const durationBucketsMs = [500, 1000, 2000, 5000, 10_000, 20_000, 60_000, 180_000]
export const firstByteBucketsMs = [250, 500, 1000, 2000, 5000, 10_000, 30_000]

export const rollupDimensions = ['api_key_id', 'account_id', 'user_id', 'group_id', 'platform', 'model', 'tag']
export const rollupSums = [
  'requests',
  'failures',
  'cancelled',
  'rejected',
  'failovers',
  'streamed',
  'input_tokens',
  'output_tokens',
  'cache_write_tokens',
  'cache_read_tokens',
  'web_searches',
  'cost_nano',
  'billed_nano',
  'absorbed_nano',
  'cache_saved_nano',
  'duration_ms_sum',
  'first_byte_ms_sum',
  'first_byte_count',
  ...durationBucketsMs.map((ms) => `duration_le_${ms}`),
  'duration_more',
  ...firstByteBucketsMs.map((ms) => `first_byte_le_${ms}`),
  'first_byte_more',
]
/** One dimension alone: the subjects of `hourly_lines` and `daily_lines`, with the column that their id comes from. */
const lineSubjects = {
  all: null,
  key: 'api_key_id',
  account: 'account_id',
  user: 'user_id',
  group: 'group_id',
  platform: 'platform',
  model: 'model',
  tag: 'tag',
} as const
/** A request that was refused before any upstream was asked has none of these. */
const ofAttempts: readonly string[] = ['account', 'platform', 'model']

const dimensionColumns = rollupDimensions.map((name) => logColumn(name === 'model' ? 'model_billed' : name))
const at = {
  startedAtMs: logColumn('started_at_ms'),
  outcome: logColumn('outcome'),
  attempts: logColumn('attempts'),
  stream: logColumn('stream'),
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
  cacheSavedNano: logColumn('cache_saved_nano'),
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
const hourOf = (atMs: number): number => atMs - (atMs % hourMs)

/** The sums of an hour or a day and the values of all dimensions, in this order: when, dimensions, sums. */
type Buckets = Map<string, Cell[]>

/**
 * What is added to the rollups in the transaction that inserts the rows; with −1 what is taken out, for rows that are
 * replaced by others in the same transaction.
 */
export function rollupWrites(
  records: readonly LedgerRows[],
  dayAt: (atMs: number) => ZoneDay,
  sign: 1 | -1 = 1,
): Write[] {
  const hourly: Buckets = new Map()
  const daily: Buckets = new Map()
  for (const { log, attempts } of records) {
    const startedAtMs = log[at.startedAtMs] as number
    const hour = hourOf(startedAtMs)
    const { day } = dayAt(startedAtMs)
    const dimensions = dimensionColumns.map((column) => log[column]!)
    addRequest(bucketOf(hourly, hour, dimensions), log, sign)
    addRequest(bucketOf(daily, day, dimensions), log, sign)
    for (const attempt of attempts) {
      const absorbed = attempt[attemptAt.costNano] as number
      if (attempt[attemptAt.charged] === 1 || absorbed === 0) continue
      const ofAttempt = dimensions.slice()
      ofAttempt[accountDimension] = attempt[attemptAt.accountId]!
      ofAttempt[modelDimension] = attempt[attemptAt.modelBilled]!
      add(bucketOf(hourly, hour, ofAttempt), sums.absorbed_nano, sign * absorbed)
      add(bucketOf(daily, day, ofAttempt), sums.absorbed_nano, sign * absorbed)
    }
  }
  return bucketWrites(hourly, daily)
}

/** Requests of one caller that were refused before any upstream was asked: they have no account, no platform, no model. */
export interface RejectedRequests {
  lastAtMs: number
  apiKeyId: number
  userId: number
  groupId: number
  requests: number
}

export function rejectionRollups(counts: readonly RejectedRequests[], dayAt: (atMs: number) => ZoneDay): Write[] {
  const hourly: Buckets = new Map()
  const daily: Buckets = new Map()
  for (const { lastAtMs, apiKeyId, userId, groupId, requests } of counts) {
    const dimensions = [apiKeyId, 0, userId, groupId, '', '', '']
    add(bucketOf(hourly, hourOf(lastAtMs), dimensions), sums.rejected, requests)
    add(bucketOf(daily, dayAt(lastAtMs).day, dimensions), sums.rejected, requests)
  }
  return bucketWrites(hourly, daily)
}

function bucketOf(buckets: Buckets, when: Cell, dimensions: readonly Cell[]): Cell[] {
  const key = `${when}|${dimensions.join('|')}`
  let row = buckets.get(key)
  if (!row) {
    row = [when, ...dimensions]
    for (let i = 0; i < rollupSums.length; i++) row.push(0)
    buckets.set(key, row)
  }
  return row
}

/** Lines come last: every process adds to the line of all, and the database holds it from there to the end of the transaction. */
function bucketWrites(hourly: Buckets, daily: Buckets): Write[] {
  const adding = (table: string, keys: readonly string[], rows: Buckets): Write => ({
    kind: 'add',
    table,
    keys,
    sums: rollupSums,
    // Processes that take their locks in one order do not wait for each other in a circle.
    rows: [...rows.keys()].sort().map((key) => rows.get(key)!),
  })
  return [
    adding('hourly_rollups', ['hour_ms', ...rollupDimensions], hourly),
    adding('daily_rollups', ['day', ...rollupDimensions], daily),
    adding('hourly_lines', ['hour_ms', 'subject', 'subject_id'], linesOf(hourly)),
    adding('daily_lines', ['day', 'subject', 'subject_id'], linesOf(daily)),
  ]
}

/** The buckets summed up by each dimension alone: once a bucket and not once a request. */
function linesOf(buckets: Buckets): Buckets {
  const lines: Buckets = new Map()
  for (const bucket of buckets.values()) {
    const isOfAttempt = bucket[firstSum + sums.requests] !== 0 || bucket[firstSum + sums.absorbed_nano] !== 0
    for (const [subject, column] of Object.entries(lineSubjects)) {
      if (!isOfAttempt && ofAttempts.includes(subject)) continue
      const id = column === null ? '' : String(bucket[1 + rollupDimensions.indexOf(column)])
      const line = bucketOf(lines, bucket[0]!, [subject, id])
      for (let sum = 0; sum < rollupSums.length; sum++)
        line[3 + sum] = number(line, 3 + sum) + number(bucket, firstSum + sum)
    }
  }
  return lines
}

const firstSum = 1 + rollupDimensions.length
const number = (row: readonly Cell[], column: number): number => row[column] as number
/** Where a sum stands among the sums. */
const sums = Object.fromEntries(rollupSums.map((name, index) => [name, index])) as Record<SumName, number>
type SumName =
  | 'requests'
  | 'failures'
  | 'cancelled'
  | 'rejected'
  | 'failovers'
  | 'streamed'
  | 'input_tokens'
  | 'output_tokens'
  | 'cache_write_tokens'
  | 'cache_read_tokens'
  | 'web_searches'
  | 'cost_nano'
  | 'billed_nano'
  | 'absorbed_nano'
  | 'cache_saved_nano'
  | 'duration_ms_sum'
  | 'first_byte_ms_sum'
  | 'first_byte_count'
const firstDuration = sums.first_byte_count + 1
const firstFirstByte = firstDuration + durationBucketsMs.length + 1

function addRequest(row: Cell[], log: readonly Cell[], sign: 1 | -1): void {
  const durationMs = number(log, at.durationMs)
  const firstByteMs = number(log, at.firstByteMs)
  const outcome = log[at.outcome]
  add(row, sums.requests, sign)
  if (outcome !== 'completed') add(row, sums.failures, sign)
  if (outcome === 'aborted') add(row, sums.cancelled, sign)
  add(row, sums.failovers, sign * Math.max(0, number(log, at.attempts) - 1))
  add(row, sums.streamed, sign * number(log, at.stream))
  add(row, sums.input_tokens, sign * number(log, at.input))
  add(row, sums.output_tokens, sign * number(log, at.output))
  add(row, sums.cache_write_tokens, sign * (number(log, at.write5m) + number(log, at.write1h)))
  add(row, sums.cache_read_tokens, sign * number(log, at.read))
  add(row, sums.web_searches, sign * number(log, at.webSearches))
  add(row, sums.cost_nano, sign * number(log, at.costNano))
  add(row, sums.billed_nano, sign * number(log, at.billedNano))
  add(row, sums.cache_saved_nano, sign * number(log, at.cacheSavedNano))
  add(row, sums.duration_ms_sum, sign * durationMs)
  add(row, firstDuration + slotOf(durationBucketsMs, durationMs), sign)
  if (firstByteMs < 0) return
  add(row, sums.first_byte_ms_sum, sign * firstByteMs)
  add(row, sums.first_byte_count, sign)
  add(row, firstFirstByte + slotOf(firstByteBucketsMs, firstByteMs), sign)
}

function add(row: Cell[], sum: number, amount: number): void {
  row[firstSum + sum] = number(row, firstSum + sum) + amount
}

/** The first bucket whose bound is not passed; the last one takes the rest. */
function slotOf(bounds: readonly number[], value: number): number {
  let slot = 0
  while (slot < bounds.length && value > bounds[slot]!) slot++
  return slot
}
