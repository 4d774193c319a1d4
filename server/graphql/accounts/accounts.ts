import { storedFlags } from '../../accounts/format-flags.ts'
import { kindAt } from '../../accounts/state/eligibility.ts'
import type { AccountState } from '../../accounts/state/state.ts'
import { storedState } from '../../accounts/state/state-text.ts'
import type { Prisma, Account as StoredAccount } from '../../generated/sqlite/client.ts'
import type { AccountChange } from '../../live/live-events.ts'
import { platformNamed } from '../../upstreams/platforms/platforms.ts'
import { builder } from '../builder.ts'
import { totalCount } from '../connections.ts'
import { Group } from '../groups/groups.ts'
import { User } from '../identity/users.ts'
import type { Context } from '../server/context.ts'
import { idNumbers, rowId, searched, soundPage } from '../values.ts'
import { visibleAccounts } from '../visible.ts'
import { AccountStateName, AccountStateType } from './account-state.ts'
import { FormatFlagsType } from './format-flags.ts'

export const Platform = builder.enumType('Platform', {
  description: 'The language an upstream speaks, and how it is opened.',
  values: {
    CLAUDE: { value: 'claude', description: 'The vendor, with the login of a subscription.' },
    CONSOLE: { value: 'console', description: 'Any endpoint of the Anthropic format, with a key.' },
    OPENAI: { value: 'openai', description: 'Any endpoint of OpenAI’s Chat Completions, with a key.' },
    CODEX: { value: 'codex', description: 'Any endpoint of OpenAI’s Responses, with a key.' },
  } as const,
})

export const AuthHeader = builder.enumType('AuthHeader', {
  description: 'The header that carries the secret to the upstream.',
  values: {
    BEARER: { value: 'bearer', description: 'The header is `authorization: Bearer SECRET`.' },
    X_API_KEY: { value: 'x-api-key', description: 'The header is `x-api-key: SECRET`.' },
    API_KEY: { value: 'api-key', description: 'The header is `api-key: SECRET`, as Azure takes it.' },
  } as const,
})

const ProxyChoice = builder.enumType('ProxyChoice', {
  description: 'Which way the connections of an account take.',
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
      description: 'When the access token was renewed last; null: not yet.',
      type: 'DateTime',
      nullable: true,
      resolve: ({ refreshedAtMs }) => dateOf(refreshedAtMs),
    }),
    refreshFailure: t.string({
      nullable: true,
      description: 'Why it is not renewed any more; null while it is renewed.',
      resolve: ({ refreshFailure }) => refreshFailure || null,
    }),
    refreshError: t.string({
      nullable: true,
      description: 'Why the last renewal failed, while it is tried again; null when it did not fail.',
      resolve: ({ refreshError }) => refreshError || null,
    }),
    nextRefreshAt: t.field({
      description: 'With `refreshError`: when the renewal is tried again; null when it did not fail.',
      type: 'DateTime',
      nullable: true,
      resolve: ({ refreshRetryAtMs }) => dateOf(refreshRetryAtMs),
    }),
  }),
})

interface StoredLogin {
  expiresAtMs: bigint | null
  refreshedAtMs: bigint | null
  refreshFailure: string
  refreshError: string
  refreshRetryAtMs: bigint | null
  renews: boolean
}

const dateOf = (ms: bigint | null): Date | null => (ms === null ? null : new Date(Number(ms)))

export const ModelMapping = builder.objectRef<{ from: string; to: string }>('ModelMapping').implement({
  description: 'Requests for a model are sent under another name.',
  authScopes: { user: true },
  fields: (t) => ({
    from: t.exposeString('from', { description: 'The model as clients ask for it, or a pattern with *.' }),
    to: t.exposeString('to', { description: 'The name under which it is sent.' }),
  }),
})

/** An account as a live event shows it: this process may know the change later than the event comes. */
export type ChangedAccount = StoredAccount & { change?: AccountChange }

/** The state in memory is fresher than the row's. */
const stateOf = ({ id, state, change }: ChangedAccount, { parts }: Context) =>
  change?.state ?? parts.accounts.byId(id)?.live.state ?? storedState(state)

