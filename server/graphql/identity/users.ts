import { z } from 'zod'
import type { Prisma } from '../../generated/sqlite/client.ts'
import { userFields } from '../../identity/user-input.ts'
import { formatFactor } from '../../money/usd.ts'
import { builder } from '../builder.ts'
import { totalCount } from '../connections.ts'
import { costLimitChecks, costLimitInputs, withLimitColumns } from '../keys/limit-fields.ts'
import { addMutation } from '../mutation.ts'
import type { Context } from '../server/context.ts'
import { globalId, rowId, searched, soundPage, unlessAbsent } from '../values.ts'
import { visibleUsers } from '../visible.ts'

const Role = builder.enumType('Role', {
  description: 'What a person may do.',
  values: {
    ADMIN: { value: 'admin', description: 'Sees and changes everything.' },
    USER: { value: 'user', description: 'Sees and changes groups, accounts, keys and requests of their own.' },
  },
})

export const User = builder.prismaNode('User', {
  description: 'Somebody who can sign in.',
  id: { field: 'id' },
  // It may be somebody else's, or deleted meanwhile: then the field is null.
  nullable: true,
  findUnique: (id, { viewer }) => ({ id: rowId(id), deletedMark: 0, AND: [visibleUsers(viewer)] }),
  // Not cached: a sign-in changes the viewer in the middle of its request.
  authScopes: (_user, { viewer }) => viewer !== null,
  fields: (t) => ({
    username: t.exposeString('username', { description: 'Unique, in small letters; 1 to 64 characters.' }),
    email: t.exposeString('email', { description: 'Unique; null: none.', nullable: true }),
    role: t.field({ description: 'What they may do.', type: Role, resolve: (user) => user.role }),
    enabled: t.exposeBoolean('enabled', { description: 'Off: they cannot sign in, and their keys are refused.' }),
    mustChangePassword: t.exposeBoolean('mustChangePassword', {
      description: 'The password was made by `admin reset`: it opens nothing but the change to another.',
    }),
    chargeFactor: t.field({
      description:
        'What the cost of their requests is multiplied by to give what is billed; with that of the group. "1": what they cost.',
      type: 'Decimal',
      resolve: ({ chargeBp }) => formatFactor(chargeBp),
    }),
    createdAt: t.expose('createdAt', { description: 'When they were added.', type: 'DateTime' }),
  }),
})

const UserConnection = builder.connectionObject({ type: User, name: 'UserConnection', fields: totalCount })

const UserFilter = builder.inputType('UserFilter', {
  description: 'Every condition that is given must hold; a list holds when one of its values fits.',
  fields: (t) => ({
    search: t.string({ description: 'A part of the name or of the e-mail address.' }),
    roles: t.field({ type: [Role], description: 'What the people may do.' }),
    enabled: t.boolean({ description: 'Whether they can sign in.' }),
  }),
})

function filteredUsers(
  filter: typeof UserFilter.$inferInput | null | undefined,
  { viewer }: Context,
): Prisma.UserWhereInput {
  const { search, roles, enabled } = filter ?? {}
  return {
    AND: [
      visibleUsers(viewer),
      { deletedMark: 0 },
      roles ? { role: { in: roles } } : {},
      typeof enabled === 'boolean' ? { enabled } : {},
      searched(search?.toLowerCase(), (text) => ({
        OR: [{ username: { contains: text } }, { email: { contains: text } }],
      })),
    ],
  }
}

builder.queryField('users', (t) =>
  t.prismaConnection(
    {
      type: User,
      cursor: 'id',
      nullable: true,
      description: 'The people who can sign in.',
      authScopes: { admin: true },
      args: { filter: t.arg({ type: UserFilter, description: 'Without it everybody.' }) },
      totalCount: (_parent, { filter }, context) =>
        context.parts.database.reader.user.count({ where: filteredUsers(filter, context) }),
      resolve: (query, _parent, { filter }, context) =>
        context.parts.database.reader.user.findMany({
          ...soundPage(query),
          where: filteredUsers(filter, context),
          orderBy: { id: 'asc' },
        }),
    },
    UserConnection,
  ),
)

