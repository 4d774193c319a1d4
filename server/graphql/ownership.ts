import { z } from 'zod'
import type { Tx } from '../store/database.ts'
import { inputFailure, notFound } from '../verb-failure.ts'
import { builder } from './builder.ts'
import { nodeOf } from './identity/audit-log.ts'
import { User } from './identity/users.ts'
import { addMutation } from './mutation.ts'
import { globalId, idNumber } from './values.ts'

const nouns = {
  Group: { text: 'group', changed: 'group' },
  Account: { text: 'account', changed: 'account' },
  ApiKey: { text: 'API key', changed: 'key' },
} as const
type Noun = keyof typeof nouns

const TransferOwnershipSuccess = builder
  .objectRef<{ noun: Noun; id: number; ownerId: number }>('TransferOwnershipSuccess')
  .implement({
    description: 'The object has another owner.',
    authScopes: { admin: true },
    fields: (t) => ({
      object: t.field({
        type: builder.nodeInterfaceRef(),
        description: 'The group, the account or the API key.',
        resolve: async ({ noun, id }, _args, context) => (await nodeOf(noun, id, context)) as never,
      }),
      owner: t.prismaField({
        description: 'The owner from now on.',
        type: User,
        resolve: (query, { ownerId }, _args, { parts }) =>
          parts.database.reader.user.findUniqueOrThrow({ ...query, where: { id: ownerId } }),
      }),
    }),
  })

const TransferOwnershipInput = builder.inputType('TransferOwnershipInput', {
  description: 'What is transferred, and to whom.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The global id of a Group, an Account or an ApiKey.' }),
    ownerId: t.id({ required: true, description: 'The global id of the User who gets it.' }),
  }),
})

addMutation('transferOwnership', {
  description:
    'Transfers a group, an account or an API key to another person. What was used so far stays with its owner of that time.',
  scope: 'admin',
  input: TransferOwnershipInput,
  check: z.object({ id: z.string().transform(named), ownerId: globalId('User') }),
  success: TransferOwnershipSuccess,
  failures: ['input', 'not_found'],
  locks: ['accounts', 'groups', 'keys'],
  async run({ id: object, ownerId }, { parts }, change) {
    if (object === null) throw notFound('object')
    await change(async (tx) => {
      const owner = await tx.user.findFirst({ where: { id: ownerId, deletedMark: 0 } })
      if (!owner) throw inputFailure({ path: 'ownerId', code: 'USER_UNKNOWN' })
      const before = await transfer(tx, object, ownerId)
      if (before === undefined) throw notFound(nouns[object.noun].text)
      const audit = { objectType: object.noun, objectId: object.id, before: { ownerId: before }, after: { ownerId } }
      return { answer: null, audit }
    })
    await parts.changed(nouns[object.noun].changed, object.id)
    return { ...object, ownerId }
  },
})

/** The owner before; undefined when there is no such object. */
async function transfer(
  tx: Tx,
  { noun, id }: { noun: Noun; id: number },
  ownerId: number,
): Promise<number | null | undefined> {
  const where = { id, deletedMark: 0 }
  if (noun === 'ApiKey') {
    const key = await tx.apiKey.findFirst({ where })
    if (key) await tx.apiKey.update({ where: { id }, data: { userId: ownerId } })
    return key?.userId
  }
  if (noun === 'Group') {
    const group = await tx.group.findFirst({ where })
    if (group) await tx.group.update({ where: { id }, data: { ownerId } })
    return group?.ownerId
  }
  const account = await tx.account.findFirst({ where })
  if (account) await tx.account.update({ where: { id }, data: { ownerId } })
  return account?.ownerId
}

function named(text: string): { noun: Noun; id: number } | null {
  for (const noun of Object.keys(nouns) as Noun[]) {
    const id = idNumber(text, noun)
    if (id !== -1) return { noun, id }
  }
  return null
}
