import { builder } from '../builder.ts'
import { idNumber, soundPage } from '../values.ts'
import { User } from './users.ts'

const AuditEntry = builder.prismaNode('ApiLog', {
  name: 'AuditEntry',
  description: 'One change that somebody made, or a sign-in.',
  id: { field: 'id' },
  // It may be somebody else's, or deleted meanwhile: then the field is null.
  nullable: true,
  // The scope is checked before anything is read.
  findUnique: (id, { viewer }) => ({ id: viewer?.role === 'admin' && /^\d{1,18}$/.test(id) ? BigInt(id) : -1n }),
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
      description: 'null: nobody who was signed in.',
      resolve: ({ userId }, _args, { batches }) => (userId === 0 ? null : batches.user(userId)),
    }),
    action: t.exposeString('action', { description: 'Name of the mutation.' }),
    objectType: t.exposeString('objectType', {
      description: 'Group, Account, ApiKey, User, VerdictRule, Session, Setting or Job.',
    }),
    objectId: t.exposeInt('objectId', { description: 'Its number, as global ids hold it; 0 when it has none.' }),
    before: t.exposeString('before', { description: 'JSON of the fields that changed; secrets are left out.' }),
    after: t.exposeString('after', { description: 'JSON of the fields that changed; secrets are left out.' }),
    clientIp: t.exposeString('clientIp', {
      description: 'Whence the request came, behind proxies as TRUSTED_PROXIES allows.',
    }),
    requestId: t.exposeString('requestId', {
      description: 'Of the management request, as the log of the process names it.',
    }),
  }),
})

builder.queryField('auditLog', (t) =>
  t.prismaConnection({
    type: AuditEntry,
    cursor: 'id',
    description: 'Every change and sign-in, the newest first.',
    authScopes: { admin: true },
    args: {
      userId: t.arg.id({ description: 'Only what this User did.' }),
      action: t.arg.string({ description: 'Only this mutation, by its whole name.' }),
    },
    resolve: (query, _parent, { userId, action }, { parts }) =>
      parts.database.reader.apiLog.findMany({
        ...soundPage(query),
        where: { AND: [userId ? { userId: idNumber(userId, 'User') } : {}, action ? { action } : {}] },
        orderBy: { id: 'desc' },
      }),
  }),
)