export const Account = builder.prismaNode('Account', {
  description: 'An upstream that requests are forwarded to, with the credential that opens it.',
  id: { field: 'id' },
  // It may be somebody else's, or deleted meanwhile: then the field is null.
  nullable: true,
  findUnique: (id, { viewer }) => ({ id: rowId(id), deletedMark: 0, AND: [visibleAccounts(viewer)] }),
  authScopes: { user: true },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique among accounts; 1 to 100 characters.' }),
    platform: t.field({
      description: 'Decides how it is spoken to and opened.',
      type: Platform,
      resolve: ({ platform }) => platform as 'console',
    }),
    url: t.exposeString('url', {
      description: 'Base address, as ANTHROPIC_BASE_URL would name it: without /v1/messages, user, password and query.',
    }),
    authHeader: t.field({
      description: 'CONSOLE: the header that carries the key. Accounts with a login always use BEARER.',
      type: AuthHeader,
      resolve: ({ authHeader }) => authHeader as 'bearer',
    }),
    groups: t.field({
      description: 'Keys of these groups are served by it: one at least.',
      type: [Group],
      select: (_args, _context, nested) => ({ groups: { select: { group: nested() }, orderBy: { groupId: 'asc' } } }),
      resolve: ({ groups }) => groups.map(({ group }) => group),
    }),
    owner: t.field({
      description:
        'Who may change it, beside administrators; null when nobody owns it (made by the provisioning file), or when that person is not yours to see.',
      type: User,
      nullable: true,
      resolve: ({ ownerId }, _args, { batches }) => (ownerId === null ? null : batches.user(ownerId)),
    }),
    priority: t.exposeInt('priority', { description: 'Smaller first.' }),
    weight: t.exposeInt('weight', { description: 'Share among accounts of one priority.' }),
    concurrencyLimit: t.exposeInt('concurrency', {
      nullable: true,
      description:
        'How many requests may run on it at once, counted by each process; further ones wait in the queue. null for no limit.',
    }),
    models: t.stringList({
      description: 'Names, or patterns with *, of the models it serves, as clients ask for them; ["*"]: all.',
      resolve: ({ models }) => JSON.parse(models) as string[],
    }),
    modelMapping: t.field({
      type: [ModelMapping],
      description: 'The first that fits wins.',
      resolve: ({ modelMapping }) =>
        Object.entries(JSON.parse(modelMapping) as Record<string, string>).map(([from, to]) => ({ from, to })),
    }),
    formatFlags: t.field({
      type: FormatFlagsType,
      nullable: true,
      description: 'OPENAI and CODEX: what the upstream takes of translated requests. null elsewhere.',
      resolve: ({ platform, flags }) => (platformNamed(platform)?.learnFlags ? storedFlags(flags) : null),
    }),
    hasProxy: t.boolean({
      description: 'Its address may hold a password and is not shown.',
      resolve: ({ id }, _args, { parts }) => parts.accounts.hasProxy(id),
    }),
    proxyChoice: t.field({
      description: 'Which way its connections take.',
      type: ProxyChoice,
      resolve: ({ id }, _args, { parts }) => parts.accounts.proxyChoice(id),
    }),
    plan: t.string({
      nullable: true,
      description: 'What the subscription is called, for people; null when nobody named it.',
      resolve: ({ plan }) => plan || null,
    }),
    login: t.field({
      type: AccountLogin,
      nullable: true,
      description: 'The login that opens the upstream; null when a key does.',
      resolve: async ({ id, platform }, _args, { parts, batches }) => {
        const stored = platformNamed(platform)?.opensWith === 'login' ? await batches.credential(id) : undefined
        return stored ? { ...stored, renews: parts.accounts.renews(id) } : null
      },
    }),
    enabled: t.exposeBoolean('enabled', {
      description: 'The manual switch. Off: it gets no requests, whatever its state.',
    }),
    approved: t.exposeBoolean('approved', {
      description:
        'An administrator made or approved it: it may reach the private networks that administrators granted, through any proxy. Otherwise it reaches public addresses alone.',
    }),
    state: t.field({
      description: 'As it is now: a rest whose end has passed counts as over.',
      type: AccountStateType,
      resolve: (row, _args, context) => stateOf(row, context),
    }),
    inFlight: t.int({
      description: 'Running requests that it serves, in all processes.',
      resolve: ({ id }, _args, { parts }) => parts.live.inFlight('accountId', id),
    }),
    connectTimeoutSeconds: t.exposeInt('connectTimeoutSeconds', {
      nullable: true,
      description: 'How long a connection may take, with TLS and proxy; null: 10.',
    }),
    firstByteTimeoutSeconds: t.exposeInt('firstByteTimeoutSeconds', {
      nullable: true,
      description: 'How long its first byte may take; null: 120 for streams, for others what the client says or 600.',
    }),
    idleTimeoutSeconds: t.exposeInt('idleTimeoutSeconds', {
      nullable: true,
      description: 'How long it may be silent within a response; null: 240.',
    }),
    extraHeaderNames: t.stringList({
      description: 'Names of the headers that go up with every request; their values have no field.',
      resolve: ({ id }, _args, { parts }) =>
        (parts.accounts.byId(id)?.extraHeaders ?? []).filter((_name, at) => at % 2 === 0),
    }),
    createdAt: t.expose('createdAt', { description: 'When it was added.', type: 'DateTime' }),
  }),
})

