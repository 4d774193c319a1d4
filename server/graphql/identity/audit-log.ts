import { encodeGlobalID } from '@pothos/plugin-relay'
import { builder } from '../builder.ts'
import { spanFields, spanOf, totalCount } from '../connections.ts'
import type { Context } from '../server/context.ts'
import { idNumbers, isRowKey, soundPage } from '../values.ts'
import { User } from './users.ts'

const ObjectType = builder.enumType('ObjectType', {
  description: 'What a change was about.',
  values: {
    GROUP: { value: 'Group', description: 'A Group.' },
    ACCOUNT: { value: 'Account', description: 'An Account.' },
    API_KEY: { value: 'ApiKey', description: 'An ApiKey.' },
    USER: { value: 'User', description: 'A User.' },
    ERROR_RULE: { value: 'ErrorRule', description: 'An error rule.' },
    SESSION: { value: 'Session', description: 'The session of a user.' },
    SETTINGS: { value: 'Setting', description: 'The settings of the deployment.' },
    JOB: { value: 'Job', description: 'A job of the relay.' },
  } as const,
})
type ObjectTypeName = 'Group' | 'Account' | 'ApiKey' | 'User' | 'ErrorRule' | 'Session' | 'Setting' | 'Job'

/** The object of an entry as a node; null for what is no node. */
export async function nodeOf(type: string, id: number, { batches, parts }: Context): Promise<object | null> {
  const find: Partial<Record<string, () => Promise<object | null | undefined>>> = {
    Group: () => batches.group(id),
    Account: () => batches.account(id),
    ApiKey: () => batches.apiKey(id),
    User: () => batches.user(id),
    ErrorRule: () => parts.database.reader.errorRule.findUnique({ where: { id } }),
  }
  const found = await find[type]?.()
  return found ? { ...found, __typename: type } : null
}

const json = (text: string): unknown => (text === '' ? null : JSON.parse(text))

const AuditEntry = builder.prismaNode('ApiLog', {
  name: 'AuditEntry',
  description: 'One change that somebody made, or a sign-in.',
  id: { field: 'id' },
  nullable: true,
  // The scope is checked before anything is read.
  findUnique: (id, { viewer }) => ({ id: viewer?.role === 'admin' && isRowKey(id) ? BigInt(id) : -1n }),
  authScopes: { admin: true },
  fields: (t) => ({
    at: t.field({
      description: 'When it was written, in the transaction of the change.',
      type: 'DateTime',
      resolve: ({ atMs }) => new Date(Number(atMs)),
    }),
    user: t.field({
      type: User,
      nullable: true,
      description: 'Who did it; null when nobody was signed in.',
      resolve: ({ userId }, _args, { batches }) => (userId === 0 ? null : batches.user(userId)),
    }),
    action: t.exposeString('action', {
      description:
        'The name of the mutation, or of the command, that made the change. It is a string and no enum, because entries outlive the mutations of later versions.',
    }),
    objectType: t.field({
      type: ObjectType,
      description: 'What the change was about.',
      resolve: ({ objectType }) => objectType as ObjectTypeName,
    }),
    objectId: t.id({
      nullable: true,
      description: 'The global id of the object, also when it is gone; null when the change is not about a single one.',
      resolve: ({ objectType, objectId }) => (objectId === 0 ? null : encodeGlobalID(objectType, objectId)),
    }),
    object: t.field({
      type: builder.nodeInterfaceRef(),
      nullable: true,
      description: 'The object as it is now; null when it is gone for good, or is not a node.',
      resolve: ({ objectType, objectId }, _args, context) =>
        objectId === 0 ? null : (nodeOf(objectType, objectId, context) as never),
    }),
    before: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The fields that changed, as they were before; secrets are left out.',
      resolve: ({ before }) => json(before),
    }),
    after: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The fields that changed, as they were afterwards; secrets are left out.',
      resolve: ({ after }) => json(after),
    }),
    clientIp: t.string({
      nullable: true,
      description:
        'The address that the request came from, behind proxies as TRUSTED_PROXIES allows; null for commands of the program.',
      resolve: ({ clientIp }) => clientIp || null,
    }),
    requestId: t.string({
      nullable: true,
      description: 'The id of the management request, as the log of the process names it.',
      resolve: ({ requestId }) => requestId || null,
    }),
  }),
})

const AuditEntryConnection = builder.connectionObject({
  type: AuditEntry,
  name: 'AuditEntryConnection',
  fields: totalCount,
})

const AuditEntryFilter = builder.inputType('AuditEntryFilter', {
  description: 'Every condition that is given must hold; a list holds when one of its values fits.',
  fields: (t) => ({
    userIds: t.idList({ description: 'Global ids of the users who made the changes.' }),
    actions: t.stringList({ description: 'Whole names of mutations.' }),
    objectTypes: t.field({ type: [ObjectType], description: 'What the changes were about.' }),
    ...spanFields(t, 'Changes'),
  }),
})

function filteredEntries(filter: typeof AuditEntryFilter.$inferInput | null | undefined) {
  const { userIds, actions, objectTypes } = filter ?? {}
  const { fromMs, toMs } = spanOf(filter)
  return {
    AND: [
      userIds ? { userId: { in: idNumbers(userIds, 'User') } } : {},
      actions ? { action: { in: actions } } : {},
      objectTypes ? { objectType: { in: objectTypes } } : {},
      fromMs === undefined ? {} : { atMs: { gte: BigInt(fromMs) } },
      toMs === undefined ? {} : { atMs: { lt: BigInt(toMs) } },
    ],
  }
}

builder.queryField('auditEntries', (t) =>
  t.prismaConnection(
    {
      type: AuditEntry,
      cursor: 'id',
      nullable: true,
      description: 'Every change and sign-in, the newest first.',
      authScopes: { admin: true },
      args: { filter: t.arg({ type: AuditEntryFilter, description: 'Without it all of them.' }) },
      totalCount: (_parent, { filter }, { parts }) =>
        parts.database.reader.apiLog.count({ where: filteredEntries(filter) }),
      resolve: (query, _parent, { filter }, { parts }) =>
        parts.database.reader.apiLog.findMany({
          ...soundPage(query),
          where: filteredEntries(filter),
          orderBy: { id: 'desc' },
        }),
    },
    AuditEntryConnection,
  ),
)
