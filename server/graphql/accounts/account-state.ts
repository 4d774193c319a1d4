import { kindAt } from '../../accounts/state/eligibility.ts'
import type { StateKind } from '../../accounts/state/state.ts'
import type { AccountChange } from '../../live/live-events.ts'
import { builder } from '../builder.ts'
import { FailureCause } from './failure-cause.ts'

export const AccountStateName = builder.enumType('AccountStateName', {
  description: 'Whether requests go to an account, and what has to happen if not.',
  values: {
    READY: { value: 'ready', description: 'Takes requests.' },
    RATE_LIMITED: {
      value: 'rate_limited',
      description: 'The upstream said that a limit is reached: back by itself at `until`.',
    },
    COOLING_DOWN: {
      value: 'cooling_down',
      description: 'Failed several times in a row: on trial again after `until`, each time later.',
    },
    RECOVERING: { value: 'recovering', description: 'Back from a cooling: one request decides.' },
    REAUTH_REQUIRED: {
      value: 'reauth_required',
      description: 'The upstream refused its credential: a person has to give another, or to clear the state.',
    },
    OUT_OF_CREDIT: {
      value: 'out_of_credit',
      description:
        'The upstream said that it is not paid for: back at `until`, or with a probe that is answered, or by a person.',
    },
  } as const,
})

interface RestOfModel {
  model: string
  untilMs: number
  reason: string
  nextProbeAtMs?: number
}

const ModelCooldown = builder.objectRef<RestOfModel>('ModelCooldown').implement({
  description: 'A model that rests on an account which serves others.',
  authScopes: { user: true },
  fields: (t) => ({
    model: t.exposeString('model', {
      description: 'As it is sent to the upstream; with * a family, such as *sonnet*.',
    }),
    until: t.field({
      description: 'When it is asked again.',
      type: 'DateTime',
      resolve: ({ untilMs }) => new Date(untilMs),
    }),
    reason: t.exposeString('reason', { description: "Why it rests, in English or in the upstream's own words." }),
    nextProbeAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When a probe asks for it next; null: none is planned.',
      resolve: ({ nextProbeAtMs }) => (nextProbeAtMs === undefined ? null : new Date(nextProbeAtMs)),
    }),
  }),
})

const restsNot: ReadonlySet<StateKind> = new Set(['ready', 'recovering'])

/** The automatic state; a cooldown that has expired counts as over. */
export const AccountStateType = builder.objectRef<AccountChange['state']>('AccountState').implement({
  description: 'What the relay found out by itself, beside the manual switch.',
  authScopes: { user: true },
  fields: (t) => ({
    name: t.field({
      description: 'As it is now.',
      type: AccountStateName,
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
      description: 'When a probe asks it next; null: none is planned.',
      type: 'DateTime',
      nullable: true,
      resolve: ({ nextProbeAtMs }) => (nextProbeAtMs === null ? null : new Date(nextProbeAtMs)),
    }),
    reason: t.string({
      nullable: true,
      description:
        "Why the account is in this state, in English or in the upstream's own words; null when it has always been ready.",
      resolve: ({ reason }) => reason || null,
    }),
    failure: t.field({
      type: FailureCause,
      nullable: true,
      description: 'With a reason that says that no usable answer came; null for what an upstream said itself.',
      resolve: ({ fault }) => fault ?? null,
    }),
    models: t.field({
      type: [ModelCooldown],
      description: 'Models that rest while the account serves others.',
      resolve: ({ models }, _args, { parts }) =>
        Object.entries(models)
          .filter(([, { untilMs }]) => untilMs > parts.now())
          .map(([model, rest]) => ({ model, ...rest })),
    }),
  }),
})