/** A success that holds one user. */
const addUserSuccess = (name: string) =>
  builder.objectRef<{ id: number }>(name).implement({
    description: 'The person as they are now.',
    authScopes: { user: true },
    fields: (t) => ({
      user: t.prismaField({
        description: 'With the new values.',
        type: User,
        resolve: (query, { id }, _args, { parts }) =>
          parts.database.reader.user.findUniqueOrThrow({ ...query, where: { id } }),
      }),
    }),
  })

const CreateUserInput = builder.inputType('CreateUserInput', {
  description: 'A new person.',
  fields: (t) => ({
    username: t.string({
      description: 'It has 1 to 64 letters, digits, or . _ @ -, is kept in small letters, and is unique.',
      required: true,
    }),
    password: t.string({ description: 'It has 10 to 200 characters.', required: true }),
    email: t.string({ description: 'Unique; absent or null: none.' }),
    role: t.field({ description: 'What they may do.', type: Role, defaultValue: 'user' }),
    enabled: t.boolean({ description: 'Off: they cannot sign in.', defaultValue: true }),
  }),
})

addMutation('createUser', {
  description: 'Adds a person.',
  scope: 'admin',
  input: CreateUserInput,
  check: z.object({
    username: userFields.username,
    password: userFields.password,
    email: userFields.email.nullable().default(null),
    role: userFields.role.nullish().transform((role) => role ?? 'user'),
    enabled: userFields.enabled.nullish().transform((enabled) => enabled ?? true),
  }),
  success: addUserSuccess('CreateUserSuccess'),
  failures: ['input'],
  locks: ['users'],
  async run({ password, ...fields }, { parts }, change) {
    const passwordHash = await parts.passwords.hash(password)
    const id = await change(async (tx) => {
      const objectId = await parts.users.create(tx, { ...fields, passwordHash })
      return { answer: objectId, audit: { objectType: 'User', objectId, after: { ...fields, password: 'set' } } }
    })
    return { id }
  },
})

const UpdateUserInput = builder.inputType('UpdateUserInput', {
  description: 'Fields that are absent stay as they are.',
  fields: (t) => ({
    id: t.id({ required: true }),
    username: t.string({
      description: 'It has 1 to 64 letters, digits, or . _ @ -, is kept in small letters, and is unique.',
    }),
    email: t.string({ description: 'With null the address is removed.' }),
    role: t.field({ description: 'The last administrator who can sign in stays one.', type: Role }),
    enabled: t.boolean({
      description:
        'Off: they cannot sign in, and their keys are refused. The last administrator who can sign in stays enabled.',
    }),
    password: t.string({ description: 'Ends the sessions of the user.' }),
    chargeFactor: t.field({
      description: 'Of requests that begin from now on: from 0 to 100, with at most 4 digits after the point.',
      type: 'Decimal',
    }),
    ...costLimitInputs(t),
  }),
})

addMutation('updateUser', {
  description: 'Changes the fields given. Another role or password, or switching off, ends the sessions of the user.',
  scope: 'admin',
  input: UpdateUserInput,
  check: z.object({
    id: globalId('User'),
    username: unlessAbsent(userFields.username),
    email: userFields.email.nullish(),
    role: unlessAbsent(userFields.role),
    enabled: unlessAbsent(userFields.enabled),
    password: unlessAbsent(userFields.password),
    chargeFactor: unlessAbsent(userFields.chargeFactor),
    ...costLimitChecks,
  }),
  success: addUserSuccess('UpdateUserSuccess'),
  failures: ['input', 'not_found', 'conflict'],
  locks: ['users'],
  async run({ id, password, chargeFactor: chargeBp, ...fields }, { parts, viewer }, change) {
    const passwordHash = password === undefined ? undefined : await parts.passwords.hash(password)
    const draft = given({ ...withLimitColumns(fields), passwordHash, chargeBp })
    const endsSessions = await change(async (tx) => {
      const changed = await parts.users.update(tx, id, draft)
      if (changed.endsSessions) {
        await parts.sessions.endAllOf(tx, id, viewer?.userId === id ? viewer.sessionId : undefined)
      }
      const { before, after } = changed
      return { answer: changed.endsSessions, audit: { objectType: 'User', objectId: id, before, after } }
    })
    if (endsSessions) parts.sessions.ended({ userId: id })
    // A key stops working with its owner.
    await parts.changed('key')
    return { id }
  },
})

/** Without the fields that are undefined: those stay as they are. */
export function given<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: Exclude<Fields[Name], undefined>
  }
}
