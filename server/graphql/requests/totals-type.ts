import type { Range, TotalsRow } from '../../statistics/statistics.ts'
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

export const Totals = builder.objectRef<RangeTotals>('Totals').implement({
  description: 'Sums over the requests that began in a range and have ended.',
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
    requests: t.expose('requests', { description: 'That ended, however.', type: 'Count' }),
    failures: t.expose('failures', { type: 'Count', description: 'Requests of any outcome but COMPLETED.' }),
    completed: t.field({
      type: 'Count',
      description:
        'Requests with a whole response. With failed, cancelled and rejected ones they add up to what clients sent.',
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
        'Requests that were refused before any upstream was asked; not among `requests`. Of an account or a model always 0.',
    }),
    tokens: t.field({
      type: 'Count',
      description: 'All classes together.',
      resolve: (row) => row.inputTokens + row.outputTokens + row.cacheWriteTokens + row.cacheReadTokens,
    }),
    inputTokens: t.expose('inputTokens', { description: 'Read anew: without cache reads and writes.', type: 'Count' }),
    outputTokens: t.expose('outputTokens', { description: 'Written, with thinking.', type: 'Count' }),
    cacheWriteTokens: t.expose('cacheWriteTokens', { description: 'Written into the cache.', type: 'Count' }),
    cacheReadTokens: t.expose('cacheReadTokens', { description: 'Read from the cache.', type: 'Count' }),
    cost: t.expose('costNano', { description: 'What the requests cost, by the price book.', type: 'NanoUsd' }),
    billed: t.expose('billedNano', {
      description: 'The cost times the charge factors of groups and people: what is billed, and what limits count.',
      type: 'NanoUsd',
    }),
    absorbed: t.field({
      type: 'NanoUsd',
      description: 'What the upstreams charged for attempts that no key pays.',
      resolve: (row) => row.absorbedNano,
    }),
  }),
})
