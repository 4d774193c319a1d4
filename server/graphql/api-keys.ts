import { builder } from './builder.ts'
import { Group } from './groups.ts'
import { User } from './users.ts'
import { idNumber, soundPage } from './values.ts'
import { visibleKeys } from './visible.ts'

export const ApiKey = builder.prismaNode('ApiKey', {
  id: { field: 'id' },
  // Somebody else's, or deleted while a page shows it: no failure of ours.
  nullable: true,
  findUnique: (id, { viewer }) => ({ id: Number(id), deletedMark: 0, AND: [visibleKeys(viewer)] }),
  authScopes: { user: true },
  fields: (t) => ({
    name: t.exposeString('name'),
    secretHint: t.exposeString('secretHint', { description: 'First and last characters: sk-a…wxyz.' }),
    group: t.relation('group', { type: Group }),
    owner: t.field({
      type: User,
      nullable: true,
      resolve: ({ userId }, _args, { batches }) => (userId === null ? null : batches.user(userId)),
    }),
    models: t.stringList({ resolve: ({ models }) => JSON.parse(models) as string[] }),
    dailyLimit: t.expose('dailyLimitNano', { type: 'NanoUsd', nullable: true }),
    totalLimit: t.expose('totalLimitNano', { type: 'NanoUsd', nullable: true }),
    spentToday: t.field({
      type: 'NanoUsd',
      resolve: async ({ id }, _args, { batches }) => (await batches.keyUse(id))?.todayNano ?? 0n,
    }),
    spentTotal: t.field({
      type: 'NanoUsd',
      resolve: async ({ id }, _args, { batches }) => (await batches.keyUse(id))?.totalNano ?? 0n,
    }),
    dayResetsAt: t.field({
      type: 'DateTime',
      description: "When the daily limit begins anew: midnight in the deployment's zone.",
      resolve: (_key, _args, { parts }) => new Date(parts.dayAt(parts.now()).endMs),
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true }),
    enabled: t.exposeBoolean('enabled'),
    previousSecretUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'How long the secret before the last rotation still works.',
      resolve: ({ previousUntil }, _args, { parts }) =>
        previousUntil !== null && previousUntil.getTime() > parts.now() ? previousUntil : null,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    lastUsedAt: t.field({
      type: 'DateTime',
      nullable: true,
      async resolve({ id }, _args, { batches }) {
        const atMs = (await batches.keyUse(id))?.lastUsedAtMs ?? null
        return atMs === null ? null : new Date(atMs)
      },
    }),
  }),
})

builder.queryField('apiKeys', (t) =>
  t.prismaConnection({
    type: ApiKey,
    cursor: 'id',
    description: 'Keys that you own; of administrators all.',
    authScopes: { user: true },
    args: { search: t.arg.string(), groupId: t.arg.id() },
    resolve: (query, _parent, { search, groupId }, { parts, viewer }) =>
      parts.database.reader.apiKey.findMany({
        ...soundPage(query),
        where: {
          AND: [
            visibleKeys(viewer),
            { deletedMark: 0 },
            groupId ? { groupId: idNumber(groupId, 'Group') } : {},
            search ? { OR: [{ name: { contains: search } }, { secretHint: { contains: search } }] } : {},
          ],
        },
        orderBy: { id: 'asc' },
      }),
  }),
)
