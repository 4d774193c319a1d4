import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { changedFields } from '../../identity/audit.ts'
import type { Viewer } from '../../identity/sessions.ts'
import { allowedOf } from '../../keys/api-key.ts'
import { keyFields } from '../../keys/key-input.ts'
import type { Tx } from '../../store/database.ts'
import { notFound } from '../../verb-failure.ts'
import { builder } from '../builder.ts'
import { refuseForeignGroup } from '../groups/groups.ts'
import { given } from '../identity/users.ts'
import { addDeletedSuccess, addIdInput, addMutation } from '../mutation.ts'
import type { Context } from '../server/context.ts'
import { globalId, onlyId, orElse, unlessAbsent } from '../values.ts'
import { visibleKeys } from '../visible.ts'
import { ApiKey } from './api-keys.ts'
import { costLimitChecks, costLimitInputs, withLimitColumns } from './limit-fields.ts'

const keyOf = (id: number, context: Context, query: object) =>
  context.parts.database.reader.apiKey.findUniqueOrThrow({ ...query, where: { id } })

/** The only response that contains a secret. */
const addSecretSuccess = (name: string) =>
  builder.objectRef<{ id: number; secret: string }>(name).implement({
    description: 'The key, and its secret this once.',
    authScopes: { user: true },
    fields: (t) => ({
      apiKey: t.prismaField({
        description: 'Without its secret.',
        type: ApiKey,
        resolve: (query, { id }, _args, context) => keyOf(id, context, query),
      }),
      secret: t.exposeString('secret', { description: 'Shown now and never again.' }),
    }),
  })

const newSecret = (): string => `sk-${randomBytes(32).toString('base64url')}`

type InputFields = Parameters<typeof costLimitInputs>[0]

const rateInputs = (t: InputFields) => ({
  requestsPerMinute: t.int({ description: 'Beyond it requests wait in the queue, then get 429. null: no limit.' }),
  tokensPerMinute: t.int({ description: 'Of all classes, estimated at their begin. null: no limit.' }),
  concurrency: t.int({ description: 'Requests at once; others wait in the queue. null: no limit.' }),
  validForDays: t.int({
    description:
      'It expires so many days after its first use, 1 to 3650, unless `expiresAt` is given. null: it does not.',
  }),
})

const rateChecks = {
  requestsPerMinute: keyFields.requestsPerMinute.nullish(),
  tokensPerMinute: keyFields.tokensPerMinute.nullish(),
  concurrency: keyFields.concurrency.nullish(),
  validForDays: keyFields.validForDays.nullish(),
}

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'A new key. It is owned by who makes it.',
  fields: (t) => ({
    name: t.string({ description: 'Unique among keys; 1 to 100 characters.', required: true }),
    secret: t.string({
      description: 'It begins with sk- and has at least 20 characters. One is made when it is absent.',
    }),
    groupId: t.id({ description: 'A group of yours, or a shared one.', required: true }),
    models: t.stringList({ description: 'Names or patterns with *, at most 200; absent: all models.' }),
    allowedAddresses: t.stringList({
      description: 'Addresses and networks (CIDR) that it may be used from, at most 100; absent or empty: everywhere.',
    }),
    allowedClients: t.stringList({
      description:
        'Patterns with * that the user agent of a client must fit, such as claude-cli/*, at most 100; absent or empty: every program.',
    }),
    ...costLimitInputs(t),
    ...rateInputs(t),
    expiresAt: t.field({ description: 'Absent or null: never.', type: 'DateTime' }),
    enabled: t.boolean({ description: 'Absent: true.' }),
  }),
})

addMutation('createApiKey', {
  description: 'Makes a key in a group of yours or a shared one. The answer shows its secret, once.',
  scope: 'user',
  input: CreateApiKeyInput,
  check: z.object({
    name: keyFields.name,
    groupId: globalId('Group'),
    secret: keyFields.secret.nullish().transform((text) => text ?? newSecret()),
    models: orElse(keyFields.models, ['*']),
    allowedAddresses: orElse(keyFields.allowedAddresses, []),
    allowedClients: orElse(keyFields.allowedClients, []),
    ...costLimitChecks,
    ...rateChecks,
    expiresAt: orElse(z.date(), null),
    enabled: orElse(keyFields.enabled, true),
  }),
  success: addSecretSuccess('CreateApiKeySuccess'),
  failures: ['input'],
  locks: ['keys'],
  async run(input, context, change) {
    const draft = { ...withLimitColumns(input), userId: context.actor.userId }
    const id = await change(async (tx) => {
      await refuseForeignGroup(tx, context.viewer, [draft.groupId], 'keys')
      const objectId = await context.parts.keys.create(tx, draft)
      return { answer: objectId, audit: { objectType: 'ApiKey', objectId, after: draft } }
    })
    await context.parts.changed('key', id)
    return { id, secret: input.secret }
  },
})

