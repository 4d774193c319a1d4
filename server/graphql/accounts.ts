import { kindAt, type StateKind, storedState } from '../accounts/state.ts'
import type { Account as StoredAccount } from '../generated/sqlite/client.ts'
import type { AccountChange } from '../live/live-events.ts'
import { noTotals } from '../usage/statistics.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import { Group } from './groups.ts'
import { Totals } from './totals-type.ts'
import { User } from './users.ts'
import { idNumber } from './values.ts'
import { visibleAccounts } from './visible.ts'

export const Platform = builder.enumType('Platform', {
  values: {
    CLAUDE: { value: 'claude' },
    CONSOLE: { value: 'console' },
    OPENAI: { value: 'openai' },
    CODEX: { value: 'codex' },
  } as const,
})

export const AuthHeader = builder.enumType('AuthHeader', {
  values: { BEARER: { value: 'bearer' }, X_API_KEY: { value: 'x-api-key' } } as const,
})

const AccountStateKind = builder.enumType('AccountStateKind', {
  values: {
    READY: { value: 'ready' },
    LIMITED: { value: 'limited' },
    COOLING: { value: 'cooling' },
    PROBING: { value: 'probing', description: 'Back from a cooling: one request decides.' },
    NEEDS_LOGIN: { value: 'needs_login' },
    UNFUNDED: { value: 'unfunded' },
  } as const,
})

const ModelRest = builder.objectRef<{ model: string; untilMs: number; reason: string }>('ModelRest').implement({
  authScopes: { user: true },
  fields: (t) => ({
    model: t.exposeString('model'),
    until: t.field({ type: 'DateTime', resolve: ({ untilMs }) => new Date(untilMs) }),
    reason: t.exposeString('reason'),
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

const ModelMapping = builder.objectRef<{ from: string; to: string }>('ModelMapping').implement({
  authScopes: { user: true },
  fields: (t) => ({ from: t.exposeString('from'), to: t.exposeString('to') }),
})

/** In memory it is fresher than in its row. */
const liveOf = ({ id, state }: StoredAccount, { parts }: Context) =>
  parts.accounts.byId(id)?.live ?? { state: storedState(state), inFlight: 0 }

export const Account = builder.prismaNode('Account', {
  id: { field: 'id' },
  findUnique: (id, { viewer }) => ({ id: Number(id), deletedMark: 0, AND: [visibleAccounts(viewer)] }),
  authScopes: { user: true },
  fields: (t) => ({
    name: t.exposeString('name'),
    platform: t.field({ type: Platform, resolve: ({ platform }) => platform as 'console' }),
    url: t.exposeString('url'),
    authHeader: t.field({ type: AuthHeader, resolve: ({ authHeader }) => authHeader as 'bearer' }),
    group: t.relation('group', { type: Group }),
    owner: t.field({
      type: User,
      nullable: true,
      resolve: ({ ownerId }, _args, { batches }) => (ownerId === null ? null : batches.user(ownerId)),
    }),
    priority: t.exposeInt('priority', { description: 'Smaller first.' }),
    weight: t.exposeInt('weight', { description: 'Share among accounts of one priority.' }),
    concurrency: t.exposeInt('concurrency', {
      nullable: true,
      description: 'Requests at once, counted by each process; further ones wait in line. null: no limit.',
    }),
    models: t.stringList({ resolve: ({ models }) => JSON.parse(models) as string[] }),
    modelMapping: t.field({
      type: [ModelMapping],
      description: 'The first that fits wins.',
      resolve: ({ modelMapping }) =>
        Object.entries(JSON.parse(modelMapping) as Record<string, string>).map(([from, to]) => ({ from, to })),
    }),
    hasProxy: t.boolean({
      description: 'Its address may hold a password and is not shown.',
      resolve: ({ id }, _args, { parts }) => parts.accounts.hasProxy(id),
    }),
    enabled: t.exposeBoolean('enabled'),
    state: t.field({ type: AccountStateType, resolve: (row, _args, context) => liveOf(row, context).state }),
    inFlight: t.int({
      description: 'Requests under way in this process.',
      resolve: (row, _args, context) => liveOf(row, context).inFlight,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    today: t.field({
      type: Totals,
      resolve: async ({ id }, _args, { batches }) => (await batches.today(id)) ?? noTotals,
    }),
  }),
})

builder.queryField('accounts', (t) =>
  t.prismaConnection({
    type: Account,
    cursor: 'id',
    authScopes: { user: true },
    args: { search: t.arg.string(), groupId: t.arg.id() },
    resolve: (query, _parent, { search, groupId }, { parts, viewer }) =>
      parts.database.reader.account.findMany({
        ...query,
        where: {
          AND: [
            visibleAccounts(viewer),
            { deletedMark: 0 },
            groupId ? { groupId: idNumber(groupId, 'Group') } : {},
            search ? { OR: [{ name: { contains: search } }, { url: { contains: search } }] } : {},
          ],
        },
        orderBy: { id: 'asc' },
      }),
  }),
)
