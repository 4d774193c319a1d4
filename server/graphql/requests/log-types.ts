import { requestIdOf } from '../../request-ids.ts'
import type { StoredAttempt, StoredLog } from '../../statistics/statistics.ts'
import { Account, Platform } from '../accounts/accounts.ts'
import { FailureCause, faultOfCode } from '../accounts/failure-cause.ts'
import { builder } from '../builder.ts'
import { Group } from '../groups/groups.ts'
import { User } from '../identity/users.ts'
import { ApiKey } from '../keys/api-keys.ts'
import { visibleUse } from '../visible.ts'

export const Outcome = builder.enumType('Outcome', {
  description: 'How a request ended.',
  values: {
    COMPLETED: { value: 'completed', description: 'With a whole answer.' },
    FAILED: { value: 'failed', description: 'With an error, or an answer that broke off.' },
    ABORTED: { value: 'aborted', description: 'The client left.' },
    INTERRUPTED: { value: 'interrupted', description: 'The process of the relay died under it.' },
  } as const,
})

const UsageSource = builder.enumType('UsageSource', {
  description: 'Where the token counts come from.',
  values: {
    FINAL: { value: 'final', description: 'The upstream, at the end of its answer.' },
    PARTIAL: { value: 'partial', description: 'The upstream, but some of it could not be read.' },
    ESTIMATED: {
      value: 'estimated',
      description: 'The answer broke off: its output is counted from what was passed on.',
    },
    NONE: { value: 'none', description: 'The upstream said nothing.' },
  } as const,
})

type TokenColumns = Omit<StoredAttempt, 'thinkingTokens'> & { thinkingTokens?: bigint }

const Tokens = builder
  .objectRef<Pick<TokenColumns, Extract<keyof TokenColumns, `${string}Tokens`>>>('Tokens')
  .implement({
    description: 'Tokens by what they are priced as; the classes do not overlap, except thinking.',
    authScopes: { user: true },
    fields: (t) => ({
      input: t.expose('inputTokens', { description: 'Read anew: without cache reads and writes.', type: 'Count' }),
      output: t.expose('outputTokens', { description: 'Written, with thinking.', type: 'Count' }),
      cacheWrite5m: t.expose('cacheWrite5mTokens', {
        description: 'Written into the cache for five minutes.',
        type: 'Count',
      }),
      cacheWrite1h: t.expose('cacheWrite1hTokens', {
        description: 'Written into the cache for an hour.',
        type: 'Count',
      }),
      cacheRead: t.expose('cacheReadTokens', { description: 'Read from the cache.', type: 'Count' }),
      thinking: t.field({
        type: 'Count',
        description: 'Part of the output.',
        resolve: ({ thinkingTokens }) => thinkingTokens ?? 0,
      }),
    }),
  })

const CostParts = builder.objectRef<StoredLog>('CostParts').implement({
  description: 'What makes up the cost; the parts add up to it.',
  authScopes: { user: true },
  fields: (t) => ({
    input: t.expose('inputCostNano', { description: 'Of input read anew.', type: 'NanoUsd' }),
    output: t.expose('outputCostNano', { description: 'Of output, with thinking.', type: 'NanoUsd' }),
    cacheWrite: t.expose('cacheWriteCostNano', { description: 'Of both kinds of cache writes.', type: 'NanoUsd' }),
    cacheRead: t.expose('cacheReadCostNano', { description: 'Of cache reads.', type: 'NanoUsd' }),
    units: t.expose('unitCostNano', { type: 'NanoUsd', description: 'Web searches and the like.' }),
  }),
})

/** The ledger has −1 for a time that never came. */
const orNull = (ms: number): number | null => (ms < 0 ? null : ms)
const moment = (ms: bigint): Date => new Date(Number(ms))

export const Attempt = builder.objectRef<StoredAttempt>('Attempt').implement({
  description: 'One call of an upstream.',
  authScopes: { user: true },
  fields: (t) => ({
    number: t.exposeInt('number', { description: '1 for the first.' }),
    account: t.field({
      type: Account,
      nullable: true,
      description: 'null when it is not yours to see.',
      resolve: ({ accountId }, _args, { batches }) => batches.account(accountId),
    }),
    modelSent: t.exposeString('modelSent', { description: "After the account's mapping." }),
    verdict: t.exposeString('outcome', {
      description:
        "answer, caller (the request's own fault), limited, failing, refused, aborted (the client left) or interrupted (the process died).",
    }),
    httpStatus: t.exposeInt('httpStatus', { description: '0 when there was no answer.' }),
    errorType: t.exposeString('errorType', {
      description: "The upstream's, or the relay's own where no usable answer came; '' when it was answered.",
    }),
    errorCode: t.exposeString('errorCode', { description: "Beside the type; '' when the upstream gave none." }),
    failure: t.field({
      type: FailureCause,
      nullable: true,
      description: 'When no usable answer came; null for what an upstream said itself.',
      resolve: ({ errorType }) => faultOfCode(errorType),
    }),
    upstreamRequestId: t.exposeString('upstreamRequestId', {
      description: "As the upstream's answer names itself; '' when it does not.",
    }),
    startedAt: t.field({
      description: 'When the upstream was called.',
      type: 'DateTime',
      resolve: ({ startedAtMs }) => moment(startedAtMs),
    }),
    firstByteMs: t.int({
      description: "Milliseconds from the call to the first byte of the answer's body; null when none came.",
      nullable: true,
      resolve: ({ firstByteMs }) => orNull(firstByteMs),
    }),
    durationMs: t.exposeInt('durationMs', { description: 'Milliseconds from the call to its end.' }),
    charged: t.exposeBoolean('charged', { description: 'False when the pool absorbs it.' }),
    tokens: t.field({
      description: 'As the upstream said them, or estimated where it broke off.',
      type: Tokens,
      resolve: (row) => row,
    }),
    cost: t.expose('costNano', {
      description: 'At the rates of the card that priced the request, also when nobody is charged.',
      type: 'NanoUsd',
    }),
  }),
})

