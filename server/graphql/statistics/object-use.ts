import { noTotals } from '../../statistics/sums.ts'
import { Account } from '../accounts/accounts.ts'
import { builder } from '../builder.ts'
import { ApiKey } from '../keys/api-keys.ts'
import type { Context } from '../server/context.ts'
import { weekBegin } from '../settings/week-begin.ts'
import type { RangeTotals } from './totals-type.ts'
import { Totals, totalsIn } from './totals-type.ts'

const periods = {
  usageToday: { period: 'today', text: "since midnight in the deployment's zone" },
  usageThisWeek: { period: 'week', text: 'since the week of the deployment began' },
  usageAllTime: { period: 'allTime', text: 'at any time' },
} as const

async function usageOf(
  of: 'key' | 'account',
  id: number,
  period: 'today' | 'week' | 'allTime',
  context: Context,
): Promise<RangeTotals> {
  const { batches, parts } = context
  const asOfMs = parts.now()
  const first = period === 'today' ? parts.dayAt(asOfMs) : period === 'week' ? await weekBegin(context) : null
  const totals = (await batches.useSince(of, first?.day ?? null, id)) ?? noTotals
  return totalsIn(totals, { fromMs: first?.startMs ?? 0, toMs: asOfMs }, asOfMs)
}

for (const [name, { period, text }] of Object.entries(periods)) {
  builder.objectField(ApiKey, name, (t) =>
    t.field({
      type: Totals,
      nullable: true,
      description: `The sums of its requests that began ${text}.`,
      resolve: ({ id }, _args, context) => usageOf('key', id, period, context),
    }),
  )
  builder.objectField(Account, name, (t) =>
    t.field({
      type: Totals,
      nullable: true,
      description: `The sums of requests that began ${text} and ended on this account; \`absorbed\` also counts its failed attempts.`,
      resolve: ({ id }, _args, context) => usageOf('account', id, period, context),
    }),
  )
}

builder.objectField(Account, 'lastUsedAt', (t) =>
  t.field({
    type: 'DateTime',
    nullable: true,
    description: 'Begin of the newest request in the ledger that ended on it; null: none.',
    async resolve({ id }, _args, { batches }) {
      const atMs = await batches.lastUsed.account(id)
      return atMs === undefined ? null : new Date(atMs)
    },
  }),
)
