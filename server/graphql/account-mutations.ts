import { z } from 'zod'
import { modelPatterns, objectName, proxyUrl, upstreamSecret, upstreamUrl } from '../provision-values.ts'
import type { Tx } from '../store/database.ts'
import { changedFields } from '../users/audit.ts'
import type { Viewer } from '../users/sessions.ts'
import { inputFailure, notFound } from '../verb-failure.ts'
import { Account, AuthHeader, Platform } from './accounts.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import { refuseForeignGroup } from './groups.ts'
import { addMutation, addOkSuccess } from './mutation.ts'
import { given } from './users.ts'
import { globalId, onlyId, unlessAbsent } from './values.ts'
import { visibleAccounts } from './visible.ts'

const addAccountSuccess = (name: string) =>
  builder.objectRef<{ id: number }>(name).implement({
    authScopes: { user: true },
    fields: (t) => ({
      account: t.prismaField({
        type: Account,
        resolve: (query, { id }, _args, { parts }) =>
          parts.database.reader.account.findUniqueOrThrow({ ...query, where: { id } }),
      }),
    }),
  })

const ModelMappingInput = builder.inputType('ModelMappingInput', {
  fields: (t) => ({ from: t.string({ required: true }), to: t.string({ required: true }) }),
})

/** Only platforms that the relay can speak to can be had; the others are named by the contract already. */
const platform = z
  .enum(['claude', 'console', 'openai', 'codex'])
  .refine((name) => name === 'console', 'is not supported yet')

const mapping = z
  .array(
    z.object({
      from: z
        .string()
        .regex(
          /^(?!\d+$)[\x21-\x7e]{1,191}$/,
          'must be the name of a model or a pattern with *, without spaces, not digits only',
        ),
      to: z.string().regex(/^[\x21-\x29\x2b-\x7e]{1,191}$/, 'must be the name of a model, without * and spaces'),
    }),
  )
  .max(200, 'has too many entries')
  .refine((pairs) => new Set(pairs.map(({ from }) => from)).size === pairs.length, 'names a model twice')
  .transform((pairs) => Object.fromEntries(pairs.map(({ from, to }) => [from, to])))

const fields = {
  name: objectName,
  platform,
  url: upstreamUrl,
  authHeader: z.enum(['bearer', 'x-api-key']),
  secret: upstreamSecret,
  groupId: globalId('Group'),
  priority: z.int().min(0, 'must be at least 0').max(10_000, 'must be at most 10000'),
  weight: z.int().min(1, 'must be at least 1').max(10_000, 'must be at most 10000'),
  concurrency: z.int().min(1, 'must be at least 1').max(10_000, 'must be at most 10000'),
  models: modelPatterns.max(200, 'has too many entries'),
  modelMapping: mapping,
  proxy: proxyUrl,
  enabled: z.boolean(),
}

/** Absent and null both mean the value a new object begins with. */
const or = <Value extends z.ZodType>(value: Value, fallback: z.output<Value>) =>
  value.nullish().transform((one) => one ?? fallback)

const CreateAccountInput = builder.inputType('CreateAccountInput', {
  fields: (t) => ({
    name: t.string({ required: true }),
    platform: t.field({ type: Platform, required: true }),
    url: t.string({ required: true, description: 'What ANTHROPIC_BASE_URL would be.' }),
    authHeader: t.field({ type: AuthHeader }),
    secret: t.string({ required: true, description: 'Sealed; never shown again.' }),
    groupId: t.id({ required: true }),
    priority: t.int(),
    weight: t.int(),
    concurrency: t.int({ description: 'Requests at once; absent: no limit.' }),
    models: t.stringList(),
    modelMapping: t.field({ type: [ModelMappingInput] }),
    proxy: t.string({ description: 'http, https, socks5 or socks5h, with user:password@ if needed.' }),
    enabled: t.boolean(),
  }),
})

addMutation('createAccount', {
  description: 'Adds an upstream account to a group of yours.',
  scope: 'user',
  args: (arg) => ({ input: arg({ type: CreateAccountInput, required: true }) }),
  check: z.object({
    input: z.object({
      ...fields,
      authHeader: or(fields.authHeader, 'bearer'),
      priority: or(fields.priority, 100),
      weight: or(fields.weight, 100),
      concurrency: fields.concurrency.nullish().transform((places) => places ?? null),
      models: or(fields.models, ['*']),
      modelMapping: or(fields.modelMapping, {}),
      proxy: fields.proxy.nullish().transform((text) => text ?? null),
      enabled: or(fields.enabled, true),
    }),
  }),
  success: addAccountSuccess('CreateAccountSuccess'),
  failures: ['input'],
  async run({ input }, context, change) {
    const id = await change(async (tx) => {
      await refuseForeignGroup(tx, context.viewer, input.groupId)
      const objectId = await context.parts.accountEdits.create(tx, { ...input, ownerId: context.actor.userId })
      return { answer: objectId, audit: { objectType: 'Account', objectId, after: input } }
    })
    await tellAccounts(context)
    return { id }
  },
})

const UpdateAccountInput = builder.inputType('UpdateAccountInput', {
  fields: (t) => ({
    id: t.id({ required: true }),
    name: t.string(),
    platform: t.field({ type: Platform }),
    url: t.string({ description: 'With another address the secret must be given again.' }),
    authHeader: t.field({ type: AuthHeader }),
    secret: t.string(),
    groupId: t.id(),
    priority: t.int(),
    weight: t.int(),
    concurrency: t.int({ description: 'null: no limit.' }),
    models: t.stringList({ description: '["*"] allows every model.' }),
    modelMapping: t.field({ type: [ModelMappingInput] }),
    proxy: t.string({ description: 'null clears.' }),
    enabled: t.boolean(),
  }),
})

