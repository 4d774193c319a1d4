import type { StoredAttempt } from '../../statistics/statistics.ts'
import { Account } from '../accounts/accounts.ts'
import { FailureCause, faultOfCode } from '../accounts/failure-cause.ts'
import { builder } from '../builder.ts'
import type { TokenCounts } from './request-view.ts'

export const Tokens = builder.objectRef<TokenCounts>('Tokens').implement({
  description:
    'Tokens by what they are priced as; the classes do not overlap, except thinking. While a request runs, its input includes cache reads and writes.',
  authScopes: { user: true },
  fields: (t) => ({
    input: t.expose('inputTokens', { description: 'Read anew: without cache reads and writes.', type: 'Count' }),
    output: t.expose('outputTokens', { description: 'Written, with thinking.', type: 'Count' }),
    cacheWrite5m: t.expose('cacheWrite5mTokens', {
      description: 'Written into the cache for five minutes; null while a request runs.',
      type: 'Count',
      nullable: true,
    }),
    cacheWrite1h: t.expose('cacheWrite1hTokens', {
      description: 'Written into the cache for an hour; null while a request runs.',
      type: 'Count',
      nullable: true,
    }),
    cacheRead: t.expose('cacheReadTokens', {
      description: 'Read from the cache; null while a request runs.',
      type: 'Count',
      nullable: true,
    }),
    thinking: t.field({
      type: 'Count',
      nullable: true,
      description: 'Part of the output; null while a request runs, and of a single attempt.',
      resolve: ({ thinkingTokens }) => thinkingTokens,
    }),
  }),
})

export const AttemptOutcome = builder.enumType('AttemptOutcome', {
  description: 'How an attempt ended.',
  values: {
    ANSWERED: { value: 'answer', description: 'The upstream sent a whole response.' },
    CALLER: { value: 'caller', description: "The error was the request's own." },
    LIMITED: { value: 'limited', description: 'A limit of the account was reached.' },
    FAILING: { value: 'failing', description: 'No usable response came.' },
    REFUSED: { value: 'refused', description: 'The upstream refused the credential or the request.' },
    ABORTED: { value: 'aborted', description: 'The client left.' },
    INTERRUPTED: { value: 'interrupted', description: 'The process of the relay died.' },
  } as const,
})

export const Attempt = builder.objectRef<StoredAttempt>('Attempt').implement({
  description: 'One call of an upstream.',
  authScopes: { user: true },
  fields: (t) => ({
    number: t.exposeInt('number', { description: 'The first attempt of a request is 1.' }),
    account: t.field({
      type: Account,
      nullable: true,
      description: 'It is null when the account is not yours to see.',
      resolve: ({ accountId }, _args, { batches }) => batches.account(accountId),
    }),
    modelSent: t.string({
      description: "After the account's mapping; null when nothing was sent.",
      nullable: true,
      resolve: ({ modelSent }) => modelSent || null,
    }),
    outcome: t.field({
      description: 'How it ended.',
      type: AttemptOutcome,
      resolve: ({ outcome }) => outcome as 'answer',
    }),
    httpStatus: t.int({
      description: 'The status of the response; null when none came.',
      nullable: true,
      resolve: ({ httpStatus }) => httpStatus || null,
    }),
    errorType: t.string({
      description: "The upstream's, or the relay's own where no usable response came; null when there was no error.",
      nullable: true,
      resolve: ({ errorType }) => errorType || null,
    }),
    errorCode: t.string({
      description: 'The identifier beside the type; null when the upstream gave none.',
      nullable: true,
      resolve: ({ errorCode }) => errorCode || null,
    }),
    failure: t.field({
      type: FailureCause,
      nullable: true,
      description: 'When no usable answer came; null for what an upstream said itself.',
      resolve: ({ errorType }) => faultOfCode(errorType),
    }),
    upstreamRequestId: t.string({
      description: 'The request id in the response of the upstream; null when it has none.',
      nullable: true,
      resolve: ({ upstreamRequestId }) => upstreamRequestId || null,
    }),
    startedAt: t.field({
      description: 'When the upstream was called.',
      type: 'DateTime',
      resolve: ({ startedAtMs }) => new Date(Number(startedAtMs)),
    }),
    firstByteMs: t.int({
      description: "Milliseconds from the call to the first byte of the answer's body; null when none came.",
      nullable: true,
      // The ledger has −1 for a time that never came.
      resolve: ({ firstByteMs }) => (firstByteMs < 0 ? null : firstByteMs),
    }),
    durationMs: t.exposeInt('durationMs', { description: 'Milliseconds from the call to its end.' }),
    charged: t.exposeBoolean('charged', { description: 'False when nobody is charged for it.' }),
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
