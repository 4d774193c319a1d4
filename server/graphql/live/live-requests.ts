import { encodeGlobalID } from '@pothos/plugin-relay'
import type { LiveRequest, SettledRequest } from '../../live/live-events.ts'
import { builder } from '../builder.ts'
import { Outcome } from '../log-types.ts'
import { liveViewer } from './live-viewer.ts'

const accountId = (id: number | null): string | null => (id === null ? null : encodeGlobalID('Account', id))

export const LiveRequestRef = builder.objectRef<LiveRequest>('LiveRequest').implement({
  description: 'A request under way.',
  authScopes: { user: true },
  fields: (t) => ({
    requestId: t.exposeString('requestId'),
    startedAt: t.field({ type: 'DateTime', resolve: ({ startedAtMs }) => new Date(startedAtMs) }),
    apiKeyId: t.id({ resolve: ({ apiKeyId }) => encodeGlobalID('ApiKey', apiKeyId) }),
    apiKeyName: t.exposeString('apiKeyName'),
    accountId: t.id({ nullable: true, resolve: (request) => accountId(request.accountId) }),
    accountName: t.exposeString('accountName', { nullable: true }),
    groupId: t.id({ resolve: ({ groupId }) => encodeGlobalID('Group', groupId) }),
    model: t.exposeString('model', { description: 'As the client asked for it.' }),
    stream: t.exposeBoolean('stream'),
    attempt: t.exposeInt('attempt', { description: '1 for the first account; 0 before one is asked.' }),
    queuePosition: t.exposeInt('queuePosition', {
      nullable: true,
      description: 'In the line for a free account, 1 is next; null when it does not wait.',
    }),
    firstByteMs: t.exposeInt('firstByteMs', { nullable: true }),
    inputTokens: t.expose('inputTokens', { type: 'Count', description: 'So far, with cache reads and writes.' }),
    outputTokens: t.expose('outputTokens', { type: 'Count', description: 'So far.' }),
  }),
})

export const SettledRequestRef = builder.objectRef<SettledRequest>('SettledRequest').implement({
  description: 'A request that ended, as the ledger has it.',
  authScopes: { user: true },
  fields: (t) => ({
    requestId: t.exposeString('requestId'),
    startedAt: t.field({ type: 'DateTime', resolve: ({ startedAtMs }) => new Date(startedAtMs) }),
    apiKeyId: t.id({ resolve: ({ apiKeyId }) => encodeGlobalID('ApiKey', apiKeyId) }),
    apiKeyName: t.exposeString('apiKeyName'),
    accountId: t.id({ nullable: true, resolve: (request) => accountId(request.accountId) }),
    accountName: t.exposeString('accountName', { nullable: true }),
    groupId: t.id({ resolve: ({ groupId }) => encodeGlobalID('Group', groupId) }),
    model: t.exposeString('model'),
    stream: t.exposeBoolean('stream'),
    outcome: t.field({ type: Outcome, resolve: ({ outcome }) => outcome }),
    httpStatus: t.exposeInt('httpStatus'),
    errorType: t.exposeString('errorType'),
    attemptCount: t.exposeInt('attemptCount'),
    firstByteMs: t.exposeInt('firstByteMs', { nullable: true }),
    durationMs: t.exposeInt('durationMs'),
    inputTokens: t.expose('inputTokens', { type: 'Count' }),
    outputTokens: t.expose('outputTokens', { type: 'Count' }),
    cacheReadTokens: t.expose('cacheReadTokens', { type: 'Count' }),
    cacheWriteTokens: t.expose('cacheWriteTokens', { type: 'Count' }),
    cost: t.field({ type: 'NanoUsd', resolve: ({ costNano }) => BigInt(costNano) }),
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
