import { z } from 'zod'
import { groupFields } from '../../accounts/group-input.ts'
import type { Prisma } from '../../generated/sqlite/client.ts'
import { changedFields } from '../../identity/audit.ts'
import type { Viewer } from '../../identity/sessions.ts'
import { formatFactor } from '../../money/usd.ts'
import type { Tx } from '../../store/database.ts'
import { inputFailure, notFound } from '../../verb-failure.ts'
import { builder } from '../builder.ts'
import { totalCount } from '../connections.ts'
import { given, User } from '../identity/users.ts'
import { costLimitChecks, costLimitInputs, withLimitColumns } from '../keys/limit-fields.ts'
import { addDeletedSuccess, addIdInput, addMutation } from '../mutation.ts'
import type { Context } from '../server/context.ts'
import { globalId, idNumbers, onlyId, orElse, rowId, searched, soundPage, unlessAbsent } from '../values.ts'
import { openGroups, ownGroups, visibleGroups } from '../visible.ts'

export const Group = builder.prismaNode('Group', {
  description: 'Accounts, and the keys that they serve.',
  id: { field: 'id' },
  // It may be somebody else's, or deleted meanwhile: then the field is null.
  nullable: true,
  findUnique: (id, { viewer }) => ({ id: rowId(id), deletedMark: 0, AND: [visibleGroups(viewer)] }),
  authScopes: { user: true },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique among groups; 1 to 100 characters.' }),
    remark: t.string({
      nullable: true,
      description: 'A note for people, of at most 190 characters; null for none.',
      resolve: ({ remark: text }) => text || null,
    }),
    enabled: t.exposeBoolean('enabled', {
      description: 'Off: its accounts get no requests, so that those of its keys find none.',
    }),
    returnsToPriority: t.exposeBoolean('returnsToPriority', {
      description: 'Conversations return to accounts of a smaller priority number at their next user turn.',
    }),
    stripForeignReasoning: t.exposeBoolean('stripForeignReasoning', {
      description:
        'When a conversation has moved to another account, the reasoning (thinking blocks) that the earlier one signed is cut from its requests. Off: the upstream refuses it once, and the client recovers by itself.',
    }),
    shared: t.exposeBoolean('shared', { description: 'Everybody may put keys into it; only its owner accounts.' }),
    chargeFactor: t.field({
      description:
        'What the cost of requests is multiplied by to give what is billed; with that of the owner of the key. "1": what they cost.',
      type: 'Decimal',
      resolve: ({ chargeBp }) => formatFactor(chargeBp),
    }),
    owner: t.field({
      description:
        'Who may put accounts into it and change it, beside administrators; null when nobody owns it (made by the provisioning file), or when that person is not yours to see.',
      type: User,
      nullable: true,
      resolve: ({ ownerId }, _args, { batches }) => (ownerId === null ? null : batches.user(ownerId)),
    }),
    inFlight: t.int({
      nullable: true,
      description: 'Running requests of its keys, in all processes, for its owner and administrators; null for others.',
      resolve: ({ id, ownerId }, _args, { viewer, parts }) =>
        viewer && (viewer.role === 'admin' || viewer.userId === ownerId) ? parts.live.inFlight('groupId', id) : null,
    }),
    createdAt: t.expose('createdAt', { description: 'When it was made.', type: 'DateTime' }),
  }),
})

const GroupUse = builder.enumType('GroupUse', {
  description: 'What is to be put into a group.',
  values: {
    ACCOUNTS: { value: 'accounts', description: 'Groups that you own; of administrators all.' },
    KEYS: { value: 'keys', description: 'Groups that you own or that are shared; of administrators all.' },
  } as const,
})

const GroupConnection = builder.connectionObject({ type: Group, name: 'GroupConnection', fields: totalCount })

const GroupFilter = builder.inputType('GroupFilter', {
  description: 'Every condition that is given must hold; a list holds when one of its values fits.',
  fields: (t) => ({
    search: t.string({ description: 'A part of the name or of the remark.' }),
    ownerIds: t.idList({ description: 'Global ids of users.' }),
    usableFor: t.field({ type: GroupUse, description: 'Only groups that you may put such things into.' }),
    enabled: t.boolean({ description: 'Whether the switch of the group is on.' }),
  }),
})