const UpdateApiKeyInput = builder.inputType('UpdateApiKeyInput', {
  description: 'Fields that are absent stay as they are.',
  fields: (t) => ({
    id: t.id({ required: true }),
    name: t.string({ description: 'Unique among keys; 1 to 100 characters.' }),
    groupId: t.id({ description: 'A group of yours, or a shared one.' }),
    models: t.stringList({ description: 'The list ["*"] allows every model.' }),
    allowedAddresses: t.stringList({
      description: 'Addresses and networks (CIDR) that it may be used from, at most 100. An empty list allows all.',
    }),
    allowedClients: t.stringList({
      description:
        'Patterns with * that the user agent of a client must fit, such as claude-cli/*, at most 100. An empty list allows all.',
    }),
    ...costLimitInputs(t),
    ...rateInputs(t),
    expiresAt: t.field({ type: 'DateTime', description: 'It is null for never.' }),
    enabled: t.boolean({ description: 'Off: requests that come from now on are refused.' }),
  }),
})

const UpdateApiKeySuccess = builder.objectRef<{ id: number }>('UpdateApiKeySuccess').implement({
  description: 'The key as it is now.',
  authScopes: { user: true },
  fields: (t) => ({
    apiKey: t.prismaField({
      description: 'With its new values.',
      type: ApiKey,
      resolve: (query, { id }, _args, context) => keyOf(id, context, query),
    }),
  }),
})

addMutation('updateApiKey', {
  description: 'Changes the fields given; null clears limits and the end.',
  scope: 'user',
  input: UpdateApiKeyInput,
  check: z.object({
    id: globalId('ApiKey'),
    name: unlessAbsent(keyFields.name),
    groupId: unlessAbsent(globalId('Group')),
    models: unlessAbsent(keyFields.models),
    allowedAddresses: unlessAbsent(keyFields.allowedAddresses),
    allowedClients: unlessAbsent(keyFields.allowedClients),
    ...costLimitChecks,
    ...rateChecks,
    expiresAt: z.date().nullish(),
    enabled: unlessAbsent(keyFields.enabled),
  }),
  success: UpdateApiKeySuccess,
  failures: ['input', 'not_found'],
  locks: ['keys'],
  async run({ id, ...input }, context, change) {
    const draft = given(withLimitColumns(input))
    await change(async (tx) => {
      const row = await ownKey(tx, context.viewer, id)
      if (draft.groupId !== undefined && draft.groupId !== row.groupId) {
        await refuseForeignGroup(tx, context.viewer, [draft.groupId], 'keys')
      }
      await context.parts.keys.update(tx, id, draft)
      const before = {
        ...row,
        models: JSON.parse(row.models),
        allowedAddresses: allowedOf(row.allowedAddresses),
        allowedClients: allowedOf(row.allowedClients),
      }
      return { answer: null, audit: { objectType: 'ApiKey', objectId: id, ...changedFields<object>(before, draft) } }
    })
    await context.parts.changed('key', id)
    return { id }
  },
})

const RotateApiKeyInput = builder.inputType('RotateApiKeyInput', {
  description: 'Another secret for a key, and how long the old one is still good for.',
  fields: (t) => ({
    id: t.id({ required: true }),
    keepOldHours: t.int({ required: true, description: 'How long the old secret still works, 0 to 24.' }),
    secret: t.string({
      description: 'It begins with sk- and has at least 20 characters. One is made when it is absent.',
    }),
  }),
})

addMutation('rotateApiKey', {
  description: 'Gives the key another secret; limits and history stay.',
  scope: 'user',
  input: RotateApiKeyInput,
  check: z.object({
    id: globalId('ApiKey'),
    keepOldHours: keyFields.keepOldHours,
    secret: keyFields.secret.nullish().transform((text) => text ?? newSecret()),
  }),
  success: addSecretSuccess('RotateApiKeySuccess'),
  failures: ['input', 'not_found'],
  locks: ['keys'],
  async run({ id, keepOldHours, secret }, context, change) {
    const until = keepOldHours === 0 ? null : new Date(context.parts.now() + keepOldHours * 3_600_000)
    await change(async (tx) => {
      await ownKey(tx, context.viewer, id)
      await context.parts.keys.rotate(tx, id, secret, until)
      return { answer: null, audit: { objectType: 'ApiKey', objectId: id, after: { secret, keepOldHours } } }
    })
    await context.parts.changed('key', id)
    return { id, secret }
  },
})

addMutation('deleteApiKey', {
  description: 'The key opens nothing any more; its history stays.',
  scope: 'user',
  input: addIdInput('DeleteApiKeyInput', 'ApiKey'),
  check: onlyId('ApiKey'),
  success: addDeletedSuccess('DeleteApiKeySuccess', 'ApiKey'),
  failures: ['not_found'],
  locks: ['keys'],
  async run({ id }, context, change) {
    await change(async (tx) => {
      const { name, secretHint: hint } = await ownKey(tx, context.viewer, id)
      await context.parts.keys.remove(tx, id)
      return { answer: null, audit: { objectType: 'ApiKey', objectId: id, before: { name, hint } } }
    })
    await context.parts.changed('key', id)
    return { id }
  },
})

/** A key that the viewer may change. Throws not found for others, as if they did not exist. */
async function ownKey(tx: Tx, viewer: Viewer | null, id: number) {
  const found = await tx.apiKey.findFirst({ where: { AND: [visibleKeys(viewer), { id, deletedMark: 0 }] } })
  if (!found) throw notFound('API key')
  return found
}
