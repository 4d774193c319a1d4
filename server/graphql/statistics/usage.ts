import { encodeGlobalID } from '@pothos/plugin-relay'
import { GraphQLError, type GraphQLResolveInfo, type SelectionSetNode } from 'graphql'
import type { Range } from '../../statistics/range-plan.ts'
import { type Dimension, dimensions, type Order, type TotalsFilter } from '../../statistics/sums.ts'
import type { Interval } from '../../statistics/usage.ts'
import { Platform } from '../accounts/accounts.ts'
import { builder, maxPage, pageSize } from '../builder.ts'
import type { Context } from '../server/context.ts'
import { weekStartOf } from '../settings/week-begin.ts'
import { badInput, idNumbers } from '../values.ts'
import { visibleUse } from '../visible.ts'
import { RangeInput, rangeArg, rangeOf } from './range-input.ts'
import { type RangeTotals, totalsIn } from './totals-type.ts'
import { Usage, type UsageRow, type UsageView } from './usage-types.ts'

const intervals = ['hour', 'day', 'week', 'month'] as const
type Grouping = Interval | Dimension

const UsageGroup = builder.enumType('UsageGroup', {
  description: 'What sums are told apart by.',
  values: {
    HOUR: { value: 'hour', description: 'Whole hours in UTC; a range of at most 31 days.' },
    DAY: { value: 'day', description: 'Days of the zone of the deployment; a range of at most three years.' },
    WEEK: { value: 'week', description: 'Weeks of the deployment: `weekStart` of the settings is their first day.' },
    MONTH: { value: 'month', description: 'Months of the calendar in the zone of the deployment.' },
    KEY: { value: 'key', description: 'The key that the request came with.' },
    ACCOUNT: { value: 'account', description: 'The last account tried.' },
    USER: { value: 'user', description: 'Who owned the key then.' },
    GROUP: { value: 'group', description: 'The group of the key then.' },
    PLATFORM: { value: 'platform', description: 'The platform of the last account tried.' },
    MODEL: { value: 'model', description: 'The model as it was billed.' },
    TAG: { value: 'tag', description: 'The tag of the key then.' },
  } as const satisfies Record<string, { value: Grouping; description: string }>,
})

const UsageOrder = builder.enumType('UsageOrder', {
  description: 'What the rows of a ranking go by; the highest first.',
  values: {
    COST: { value: 'cost', description: 'What they cost.' },
    REQUESTS: { value: 'requests', description: 'How many requests.' },
    TOKENS: { value: 'tokens', description: 'Tokens of all classes.' },
    FAILURES: { value: 'failures', description: 'Requests of any outcome but COMPLETED.' },
    REJECTED: { value: 'rejected', description: 'Requests that were refused before any upstream was asked.' },
    FAILOVERS: { value: 'failovers', description: 'Attempts beyond the first of each request.' },
    CACHE_SAVED: { value: 'cacheSaved', description: 'What caching saved.' },
  } as const satisfies Record<string, { value: Order; description: string }>,
})

const maxAmong = 100
const UsageFilterInput = builder.inputType('UsageFilter', {
  description: 'All that is given must hold; of a list one value must fit. A list has at most 100 values.',
  fields: (t) => ({
    apiKeyIds: t.idList({ description: 'The key that the request came with.' }),
    accountIds: t.idList({ description: 'The last account tried.' }),
    ownerIds: t.idList({
      description: 'Who owned the key then. Of people who are no administrators, only themselves.',
    }),
    groupIds: t.idList({ description: 'The group of the key then.' }),
    platforms: t.field({ type: [Platform], description: 'The platform of the last account tried.' }),
    models: t.stringList({ description: 'The model as it was billed.' }),
    tags: t.stringList({ description: 'The tag of the key then; an empty text: none.' }),
  }),
})

/** The filter with ids as numbers, limited to what the viewer may read. */
function usageFilter(
  given: typeof UsageFilterInput.$inferInput | null | undefined,
  { viewer }: Pick<Context, 'viewer'>,
): TotalsFilter {
  const among = <Value>(name: keyof typeof UsageFilterInput.$inferInput) => {
    const values = given?.[name] as readonly Value[] | null | undefined
    if (values && values.length > maxAmong) throw badInput(`\`where.${name}\` has at most ${maxAmong} values.`)
    return values ?? undefined
  }
  const ids = (name: 'apiKeyIds' | 'accountIds' | 'ownerIds' | 'groupIds', type: string) => {
    const values = among<string>(name)
    return values && idNumbers(values, type)
  }
  const owners = ids('ownerIds', 'User')
  const { userId: own } = visibleUse(viewer)
  return {
    apiKeyIds: ids('apiKeyIds', 'ApiKey'),
    accountIds: ids('accountIds', 'Account'),
    groupIds: ids('groupIds', 'Group'),
    userIds: own === undefined ? owners : owners === undefined || owners.includes(own) ? [own] : [],
    platforms: among<string>('platforms'),
    models: among<string>('models'),
    tags: among<string>('tags'),
  }
}

/** The most points that a series may have: one with points left out would be wrong. */
const maxPoints = 20_000
const defaultRanked = 10
const nodeTypes: Partial<Record<Dimension, string>> = {
  key: 'ApiKey',
  account: 'Account',
  user: 'User',
  group: 'Group',
}

type Labels = Map<string, { key: string | null; label: string | null }>

