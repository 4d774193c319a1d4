import type { LimitGauge } from '../../live/live-events.ts'
import { builder } from '../builder.ts'
import { badInput } from '../values.ts'
import { Account, type ChangedAccount } from './accounts.ts'

const utilization =
  'Share of the limit that is used: 1 is all of it, more is possible; null when the vendor did not say.'
const shareOf = (usedPpm: number | null): number | null => (usedPpm === null ? null : usedPpm / 1e6)
const dateOf = (ms: number | null): Date | null => (ms === null ? null : new Date(ms))

const LimitGaugeType = builder.objectRef<LimitGauge>('LimitGauge').implement({
  description: "One window of an account's own limits, as its vendor said it last in passing.",
  authScopes: { user: true },
  fields: (t) => ({
    window: t.exposeString('window', {
      description: 'The vendor names the window, such as 5h, 7d, 7d_sonnet or overage.',
    }),
    status: t.string({
      nullable: true,
      description: "In the vendor's own words: allowed, allowed_warning, rejected, …; null when it did not say.",
      resolve: ({ status }) => status || null,
    }),
    utilization: t.float({
      nullable: true,
      description: utilization,
      resolve: ({ usedPpm }) => shareOf(usedPpm),
    }),
    resetAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the window ends; in the past: it is over, and nothing was said since. null when unsaid.',
      resolve: ({ resetMs }) => dateOf(resetMs),
    }),
    at: t.field({ type: 'DateTime', description: 'When this was said.', resolve: ({ atMs }) => new Date(atMs) }),
  }),
})

const LimitGaugePoint = builder.objectRef<Omit<LimitGauge, 'window'>>('LimitGaugePoint').implement({
  description: 'What a window said before, to the minute.',
  authScopes: { user: true },
  fields: (t) => ({
    at: t.field({ description: 'When it was said.', type: 'DateTime', resolve: ({ atMs }) => new Date(atMs) }),
    status: t.string({
      nullable: true,
      description: "In the vendor's own words; null when it did not say.",
      resolve: ({ status }) => status || null,
    }),
    utilization: t.float({
      nullable: true,
      description: utilization,
      resolve: ({ usedPpm }) => shareOf(usedPpm),
    }),
    resetAt: t.field({
      description: 'When that window was to end; null when unsaid.',
      type: 'DateTime',
      nullable: true,
      resolve: ({ resetMs }) => dateOf(resetMs),
    }),
  }),
})

/** A week at a point in ten minutes. */
const maxPoints = 1008
const maxRangeMs = 31 * 24 * 3_600_000

builder.objectField(Account, 'limitGauges', (t) =>
  t.field({
    type: [LimitGaugeType],
    description: 'The shortest window first; none for accounts whose platform or vendor says nothing of limits.',
    resolve: ({ id, change }: ChangedAccount, _args, { parts }) => [...(change?.gauges ?? parts.gauges.of(id))],
  }),
)

builder.objectField(Account, 'limitGaugeHistory', (t) =>
  t.field({
    type: [LimitGaugePoint],
    nullable: true,
    description:
      'What a window said from `from` up to `to`, the oldest first: a point where something changed by a percent or more, and ' +
      `at least every ten minutes in which answers came. Of more than ${maxPoints} points the newest; kept for 30 days.`,
    args: {
      window: t.arg.string({ required: true, description: 'As `limitGauges` names it.' }),
      from: t.arg({ type: 'DateTime', required: true, description: 'Included.' }),
      to: t.arg({ type: 'DateTime', required: true, description: 'After `from`, by at most 31 days.' }),
    },
    resolve: ({ id }, { window, from, to }, { parts }) => {
      const [fromMs, toMs] = [from.getTime(), to.getTime()]
      if (!(fromMs < toMs) || toMs - fromMs > maxRangeMs)
        throw badInput('`from` must be before `to`, by at most 31 days.')
      return parts.gauges.history(id, window.slice(0, 32), { fromMs, toMs, max: maxPoints })
    },
  }),
)

const MaxUtilization = builder.objectRef<{ window: string; share: number }>('MaxUtilization').implement({
  description: 'From which share of a limit an account takes no new sessions.',
  authScopes: { user: true },
  fields: (t) => ({
    window: t.exposeString('window', { description: 'The window as `limitGauges` names it.' }),
    share: t.exposeFloat('share', { description: 'Above 0 to 1.' }),
  }),
})

builder.objectField(Account, 'maxUtilization', (t) =>
  t.field({
    type: [MaxUtilization],
    description: 'From which shares of its limits it takes no new sessions; those that it has go on.',
    resolve: ({ maxUtilization }) =>
      Object.entries(JSON.parse(maxUtilization) as Record<string, number>).map(([window, share]) => ({
        window,
        share,
      })),
  }),
)
