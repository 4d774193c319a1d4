import { z } from 'zod'
import { says } from '../../failure-codes.ts'
import { modelName } from '../../field-values.ts'
import type { RerateFilter, RerateSums } from '../../ledger/rerating.ts'
import { builder, pageSize } from '../builder.ts'
import { User } from '../identity/users.ts'
import { addMutation } from '../mutation.ts'
import { globalId } from '../values.ts'

const RerateInput = builder.inputType('RerateInput', {
  description: 'Which settled requests are priced anew. All that is given must hold.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', required: true, description: 'Begin of the requests. Included.' }),
    to: t.field({ type: 'DateTime', required: true, description: 'Not included.' }),
    models: t.stringList({ description: 'As billed, at most 100. Absent: all.' }),
    accountIds: t.idList({ description: 'The account of the last attempt, at most 100. Absent: all.' }),
    onlyFallback: t.boolean({ description: 'Only requests that the fallback card priced.', defaultValue: false }),
  }),
})

const rerateCheck = z
  .object({
    from: z.date(),
    to: z.date(),
    models: z.array(modelName).min(1, says('MODEL_MISSING')).max(100, says('TOO_MANY_ENTRIES')).nullish(),
    accountIds: z.array(globalId('Account')).min(1, says('MISSING')).max(100, says('TOO_MANY_ENTRIES')).nullish(),
    onlyFallback: z.boolean().nullish(),
  })
  .refine(({ from, to }) => to > from, { error: says('ENDS_BEFORE_BEGIN'), path: ['to'] })
  .transform(
    ({ from, to, models, accountIds, onlyFallback }): RerateFilter => ({
      fromMs: from.getTime(),
      toMs: to.getTime(),
      ...(models && { models }),
      ...(accountIds && { accountIds }),
      ...(onlyFallback && { onlyFallback }),
    }),
  )

const RerateSumsType = builder
  .interfaceRef<{
    [Name in keyof RerateSums]: RerateSums[Name] | bigint
  }>('RerateSums')
  .implement({
    description: 'What pricing anew comes to.',
    authScopes: { admin: true },
    fields: (t) => ({
      rows: t.expose('rows', { type: 'Count', description: 'Requests that were looked at.' }),
      changed: t.expose('changed', { type: 'Count', description: 'Requests whose price is another one.' }),
      costBefore: t.field({
        type: 'NanoUsd',
        description: 'What the requests that were looked at cost before.',
        resolve: ({ costBeforeNano }) => costBeforeNano,
      }),
      costAfter: t.field({
        type: 'NanoUsd',
        description: 'What they cost by the book of today.',
        resolve: ({ costAfterNano }) => costAfterNano,
      }),
      billedBefore: t.field({
        type: 'NanoUsd',
        description: 'What was billed for them.',
        resolve: ({ billedBeforeNano }) => billedBeforeNano,
      }),
      billedAfter: t.field({
        type: 'NanoUsd',
        description: 'What is billed by the book of today, with the charge factors of each request.',
        resolve: ({ billedAfterNano }) => billedAfterNano,
      }),
    }),
  })

const PreviewReratingSuccess = builder
  .objectRef<RerateSums & { isComplete: boolean }>('PreviewReratingSuccess')
  .implement({
    description: 'What pricing anew would come to. Nothing was changed.',
    interfaces: [RerateSumsType],
    authScopes: { admin: true },
    fields: (t) => ({
      complete: t.exposeBoolean('isComplete', {
        description: 'False: there are more requests, and only the oldest 100 000 were looked at.',
      }),
    }),
  })

addMutation('previewRerating', {
  description: 'Prices settled requests by the book of today, and changes nothing.',
  scope: 'admin',
  input: RerateInput,
  check: rerateCheck,
  success: PreviewReratingSuccess,
  failures: ['input'],
  locks: [],
  run: (filter, { parts }) => parts.reratings.preview(filter),
})

const Rerating = builder.prismaObject('Rerating', {
  description: 'Settled requests that were priced anew, in batches.',
  interfaces: [RerateSumsType],
  authScopes: { admin: true },
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Grows with each.' }),
    filter: t.field({
      type: 'JSON',
      description: 'Which requests: fromMs, toMs, models, accountIds, onlyFallback.',
      resolve: ({ filter }) => JSON.parse(filter) as unknown,
    }),
    startedAt: t.field({
      type: 'DateTime',
      description: 'When somebody started it.',
      resolve: ({ startedAtMs }) => new Date(Number(startedAtMs)),
    }),
    finishedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the last batch was written; null while it runs. It goes on after a restart.',
      resolve: ({ finishedAtMs }) => (finishedAtMs === null ? null : new Date(Number(finishedAtMs))),
    }),
    startedBy: t.field({
      type: User,
      nullable: true,
      description: 'Who started it; null when that person is gone.',
      resolve: ({ createdById }, _args, { batches }) => batches.user(createdById),
    }),
  }),
})

builder.queryField('reratings', (t) =>
  t.prismaField({
    type: [Rerating],
    nullable: true,
    description: 'The newest first.',
    authScopes: { admin: true },
    args: { first: t.arg.int({ ...pageSize, defaultValue: 20 }) },
    resolve: (query, _parent, { first }, { parts }) =>
      parts.database.reader.rerating.findMany({ ...query, orderBy: { id: 'desc' }, take: first ?? 20 }),
  }),
)

const StartReratingSuccess = builder.objectRef<{ id: number }>('StartReratingSuccess').implement({
  description: 'Pricing anew has begun. `reratings` says how far it is.',
  authScopes: { admin: true },
  fields: (t) => ({
    rerating: t.prismaField({
      type: Rerating,
      description: 'As it is now.',
      resolve: (query, { id }, _args, { parts }) =>
        parts.database.reader.rerating.findUniqueOrThrow({ ...query, where: { id } }),
    }),
  }),
})

addMutation('startRerating', {
  description:
    'Gives settled requests the prices of the book of today, in batches, with the sums that hold them. Again, it changes nothing.',
  scope: 'admin',
  input: RerateInput,
  check: rerateCheck,
  success: StartReratingSuccess,
  failures: ['input', 'conflict'],
  locks: ['price-cards'],
  async run(filter, { parts, actor }, change) {
    const id = await change(async (tx) => {
      const objectId = await parts.reratings.start(tx, filter, actor.userId)
      return { answer: objectId, audit: { objectType: 'Rerating', objectId, after: { ...filter } } }
    })
    await parts.jobs.runNow('rerate')
    return { id }
  },
})