function filteredGroups(
  filter: typeof GroupFilter.$inferInput | null | undefined,
  { viewer }: Context,
): Prisma.GroupWhereInput {
  const { search, ownerIds, usableFor, enabled } = filter ?? {}
  return {
    AND: [
      visibleGroups(viewer),
      { deletedMark: 0 },
      ownerIds ? { ownerId: { in: idNumbers(ownerIds, 'User') } } : {},
      viewer && usableFor ? openGroups(viewer, usableFor) : {},
      typeof enabled === 'boolean' ? { enabled } : {},
      searched(search, (text) => ({ OR: [{ name: { contains: text } }, { remark: { contains: text } }] })),
    ],
  }
}

builder.queryField('groups', (t) =>
  t.prismaConnection(
    {
      type: Group,
      cursor: 'id',
      nullable: true,
      description:
        'The groups that you own, that are shared, or that hold something of yours; for administrators all of them.',
      authScopes: { user: true },
      args: { filter: t.arg({ type: GroupFilter, description: 'Without it all that you may see.' }) },
      totalCount: (_parent, { filter }, context) =>
        context.parts.database.reader.group.count({ where: filteredGroups(filter, context) }),
      resolve: (query, _parent, { filter }, context) =>
        context.parts.database.reader.group.findMany({
          ...soundPage(query),
          where: filteredGroups(filter, context),
          orderBy: { id: 'asc' },
        }),
    },
    GroupConnection,
  ),
)

const addGroupSuccess = (name: string) =>
  builder.objectRef<{ id: number }>(name).implement({
    description: 'The group as it is now.',
    authScopes: { user: true },
    fields: (t) => ({
      group: t.prismaField({
        description: 'With its new values.',
        type: Group,
        resolve: (query, { id }, _args, { parts }) =>
          parts.database.reader.group.findUniqueOrThrow({ ...query, where: { id } }),
      }),
    }),
  })

const CreateGroupInput = builder.inputType('CreateGroupInput', {
  description: 'A new group. It is owned by who makes it.',
  fields: (t) => ({
    name: t.string({ description: 'Unique among groups; 1 to 100 characters.', required: true }),
    remark: t.string({ description: 'At most 190 characters; absent: none.' }),
    returnsToPriority: t.boolean({ description: 'Absent: true.' }),
    stripForeignReasoning: t.boolean({ description: 'Absent: false.' }),
    shared: t.boolean({ description: 'Everybody may put keys into it. For administrators; absent: false.' }),
  }),
})

addMutation('createGroup', {
  description: 'Adds a group; it is owned by who makes it.',
  scope: 'user',
  input: CreateGroupInput,
  check: z.object({
    name: groupFields.name,
    remark: orElse(groupFields.remark, ''),
    returnsToPriority: orElse(groupFields.returnsToPriority, true),
    stripForeignReasoning: orElse(groupFields.stripForeignReasoning, false),
    shared: orElse(groupFields.shared, false),
  }),
  success: addGroupSuccess('CreateGroupSuccess'),
  failures: ['input'],
  locks: ['groups'],
  async run(input, { parts, actor, viewer }, change) {
    if (input.shared) refuseToShare(viewer)
    const id = await change(async (tx) => {
      const objectId = await parts.accountEdits.createGroup(tx, { ...input, ownerId: actor.userId })
      return { answer: objectId, audit: { objectType: 'Group', objectId, after: input } }
    })
    await parts.changed('group', id)
    return { id }
  },
})

const UpdateGroupInput = builder.inputType('UpdateGroupInput', {
  description: 'Fields that are absent stay as they are.',
  fields: (t) => ({
    id: t.id({ required: true }),
    name: t.string({ description: 'Unique among groups; 1 to 100 characters.' }),
    remark: t.string({ description: 'At most 190 characters; null clears.' }),
    enabled: t.boolean({ description: 'Off: its accounts get no requests, so that those of its keys find none.' }),
    returnsToPriority: t.boolean({ description: 'From the next user turn of each conversation on.' }),
    stripForeignReasoning: t.boolean({ description: 'From the next request on.' }),
    shared: t.boolean({ description: 'Keys that are in it stay when it is shared no more. For administrators.' }),
    chargeFactor: t.field({
      description:
        'Of requests that begin from now on: from 0 to 100, with at most 4 digits after the point. For administrators.',
      type: 'Decimal',
    }),
    ...costLimitInputs(t),
  }),
})

