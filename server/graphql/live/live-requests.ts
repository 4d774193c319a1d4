import { encodeGlobalID } from '@pothos/plugin-relay'
import type { LiveRequest, SettledRequest } from '../../live/live-events.ts'
import { builder } from '../builder.ts'
import { Outcome } from '../requests/log-types.ts'
import type { Context } from '../server/context.ts'
import { liveViewer } from './live-viewer.ts'

/** Hides accounts of other owners, as the log does. */
function visibleAccount(
  { accountId, accountName }: Pick<LiveRequest, 'accountId' | 'accountName'>,
  { viewer, parts }: Context,
) {
  if (accountId === null || viewer === null) return null
  if (viewer.role !== 'admin' && parts.accounts.byId(accountId)?.ownerId !== viewer.userId) return null
  return { id: encodeGlobalID('Account', accountId), name: accountName }
}

export const LiveRequestRef = builder.objectRef<LiveRequest>('LiveRequest').implement({
  description: 'A request under way.',
  authScopes: { user: true },
  fields: (t) => ({
    requestId: t.exposeString('requestId', { description: 'As the client gets it: req_….' }),
    startedAt: t.field({
      description: 'When its header had arrived.',
      type: 'DateTime',
      resolve: ({ startedAtMs }) => new Date(startedAtMs),
    }),
    apiKeyId: t.id({
      description: 'Global id of the ApiKey.',
      resolve: ({ apiKeyId }) => encodeGlobalID('ApiKey', apiKeyId),
    }),
    apiKeyName: t.exposeString('apiKeyName', { description: 'Name of that key when the request began.' }),
    accountId: t.id({
      description: 'Global id of the Account that is asked; null before one is chosen, or when it is not yours to see.',
      nullable: true,
      resolve: (request, _args, context) => visibleAccount(request, context)?.id,
    }),
    accountName: t.string({
      description: 'Name of that account; null as its id is.',
      nullable: true,
      resolve: (request, _args, context) => visibleAccount(request, context)?.name,
    }),
    groupId: t.id({
      description: 'Global id of the Group of the key.',
      resolve: ({ groupId }) => encodeGlobalID('Group', groupId),
    }),
    model: t.exposeString('model', { description: 'As the client asked for it.' }),
    stream: t.exposeBoolean('stream', { description: 'Whether the client asked for a stream.' }),
    attempt: t.exposeInt('attempt', { description: '1 for the first account; 0 before one is asked.' }),
    queuePosition: t.exposeInt('queuePosition', {
      nullable: true,
      description: 'In the line for a free account, 1 is next; null when it does not wait.',
    }),
    firstByteMs: t.exposeInt('firstByteMs', {
      description:
        'Milliseconds from its begin to the first byte that the client got; null before, and for answers that are no stream.',
      nullable: true,
    }),
    inputTokens: t.expose('inputTokens', { type: 'Count', description: 'So far, with cache reads and writes.' }),
    outputTokens: t.expose('outputTokens', { type: 'Count', description: 'So far.' }),
  }),
})

export const SettledRequestRef = builder.objectRef<SettledRequest>('SettledRequest').implement({
  description: 'A request that ended, as the ledger has it.',
  authScopes: { user: true },
  fields: (t) => ({
    requestId: t.exposeString('requestId', { description: 'As the client got it: req_….' }),
    startedAt: t.field({
      description: 'When its header had arrived.',
      type: 'DateTime',
      resolve: ({ startedAtMs }) => new Date(startedAtMs),
    }),
    apiKeyId: t.id({
      description: 'Global id of the ApiKey.',
      resolve: ({ apiKeyId }) => encodeGlobalID('ApiKey', apiKeyId),
    }),
    apiKeyName: t.exposeString('apiKeyName', { description: 'Name of that key when the request began.' }),
    accountId: t.id({
      description: 'Global id of the last Account tried; null when none was, or when it is not yours to see.',
      nullable: true,
      resolve: (request, _args, context) => visibleAccount(request, context)?.id,
    }),
    accountName: t.string({
      description: 'Name of that account; null as its id is.',
      nullable: true,
      resolve: (request, _args, context) => visibleAccount(request, context)?.name,
    }),
    groupId: t.id({
      description: 'Global id of the Group of the key.',
      resolve: ({ groupId }) => encodeGlobalID('Group', groupId),
    }),
    model: t.exposeString('model', { description: 'As the client asked for it.' }),
    stream: t.exposeBoolean('stream', { description: 'Whether the client asked for a stream.' }),
    outcome: t.field({ description: 'How it ended.', type: Outcome, resolve: ({ outcome }) => outcome }),
    httpStatus: t.exposeInt('httpStatus', { description: 'What the client was answered; 0 when it left first.' }),
    errorType: t.exposeString('errorType', { description: "'' when it completed." }),
    attemptCount: t.exposeInt('attemptCount', { description: 'Calls of upstreams.' }),
    firstByteMs: t.exposeInt('firstByteMs', {
      description: 'Milliseconds from its begin to the first byte that the client got; null when it got none.',
      nullable: true,
    }),
    durationMs: t.exposeInt('durationMs', { description: 'Milliseconds from its begin to the end of the answer.' }),
    inputTokens: t.expose('inputTokens', { description: 'Read anew: without cache reads and writes.', type: 'Count' }),
    outputTokens: t.expose('outputTokens', { description: 'Written, with thinking.', type: 'Count' }),
    cacheReadTokens: t.expose('cacheReadTokens', { description: 'Read from the cache.', type: 'Count' }),
    cacheWriteTokens: t.expose('cacheWriteTokens', { description: 'Written into the cache.', type: 'Count' }),
    cost: t.field({
      description: 'What the key is charged.',
      type: 'NanoUsd',
      resolve: ({ costNano }) => BigInt(costNano),
    }),
  }),
})

builder.queryField('liveRequests', (t) =>
  t.field({
    type: [LiveRequestRef],
    description: 'Requests under way now in all processes, oldest first.',
    authScopes: { user: true },
    resolve: (_root, _args, { parts, viewer }) => parts.live.requests(liveViewer(viewer)),
  }),
)
