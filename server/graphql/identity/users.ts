import { z } from 'zod'
import { hashPassword } from '../../identity/passwords.ts'
import { userFields } from '../../identity/user-input.ts'
import { builder } from '../builder.ts'
import { addMutation } from '../mutation.ts'
import { globalId, searched, soundPage, unlessAbsent } from '../values.ts'
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
  findUnique: (id, { viewer }) => ({ id: Number(id), deletedMark: 0, AND: [visibleUsers(viewer)] }),
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
    createdAt: t.expose('createdAt', { description: 'When they were added.', type: 'DateTime' }),
  }),
})

builder.queryField('users', (t) =>
  t.prismaConnection({
    type: User,
    cursor: 'id',
    description: 'People.',
    authScopes: { admin: true },
    args: { search: t.arg.string({ description: 'Part of the name or of the e-mail address.' }) },
    resolve: (query, _parent, { search }, { parts, viewer }) =>
      parts.database.reader.user.findMany({
        ...soundPage(query),
        where: {
          AND: [
            visibleUsers(viewer),
            { deletedMark: 0 },
            searched(search?.toLowerCase(), (text) => ({
              OR: [{ username: { contains: text } }, { email: { contains: text } }],
            })),
          ],
        },
        orderBy: { id: 'asc' },
      }),
  }),
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
      description: '1 to 64 letters, digits, or . _ @ -; kept in small letters, unique.',
      required: true,
    }),
    password: t.string({ description: '10 to 200 characters.', required: true }),
    email: t.string({ description: 'Unique; absent or null: none.' }),
    role: t.field({ description: 'What they may do.', type: Role, defaultValue: 'user' }),
    enabled: t.boolean({ description: 'Off: they cannot sign in.', defaultValue: true }),
  }),
})

addMutation('createUser', {
  description: 'Adds a person.',
  scope: 'admin',
  args: (arg) => ({ input: arg({ type: CreateUserInput, required: true }) }),
  check: z.object({
    input: z.object({
      username: userFields.username,
      password: userFields.password,
      email: userFields.email.nullable().default(null),
      role: userFields.role.nullish().transform((role) => role ?? 'user'),
      enabled: userFields.enabled.nullish().transform((enabled) => enabled ?? true),
    }),
  }),
  success: addUserSuccess('CreateUserSuccess'),
  failures: ['input'],
  locks: ['users'],
  async run({ input: { password, ...fields } }, { parts }, change) {
    const passwordHash = await hashPassword(password)
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
    username: t.string({ description: '1 to 64 letters, digits, or . _ @ -; kept in small letters, unique.' }),
    email: t.string({ description: 'null clears.' }),
    role: t.field({ description: 'The last administrator who can sign in stays one.', type: Role }),
    enabled: t.boolean({
      description:
        'Off: they cannot sign in, and their keys are refused. The last administrator who can sign in stays enabled.',
    }),
    password: t.string({ description: 'Ends the sessions of the user.' }),
  }),
})

addMutation('updateUser', {
  description: 'Changes the fields given. Another role or password, or switching off, ends the sessions of the user.',
  scope: 'admin',
  args: (arg) => ({ input: arg({ type: UpdateUserInput, required: true }) }),
  check: z.object({
    input: z.object({
      id: globalId('User'),
      username: unlessAbsent(userFields.username),
      email: userFields.email.nullish(),
      role: unlessAbsent(userFields.role),
      enabled: unlessAbsent(userFields.enabled),
      password: unlessAbsent(userFields.password),
    }),
  }),
  success: addUserSuccess('UpdateUserSuccess'),
  failures: ['input', 'not_found', 'conflict'],
  locks: ['users'],
  async run({ input: { id, password, ...fields } }, { parts, viewer }, change) {
    const passwordHash = password === undefined ? undefined : await hashPassword(password)
    const draft = given({ ...fields, passwordHash })
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
