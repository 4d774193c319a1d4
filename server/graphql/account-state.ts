import { kindAt, type StateKind } from '../accounts/state.ts'
import type { AccountChange } from '../live/live-events.ts'
import { builder } from './builder.ts'
import { FailureCause } from './failure-cause.ts'

export const AccountStateKind = builder.enumType('AccountStateKind', {
  values: {
    READY: { value: 'ready' },
    LIMITED: { value: 'limited' },
    COOLING: { value: 'cooling' },
    PROBING: { value: 'probing', description: 'Back from a cooling: one request decides.' },
    NEEDS_LOGIN: { value: 'needs_login' },
    UNFUNDED: { value: 'unfunded' },
  } as const,
})

interface RestOfModel {
  model: string
  untilMs: number
  reason: string
  nextProbeAtMs?: number
}

const ModelRest = builder.objectRef<RestOfModel>('ModelRest').implement({
  authScopes: { user: true },
  fields: (t) => ({
    model: t.exposeString('model'),
    until: t.field({ type: 'DateTime', resolve: ({ untilMs }) => new Date(untilMs) }),
    reason: t.exposeString('reason'),
    nextProbeAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When a probe asks for it next; null: none is planned.',
      resolve: ({ nextProbeAtMs }) => (nextProbeAtMs === undefined ? null : new Date(nextProbeAtMs)),
    }),
  }),
})

const restsNot: ReadonlySet<StateKind> = new Set(['ready', 'probing'])

/** The automatic state; a rest whose time has passed is over. */
export const AccountStateType = builder.objectRef<AccountChange['state']>('AccountState').implement({
  description: 'What the relay found out by itself, beside the manual switch.',
  authScopes: { user: true },
  fields: (t) => ({
    kind: t.field({
      type: AccountStateKind,
      resolve: (state, _args, { parts }) => kindAt(state, parts.now()),
    }),
    until: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it returns by itself; null when it is ready or on trial, or a person must act.',
      resolve: (state, _args, { parts }) =>
        state.untilMs === null || restsNot.has(kindAt(state, parts.now())) ? null : new Date(state.untilMs),
    }),
    since: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it last changed; null: never.',
      resolve: ({ sinceMs }) => (sinceMs === 0 ? null : new Date(sinceMs)),
    }),
    nextProbeAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: ({ nextProbeAtMs }) => (nextProbeAtMs === null ? null : new Date(nextProbeAtMs)),
    }),
    reason: t.exposeString('reason'),
    failure: t.field({
      type: FailureCause,
      nullable: true,
      description: 'With a reason that says that no usable answer came; null for what an upstream said itself.',
      resolve: ({ fault }) => fault ?? null,
    }),
    models: t.field({
      type: [ModelRest],
      description: 'Models that rest while the account serves others.',
      resolve: ({ models }, _args, { parts }) =>
        Object.entries(models)
          .filter(([, { untilMs }]) => untilMs > parts.now())
          .map(([model, rest]) => ({ model, ...rest })),
    }),
  }),
})
