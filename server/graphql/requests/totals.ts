import { encodeGlobalID } from '@pothos/plugin-relay'
import { GraphQLError } from 'graphql'
import { type Dimension, maxPoints, type Range, type TotalsFilter } from '../../statistics/statistics.ts'
import { builder, maxPage, pageSize } from '../builder.ts'
import type { Context } from '../server/context.ts'
import { idNumbers } from '../values.ts'
import { visibleUse } from '../visible.ts'
import { type RangeTotals, Totals, totalsIn } from './totals-type.ts'

const Interval = builder.enumType('Interval', {
  description: 'How long a point of a series is.',
  values: {
    HOUR: { value: 'hour', description: 'Whole hours in UTC; a range of at most 32 days.' },
    DAY: { value: 'day', description: "Days of the deployment's zone; a range of at most three years." },
  } as const,
})

const TotalsDimension = builder.enumType('TotalsDimension', {
  description: 'What sums are told apart by.',
  values: {
    KEY: { value: 'key', description: 'The key that the request came with.' },
    ACCOUNT: { value: 'account', description: 'The last account tried.' },
    MODEL: { value: 'model', description: 'The model as it was billed.' },
    USER: { value: 'user', description: 'Who owned the key then.' },
    GROUP: { value: 'group', description: 'The group of the key then.' },
  } as const,
})

interface Labelled {
  key: string | null
  label: string | null
  totals: RangeTotals
}

const RankedTotals = builder.objectRef<Labelled>('RankedTotals').implement({
  description: 'The sums of one key, account, model, person or group.',
  authScopes: { user: true },
  fields: (t) => ({
    key: t.exposeString('key', {
      nullable: true,
      description:
        'Global id of the object, or the name of the model; null for requests that have none, such as those that reached no account.',
    }),
    label: t.exposeString('label', {
      nullable: true,
      description: 'Its name; # and its number where the name is not yours to see; null with `key`.',
    }),
    totals: t.expose('totals', { description: 'Over the whole range.', type: Totals }),
  }),
})

const SeriesPoint = builder
  .objectRef<{ atMs: number; key: string | null; label: string | null; totals: RangeTotals }>('SeriesPoint')
  .implement({
    description: 'The sums of one hour or day; of the first and the last of a series only what lies in its range.',
    authScopes: { user: true },
    fields: (t) => ({
      at: t.field({
        type: 'DateTime',
        description: 'Begin of the hour or day.',
        resolve: ({ atMs }) => new Date(atMs),
      }),
      key: t.exposeString('key', { nullable: true, description: 'As in a ranking; null without `by`, too.' }),
      label: t.exposeString('label', { description: 'As in a ranking; null without `by`, too.', nullable: true }),
      totals: t.expose('totals', { description: 'Of that hour or day.', type: Totals }),
    }),
  })

export const RangeInput = builder.inputType('RangeInput', {
  description: 'A range of time, exact to the millisecond. What has not come yet counts as empty.',
  fields: (t) => ({
    from: t.field({ description: 'Included.', type: 'DateTime', required: true }),
    to: t.field({ description: 'After `from`.', type: 'DateTime', required: true }),
  }),
})

const TotalsFilterInput = builder.inputType('TotalsFilter', {
  description: 'All that is given must hold.',
  fields: (t) => ({
    apiKeyId: t.id({ description: 'The key that the request came with.' }),
    accountId: t.id({ description: 'The last account tried.' }),
    userId: t.id({ description: 'Who owned the key then. Of people who are no administrators, only themselves.' }),
    groupId: t.id({ description: 'The group of the key then.' }),
    model: t.string({ description: 'The model as it was billed.' }),
  }),
})

interface GivenFilter {
  apiKeyId?: string | null
  accountId?: string | null
  userId?: string | null
  groupId?: string | null
  model?: string | null
}

/** The filter with ids as numbers, limited to what the viewer may read. */
function useFilter(filter: GivenFilter | null | undefined, { viewer }: Context): TotalsFilter {
  const id = (text: string | null | undefined, type: string) => (text ? idNumbers([text], type)[0] : undefined)
  const asked = id(filter?.userId, 'User')
  const { userId: own } = visibleUse(viewer)
  return {
    apiKeyId: id(filter?.apiKeyId, 'ApiKey'),
    accountId: id(filter?.accountId, 'Account'),
    groupId: id(filter?.groupId, 'Group'),
    model: filter?.model ?? undefined,
    userId: own !== undefined && asked !== undefined && asked !== own ? -1 : (own ?? asked),
  }
}

const maxHourlyMs = 32 * 24 * 3_600_000
const maxRangeMs = 3 * 366 * 24 * 3_600_000