export const Log = builder.objectRef<StoredLog>('Log')

builder.node(Log, {
  description: 'One request, as the ledger has it.',
  id: { resolve: ({ id }) => String(id) },
  authScopes: { user: true },
  isTypeOf: (row) => typeof row === 'object' && row !== null && 'modelBilled' in row && 'usageRaw' in row,
  async loadOne(id, { parts, viewer }) {
    const requestId = /^\d{1,19}$/.test(id) ? requestIdOf(BigInt(id)) : ''
    return (await parts.statistics.logs({ ...visibleUse(viewer), requestId }, 1))[0] ?? null
  },
  fields: (t) => ({
    requestId: t.string({
      description: 'As the client got it in the header request-id: req_….',
      resolve: ({ id }) => requestIdOf(id),
    }),
    startedAt: t.field({
      description: 'When its header had arrived.',
      type: 'DateTime',
      resolve: ({ startedAtMs }) => moment(startedAtMs),
    }),
    apiKey: t.field({
      description: 'The key that it came with, also when it is deleted by now; null when it is not yours to see.',
      type: ApiKey,
      nullable: true,
      resolve: ({ apiKeyId }, _args, { batches }) => batches.apiKey(apiKeyId),
    }),
    account: t.field({
      type: Account,
      nullable: true,
      description: 'The last one tried; null when none was, or when it is not yours to see.',
      resolve: ({ accountId }, _args, { batches }) => (accountId === 0 ? null : batches.account(accountId)),
    }),
    user: t.field({
      description:
        'The owner of the key at that time; null when there was none, or when that person is not yours to see.',
      type: User,
      nullable: true,
      resolve: ({ userId }, _args, { batches }) => (userId === 0 ? null : batches.user(userId)),
    }),
    group: t.field({
      description: 'The group of the key at that time; null when it is not yours to see.',
      type: Group,
      nullable: true,
      resolve: ({ groupId }, _args, { batches }) => batches.group(groupId),
    }),
    platform: t.field({
      description: 'Of the last account tried; null when none was.',
      type: Platform,
      nullable: true,
      resolve: ({ platform }) => (platform === '' ? null : (platform as 'console')),
    }),
    modelRequested: t.exposeString('modelRequested', { description: 'As the client asked for it.' }),
    modelSent: t.exposeString('modelSent', { description: "After the account's mapping." }),
    modelBilled: t.exposeString('modelBilled', { description: 'As the upstream named it; its card is the price.' }),
    stream: t.exposeBoolean('stream', { description: 'Whether the client asked for a stream.' }),
    outcome: t.field({ description: 'How it ended.', type: Outcome, resolve: ({ outcome }) => outcome as 'completed' }),
    httpStatus: t.exposeInt('httpStatus', { description: 'What the client was answered; 0 when it left first.' }),
    errorType: t.exposeString('errorType', { description: "'' when it completed." }),
    stopReason: t.exposeString('stopReason', { description: 'As the upstream said it.' }),
    attemptCount: t.exposeInt('attempts', { description: 'Calls of upstreams.' }),
    attempts: t.field({
      description: 'In the order in which they were made.',
      type: [Attempt],
      resolve: async ({ id }, _args, { batches }) => (await batches.attempts(id)) ?? [],
    }),
    firstByteMs: t.int({
      description: 'Milliseconds from its begin to the first byte that the client got; null when it got none.',
      nullable: true,
      resolve: ({ firstByteMs }) => orNull(firstByteMs),
    }),
    durationMs: t.exposeInt('durationMs', { description: 'Milliseconds from its begin to the end of the answer.' }),
    tokens: t.field({
      description: 'Of the attempt that is charged; all 0 where none is.',
      type: Tokens,
      resolve: (row) => row,
    }),
    webSearches: t.exposeInt('webSearches', { description: 'Searches that the upstream charges by number.' }),
    usageSource: t.field({
      description: 'How far the tokens can be relied on.',
      type: UsageSource,
      resolve: ({ usageSource }) => usageSource as 'final',
    }),
    usageRaw: t.exposeString('usageRaw', { description: "The upstream's usage objects as they came (JSON)." }),
    flags: t.stringList({
      description: 'Remarks on usage and price, such as clamped, split_missing, fallback_price.',
      resolve: ({ flags }) => flags.split(',').filter(Boolean),
    }),
    cost: t.expose('costNano', { description: 'What the key is charged.', type: 'NanoUsd' }),
    costParts: t.field({ description: 'The same, by what it is for.', type: CostParts, resolve: (row) => row }),
    priceCardId: t.exposeString('priceCardId', { description: 'The card that priced it; later cards change nothing.' }),
    priceSource: t.exposeString('priceSource', {
      description: 'How the card was found: exact, dated, glob, or fallback.',
    }),
    sessionId: t.exposeString('sessionId', { description: "The client's conversation, as it names it." }),
    agentId: t.exposeString('agentId', { description: 'The subagent of that conversation.' }),
    clientIp: t.exposeString('clientIp', { description: 'Behind proxies as TRUSTED_PROXIES allows.' }),
    userAgent: t.exposeString('userAgent', {
      description: "The header of the client, its first 191 characters; '' when it sent none.",
    }),
  }),
})
