import { z } from 'zod'
import { hashPassword } from '../users/passwords.ts'
import { builder } from './builder.ts'
import { addMutation } from './mutation.ts'
import { email, globalId, newPassword, soundPage, unlessAbsent, userName } from './values.ts'
import { visibleUsers } from './visible.ts'

const Role = builder.enumType('Role', { values: { ADMIN: { value: 'admin' }, USER: { value: 'user' } } })

export const User = builder.prismaNode('User', {
  id: { field: 'id' },
  // Somebody else's, or deleted while a page shows it: no failure of ours.
  nullable: true,
  findUnique: (id, { viewer }) => ({ id: Number(id), deletedMark: 0, AND: [visibleUsers(viewer)] }),
  // Asked anew for each: a sign-in becomes the viewer in the middle of its request.
  authScopes: (_user, { viewer }) => viewer !== null,
  fields: (t) => ({
    username: t.exposeString('username'),
    email: t.exposeString('email', { nullable: true }),
    role: t.field({ type: Role, resolve: (user) => user.role }),
    enabled: t.exposeBoolean('enabled'),
    mustChangePassword: t.exposeBoolean('mustChangePassword', {
      description: 'The password was made by `admin reset`: it opens nothing but the change to another.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
})

builder.queryField('users', (t) =>
  t.prismaConnection({
    type: User,
    cursor: 'id',
    description: 'People.',
    authScopes: { admin: true },
    args: { search: t.arg.string() },
    resolve: (query, _parent, { search }, { parts, viewer }) =>
      parts.database.reader.user.findMany({
        ...soundPage(query),
        where: {
          AND: [
            visibleUsers(viewer),
            { deletedMark: 0 },
            search
              ? {
                  OR: [{ username: { contains: search.toLowerCase() } }, { email: { contains: search.toLowerCase() } }],
                }
              : {},
          ],
        },
        orderBy: { id: 'asc' },
      }),
  }),
)

/** A success that holds one user. */
const addUserSuccess = (name: string) =>
  builder.objectRef<{ id: number }>(name).implement({
    authScopes: { user: true },
    fields: (t) => ({
      user: t.prismaField({
        type: User,
        resolve: (query, { id }, _args, { parts }) =>
          parts.database.reader.user.findUniqueOrThrow({ ...query, where: { id } }),
      }),
    }),
  })

const CreateUserInput = builder.inputType('CreateUserInput', {
  fields: (t) => ({
    username: t.string({ required: true }),
    password: t.string({ required: true }),
    email: t.string(),
    role: t.field({ type: Role, defaultValue: 'user' }),
    enabled: t.boolean({ defaultValue: true }),
  }),
})

addMutation('createUser', {
  description: 'Adds a person.',
  scope: 'admin',
  args: (arg) => ({ input: arg({ type: CreateUserInput, required: true }) }),
  check: z.object({
    input: z.object({
      username: userName,
      password: newPassword,
      email: email.nullable().default(null),
      role: z
        .enum(['admin', 'user'])
        .nullish()
        .transform((role) => role ?? 'user'),
      enabled: z
        .boolean()
        .nullish()
        .transform((enabled) => enabled ?? true),
    }),
  }),
  success: addUserSuccess('CreateUserSuccess'),
  failures: ['input'],
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
  fields: (t) => ({
    id: t.id({ required: true }),
    username: t.string(),
    email: t.string({ description: 'null clears.' }),
    role: t.field({ type: Role }),
    enabled: t.boolean(),
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
      username: unlessAbsent(userName),
      email: email.nullish(),
      role: unlessAbsent(z.enum(['admin', 'user'])),
      enabled: unlessAbsent(z.boolean()),
      password: unlessAbsent(newPassword),
    }),
  }),
  success: addUserSuccess('UpdateUserSuccess'),
  failures: ['input', 'not_found', 'conflict'],
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
    parts.keys.changed()
    await parts.reload.keys()
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
