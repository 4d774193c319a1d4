import type { Prisma } from '../../generated/sqlite/client.ts'
import { allowedOf } from '../../keys/api-key.ts'
import { sightingKeptMs } from '../../keys/sightings.ts'
import { builder } from '../builder.ts'
import { totalCount } from '../connections.ts'
import { Group } from '../groups/groups.ts'
import { User } from '../identity/users.ts'
import type { Context } from '../server/context.ts'
import { idNumbers, rowId, searched, soundPage } from '../values.ts'
import { visibleKeys } from '../visible.ts'

const SightingKind = builder.enumType('ApiKeySightingKind', {
  description: 'What was seen of a request.',
  values: {
    ADDRESS: { value: 'address', description: 'The address that it came from.' },
    CLIENT: { value: 'client', description: 'The user agent of its program.' },
  },
})

const Sighting = builder.prismaObject('ApiKeySighting', {
  description: 'An address that a key was used from, or a program that used it.',
  authScopes: { user: true },
  fields: (t) => ({
    kind: t.field({
      type: SightingKind,
      description: 'Which of the two.',
      resolve: ({ kind }) => (kind === 'address' ? 'address' : 'client'),
    }),
    value: t.exposeString('value', { description: 'The address, or the user agent, cut to 120 characters.' }),
    firstSeenAt: t.field({
      type: 'DateTime',
      description: 'When it was first seen.',
      resolve: ({ firstAtMs }) => new Date(Number(firstAtMs)),
    }),
    lastSeenAt: t.field({
      type: 'DateTime',
      description: 'When it was last seen, to ten minutes.',
      resolve: ({ lastAtMs }) => new Date(Number(lastAtMs)),
    }),
  }),
})

export const ApiKey = builder.prismaNode('ApiKey', {
  description:
    'What a client signs in with: it opens the accounts of its group, up to its limits. The secret itself has no field.',
  id: { field: 'id' },
  // It may be somebody else's, or deleted meanwhile: then the field is null.
  nullable: true,
  findUnique: (id, { viewer }) => ({ id: rowId(id), deletedMark: 0, AND: [visibleKeys(viewer)] }),
  authScopes: { user: true },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique among keys; 1 to 100 characters.' }),
    secretHint: t.exposeString('secretHint', { description: 'First and last characters: sk-a…wxyz.' }),
    group: t.relation('group', { description: 'Whose accounts serve it.', type: Group }),
    owner: t.field({
      description:
        'On whom its use is booked, and who may change it; null when nobody owns it (made by the provisioning file), or when that person is not yours to see.',
      type: User,
      nullable: true,
      resolve: ({ userId }, _args, { batches }) => (userId === null ? null : batches.user(userId)),
    }),
    models: t.stringList({
      description: 'Names, or patterns with *, of the models it may ask for; ["*"]: all.',
      resolve: ({ models }) => JSON.parse(models) as string[],
    }),
    allowedAddresses: t.stringList({
      description:
        'Networks (CIDR) that it may be used from; empty: everywhere. From elsewhere it is refused with 400.',
      resolve: ({ allowedAddresses }) => allowedOf(allowedAddresses),
    }),
    allowedClients: t.stringList({
      description: 'Patterns with * that the user agent of a client must fit; empty: every program.',
      resolve: ({ allowedClients }) => allowedOf(allowedClients),
    }),
    seen: t.relation('sightings', {
      description:
        'Where it was used from and by which programs in the last 7 days, refused requests too: the newest first, at most 50 of each.',
      type: Sighting,
      query: (_args, { parts }) => ({
        where: { lastAtMs: { gte: BigInt(parts.now() - sightingKeptMs) } },
        orderBy: { lastAtMs: 'desc' },
      }),
    }),
    dailyLimit: t.expose('dailyLimitNano', {
      description: "Most it may spend in a day of the deployment's zone; null: no limit.",
      type: 'NanoUsd',
      nullable: true,
    }),
    totalLimit: t.expose('totalLimitNano', {
      description: 'Most it may ever spend; null: no limit.',
      type: 'NanoUsd',
      nullable: true,
    }),
    weeklyLimit: t.expose('weeklyLimitNano', {
      description: 'Most it may spend in a week of the deployment; null: no limit.',
      type: 'NanoUsd',
      nullable: true,
    }),
    monthlyLimit: t.expose('monthlyLimitNano', {
      description: 'Most it may spend in a month of the deployment; null: no limit.',
      type: 'NanoUsd',
      nullable: true,
    }),
    rollingLimit: t.expose('rollingLimitNano', {
      description: 'Most it may spend in any `rollingHours`; null: no limit.',
      type: 'NanoUsd',
      nullable: true,
    }),
    rollingHours: t.exposeInt('rollingHours', { description: 'The length of the rolling window.' }),
    requestsPerMinute: t.exposeInt('requestsPerMinute', {
      description: 'Most requests in a minute; null: no limit.',
      nullable: true,
    }),
    tokensPerMinute: t.exposeInt('tokensPerMinute', {
      description: 'Most tokens of all classes in a minute; null: no limit.',
      nullable: true,
    }),
    concurrency: t.exposeInt('concurrency', { description: 'Most requests at once; null: no limit.', nullable: true }),
    validForDays: t.exposeInt('validForDays', {
      description: 'It expires so many days after its first use, which sets `expiresAt`; null: it does not.',
      nullable: true,
    }),
    spentToday: t.field({
      description:
        "What was billed for its requests that began since midnight in the deployment's zone, as far as they are in the ledger.",
      type: 'NanoUsd',
      nullable: true,
      resolve: async ({ id }, _args, { batches, parts }) =>
        (await batches.useSince('key', parts.dayAt(parts.now()).day, id))?.billedNano ?? 0n,
    }),
    spentTotal: t.field({
      description: 'What was billed for all its requests that are in the ledger.',
      type: 'NanoUsd',
      nullable: true,
      resolve: async ({ id }, _args, { batches }) => (await batches.useSince('key', null, id))?.billedNano ?? 0n,
    }),
    dayResetsAt: t.field({
      type: 'DateTime',
      description: "When the daily limit begins anew: midnight in the deployment's zone.",
      resolve: (_key, _args, { parts }) => new Date(parts.dayAt(parts.now()).endMs),
    }),
    expiresAt: t.expose('expiresAt', {
      description: 'From then on it is refused; null: never.',
      type: 'DateTime',
      nullable: true,
    }),
    enabled: t.exposeBoolean('enabled', {
      description: 'Off: it is refused with 401. So is the key of a person who is switched off.',
    }),
    previousSecretUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'How long the secret before the last rotation still works.',
      resolve: ({ previousUntil }, _args, { parts }) =>
        previousUntil !== null && previousUntil.getTime() > parts.now() ? previousUntil : null,
    }),
    inFlight: t.int({
      description: 'Running requests that came with it, in all processes.',
      resolve: ({ id }, _args, { parts }) => parts.live.inFlight('apiKeyId', id),
    }),
    createdAt: t.expose('createdAt', { description: 'When it was made.', type: 'DateTime' }),
    lastUsedAt: t.field({
      description: 'Begin of its newest request in the ledger; null: none.',
      type: 'DateTime',
      nullable: true,
      async resolve({ id }, _args, { batches }) {
        const atMs = await batches.lastUsed.key(id)
        return atMs === undefined ? null : new Date(atMs)
      },
    }),
  }),
})

