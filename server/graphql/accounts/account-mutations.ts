import { z } from 'zod'
import { readClaudeSwitch } from '../../accounts/platform-switch.ts'
import { says } from '../../failure-codes.ts'
import { changedFields } from '../../identity/audit.ts'
import type { Viewer } from '../../identity/sessions.ts'
import type { Tx } from '../../store/database.ts'
import { platformNamed } from '../../upstreams/platforms/platforms.ts'
import { inputFailure, notFound } from '../../verb-failure.ts'
import { builder } from '../builder.ts'
import { refuseForeignGroup } from '../groups/groups.ts'
import { given } from '../identity/users.ts'
import { addDeletedSuccess, addIdInput, addMutation, type PayloadFields } from '../mutation.ts'
import type { AccountTest } from '../server/parts.ts'
import { globalId, onlyId, orElse } from '../values.ts'
import { visibleAccounts } from '../visible.ts'
import {
  CreateAccountInput,
  checkOpening,
  createAccountCheck,
  UpdateAccountInput,
  updateAccountCheck,
} from './account-input.ts'
import { planOf, tokensOf } from './account-login-input.ts'
import { Account } from './accounts.ts'
import { FailureCause, faultNamed } from './failure-cause.ts'

/** The account of a success. */
export const accountAfter = (t: PayloadFields<{ id: number }>) =>
  t.prismaField({
    description: 'The account with its new values.',
    type: Account,
    resolve: (query, { id }, _args, { parts }) =>
      parts.database.reader.account.findUniqueOrThrow({ ...query, where: { id } }),
  })

const addAccountSuccess = (name: string) =>
  builder.objectRef<{ id: number }>(name).implement({
    description: 'The account as it is now.',
    authScopes: { user: true },
    fields: (t) => ({ account: accountAfter(t) }),
  })

addMutation('createAccount', {
  description: 'Adds an upstream account to groups of yours.',
  scope: 'user',
  input: CreateAccountInput,
  check: createAccountCheck,
  success: addAccountSuccess('CreateAccountSuccess'),
  failures: ['input'],
  locks: ['accounts'],
  async run({ login, ...input }, context, change) {
    const { accounts, accountEdits, database } = context.parts
    const check = async (tx: Checking) => {
      await refuseForeignGroup(tx, context.viewer, input.groupIds, 'accounts')
      await accountEdits.refuseTakenName(tx, input.name)
      if (platformNamed(input.platform)?.isOptIn) await refuseClaudeWhileOff(tx)
    }
    // Checked before the exchange, because a code can be used once.
    await check(database.reader)
    const approved = context.viewer?.role === 'admin'
    const tokens = await tokensOf(context, login, accounts.viaOf(input.proxy, approved))
    const fields = { ...input, plan: input.plan ?? planOf(login) ?? '' }
    const id = await change(async (tx) => {
      await check(tx)
      const draft = { ...fields, ...(tokens && { login: tokens }), ownerId: context.actor.userId, approved }
      const objectId = await accountEdits.create(tx, draft)
      const after = { ...fields, extraHeaders: Object.keys(fields.extraHeaders), ...(login && { login: login.way }) }
      return { answer: objectId, audit: { objectType: 'Account', objectId, after } }
    })
    await context.parts.changed('account', id)
    return { id }
  },
})

addMutation('updateAccount', {
  description: 'Changes the fields given.',
  scope: 'user',
  input: UpdateAccountInput,
  check: updateAccountCheck,
  success: addAccountSuccess('UpdateAccountSuccess'),
  failures: ['input', 'not_found'],
  locks: ['accounts'],
  async run({ id, login, ...rest }, context, change) {
    const { viewer } = context
    const { accounts, accountEdits, database } = context.parts
    const draft = given(rest)
    const check = async (tx: Checking) => {
      const row = await ownAccount(tx, viewer, id)
      const platform = draft.platform ?? row.platform
      checkOpening({ platform, secret: draft.secret, login }, (path, code) => {
        throw inputFailure({ path, code })
      })
      if (platformNamed(platform)?.isOptIn && (login || platform !== row.platform)) await refuseClaudeWhileOff(tx)
      if (draft.name !== undefined) await accountEdits.refuseTakenName(tx, draft.name, id)
      const added = draft.groupIds?.filter((groupId) => !row.groupIds.includes(groupId)) ?? []
      if (added.length > 0) await refuseForeignGroup(tx, viewer, added, 'accounts')
      return row
    }
    await check(database.reader)
    const isAdmin = viewer?.role === 'admin'
    const via = draft.proxy === undefined ? accounts.byId(id) : accounts.viaOf(draft.proxy, isAdmin)
    const tokens = await tokensOf(context, login, via ?? accounts.viaOf(null, isAdmin))
    const plan = draft.plan ?? planOf(login)
    const fields = { ...draft, ...(plan !== undefined && { plan }) }
    const cause = { by: 'person', requestId: context.actor.requestId, evidence: null } as const
    const opensAnew = await change(async (tx) => {
      const row = await check(tx)
      const answer = await accountEdits.update(tx, id, { ...fields, ...(tokens && { login: tokens }) }, !isAdmin)
      if (answer) await accounts.clearState(tx, id, cause)
      const before = {
        ...row,
        models: JSON.parse(row.models),
        modelMapping: JSON.parse(row.modelMapping),
        maxUtilization: JSON.parse(row.maxUtilization),
      }
      const { extraHeaders, ...shown } = fields
      const changed = changedFields<object>(before, shown)
      const headers = extraHeaders && { extraHeaders: Object.keys(extraHeaders) }
      const after = { ...changed.after, ...headers, ...(login && { login: login.way }) }
      return { answer, audit: { objectType: 'Account', objectId: id, before: changed.before, after } }
    })
    if (opensAnew) accounts.cleared(id, cause)
    await context.parts.changed('account', id)
    return { id }
  },
})

