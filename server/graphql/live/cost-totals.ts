import type { DayTotals, TotalsEvent } from '../../live/day-totals.ts'
import type { LiveMessage } from '../../live/live-events.ts'
import { builder } from '../builder.ts'
import { liveViewer } from './live-viewer.ts'
import { cursorText, GapRef, gapText } from './subscriptions.ts'

const DaySums = builder.interfaceRef<DayTotals>('DaySums').implement({
  description: 'Sums over requests that began on one day and have ended.',
  authScopes: { user: true },
  fields: (t) => ({
    day: t.field({ description: 'The day.', type: 'Date', resolve: ({ day }) => day }),
    requests: t.expose('requests', { description: 'Requests of any outcome.', type: 'Count' }),
    failures: t.expose('failures', { description: 'Those of any outcome but COMPLETED.', type: 'Count' }),
    cancelled: t.expose('cancelled', { description: 'Of the failures, those whose client left.', type: 'Count' }),
    rejected: t.expose('rejected', {
      description: 'Requests that were refused before any upstream was asked; not among `requests`.',
      type: 'Count',
    }),
    tokens: t.expose('tokens', { description: 'All classes together.', type: 'Count' }),
    cost: t.field({
      description: 'What the keys are charged.',
      type: 'NanoUsd',
      resolve: ({ costNano }) => BigInt(costNano),
    }),
  }),
})

const CostTotals = builder.objectRef<DayTotals & { cursor: string }>('CostTotals').implement({
  description: 'The sums of today, of people who are no administrators their own.',
  authScopes: { user: true },
  interfaces: [DaySums],
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'The point of the feed at which these sums are true.' }),
  }),
})

const CostTotalsSnapshot = builder.objectRef<TotalsEvent>('CostTotalsSnapshot').implement({
  description: 'All of today: it replaces what came before.',
  authScopes: { user: true },
  interfaces: [DaySums],
})

const CostTotalsDelta = builder.objectRef<TotalsEvent>('CostTotalsDelta').implement({
  description: 'What is to be added to the sums so far.',
  authScopes: { user: true },
  interfaces: [DaySums],
})

const CostTotalsEvent = builder.unionType('CostTotalsEvent', {
  description: 'How the sums of today change.',
  types: [CostTotalsSnapshot, CostTotalsDelta],
  resolveType: ({ snapshot }) => (snapshot ? 'CostTotalsSnapshot' : 'CostTotalsDelta'),
})

const CostTotalsEvents = builder.objectRef<LiveMessage<TotalsEvent>>('CostTotalsEvents').implement({
  description: 'Changes of the sums of today, in their order.',
  authScopes: { user: true },
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: cursorText }),
    gap: t.expose('gap', {
      description: `${gapText} Here always null: a snapshot holds whatever was missed.`,
      type: GapRef,
      nullable: true,
    }),
    events: t.field({
      description: 'Never empty. The first of a subscription is a snapshot.',
      type: [CostTotalsEvent],
      resolve: ({ events }) => events,
    }),
  }),
})

builder.queryField('costTotals', (t) =>
  t.field({
    type: CostTotals,
    nullable: true,
    description: 'The sums of today in the time zone of the deployment.',
    authScopes: { user: true },
    resolve: (_root, _args, { parts, viewer }) => ({
      cursor: parts.live.cursor(),
      ...parts.live.totals(liveViewer(viewer)),
    }),
  }),
)

builder.subscriptionField('costTotals', (t) =>
  t.field({
    type: CostTotalsEvents,
    description: 'The sums of today: at once a snapshot, then what is to be added, or another snapshot.',
    authScopes: { user: true },
    args: {
      after: t.arg.string({
        description: 'As in the other subscriptions; it changes nothing, because the first message is a snapshot.',
      }),
    },
    subscribe: (_root, _args, { parts, viewer }) => parts.live.costTotals(liveViewer(viewer), viewer ?? undefined),
    resolve: (message) => message,
  }),
)