export const ApiKeyConnection = builder.connectionObject({ type: ApiKey, name: 'ApiKeyConnection', fields: totalCount })

const ApiKeyFilter = builder.inputType('ApiKeyFilter', {
  description: 'Every condition that is given must hold; a list holds when one of its values fits.',
  fields: (t) => ({
    search: t.string({ description: 'A part of the name or of the hint of the secret.' }),
    groupIds: t.idList({ description: 'Global ids of groups.' }),
    ownerIds: t.idList({ description: 'Global ids of users.' }),
    enabled: t.boolean({ description: 'Whether the switch of the key is on.' }),
  }),
})

function filteredKeys(
  filter: typeof ApiKeyFilter.$inferInput | null | undefined,
  { viewer }: Context,
): Prisma.ApiKeyWhereInput {
  const { search, groupIds, ownerIds, enabled } = filter ?? {}
  return {
    AND: [
      visibleKeys(viewer),
      { deletedMark: 0 },
      groupIds ? { groupId: { in: idNumbers(groupIds, 'Group') } } : {},
      ownerIds ? { userId: { in: idNumbers(ownerIds, 'User') } } : {},
      typeof enabled === 'boolean' ? { enabled } : {},
      searched(search, (text) => ({ OR: [{ name: { contains: text } }, { secretHint: { contains: text } }] })),
    ],
  }
}

builder.queryField('apiKeys', (t) =>
  t.prismaConnection(
    {
      type: ApiKey,
      cursor: 'id',
      nullable: true,
      description: 'The keys that you own; for administrators all of them.',
      authScopes: { user: true },
      args: { filter: t.arg({ type: ApiKeyFilter, description: 'Without it all that you may see.' }) },
      totalCount: (_parent, { filter }, context) =>
        context.parts.database.reader.apiKey.count({ where: filteredKeys(filter, context) }),
      resolve: (query, _parent, { filter }, context) =>
        context.parts.database.reader.apiKey.findMany({
          ...soundPage(query),
          where: filteredKeys(filter, context),
          orderBy: { id: 'asc' },
        }),
    },
    ApiKeyConnection,
  ),
)
