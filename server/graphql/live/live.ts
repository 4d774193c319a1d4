import { encodeGlobalID } from '@pothos/plugin-relay'
import type { CostTotals } from '../../live/day-totals.ts'
import type { AccountChange, Gap, LimitGauge, LiveEvent, LiveKind } from '../../live/live-events.ts'
import { LimitGaugeType } from '../accounts/account-gauges.ts'
import { AccountStateType } from '../accounts/account-state.ts'
import { AccountStepType } from '../accounts/account-timeline.ts'
import { builder } from '../builder.ts'
import { idNumber } from '../values.ts'
import { LiveRequestRef, SettledRequestRef } from './live-requests.ts'
import { liveViewer } from './live-viewer.ts'

const AccountChangeRef = builder.objectRef<AccountChange>('AccountChange').implement({
  description: 'An account as it is since something of it changed.',
  authScopes: { user: true },
  fields: (t) => ({
    accountId: t.id({
      description: 'Global id of the Account.',
      resolve: ({ accountId }) => encodeGlobalID('Account', accountId),
    }),
    name: t.exposeString('name', { description: 'Of the account.' }),
    enabled: t.exposeBoolean('enabled', { description: 'The manual switch.' }),
    state: t.field({ description: 'As it is now.', type: AccountStateType, resolve: ({ state }) => state }),
    inFlight: t.exposeInt('inFlight', { description: 'Requests under way on it, in the process that tells.' }),
    limitGauges: t.field({
      type: [LimitGaugeType],
      description: 'All that are known, the shortest window first.',
      resolve: ({ gauges }) => (gauges ?? []) as LimitGauge[],
    }),
    steps: t.field({
      type: [AccountStepType],
      description: 'What this tells of the timeline; empty when something else changed.',
      resolve: ({ steps }) => steps,
    }),
  }),
})

const GapRef = builder.objectRef<Gap>('Gap').implement({
  description: 'Events were missed: read the lists again.',
  authScopes: { user: true },
  fields: (t) => ({
    dropped: t.exposeInt('dropped', { description: 'At most so many; 0: nobody knows how many.' }),
  }),
})

const LiveEventRef = builder.objectRef<LiveEvent>('LiveEvent').implement({
  description: 'One thing that happened: exactly one of the objects is there.',
  authScopes: { user: true },
  fields: (t) => ({
    sequence: t.exposeString('sequence', { description: 'Give it as `after` to go on behind this event.' }),
    gap: t.field({ description: 'Events were missed.', type: GapRef, nullable: true, resolve: ({ gap }) => gap }),
    started: t.field({
      description: 'A request was admitted.',
      type: LiveRequestRef,
      nullable: true,
      resolve: ({ started }) => started,
    }),
    progress: t.field({
      description: 'A request went on: the whole of it, not what changed.',
      type: LiveRequestRef,
      nullable: true,
      resolve: ({ progress }) => progress,
    }),
    settled: t.field({
      description: 'A request ended, and is in the ledger or on its way there.',
      type: SettledRequestRef,
      nullable: true,
      resolve: ({ settled }) => settled,
    }),
    account: t.field({
      description: 'An account changed.',
      type: AccountChangeRef,
      nullable: true,
      resolve: ({ account }) => account,
    }),
  }),
})

const CostTotalsRef = builder.objectRef<CostTotals>('CostTotals').implement({
  description: 'Sums of today in the deployment’s zone; of people who are no administrators, their own.',
  authScopes: { user: true },
  fields: (t) => ({
    revision: t.exposeString('revision', {
      description:
        'A whole number as text that grows with whatever is counted; only to be compared within one subscription.',
    }),
    snapshot: t.exposeBoolean('snapshot', { description: 'True: all of today. False: add it to what you have.' }),
    day: t.exposeString('day', { description: 'YYYY-MM-DD' }),
    requests: t.expose('requests', { description: 'That began today and have ended, however.', type: 'Count' }),
    failures: t.expose('failures', { description: 'Those of any outcome but COMPLETED.', type: 'Count' }),
    tokens: t.expose('tokens', { description: 'All classes together.', type: 'Count' }),
    cost: t.field({
      description: 'What the keys are charged.',
      type: 'NanoUsd',
      resolve: ({ costNano }) => BigInt(costNano),
    }),
  }),
})

/** A subscription to events of these kinds (null: all). A message holds the events since the last one, in order. */
function addEvents(name: string, kinds: readonly LiveKind[] | null, description: string): void {
  builder.subscriptionField(name, (t) =>
    t.field({
      type: [LiveEventRef],
      description,
      authScopes: { user: true },
      args: {
        groupId: t.arg.id({ description: 'Only what belongs to this Group.' }),
        apiKeyId: t.arg.id({ description: 'Only requests of this ApiKey; nothing of accounts.' }),
        after: t.arg.string({ description: 'The sequence of the last event handled; without it, from now on.' }),
      },
      subscribe: (_root, { groupId, apiKeyId, after }, { parts, viewer }) =>
        parts.live.events(
          {
            viewer: liveViewer(viewer),
            ...(kinds && { kinds }),
            ...(typeof groupId === 'string' && { groupId: idNumber(groupId, 'Group') }),
            ...(typeof apiKeyId === 'string' && { apiKeyId: idNumber(apiKeyId, 'ApiKey') }),
          },
          after ?? undefined,
          viewer ?? undefined,
        ),
      resolve: (events) => events,
    }),
  )
}

addEvents('live', null, 'Everything that happens, in one order.')
addEvents('requestStarted', ['started'], 'Requests as they are admitted.')
addEvents('requestProgress', ['progress'], 'Requests under way, at most once a second each.')
addEvents('requestSettled', ['settled'], 'Requests as they end.')
addEvents('accountChanged', ['account'], 'Accounts whose state, switch, load or limit gauges changed.')

builder.subscriptionField('costTotals', (t) =>
  t.field({
    type: CostTotalsRef,
    description: 'Sums of today: a snapshot, then what is to be added, or another snapshot.',
    authScopes: { user: true },
    subscribe: (_root, _args, { parts, viewer }) => parts.live.costTotals(liveViewer(viewer), viewer ?? undefined),
    resolve: (totals) => totals,
  }),
)
