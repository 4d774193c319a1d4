import { durationBoundsMs, firstByteBoundsMs, percentileOf } from '../../statistics/buckets.ts'
import type { Range } from '../../statistics/range-plan.ts'
import type { TotalsRow } from '../../statistics/sums.ts'
import { builder } from '../builder.ts'

/** Sums with the range that they are of. */
export interface RangeTotals extends TotalsRow, Range {
  asOfMs: number
}

/** The range that was asked for, as far as it has come by now. */
export const totalsIn = (row: TotalsRow, { fromMs, toMs }: Range, asOfMs: number): RangeTotals => ({
  ...row,
  fromMs,
  toMs: Math.max(fromMs, Math.min(toMs, asOfMs)),
  asOfMs,
})

const sentOf = ({ requests, rejected }: TotalsRow): number => requests + rejected
const tokensOf = (row: TotalsRow): number =>
  row.inputTokens + row.outputTokens + row.cacheWriteTokens + row.cacheReadTokens
/** Null where there is nothing to divide by. */
const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)
const average = (sum: number, count: number): number | null => (count === 0 ? null : Math.round(sum / count))

const Percentiles = builder
  .objectRef<{ counts: readonly number[]; boundsMs: readonly number[] }>('Percentiles')
  .implement({
    description:
      'Percentiles in milliseconds, from counts in fixed buckets: within a bucket as if its values lay evenly. null: there were no requests.',
    authScopes: { user: true },
    fields: (t) => {
      const percentile = (of: number, description: string) =>
        t.int({
          nullable: true,
          description,
          resolve: ({ counts, boundsMs }) => percentileOf(counts, boundsMs, of / 100),
        })
      return {
        p50: percentile(50, 'Half of the requests took at most this long.'),
        p90: percentile(90, 'Of ten requests nine took at most this long.'),
        p95: percentile(95, 'Of twenty requests nineteen took at most this long.'),
        p99: percentile(99, 'Of a hundred requests 99 took at most this long.'),
      }
    },
  })

export const Totals = builder.objectRef<RangeTotals>('Totals').implement({
  description:
    'Sums over the requests that began in a range and have ended. `completed`, `failed`, `cancelled` and `rejected` add up to `sent`.',
  authScopes: { user: true },
  fields: (t) => ({
    from: t.field({
      description: 'The begin of the range, which is included.',
      type: 'DateTime',
      resolve: ({ fromMs }) => new Date(fromMs),
    }),
    to: t.field({
      description:
        'The end of the range, which is not included: as it was asked for, or `asOf` where that end has not come yet.',
      type: 'DateTime',
      resolve: ({ toMs }) => new Date(toMs),
    }),
    asOf: t.field({
      description: 'When the sums were read. Requests that end later are missing.',
      type: 'DateTime',
      resolve: ({ asOfMs }) => new Date(asOfMs),
    }),
    sent: t.field({ type: 'Count', description: 'What clients sent: served or refused.', resolve: sentOf }),
    requests: t.expose('requests', { description: 'Those that were not rejected, however they ended.', type: 'Count' }),
    failures: t.expose('failures', { type: 'Count', description: 'Requests of any outcome but COMPLETED.' }),
    completed: t.field({
      type: 'Count',
      description: 'Requests with a whole response.',
      resolve: ({ requests, failures }) => requests - failures,
    }),
    failed: t.field({
      type: 'Count',
      description: 'Requests that ended with an error, or broke off on our side.',
      resolve: ({ failures, cancelled }) => failures - cancelled,
    }),
    cancelled: t.expose('cancelled', { type: 'Count', description: 'Requests whose client left.' }),
    rejected: t.expose('rejected', {
      type: 'Count',
      description:
        'Requests that were refused before any upstream was asked; not among `requests`. Of an account, a platform or a model always 0.',
    }),
    errorRate: t.float({
      nullable: true,
      description: 'Failed ones among `requests`, 0 to 1; null without requests.',
      resolve: ({ requests, failures, cancelled }) => share(failures - cancelled, requests),
    }),
    rejectionRate: t.float({
      nullable: true,
      description: 'Rejected ones among `sent`, 0 to 1; null when nothing was sent.',
      resolve: (row) => share(row.rejected, sentOf(row)),
    }),
    streamedShare: t.float({
      nullable: true,
      description: 'Requests for a stream among `requests`, 0 to 1; null without requests.',
      resolve: ({ streamed, requests }) => share(streamed, requests),
    }),
    failovers: t.expose('failovers', { type: 'Count', description: 'Attempts beyond the first of each request.' }),
    tokens: t.field({ type: 'Count', description: 'All classes together.', resolve: tokensOf }),
    inputTokens: t.expose('inputTokens', { description: 'Read anew: without cache reads and writes.', type: 'Count' }),
    outputTokens: t.expose('outputTokens', { description: 'Written, with thinking.', type: 'Count' }),
    cacheWriteTokens: t.expose('cacheWriteTokens', { description: 'Written into the cache.', type: 'Count' }),
    cacheReadTokens: t.expose('cacheReadTokens', { description: 'Read from the cache.', type: 'Count' }),
    cacheHitRate: t.float({
      nullable: true,
      description: 'Tokens read from the cache among those of all prompts, 0 to 1; null without prompts.',
      resolve: ({ cacheReadTokens, cacheWriteTokens, inputTokens }) =>
        share(cacheReadTokens, cacheReadTokens + cacheWriteTokens + inputTokens),
    }),
    cacheSaved: t.expose('cacheSavedNano', {
      type: 'NanoUsd',
      description:
        'What the prompts would have cost without a cache, less what they cost. Below 0 where more was written into it than read.',
    }),
    cost: t.expose('costNano', { description: 'By the price book.', type: 'NanoUsd' }),
    billed: t.expose('billedNano', {
      description: 'The cost times the charge factors of groups and people: what is billed, and what limits count.',
      type: 'NanoUsd',
    }),
    averageCost: t.field({
      type: 'NanoUsd',
      nullable: true,
      description: 'The cost of a request, rounded down; null without requests.',
      resolve: ({ costNano, requests }) => (requests === 0 ? null : costNano / BigInt(requests)),
    }),
    absorbed: t.field({
      type: 'NanoUsd',
      description: 'What failovers cost: what upstreams charged for attempts that no key pays.',
      resolve: (row) => row.absorbedNano,
    }),
    averageDurationMs: t.int({
      nullable: true,
      description: 'From admission to the end, in milliseconds; null without requests.',
      resolve: ({ durationMsSum, requests }) => average(durationMsSum, requests),
    }),
    averageFirstByteMs: t.int({
      nullable: true,
      description: 'From admission to the first byte for the client, in milliseconds; null when there was none.',
      resolve: ({ firstByteMsSum, firstByteCount }) => average(firstByteMsSum, firstByteCount),
    }),
    durations: t.field({
      type: Percentiles,
      description: 'From admission to the end.',
      resolve: ({ durations }) => ({ counts: durations, boundsMs: durationBoundsMs }),
    }),
    firstBytes: t.field({
      type: Percentiles,
      description: 'From admission to the first byte for the client.',
      resolve: ({ firstBytes }) => ({ counts: firstBytes, boundsMs: firstByteBoundsMs }),
    }),
  }),
})