/** Names that the viewer may read, by the id or name that the rollups have; null for requests that have none. */
async function labelsOf(keys: readonly string[], by: Dimension, { batches }: Context): Promise<Labels> {
  const entries = keys.map(async (key): Promise<[string, { key: string | null; label: string | null }]> => {
    if (key === '' || (key === '0' && nodeTypes[by])) return [key, { key: null, label: null }]
    const type = nodeTypes[by]
    if (type === undefined) return [key, { key, label: key }]
    const id = Number(key)
    const name =
      by === 'user'
        ? (await batches.user(id))?.username
        : (await (by === 'key' ? batches.apiKey : by === 'account' ? batches.account : batches.group)(id))?.name
    return [key, { key: encodeGlobalID(type, key), label: name ?? `#${id}` }]
  })
  return new Map(await Promise.all(entries))
}

/** Whether an operation asks for one of these fields, at any depth. */
function asksFor({ fieldNodes, fragments }: GraphQLResolveInfo, names: readonly string[]): boolean {
  const isIn = (set: SelectionSetNode | undefined): boolean =>
    set?.selections.some((one) => {
      if (one.kind === 'FragmentSpread') return isIn(fragments[one.name.value]?.selectionSet)
      return (one.kind === 'Field' && names.includes(one.name.value)) || isIn(one.selectionSet)
    }) ?? false
  return fieldNodes.some(({ selectionSet }) => isIn(selectionSet))
}

/** One interval and one dimension at most. */
function groupingOf(groupBy: readonly Grouping[]): { interval: Interval | null; by: Dimension | null } {
  const times = groupBy.filter((one): one is Interval => (intervals as readonly string[]).includes(one))
  const others = groupBy.filter((one): one is Dimension => (dimensions as readonly string[]).includes(one))
  if (times.length > 1 || others.length > 1)
    throw badInput('`groupBy` has at most one of HOUR, DAY, WEEK, MONTH and one of the others.')
  return { interval: times[0] ?? null, by: others[0] ?? null }
}

builder.queryField('usage', (t) =>
  t.field({
    type: Usage,
    nullable: true,
    description:
      'Sums over a range, told apart by time, by a dimension or by both; of people who are no administrators, of their own requests.',
    authScopes: { user: true },
    args: {
      range: t.arg({ type: RangeInput, required: true, description: rangeArg }),
      groupBy: t.arg({
        type: [UsageGroup],
        defaultValue: [],
        description: 'At most one of HOUR, DAY, WEEK, MONTH and one of the others; empty: totals alone.',
      }),
      where: t.arg({ type: UsageFilterInput, description: 'Absent: all that you may see.' }),
      orderBy: t.arg({ type: UsageOrder, defaultValue: 'cost', description: 'What a ranking goes by.' }),
      first: t.arg.int({
        defaultValue: defaultRanked,
        ...pageSize,
        description: `How many keys, accounts and so on, 1 to ${maxPage}. With an interval each has a row in every one.`,
      }),
    },
    async resolve(_parent, args, context, info): Promise<UsageView> {
      const { interval, by } = groupingOf(args.groupBy ?? [])
      const range = rangeOf(args.range, interval ?? undefined)
      const filter = usageFilter(args.where, context)
      const { usage } = context.parts.statistics
      const first = args.first ?? defaultRanked
      if (interval && usage.pointCount(range, interval) * (by ? first : 1) > maxPoints)
        throw new GraphQLError(
          `This series may have more than ${maxPoints} points. Choose a shorter range, a longer interval, or fewer with \`first\`.`,
          { extensions: { code: 'QUERY_TOO_COMPLEX' } },
        )
      const asOfMs = context.parts.now()
      const told = usage.effective(range)
      const buckets = asksFor(info, ['durations', 'firstBytes'])
      const once = (of: Range): (() => Promise<RangeTotals>) => {
        let reading: Promise<RangeTotals> | undefined
        return () => {
          reading ??= usage.totals(of, filter, buckets).then((row) => totalsIn(row, usage.effective(of), asOfMs))
          return reading
        }
      }
      return {
        range: told,
        asOfMs,
        rows: await rowsOf(
          { range, told, interval, by, filter, first, orderBy: args.orderBy ?? 'cost', buckets, asOfMs },
          context,
        ),
        totals: once(range),
        before: once({ fromMs: range.fromMs - (range.toMs - range.fromMs), toMs: range.fromMs }),
      }
    },
  }),
)

interface Asked {
  range: Range
  told: Range
  interval: Interval | null
  by: Dimension | null
  filter: TotalsFilter
  first: number
  orderBy: Order
  buckets: boolean
  asOfMs: number
}

async function rowsOf(asked: Asked, context: Context): Promise<UsageRow[]> {
  const { range, told, interval, by, filter, first, orderBy, buckets, asOfMs } = asked
  const { statistics } = context.parts
  if (interval === null && by === null) return []
  const ranked =
    by === null
      ? []
      : await statistics.usage.ranking(range, by, filter, { orderBy, first, buckets: buckets && !interval })
  const keys = ranked.map(({ key }) => key)
  const labels = by === null ? (new Map() as Labels) : await labelsOf(keys, by, context)
  const named = (key: string | null) => labels.get(key ?? '') ?? { key: null, label: null }
  if (interval === null)
    return ranked.map(({ key, totals }) => ({ atMs: null, ...named(key), totals: totalsIn(totals, told, asOfMs) }))
  const weekStart = interval === 'week' ? await weekStartOf(context) : 0
  const points = await statistics.usage.series(range, interval, filter, { by, keys, weekStart, buckets })
  return points.map(({ key, atMs, endMs, totals }) => ({
    atMs,
    ...(by === null ? { key: null, label: null } : named(key)),
    totals: totalsIn(totals, { fromMs: Math.max(atMs, told.fromMs), toMs: Math.min(endMs, told.toMs) }, asOfMs),
  }))
}
