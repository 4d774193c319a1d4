import { ledgerKey } from '../../request-ids.ts'
import type { StoredRequest } from '../../statistics/statistics.ts'
import { Account, Platform } from '../accounts/accounts.ts'
import { builder } from '../builder.ts'
import { Group } from '../groups/groups.ts'
import { User } from '../identity/users.ts'
import { ApiKey } from '../keys/api-keys.ts'
import { PriceSource } from '../prices/price-cards.ts'
import { Attempt, Tokens } from './attempt-type.ts'
import { findRequest, type RequestView } from './request-view.ts'

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

const CostParts = builder.objectRef<StoredRequest>('CostParts').implement({
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

const RequestStatus = builder.enumType('RequestStatus', {
  description: 'Whether a request has ended.',
  values: {
    RUNNING: { value: 'running', description: 'It was admitted and has not ended.' },
    SETTLED: { value: 'settled', description: 'It has ended. Its row is in the ledger, or follows within moments.' },
  } as const,
})

export const Request = builder.objectRef<RequestView>('Request')

/** A field that only the ledger has: null while the request runs, and where the row has nothing. */
const ofRow =
  <Value>(read: (row: StoredRequest) => Value | null | '' | 0 | undefined) =>
  async ({ row }: RequestView): Promise<Value | null> => {
    const stored = await row()
    return (stored && read(stored)) || null
  }

builder.node(Request, {
  description:
    'One request of a client, running or settled. What is only known at its end is null while it runs. In an event, fields that only the ledger has are null until it has the row.',
  id: { resolve: ({ requestId }) => requestId },
  authScopes: { user: true },
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'row' in value && 'settled' in value,
  loadOne: findRequest,
  fields: (t) => ({
    requestId: t.exposeString('requestId', { description: 'As the client gets it in the header request-id: req_….' }),
    status: t.field({
      description: 'Whether it has ended.',
      type: RequestStatus,
      resolve: ({ settled }) => (settled ? 'settled' : 'running'),
    }),
    startedAt: t.field({
      description: 'When its header had arrived.',
      type: 'DateTime',
      resolve: ({ startedAtMs }) => new Date(startedAtMs),
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
      description:
        'The account that serves it, or the last one tried; null before one is chosen, when none was reached, or when it is not yours to see.',
      resolve: ({ accountId }, _args, { batches }) => (accountId === null ? null : batches.account(accountId)),
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
      description: 'The platform of the last account tried; null while it runs, or when none was tried.',
      type: Platform,
      nullable: true,
      resolve: ofRow(({ platform }) => platform as 'console' | ''),
    }),
    modelRequested: t.exposeString('model', { description: 'As the client asked for it.' }),
    modelSent: t.string({
      description: "After the account's mapping; null while it runs, or when nothing was sent.",
      nullable: true,
      resolve: ofRow(({ modelSent }) => modelSent),
    }),
    modelBilled: t.string({
      description: 'As the upstream named it; its card is the price. null while it runs, or when nothing was billed.',
      nullable: true,
      resolve: ofRow(({ modelBilled }) => modelBilled),
    }),
    stream: t.exposeBoolean('stream', { description: 'Whether the client asked for a stream.' }),
    queuePosition: t.exposeInt('queuePosition', {
      nullable: true,
      description: 'In the queue for a free account, 1 is next; null when it does not wait.',
    }),
    outcome: t.field({
      description: 'How it ended; null while it runs.',
      type: Outcome,
      nullable: true,
      resolve: ({ settled }) => settled && (settled.outcome as 'completed'),
    }),
    httpStatus: t.int({
      description: 'The status that the client got; null while it runs, or when the client left first.',
      nullable: true,
      resolve: ({ settled }) => settled?.httpStatus || null,
    }),
    errorType: t.string({
      description: 'The type of its error; null while it runs, or when it completed.',
      nullable: true,
      resolve: ({ settled }) => settled?.errorType || null,
    }),
    stopReason: t.string({
      description: 'As the upstream said it; null while it runs, or when it said none.',
      nullable: true,
      resolve: ofRow(({ stopReason }) => stopReason),
    }),
    attemptCount: t.exposeInt('attemptCount', { description: 'Attempts so far; 0 before the first.' }),
    attempts: t.field({
      description: 'In the order in which they were made; null while it runs.',
      type: [Attempt],
      nullable: true,
      resolve: async ({ requestId, settled }, _args, { batches }) => {
        const key = ledgerKey(requestId)
        return settled && key !== null ? ((await batches.attempts(BigInt(key))) ?? []) : null
      },
    }),
    firstByteMs: t.exposeInt('firstByteMs', {
      description: 'Milliseconds from its begin to the first byte that the client got; null when there is none.',
      nullable: true,
    }),
    durationMs: t.int({
      description: 'Milliseconds from its begin to the end of the response; null while it runs.',
      nullable: true,
      resolve: ({ settled }) => settled?.durationMs,
    }),
    tokens: t.field({
      description: 'So far; of a settled request those of the attempt that is charged, all 0 where none is.',
      type: Tokens,
      resolve: ({ tokens }) => tokens,
    }),
    webSearches: t.int({
      description: 'Searches that the upstream charges by number; null while it runs.',
      nullable: true,
      resolve: async ({ row }) => (await row())?.webSearches,
    }),
    usageSource: t.field({
      description: 'How far the tokens can be relied on; null while it runs.',
      type: UsageSource,
      nullable: true,
      resolve: ofRow(({ usageSource }) => usageSource as 'final'),
    }),
    usageRaw: t.field({
      type: 'JSON',
      nullable: true,
      description: "The upstream's usage objects as they came; null while it runs, or when none came.",
      resolve: ofRow(({ usageRaw }) => jsonOf(usageRaw)),
    }),
    flags: t.stringList({
      description: 'Remarks on usage and price, such as clamped, split_missing, fallback_price.',
      resolve: async ({ row }) => (await row())?.flags.split(',').filter(Boolean) ?? [],
    }),
    cost: t.field({
      description: 'What it costs by the price book; null while it runs.',
      type: 'NanoUsd',
      nullable: true,
      resolve: ({ settled }) => settled?.costNano,
    }),
    billed: t.field({
      description:
        'The cost times the charge factors of its group and of the owner of its key: what is billed, and what limits count. null while it runs.',
      type: 'NanoUsd',
      nullable: true,
      resolve: ({ settled }) => settled?.billedNano,
    }),
    costParts: t.field({
      description: 'The same, by what it is for.',
      type: CostParts,
      nullable: true,
      resolve: ({ row }) => row(),
    }),
    priceCardId: t.string({
      description:
        'The card that priced it; later cards change nothing. null while it runs, or when nothing was priced.',
      nullable: true,
      resolve: ofRow(({ priceCardId }) => priceCardId),
    }),
    priceSource: t.field({
      description: 'How the card was found; null while it runs, or when nothing was priced.',
      type: PriceSource,
      nullable: true,
      resolve: ofRow(({ priceSource }) => (priceSource === 'none' ? null : (priceSource as 'exact' | ''))),
    }),
    sessionId: t.string({
      description: "The client's conversation, as it names it; null while it runs, or when it names none.",
      nullable: true,
      resolve: ofRow(({ sessionId }) => sessionId),
    }),
    agentId: t.string({
      description: 'The subagent of that conversation; null while it runs, or when it names none.',
      nullable: true,
      resolve: ofRow(({ agentId }) => agentId),
    }),
    clientIp: t.string({
      description: "The client's address, behind proxies as TRUSTED_PROXIES allows; null while it runs.",
      nullable: true,
      resolve: ofRow(({ clientIp }) => clientIp),
    }),
    userAgent: t.string({
      description: 'The header of the client, its first 191 characters; null while it runs, or when it sent none.',
      nullable: true,
      resolve: ofRow(({ userAgent }) => userAgent),
    }),
  }),
})

/** What was cut to fit its column is shown as text. */
function jsonOf(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text)
  } catch {
    return text
  }
}
