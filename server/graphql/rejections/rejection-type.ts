import type { RejectionSum, StoredRejection } from '../../statistics/rejections.ts'
import { builder } from '../builder.ts'
import { Group } from '../groups/groups.ts'
import { User } from '../identity/users.ts'
import { ApiKey } from '../keys/api-keys.ts'

/** Codes of server/errors.ts that a request can be refused with before any upstream is asked. */
export const rejectionReasons = {
  KEY_MISSING: ['key_missing', 'It came without a key.'],
  KEY_UNKNOWN: ['key_unknown', 'Its key is not known here.'],
  KEY_EXPIRED: ['key_expired', 'Its key has expired.'],
  KEY_DISABLED: ['key_disabled', 'Its key, or the owner of the key, is disabled.'],
  REQUEST_INVALID: ['request_invalid', 'Its body cannot be read: no JSON, no model, no messages.'],
  BODY_ENCODING_UNSUPPORTED: ['body_encoding_unsupported', 'Its body is compressed in a way that is not known here.'],
  BODY_TOO_LARGE: ['body_too_large', 'Its body is larger than the relay accepts.'],
  BODY_TOO_SLOW: ['body_too_slow', 'Its body did not arrive in time.'],
  BODY_MEMORY_FULL: ['body_memory_full', 'The memory for bodies of requests was full.'],
  MODEL_NOT_ALLOWED: ['model_not_allowed', 'Its key may not ask for the model.'],
  LIMIT_REACHED: ['limit_reached', 'A cost limit is reached.'],
  LIMIT_HELD: ['limit_held', 'What is left of a cost limit is reserved by running requests.'],
  RATE_REACHED: ['rate_reached', 'A limit of requests or tokens a minute is reached.'],
  CONCURRENCY_REACHED: ['concurrency_reached', 'Its key has as many running requests as it may have.'],
  ACCOUNTS_BUSY: [
    'accounts_busy',
    'Every account is at its concurrency limit, and the queue was full or its time was over.',
  ],
  ACCOUNTS_NOT_READY: ['accounts_not_ready', 'No account is ready.'],
  ACCOUNTS_MISSING: ['accounts_missing', 'No account of the group serves the model.'],
  UPSTREAM_MISCONFIGURED: ['upstream_misconfigured', 'Only a person can bring the accounts back.'],
  LEDGER_UNAVAILABLE: ['ledger_unavailable', 'Usage could not be recorded, or limits could not be read.'],
  STOPPING: ['stopping', 'The process was stopping.'],
  OTHER: ['other', 'Another failure of the relay.'],
} as const

const known = new Set<string>(Object.values(rejectionReasons).map(([code]) => code))
type Reason = (typeof rejectionReasons)[keyof typeof rejectionReasons][0]
const reasonOf = (code: string): Reason => (known.has(code) ? (code as Reason) : 'other')

export const RejectionReason = builder.enumType('RejectionReason', {
  description: 'Why a request was refused before any upstream was asked.',
  values: Object.fromEntries(
    Object.entries(rejectionReasons).map(([name, [value, description]]) => [name, { value, description }]),
  ) as { [Name in keyof typeof rejectionReasons]: { value: (typeof rejectionReasons)[Name][0]; description: string } },
})

const countText = 'How many.'
const lastText = 'When the last one was refused.'
const messageText = 'What the last one was told, in English.'

/** A counted row, or what a live event carries. */
export type RejectionView = Omit<StoredRejection, 'hourMs'>

export const Rejection = builder.objectRef<RejectionView>('Rejection').implement({
  description:
    'Requests of one caller that were refused for one reason, before any upstream was asked: of one hour in a list, of one second in an event.',
  authScopes: { user: true },
  fields: (t) => ({
    apiKey: t.field({
      type: ApiKey,
      nullable: true,
      description: 'The key they came with, also when it is deleted by now; null when it was not known.',
      resolve: ({ apiKeyId }, _args, { batches }) => (apiKeyId === 0 ? null : batches.apiKey(apiKeyId)),
    }),
    secretHash: t.string({
      nullable: true,
      description:
        'The begin of the HMAC of an unknown secret, so that the same one is recognised; + for all beyond the first 100 of an hour; null when the key is known, or none was sent.',
      resolve: ({ secretHash }) => secretHash || null,
    }),
    user: t.field({
      type: User,
      nullable: true,
      description: 'The owner of the key at that time; null when there was none.',
      resolve: ({ userId }, _args, { batches }) => (userId === 0 ? null : batches.user(userId)),
    }),
    group: t.field({
      type: Group,
      nullable: true,
      description: 'The group of the key at that time; null when the key was not known.',
      resolve: ({ groupId }, _args, { batches }) => (groupId === 0 ? null : batches.group(groupId)),
    }),
    reason: t.field({ type: RejectionReason, description: 'Why.', resolve: ({ reason }) => reasonOf(reason) }),
    requests: t.expose('requests', { type: 'Count', description: countText }),
    lastAt: t.field({ type: 'DateTime', description: lastText, resolve: ({ lastAtMs }) => new Date(lastAtMs) }),
    message: t.exposeString('message', { description: messageText }),
  }),
})

const RejectionSumType = builder.objectRef<RejectionSum>('RejectionsOfReason').implement({
  description: 'All requests that were refused for one reason.',
  authScopes: { user: true },
  fields: (t) => ({
    reason: t.field({ type: RejectionReason, description: 'Why.', resolve: ({ reason }) => reasonOf(reason) }),
    requests: t.expose('requests', { type: 'Count', description: countText }),
    lastAt: t.field({ type: 'DateTime', description: lastText, resolve: ({ lastAtMs }) => new Date(lastAtMs) }),
    message: t.exposeString('message', { description: messageText }),
  }),
})

export const RejectionSummary = builder.objectRef<readonly RejectionSum[]>('RejectionSummary').implement({
  description: 'Requests that were refused before any upstream was asked, by reason. Hours are counted as a whole.',
  authScopes: { user: true },
  fields: (t) => ({
    requests: t.field({
      type: 'Count',
      description: 'All of them.',
      resolve: (sums) => sums.reduce((sum, { requests }) => sum + requests, 0),
    }),
    reasons: t.field({
      type: [RejectionSumType],
      description: 'The most frequent first.',
      resolve: (sums) => [...sums],
    }),
  }),
})
