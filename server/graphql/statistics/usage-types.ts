import type { Range } from '../../statistics/range-plan.ts'
import { added, type TotalsRow } from '../../statistics/sums.ts'
import { builder } from '../builder.ts'
import { type RangeTotals, Totals } from './totals-type.ts'

export interface UsageRow {
  atMs: number | null
  key: string | null
  label: string | null
  totals: RangeTotals
}

const UsageRowType = builder.objectRef<UsageRow>('UsageRow').implement({
  description: 'The sums of an interval, of a key, an account and so on, or of both.',
  authScopes: { user: true },
  fields: (t) => ({
    at: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'Begin of the whole hour, day, week or month; null without one. Its sums are those within the range.',
      resolve: ({ atMs }) => (atMs === null ? null : new Date(atMs)),
    }),
    key: t.exposeString('key', {
      nullable: true,
      description:
        'Global id of the object, or the name of the platform, model or tag; null for requests that have none, and when time alone is told apart.',
    }),
    label: t.exposeString('label', {
      nullable: true,
      description: 'Its name; # and its number where the name is not yours to see.',
    }),
    totals: t.expose('totals', { description: 'The sums.', type: Totals }),
  }),
})

interface Growth {
  now: RangeTotals
  before: RangeTotals
}
const GrowthType = builder.objectRef<Growth>('UsageGrowth').implement({
  description:
    'How much more than in the same span before: 0.5 is half as much again. null where there was nothing before.',
  authScopes: { user: true },
  fields: (t) => {
    const growth = (description: string, of: (row: RangeTotals) => number) =>
      t.float({
        nullable: true,
        description,
        resolve: ({ now, before }) => (of(before) === 0 ? null : of(now) / of(before) - 1),
      })
    return {
      requests: growth('Of requests.', ({ requests }) => requests),
      cost: growth('Of cost.', ({ costNano }) => Number(costNano)),
      tokens: growth(
        'Of tokens of all classes.',
        (row) => row.inputTokens + row.outputTokens + row.cacheReadTokens + row.cacheWriteTokens,
      ),
    }
  },
})

export interface UsageView {
  range: Range
  asOfMs: number
  rows: UsageRow[]
  /** Read once, if asked for. */
  totals: () => Promise<RangeTotals>
  before: () => Promise<RangeTotals>
}

export const Usage = builder.objectRef<UsageView>('Usage').implement({
  description: 'Sums over requests in a range, and what they are made of.',
  authScopes: { user: true },
  fields: (t) => ({
    from: t.field({
      type: 'DateTime',
      description:
        'Begin of what is summed up. Earlier than asked for where the rows of the ledger are deleted: then whole hours are.',
      resolve: ({ range }) => new Date(range.fromMs),
    }),
    to: t.field({
      type: 'DateTime',
      description: 'Its end, which is not included.',
      resolve: ({ range }) => new Date(range.toMs),
    }),
    asOf: t.field({
      type: 'DateTime',
      description: 'When it was read. Requests that end later are missing.',
      resolve: ({ asOfMs }) => new Date(asOfMs),
    }),
    totals: t.field({ type: Totals, description: 'Over the whole range.', resolve: ({ totals }) => totals() }),
    before: t.field({
      type: Totals,
      description: 'Over the same span before the range.',
      resolve: ({ before }) => before(),
    }),
    growth: t.field({
      type: GrowthType,
      description: 'From the span before to the range.',
      resolve: async ({ totals, before }) => ({ now: await totals(), before: await before() }),
    }),
    rows: t.expose('rows', {
      type: [UsageRowType],
      description:
        'By interval in order of time, also where nothing happened; else the highest first. Of both: each interval with a row for each of the first.',
    }),
    others: t.field({
      type: Totals,
      nullable: true,
      description: 'Of a ranking: the totals without its rows.',
      resolve: async ({ rows, totals }) => {
        if (rows.some(({ atMs }) => atMs !== null)) return null
        const all = await totals()
        const rest = rows.reduce((sum, row) => added(sum, row.totals, -1), all as TotalsRow)
        return { ...all, ...rest, fromMs: all.fromMs, toMs: all.toMs, asOfMs: all.asOfMs }
      },
    }),
  }),
})
