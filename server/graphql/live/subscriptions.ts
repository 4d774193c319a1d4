import type { Gap, LiveEvent, LiveKind, LiveMessage } from '../../live/live-events.ts'
import { AccountStepType } from '../accounts/account-timeline.ts'
import { Account } from '../accounts/accounts.ts'
import { builder } from '../builder.ts'
import { Rejection } from '../rejections/rejection-type.ts'
import { Request } from '../requests/request-type.ts'
import { viewOfRunning, viewOfSettled } from '../requests/request-view.ts'
import { badInput, idNumber } from '../values.ts'
import { liveViewer } from './live-viewer.ts'

/** Texts and types that all three subscriptions share. */
export const cursorText = 'Give it as `after` to go on behind this message.'
export const gapText = 'Events between the last message and this one were missed; null nearly always.'
const afterText =
  'The cursor of the last message that was handled, or of a query; absent: from now on. One that is too old gives a gap first.'

export const GapRef = builder.objectRef<Gap>('Gap').implement({
  description: 'Events after `from` and up to `to` were missed: read again what you keep up to date by events.',
  authScopes: { user: true },
  fields: (t) => ({
    from: t.exposeString('from', { description: 'The last cursor before the gap.' }),
    to: t.exposeString('to', { description: 'The cursor behind the gap.' }),
    dropped: t.exposeInt('dropped', {
      description: 'At most so many events were missed; null when nobody knows how many.',
      nullable: true,
    }),
  }),
})

const RequestStarted = builder.objectRef<LiveEvent>('RequestStarted').implement({
  description: 'A request was admitted.',
  authScopes: { user: true },
  fields: (t) => ({
    request: t.field({
      description: 'As it was admitted.',
      type: Request,
      resolve: ({ started }) => viewOfRunning(started!),
    }),
  }),
})

const RequestProgressed = builder.objectRef<LiveEvent>('RequestProgressed').implement({
  description: 'A request went on; at most one such event a second and request.',
  authScopes: { user: true },
  fields: (t) => ({
    request: t.field({
      description: 'The whole of it, not only what changed.',
      type: Request,
      resolve: ({ progress }) => viewOfRunning(progress!),
    }),
  }),
})

const RequestSettled = builder.objectRef<LiveEvent>('RequestSettled').implement({
  description: 'A request ended. Its row is in the ledger, or follows within moments.',
  authScopes: { user: true },
  fields: (t) => ({
    request: t.field({
      description: 'As the ledger has it.',
      type: Request,
      resolve: ({ settled }, _args, context) => viewOfSettled(settled!, context),
    }),
  }),
})

const RequestsRejected = builder.objectRef<LiveEvent>('RequestsRejected').implement({
  description:
    'Requests were refused before any upstream was asked; at most one such event a second for each caller and reason.',
  authScopes: { user: true },
  fields: (t) => ({
    rejection: t.field({
      description: 'Of this second.',
      type: Rejection,
      resolve: ({ rejected }) => rejected!,
    }),
    requestIds: t.stringList({
      description: 'Those of them that had started, and waited in the queue: they run no more.',
      resolve: ({ rejected }) => [...rejected!.requestIds],
    }),
  }),
})

const RequestEvent = builder.unionType('RequestEvent', {
  description: 'What happens to requests. A client passes over types that it does not know.',
  types: [RequestStarted, RequestProgressed, RequestSettled, RequestsRejected],
  resolveType: ({ started, progress, settled }) =>
    started ? 'RequestStarted' : progress ? 'RequestProgressed' : settled ? 'RequestSettled' : 'RequestsRejected',
})

const AccountChanged = builder.objectRef<LiveEvent>('AccountChanged').implement({
  description: 'The state, a limit gauge or a setting of an account changed.',
  authScopes: { user: true },
  fields: (t) => ({
    account: t.field({
      type: Account,
      nullable: true,
      description:
        'The account, with the state and the limit gauges of the event; null when it is no longer yours to see.',
      resolve: async ({ account: change }, _args, { batches }) => {
        const row = await batches.account(change!.accountId)
        return row && { ...row, change }
      },
    }),
    steps: t.field({
      type: [AccountStepType],
      description: 'The new steps of its timeline; empty when something else than its state changed.',
      resolve: ({ account }) => account!.steps,
    }),
  }),
})