export function rangeOf({ from, to }: { from: Date; to: Date }, interval?: 'hour' | 'day'): Range {
  const [fromMs, toMs] = [from.getTime(), to.getTime()]
  if (toMs <= fromMs) throw badRange('`to` must be after `from`.')
  if (toMs - fromMs > (interval === 'hour' ? maxHourlyMs : maxRangeMs)) throw badRange('The range is too long.')
  return { fromMs, toMs }
}

/** A series with points left out would be wrong. */
const tooManyPoints = () =>
  new GraphQLError(`The series has more than ${maxPoints} points. Choose a shorter range, days, or a filter.`, {
    extensions: { code: 'QUERY_TOO_COMPLEX' },
  })

const badRange = (message: string) => new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })

const defaultRanked = 10

export const rangeArg = 'At most three years.'

const nodeTypes = { key: 'ApiKey', account: 'Account', user: 'User', group: 'Group' } as const

/** Adds the names that the viewer may read. */
async function withLabels<Row extends { key: string }>(rows: Row[], by: Dimension, { batches }: Context) {
  return Promise.all(
    rows.map(async (row) => {
      // The ledger has '' for no model and 0 for no object.
      if (row.key === '' || row.key === '0') return { ...row, key: null, label: null }
      if (by === 'model') return { ...row, label: row.key }
      const id = Number(row.key)
      const name =
        by === 'user'
          ? (await batches.user(id))?.username
          : (await { key: batches.apiKey, account: batches.account, group: batches.group }[by](id))?.name
      return { ...row, key: encodeGlobalID(nodeTypes[by], row.key), label: name ?? `#${id}` }
    }),
  )
}

builder.queryFields((t) => ({
  totals: t.field({
    type: Totals,
    description: 'Sums over a range; of people who are no administrators, of their own requests.',
    authScopes: { user: true },
    args: {
      range: t.arg({ type: RangeInput, required: true, description: rangeArg }),
      filter: t.arg({ type: TotalsFilterInput, description: 'Absent: all that you may see.' }),
    },
    async resolve(_parent, { range: given, filter }, context) {
      const range = rangeOf(given)
      const asOfMs = context.parts.now()
      return totalsIn(await context.parts.statistics.totals(range, useFilter(filter, context)), range, asOfMs)
    },
  }),
  series: t.field({
    type: [SeriesPoint],
    description: 'One point an hour or day, also where nothing happened; with `by` only where something did.',
    authScopes: { user: true },
    args: {
      range: t.arg({ type: RangeInput, required: true, description: rangeArg }),
      interval: t.arg({ type: Interval, required: true, description: 'How long a point is.' }),
      filter: t.arg({ type: TotalsFilterInput, description: 'Absent: all that you may see.' }),
      by: t.arg({ type: TotalsDimension, description: 'One line for each of these; absent: one for all.' }),
    },
    async resolve(_parent, { range: given, interval, filter, by }, context) {
      const range = rangeOf(given, interval)
      const asOfMs = context.parts.now()
      const found = await context.parts.statistics.series(range, interval, useFilter(filter, context), by ?? undefined)
      if (found.length > maxPoints) throw tooManyPoints()
      const points = found.map(({ totals, endMs, ...point }) => {
        const fromMs = Math.max(point.atMs, range.fromMs)
        return { ...point, totals: totalsIn(totals, { fromMs, toMs: Math.min(endMs, range.toMs) }, asOfMs) }
      })
      if (!by) return points.map((point) => ({ ...point, label: null }))
      return withLabels(points as { atMs: number; key: string; totals: RangeTotals }[], by, context)
    },
  }),
  ranking: t.field({
    type: [RankedTotals],
    description: 'The dearest first.',
    authScopes: { user: true },
    args: {
      range: t.arg({ type: RangeInput, required: true, description: rangeArg }),
      by: t.arg({ type: TotalsDimension, required: true, description: 'What is ranked.' }),
      filter: t.arg({ type: TotalsFilterInput, description: 'Absent: all that you may see.' }),
      first: t.arg.int({ defaultValue: defaultRanked, ...pageSize, description: `How many, 1 to ${maxPage}.` }),
    },
    async resolve(_parent, { range: given, by, filter, first }, context) {
      const range = rangeOf(given)
      const asOfMs = context.parts.now()
      const rows = await context.parts.statistics.ranking(range, by, useFilter(filter, context), first ?? defaultRanked)
      const found = rows.map(({ key, totals }) => ({ key, totals: totalsIn(totals, range, asOfMs) }))
      return withLabels(found, by, context)
    },
  }),
}))