const ApproveAccountInput = builder.inputType('ApproveAccountInput', {
  description: 'Which account, and whether it is approved.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The global id of the Account.' }),
    approved: t.boolean({ description: 'False: it reaches public addresses alone. Absent: true.' }),
  }),
})

addMutation('deleteAccount', {
  description: 'Takes the account out of its groups and forgets its credential. Its history stays.',
  scope: 'user',
  input: addIdInput('DeleteAccountInput', 'Account'),
  check: onlyId('Account'),
  success: addDeletedSuccess('DeleteAccountSuccess', 'Account'),
  failures: ['not_found'],
  locks: ['accounts'],
  async run({ id }, context, change) {
    await change(async (tx) => {
      const { name, url } = await ownAccount(tx, context.viewer, id)
      await context.parts.accountEdits.remove(tx, id)
      return { answer: null, audit: { objectType: 'Account', objectId: id, before: { name, url } } }
    })
    await context.parts.changed('account', id)
    return { id }
  },
})

addMutation('approveAccount', {
  description:
    'Lets an account of an ordinary user reach the private networks that administrators granted, or takes that away. What administrators made is approved; when its owner sets another URL or proxy, the approval ends.',
  scope: 'admin',
  input: ApproveAccountInput,
  check: z.object({ id: globalId('Account'), approved: orElse(z.boolean(), true) }),
  success: addAccountSuccess('ApproveAccountSuccess'),
  failures: ['not_found'],
  locks: ['accounts'],
  async run({ id, approved }, { parts }, change) {
    await change(async (tx) => {
      const before = { approved: await parts.accountEdits.approve(tx, id, approved) }
      return { answer: null, audit: { objectType: 'Account', objectId: id, before, after: { approved } } }
    })
    await parts.changed('account', id)
    return { id }
  },
})

addMutation('clearAccountState', {
  description: 'Lifts every automatic state, of the account and of its models: the next request may try it again.',
  scope: 'user',
  input: addIdInput('ClearAccountStateInput', 'Account'),
  check: onlyId('Account'),
  success: addAccountSuccess('ClearAccountStateSuccess'),
  failures: ['not_found'],
  locks: ['accounts'],
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

const TestAccountSuccess = builder.objectRef<AccountTest & { id: number }>('TestAccountSuccess').implement({
  description: 'The test was made; `ok` says whether the account works.',
  authScopes: { user: true },
  fields: (t) => ({
    account: accountAfter(t),
    ok: t.exposeBoolean('ok', { description: 'A whole answer came.' }),
    latencyMs: t.expose('latencyMs', { description: 'Milliseconds until the answer was read.', type: 'Count' }),
    status: t.int({
      nullable: true,
      description: "The upstream's status; null when no response came.",
      resolve: ({ status }) => status || null,
    }),
    message: t.exposeString('message', {
      description: 'In English: that the model answered, what the upstream said, or why nothing came; redacted.',
    }),
    failure: t.field({
      type: FailureCause,
      nullable: true,
      description: 'Why no answer came; null when one did.',
      resolve: ({ fault }) => fault && faultNamed(fault.cause, fault.place),
    }),
  }),
})

const TestAccountInput = builder.inputType('TestAccountInput', {
  description: 'Which account, and what it is asked for.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The global id of the Account.' }),
    model: t.string({
      required: true,
      description: 'The model as a client would ask for it; the mapping of the account applies.',
    }),
  }),
})

addMutation('testAccount', {
  description: 'Sends one small message through the account, whatever its state; no key pays for it.',
  scope: 'user',
  input: TestAccountInput,
  check: z.object({
    id: globalId('Account'),
    model: z.string().regex(/^[\x21-\x7e]{1,191}$/, says('MODEL_MALFORMED')),
  }),
  success: TestAccountSuccess,
  failures: ['input', 'not_found'],
  locks: [],
  async run({ id, model }, { parts, viewer }, change) {
    // Reads the row first: only who may change the account may spend its credit.
    await ownAccount(parts.database.reader, viewer, id)
    const account = parts.accounts.byId(id)
    if (!account) throw notFound('account')
    if (account.secret === '') throw inputFailure({ path: 'upstreamApiKey', code: 'UPSTREAM_KEY_MISSING' })
    const startedAtMs = parts.now()
    const result = await parts.testAccount(account, model)
    const { ok, status, latencyMs: durationMs, message } = result
    await parts.jobs.noteTest(id, { ok, status, startedAtMs, durationMs, message })
    await change(async () => ({
      answer: null,
      audit: { objectType: 'Account', objectId: id, after: { model, ok: result.ok, status: result.status } },
    }))
    return { ...result, id }
  },
})

/** For checks inside and outside of the transaction that writes the account. */
type Checking = Pick<Tx, 'account' | 'group' | 'setting'>

async function refuseClaudeWhileOff(tx: Checking): Promise<void> {
  if (!(await readClaudeSwitch(tx)).enabled) throw inputFailure({ path: 'platform', code: 'CLAUDE_ACCOUNTS_OFF' })
}

/** An account that the viewer may change. Throws not found for others, as if they did not exist. */
export async function ownAccount(tx: Pick<Tx, 'account'>, viewer: Viewer | null, id: number) {
  const where = { AND: [visibleAccounts(viewer), { id, deletedMark: 0 }] }
  const found = await tx.account.findFirst({ where, include: { groups: { orderBy: { groupId: 'asc' } } } })
  if (!found) throw notFound('account')
  const { groups, ...row } = found
  return { ...row, groupIds: groups.map(({ groupId }) => groupId) }
}