const AccountEvent = builder.unionType('AccountEvent', {
  description: 'What happens to accounts. A client passes over types that it does not know.',
  types: [AccountChanged],
  resolveType: () => 'AccountChanged',
})

const RequestEvents = builder.objectRef<LiveMessage>('RequestEvents').implement({
  description: 'Events of requests, in their order.',
  authScopes: { user: true },
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: cursorText }),
    gap: t.expose('gap', { description: gapText, type: GapRef, nullable: true }),
    events: t.field({
      type: [RequestEvent],
      description: 'After the gap, if there is one. Empty in the first message of a subscription that begins now.',
      resolve: ({ events }) => events,
    }),
  }),
})

const AccountEvents = builder.objectRef<LiveMessage>('AccountEvents').implement({
  description: 'Events of accounts, in their order.',
  authScopes: { user: true },
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: cursorText }),
    gap: t.expose('gap', { description: gapText, type: GapRef, nullable: true }),
    events: t.field({
      type: [AccountEvent],
      description: 'After the gap, if there is one. Empty in the first message of a subscription that begins now.',
      resolve: ({ events }) => events,
    }),
  }),
})

const RequestEventKind = builder.enumType('RequestEventKind', {
  description: 'The types of events of requests.',
  values: {
    STARTED: { value: 'started', description: 'Events of the type RequestStarted.' },
    PROGRESSED: { value: 'progress', description: 'Events of the type RequestProgressed.' },
    SETTLED: { value: 'settled', description: 'Events of the type RequestSettled.' },
    REJECTED: { value: 'rejected', description: 'Events of the type RequestsRejected.' },
  } as const,
})

const RequestEventFilter = builder.inputType('RequestEventFilter', {
  description: 'All that is given must hold; of a list one value must fit. A list has at most 100 values.',
  fields: (t) => ({
    kinds: t.field({ description: 'The types of events.', type: [RequestEventKind] }),
    apiKeyIds: t.idList({ description: 'The key that the request came with.' }),
    groupIds: t.idList({ description: 'The group of the key.' }),
  }),
})

const AccountEventFilter = builder.inputType('AccountEventFilter', {
  description: 'All that is given must hold; of a list one value must fit. A list has at most 100 values.',
  fields: (t) => ({
    accountIds: t.idList({ description: 'The accounts.' }),
    groupIds: t.idList({ description: 'The groups that they serve.' }),
  }),
})

builder.subscriptionFields((t) => ({
  requestEvents: t.field({
    type: RequestEvents,
    description: 'Requests as they start, go on and settle. The first message comes at once.',
    authScopes: { user: true },
    args: {
      after: t.arg.string({ description: afterText }),
      filter: t.arg({ type: RequestEventFilter, description: 'Absent: all that you may see.' }),
    },
    subscribe: (_root, { after, filter }, { parts, viewer }) => {
      const { kinds, apiKeyIds, groupIds } = filter ?? {}
      return parts.live.events(
        {
          viewer: liveViewer(viewer),
          kinds: kinds ?? (['started', 'progress', 'settled', 'rejected'] satisfies LiveKind[]),
          apiKeyIds: numbers(apiKeyIds, 'ApiKey'),
          groupIds: numbers(groupIds, 'Group'),
        },
        after ?? undefined,
        viewer ?? undefined,
      )
    },
    resolve: (message) => message,
  }),
  accountEvents: t.field({
    type: AccountEvents,
    description: 'Accounts as their state, limit gauges and settings change. The first message comes at once.',
    authScopes: { user: true },
    args: {
      after: t.arg.string({ description: afterText }),
      filter: t.arg({ type: AccountEventFilter, description: 'Absent: all that you may see.' }),
    },
    subscribe: (_root, { after, filter }, { parts, viewer }) => {
      const { accountIds, groupIds } = filter ?? {}
      return parts.live.events(
        {
          viewer: liveViewer(viewer),
          kinds: ['account'],
          accountIds: numbers(accountIds, 'Account'),
          groupIds: numbers(groupIds, 'Group'),
        },
        after ?? undefined,
        viewer ?? undefined,
      )
    },
    resolve: (message) => message,
  }),
}))

/** Ids of a filter. */
function numbers(ids: readonly (string | number)[] | null | undefined, type: string): number[] | undefined {
  if (ids && ids.length > 100) throw badInput('A list of a filter has at most 100 values.')
  return ids?.map((id) => idNumber(String(id), type))
}