addMutation('updateGroup', {
  description: 'Changes the fields given.',
  scope: 'user',
  input: UpdateGroupInput,
  check: z.object({
    id: globalId('Group'),
    name: unlessAbsent(groupFields.name),
    remark: groupFields.remark.nullish().transform((text) => (text === null ? '' : text)),
    enabled: unlessAbsent(groupFields.enabled),
    returnsToPriority: unlessAbsent(groupFields.returnsToPriority),
    stripForeignReasoning: unlessAbsent(groupFields.stripForeignReasoning),
    shared: unlessAbsent(groupFields.shared),
    chargeFactor: unlessAbsent(groupFields.chargeFactor),
    ...costLimitChecks,
  }),
  success: addGroupSuccess('UpdateGroupSuccess'),
  failures: ['input', 'not_found'],
  locks: ['groups', 'keys'],
  async run({ id, chargeFactor: chargeBp, ...fields }, { parts, viewer }, change) {
    const draft = given({ ...withLimitColumns(fields), chargeBp })
    await change(async (tx) => {
      const found = await ownGroup(tx, viewer, id)
      if (draft.shared !== undefined && draft.shared !== found.shared) refuseToShare(viewer)
      if (draft.chargeBp !== undefined && draft.chargeBp !== found.chargeBp) refuseUnlessAdmin(viewer, 'chargeFactor')
      await parts.accountEdits.updateGroup(tx, id, draft)
      return { answer: null, audit: { objectType: 'Group', objectId: id, ...changedFields(found, draft) } }
    })
    await parts.changed('group', id)
    if (Object.keys(draft).some((name) => name.endsWith('LimitNano') || name === 'rollingHours' || name === 'chargeBp'))
      await parts.changed('key')
    return { id }
  },
})

addMutation('deleteGroup', {
  description:
    'Deletes a group without keys, and takes its accounts out; the conflict says how many keys are in it, or accounts that serve no other group.',
  scope: 'user',
  input: addIdInput('DeleteGroupInput', 'Group'),
  check: onlyId('Group'),
  success: addDeletedSuccess('DeleteGroupSuccess', 'Group'),
  failures: ['not_found', 'conflict'],
  locks: ['accounts', 'groups', 'keys'],
  async run({ id }, { parts, viewer }, change) {
    await change(async (tx) => {
      const { name } = await ownGroup(tx, viewer, id)
      await parts.keys.refuseGroupInUse(tx, id)
      await parts.accountEdits.removeGroup(tx, id)
      return { answer: null, audit: { objectType: 'Group', objectId: id, before: { name } } }
    })
    await parts.changed('group', id)
    return { id }
  },
})

/** A group that the viewer may change. Throws not found for others, as if they did not exist. */
async function ownGroup(tx: Pick<Tx, 'group'>, viewer: Viewer | null, id: number) {
  const found = viewer && (await tx.group.findFirst({ where: { AND: [ownGroups(viewer), { id, deletedMark: 0 }] } }))
  if (!found) throw notFound('group')
  return found
}

/** Only administrators may let everybody use a group's accounts. */
const refuseToShare = (viewer: Viewer | null): void => refuseUnlessAdmin(viewer, 'shared')

/** Only administrators may change the field. */
function refuseUnlessAdmin(viewer: Viewer | null, path: string): void {
  if (viewer?.role !== 'admin') throw inputFailure({ path, code: 'ADMINISTRATORS_ONLY' })
}

/** Throws a field problem when the viewer may not put accounts or keys into one of these groups. */
export async function refuseForeignGroup(
  tx: Pick<Tx, 'group'>,
  viewer: Viewer | null,
  groupIds: readonly number[],
  what: 'accounts' | 'keys',
): Promise<void> {
  const open = viewer && { AND: [openGroups(viewer, what), { id: { in: [...groupIds] }, deletedMark: 0 }] }
  if (open && (await tx.group.count({ where: open })) === groupIds.length) return
  if (what === 'keys') throw inputFailure({ path: 'groupId', code: 'GROUP_NOT_USABLE' })
  throw inputFailure({ path: 'groupIds', code: 'GROUPS_NOT_YOURS' })
}