export const AccountConnection = builder.connectionObject({
  type: Account,
  name: 'AccountConnection',
  fields: totalCount,
})

const AccountFilter = builder.inputType('AccountFilter', {
  description: 'Every condition that is given must hold; a list holds when one of its values fits.',
  fields: (t) => ({
    search: t.string({ description: 'A part of the name or of the address.' }),
    groupIds: t.idList({ description: 'Global ids of groups.' }),
    ownerIds: t.idList({ description: 'Global ids of users.' }),
    platforms: t.field({ type: [Platform], description: 'Platforms of the accounts.' }),
    states: t.field({ type: [AccountStateName], description: 'States as they are now.' }),
    enabled: t.boolean({ description: 'Whether the manual switch is on.' }),
  }),
})

function filteredAccounts(
  filter: typeof AccountFilter.$inferInput | null | undefined,
  { parts, viewer }: Context,
): Prisma.AccountWhereInput {
  const { search, groupIds, ownerIds, platforms, states, enabled } = filter ?? {}
  const inState = ({ live: { state } }: { live: { state: AccountState } }) =>
    states?.includes(kindAt(state, parts.now())) ?? false
  return {
    AND: [
      visibleAccounts(viewer),
      { deletedMark: 0 },
      groupIds ? { groups: { some: { groupId: { in: idNumbers(groupIds, 'Group') } } } } : {},
      ownerIds ? { ownerId: { in: idNumbers(ownerIds, 'User') } } : {},
      platforms ? { platform: { in: platforms } } : {},
      // States expire by the clock: only the accounts in memory know them.
      states ? { id: { in: [...parts.accounts.all()].filter(inState).map(({ id }) => id) } } : {},
      typeof enabled === 'boolean' ? { enabled } : {},
      searched(search, (text) => ({ OR: [{ name: { contains: text } }, { url: { contains: text } }] })),
    ],
  }
}

builder.queryField('accounts', (t) =>
  t.prismaConnection(
    {
      type: Account,
      cursor: 'id',
      nullable: true,
      description: 'The upstream accounts that you own; for administrators all of them.',
      authScopes: { user: true },
      args: { filter: t.arg({ type: AccountFilter, description: 'Without it all that you may see.' }) },
      totalCount: (_parent, { filter }, context) =>
        context.parts.database.reader.account.count({ where: filteredAccounts(filter, context) }),
      resolve: (query, _parent, { filter }, context) =>
        context.parts.database.reader.account.findMany({
          ...soundPage(query),
          where: filteredAccounts(filter, context),
          orderBy: { id: 'asc' },
        }),
    },
    AccountConnection,
  ),
)