addMutation('updateAccount', {
  description: 'Changes the fields given.',
  scope: 'user',
  args: (arg) => ({ input: arg({ type: UpdateAccountInput, required: true }) }),
  check: z.object({
    input: z.object({
      id: globalId('Account'),
      name: unlessAbsent(fields.name),
      platform: unlessAbsent(fields.platform),
      url: unlessAbsent(fields.url),
      authHeader: unlessAbsent(fields.authHeader),
      secret: unlessAbsent(fields.secret),
      groupId: unlessAbsent(fields.groupId),
      priority: unlessAbsent(fields.priority),
      weight: unlessAbsent(fields.weight),
      concurrency: fields.concurrency.nullish(),
      models: unlessAbsent(fields.models),
      modelMapping: unlessAbsent(fields.modelMapping),
      proxy: fields.proxy.nullish(),
      enabled: unlessAbsent(fields.enabled),
    }),
  }),
  success: addAccountSuccess('UpdateAccountSuccess'),
  failures: ['input', 'not_found'],
  async run({ input: { id, ...rest } }, context, change) {
    const draft = given(rest)
    await change(async (tx) => {
      const row = await ownAccount(tx, context.viewer, id)
      if (draft.groupId !== undefined && draft.groupId !== row.groupId) {
        await refuseForeignGroup(tx, context.viewer, draft.groupId)
      }
      await context.parts.accountEdits.update(tx, id, draft)
      const before = { ...row, models: JSON.parse(row.models), modelMapping: JSON.parse(row.modelMapping) }
      return {
        answer: null,
        audit: { objectType: 'Account', objectId: id, ...changedFields<object>(before, draft) },
      }
    })
    await tellAccounts(context)
    return { id }
  },
})

addMutation('deleteAccount', {
  description: 'Takes the account out of the pool and forgets its secret; its history stays.',
  scope: 'user',
  args: (arg) => ({ id: arg.id({ required: true }) }),
  check: onlyId('Account'),
  success: addOkSuccess('DeleteAccountSuccess'),
  failures: ['not_found'],
  async run({ id }, context, change) {
    await change(async (tx) => {
      const { name, url } = await ownAccount(tx, context.viewer, id)
      await context.parts.accountEdits.remove(tx, id)
      return { answer: null, audit: { objectType: 'Account', objectId: id, before: { name, url } } }
    })
    await tellAccounts(context)
    return { ok: true }
  },
})

addMutation('clearAccountState', {
  description: 'Lifts every automatic state, of the account and of its models: the next request may try it again.',
  scope: 'user',
  args: (arg) => ({ id: arg.id({ required: true }) }),
  check: onlyId('Account'),
  success: addAccountSuccess('ClearAccountStateSuccess'),
  failures: ['not_found'],
  async run({ id }, { parts, viewer, actor }, change) {
    const cause = { by: 'person', requestId: actor.requestId, evidence: null } as const
    await change(async (tx) => {
      const { state } = await ownAccount(tx, viewer, id)
      await parts.accounts.clearState(tx, id, cause)
      return { answer: null, audit: { objectType: 'Account', objectId: id, before: { state } } }
    })
    parts.accounts.cleared(id, cause)
    return { id }
  },
})

const TestAccountSuccess = builder
  .objectRef<{ ok: boolean; latencyMs: number; status: number; message: string }>('TestAccountSuccess')
  .implement({
    authScopes: { user: true },
    fields: (t) => ({
      ok: t.exposeBoolean('ok'),
      latencyMs: t.expose('latencyMs', { type: 'Count' }),
      status: t.exposeInt('status', { description: "Upstream's status; 0 when there was no answer." }),
      message: t.exposeString('message'),
    }),
  })

addMutation('testAccount', {
  description: 'Sends one small message through the account, whatever its state; no key pays for it.',
  scope: 'user',
  args: (arg) => ({ id: arg.id({ required: true }), model: arg.string({ required: true }) }),
  check: z.object({
    id: globalId('Account'),
    model: z.string().regex(/^[\x21-\x7e]{1,191}$/, 'must be the name of a model'),
  }),
  success: TestAccountSuccess,
  failures: ['input', 'not_found'],
  async run({ id, model }, { parts, viewer }, change) {
    // The row first: whoever may not see it must not make it spend.
    await ownAccount(parts.database.reader, viewer, id)
    const account = parts.accounts.byId(id)
    if (!account) throw notFound('account')
    if (account.secret === '') throw inputFailure({ path: 'secret', message: 'is missing: give the account one first' })
    const result = await parts.testAccount(account, model)
    await change(async () => ({
      answer: null,
      audit: { objectType: 'Account', objectId: id, after: { model, ok: result.ok, status: result.status } },
    }))
    return result
  },
})

async function tellAccounts({ parts }: Context): Promise<void> {
  parts.accounts.changed()
  await parts.reload.accounts()
}

/** An account that the viewer may change. Throws not found for others, as if they were not there. */
export async function ownAccount(tx: Pick<Tx, 'account'>, viewer: Viewer | null, id: number) {
  const found = await tx.account.findFirst({ where: { AND: [visibleAccounts(viewer), { id, deletedMark: 0 }] } })
  if (!found) throw notFound('account')
  return found
}
