import { storedState } from '../accounts/state.ts'
import type { Account as StoredAccount } from '../generated/sqlite/client.ts'
import { noTotals } from '../usage/statistics.ts'
import { AccountStateType } from './account-state.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import { Group } from './groups.ts'
import { Totals } from './totals-type.ts'
import { User } from './users.ts'
import { idNumber, soundPage } from './values.ts'
import { visibleAccounts } from './visible.ts'

export const Platform = builder.enumType('Platform', {
  description: 'The language an upstream speaks, and how it is opened.',
  values: {
    CLAUDE: { value: 'claude', description: 'The vendor, with the login of a subscription.' },
    CONSOLE: { value: 'console', description: 'Any endpoint of the Anthropic format, with a key.' },
    OPENAI: { value: 'openai', description: 'Chat Completions. Not served yet.' },
    CODEX: { value: 'codex', description: 'Responses. Not served yet.' },
  } as const,
})

export const AuthHeader = builder.enumType('AuthHeader', {
  description: 'The header that carries the secret to the upstream.',
  values: { BEARER: { value: 'bearer' }, X_API_KEY: { value: 'x-api-key' } } as const,
})

const ProxyChoice = builder.enumType('ProxyChoice', {
  values: {
    DEFAULT: { value: 'default', description: 'What UPSTREAM_PROXY says.' },
    NONE: { value: 'none', description: 'A direct connection, whatever UPSTREAM_PROXY says.' },
    OWN: { value: 'own', description: 'One of its own.' },
  } as const,
})

const AccountLogin = builder.objectRef<StoredLogin>('AccountLogin').implement({
  description: 'Of an account that opens its upstream with a login. The tokens themselves have no field.',
  authScopes: { user: true },
  fields: (t) => ({
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'End of the access token; null when nobody said.',
      resolve: ({ expiresAtMs }) => dateOf(expiresAtMs),
    }),
    renews: t.exposeBoolean('renews', { description: 'False: it ends with its access token.' }),
    refreshedAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: ({ refreshedAtMs }) => dateOf(refreshedAtMs),
    }),
    refreshFailure: t.exposeString('refreshFailure', {
      description: "Why it is not renewed any more; '' while it is.",
    }),
  }),
})

interface StoredLogin {
  expiresAtMs: bigint | null
  refreshedAtMs: bigint | null
  refreshFailure: string
  renews: boolean
}

const dateOf = (ms: bigint | null): Date | null => (ms === null ? null : new Date(Number(ms)))

const ModelMapping = builder.objectRef<{ from: string; to: string }>('ModelMapping').implement({
  authScopes: { user: true },
  fields: (t) => ({ from: t.exposeString('from'), to: t.exposeString('to') }),
})

/** In memory it is fresher than in its row. */
const liveOf = ({ id, state }: StoredAccount, { parts }: Context) =>
  parts.accounts.byId(id)?.live ?? { state: storedState(state), inFlight: 0 }

export const Account = builder.prismaNode('Account', {
  id: { field: 'id' },
  // Somebody else's, or deleted while a page shows it: no failure of ours.
  nullable: true,
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
    proxyChoice: t.field({
      type: ProxyChoice,
      resolve: ({ id }, _args, { parts }) => parts.accounts.proxyChoice(id),
    }),
    plan: t.exposeString('plan', { description: "What the subscription is called; '' when nobody said." }),
    login: t.field({
      type: AccountLogin,
      nullable: true,
      description: 'null: it opens its upstream with a key.',
      resolve: async ({ id, platform }, _args, { parts, batches }) => {
        const stored = platform === 'claude' ? await batches.credential(id) : undefined
        return stored ? { ...stored, renews: parts.accounts.renews(id) } : null
      },
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
    description: 'Upstream accounts that you own; of administrators all.',
    authScopes: { user: true },
    args: { search: t.arg.string(), groupId: t.arg.id() },
    resolve: (query, _parent, { search, groupId }, { parts, viewer }) =>
      parts.database.reader.account.findMany({
        ...soundPage(query),
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
