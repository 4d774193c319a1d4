import { encodeGlobalID } from '@pothos/plugin-relay'
import { z } from 'zod'
import type { Account } from '../../accounts/account.ts'
import { notFound } from '../../verb-failure.ts'
import { AccountStateType } from '../accounts/account-state.ts'
import { Platform } from '../accounts/accounts.ts'
import { builder } from '../builder.ts'
import { addMutation } from '../mutation.ts'
import { globalId } from '../values.ts'
import { ownGroups, visibleAccounts } from '../visible.ts'
import { Group } from './groups.ts'

const GroupMember = builder.objectRef<Account>('GroupMember').implement({
  description: 'What the owner of a group sees of an account in it, whoever owns the account.',
  authScopes: { user: true },
  fields: (t) => ({
    id: t.id({ description: 'The global id of the Account.', resolve: ({ id }) => encodeGlobalID('Account', id) }),
    name: t.exposeString('name', { description: 'The name of the account.' }),
    platform: t.expose('platform', { type: Platform, description: 'Its platform.' }),
    enabled: t.exposeBoolean('switchedOn', { description: 'The manual switch of the account.' }),
    state: t.field({
      description: 'As it is now: a rest whose end has passed counts as over.',
      type: AccountStateType,
      resolve: ({ live }) => live.state,
    }),
  }),
})

builder.objectField(Group, 'members', (t) =>
  t.field({
    type: [GroupMember],
    nullable: true,
    description: 'All accounts that serve the group, for its owner and administrators; null for others.',
    resolve: ({ id, ownerId }, _args, { viewer, parts }) =>
      viewer && (viewer.role === 'admin' || viewer.userId === ownerId) ? [...parts.accounts.ofGroup(id)] : null,
  }),
)

const RemoveAccountFromGroupInput = builder.inputType('RemoveAccountFromGroupInput', {
  description: 'An account and a group that it serves.',
  fields: (t) => ({
    accountId: t.id({ required: true, description: 'The global id of the Account.' }),
    groupId: t.id({ required: true, description: 'The global id of the Group.' }),
  }),
})

const RemoveAccountFromGroupSuccess = builder
  .objectRef<{ groupId: number }>('RemoveAccountFromGroupSuccess')
  .implement({
    description: 'The account serves the group no more.',
    authScopes: { user: true },
    fields: (t) => ({
      group: t.field({
        description: 'The group; null when nothing of yours is in it any more.',
        type: Group,
        nullable: true,
        resolve: ({ groupId }, _args, { batches }) => batches.group(groupId),
      }),
    }),
  })

addMutation('removeAccountFromGroup', {
  description:
    'Takes an account out of one of its groups. Its owner may do so, the owner of the group, and administrators.',
  scope: 'user',
  input: RemoveAccountFromGroupInput,
  check: z.object({ accountId: globalId('Account'), groupId: globalId('Group') }),
  success: RemoveAccountFromGroupSuccess,
  failures: ['not_found', 'conflict'],
  locks: ['accounts'],
  async run({ accountId, groupId }, { parts, viewer }, change) {
    if (!viewer) throw notFound('account')
    const isAllowed = { OR: [{ account: visibleAccounts(viewer) }, { group: ownGroups(viewer) }] }
    await change(async (tx) => {
      const found = await tx.accountGroup.findFirst({ where: { AND: [isAllowed, { accountId, groupId }] } })
      if (!found) throw notFound('account')
      const { before, after } = await parts.accountEdits.removeFromGroup(tx, accountId, groupId)
      const audit = {
        objectType: 'Account',
        objectId: accountId,
        before: { groupIds: before },
        after: { groupIds: after },
      }
      return { answer: null, audit }
    })
    await parts.changed('account', accountId)
    return { groupId }
  },
})
