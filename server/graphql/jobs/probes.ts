import { z } from 'zod'
import { isOut, modelsCoolingDown } from '../../accounts/state/eligibility.ts'
import { conflict, notFound } from '../../verb-failure.ts'
import { accountAfter, ownAccount } from '../accounts/account-mutations.ts'
import { Account } from '../accounts/accounts.ts'
import { FailureCause, faultNamed } from '../accounts/failure-cause.ts'
import { builder } from '../builder.ts'
import { forwardArgs, forwardPage, spanFields, spanOf } from '../connections.ts'
import { addMutation } from '../mutation.ts'
import type { ProbeRow } from '../server/parts.ts'
import { globalId, rowKey } from '../values.ts'
import { RunCode, runCodeDescription, runCodeOf } from './run-code.ts'

const Probe = builder.objectRef<ProbeRow>('Probe').implement({
  description: 'One check whether an account that is not ready, or a model that cools down there, serves again.',
  authScopes: { user: true },
  fields: (t) => ({
    at: t.field({
      description: 'When it began.',
      type: 'DateTime',
      resolve: ({ startedAtMs }) => new Date(Number(startedAtMs)),
    }),
    model: t.string({
      nullable: true,
      description: 'The model, or the family, whose rest was looked at; null: the account itself.',
      resolve: ({ model }) => model || null,
    }),
    ok: t.boolean({ description: 'It was back.', resolve: ({ outcome }) => outcome === 'done' }),
    status: t.int({
      nullable: true,
      description: "The upstream's status; null when no response came.",
      resolve: ({ status }) => status || null,
    }),
    message: t.exposeString('message', {
      description: 'The result in English; redacted, at most 191 characters.',
    }),
    code: t.field({
      type: RunCode,
      nullable: true,
      description: runCodeDescription,
      resolve: ({ code }) => runCodeOf(code),
    }),
    failure: t.field({
      type: FailureCause,
      nullable: true,
      description: 'When no usable answer came; null for what an upstream said itself.',
      resolve: ({ code, place }) => faultNamed(code, place),
    }),
    durationMs: t.exposeInt('durationMs', { description: 'Milliseconds until the answer was read.' }),
    cost: t.expose('costNano', { type: 'NanoUsd', description: 'On no key: a row of its own in the ledger.' }),
  }),
})

const ProbeFilter = builder.inputType('ProbeFilter', {
  description: 'Every condition that is given must hold.',
  fields: (t) => spanFields(t, 'Probes that began'),
})

const ProbeConnection = builder.connectionObject({ type: Probe, name: 'ProbeConnection' })

builder.objectField(Account, 'probes', (t) =>
  t.field({
    type: ProbeConnection,
    nullable: true,
    description: 'Recovery probes of the account and of its models, the newest first.',
    args: { ...forwardArgs(t.arg), filter: t.arg({ type: ProbeFilter, description: 'Without it all of them.' }) },
    resolve({ id }, { filter, ...page }, { batches }) {
      const before = rowKey(page.after)
      const span = spanOf(filter)
      return forwardPage(
        page,
        async (limit) => (await batches.probes({ of: id, limit, before, ...span })) ?? [],
        (row) => ({ cursor: String(row.id), node: row }),
      )
    },
  }),
)

const ProbeAccountSuccess = builder.objectRef<{ id: number; probe: ProbeRow }>('ProbeAccountSuccess').implement({
  description: 'The probe was made; its `ok` says whether the account is back.',
  authScopes: { user: true },
  fields: (t) => ({
    account: accountAfter(t),
    probe: t.field({ type: Probe, description: 'What the probe found.', resolve: ({ probe }) => probe }),
  }),
})

const ProbeAccountInput = builder.inputType('ProbeAccountInput', {
  description: 'What is probed.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The global id of the Account.' }),
    model: t.string({ description: 'A model as `state.models` names it; without it the account itself.' }),
  }),
})

addMutation('probeAccount', {
  description:
    'Looks now whether an account that is not ready, or a model that rests there, is back; no key pays for it, and it never makes a state worse.',
  scope: 'user',
  input: ProbeAccountInput,
  check: z.object({ id: globalId('Account'), model: z.string().max(191).nullish() }),
  success: ProbeAccountSuccess,
  failures: ['not_found', 'conflict'],
  locks: [],
  async run({ id, model }, { parts, viewer }, change) {
    await ownAccount(parts.database.reader, viewer, id)
    const account = parts.accounts.byId(id)
    if (!account) throw notFound('account')
    const rest = model ?? ''
    const { state } = account.live
    if (rest === '' ? !isOut(state, parts.now()) : !modelsCoolingDown(state, parts.now()).includes(rest))
      throw conflict(rest === '' ? 'ACCOUNT_READY' : 'MODEL_READY')
    const outcome = await parts.jobs.probeNow(account, rest)
    const { ok, status } = outcome
    await change(async () => ({
      answer: null,
      audit: { objectType: 'Account', objectId: id, after: { ok, status, ...(rest !== '' && { model: rest }) } },
    }))
    const { startedMs, latencyMs, costNano, words } = outcome
    const probe = {
      ...words,
      id: 0n,
      model: rest,
      startedAtMs: BigInt(startedMs),
      durationMs: latencyMs,
      outcome: ok ? 'done' : 'failed',
      status,
      costNano: BigInt(costNano),
    }
    return { id, probe }
  },
})
