import type { AccountStep } from '../../live/live-events.ts'
import { ledgerKey } from '../../request-ids.ts'
import { builder } from '../builder.ts'
import { forwardArgs, forwardPage, spanFields, spanOf } from '../connections.ts'
import { Request } from '../requests/request-type.ts'
import { viewOfRow } from '../requests/request-view.ts'
import { rowKey } from '../values.ts'
import { AccountStateName } from './account-state.ts'
import { Account } from './accounts.ts'
import { FailureCause, faultOfEvidence } from './failure-cause.ts'

const AccountCause = builder.enumType('AccountCause', {
  description: 'What made the state of an account change.',
  values: {
    REQUEST: { value: 'request', description: 'What the upstream answered to a request, or did not.' },
    PROBE: { value: 'probe', description: "A probe of the relay's own, and what the upstream answered to it." },
    RULE: { value: 'rule', description: 'A rule of an administrator, on the answer to a request.' },
    PERSON: { value: 'person', description: 'Somebody cleared the state, or changed what opens the account.' },
    TIME: { value: 'time', description: 'The end of a rest came.' },
  } as const,
})

export const AccountStepType = builder.objectRef<AccountStep>('AccountStep').implement({
  description: 'One change of the automatic state, and what brought it about.',
  authScopes: { user: true },
  fields: (t) => ({
    at: t.field({ description: 'When it changed.', type: 'DateTime', resolve: ({ atMs }) => new Date(atMs) }),
    from: t.field({ description: 'Before.', type: AccountStateName, resolve: ({ from }) => from }),
    to: t.field({ description: 'From then on.', type: AccountStateName, resolve: ({ to }) => to }),
    model: t.string({
      nullable: true,
      description: 'The model (or with * the family) that this is about; null: the whole account.',
      resolve: ({ model }) => model || null,
    }),
    until: t.field({
      description: 'When the rest was said to end; null: nobody said, or there is none.',
      type: 'DateTime',
      nullable: true,
      resolve: ({ untilMs }) => date(untilMs),
    }),
    nextProbeAt: t.field({
      description: 'When a probe was to ask next; null: none was planned.',
      type: 'DateTime',
      nullable: true,
      resolve: ({ nextProbeAtMs }) => date(nextProbeAtMs),
    }),
    reason: t.exposeString('reason', { description: "In English, or in the upstream's own words." }),
    cause: t.field({
      description: 'Who or what brought it about.',
      type: AccountCause,
      resolve: ({ cause }) => cause.by,
    }),
    requestId: t.string({
      description:
        'The request of a client, or the management request of a person; null for what the relay did by itself.',
      nullable: true,
      resolve: ({ cause }) => cause.requestId || null,
    }),
    httpStatus: t.int({
      nullable: true,
      description: "Upstream's status; null when there was no answer.",
      resolve: ({ cause }) => cause.evidence?.status || null,
    }),
    failure: t.field({
      type: FailureCause,
      nullable: true,
      description: 'When no usable answer came; null for what an upstream said itself.',
      resolve: ({ cause }) => faultOfEvidence(cause.evidence),
    }),
    errorType: t.string({
      description: "The upstream's, or the relay's own where no answer came; null: none.",
      nullable: true,
      resolve: ({ cause }) => cause.evidence?.errorType || null,
    }),
    errorCode: t.string({
      description: 'The identifier beside the type; null: none.',
      nullable: true,
      resolve: ({ cause }) => cause.evidence?.code || null,
    }),
    errorMessage: t.string({
      nullable: true,
      description:
        'At most 200 characters, redacted, and only where the account was at fault: errors quote prompts. With `failure` its place.',
      resolve: ({ cause }) => cause.evidence?.message || null,
    }),
  }),
})

builder.objectField(AccountStepType, 'request', (t) =>
  t.field({
    type: Request,
    nullable: true,
    description:
      'The request of a client that brought it about; null for other causes, until that request has settled, or when it is not yours to see.',
    async resolve({ cause }, _args, { batches }) {
      const key = cause.by === 'request' || cause.by === 'rule' ? ledgerKey(cause.requestId) : null
      const row = key === null ? undefined : await batches.stored(BigInt(key))
      return row ? viewOfRow(row) : null
    },
  }),
)

const date = (atMs: number | null): Date | null => (atMs === null ? null : new Date(atMs))

const AccountStepFilter = builder.inputType('AccountStepFilter', {
  description: 'Every condition that is given must hold.',
  fields: (t) => spanFields(t, 'Changes'),
})

const AccountStepConnection = builder.connectionObject({ type: AccountStepType, name: 'AccountStepConnection' })

builder.objectField(Account, 'timeline', (t) =>
  t.field({
    type: AccountStepConnection,
    nullable: true,
    description: 'How the automatic state of the account changed and why, the newest change first.',
    args: { ...forwardArgs(t.arg), filter: t.arg({ type: AccountStepFilter, description: 'Without it all of them.' }) },
    resolve({ id }, { filter, ...page }, { batches }) {
      const before = rowKey(page.after)
      const span = spanOf(filter)
      return forwardPage(
        page,
        async (limit) => (await batches.timeline({ of: id, limit, before, ...span })) ?? [],
        ({ id: cursor, step }) => ({ cursor: String(cursor), node: step }),
      )
    },
  }),
)
