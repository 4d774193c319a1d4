import { Account, AccountConnection } from '../accounts/accounts.ts'
import { builder } from '../builder.ts'
import { ApiKey, ApiKeyConnection } from '../keys/api-keys.ts'
import { soundPage } from '../values.ts'
import { visibleAccounts, visibleKeys } from '../visible.ts'
import { Group } from './groups.ts'

/** What is in a group. In a file of its own: accounts and keys name their groups. */
builder.prismaObjectFields(Group, (t) => ({
  accounts: t.prismaConnection(
    {
      type: Account,
      cursor: 'id',
      nullable: true,
      description: 'The accounts that serve the group and that you may see.',
      totalCount: async ({ id }, _args, { batches }) => (await batches.accountsOfGroup(id)) ?? 0,
      resolve: (query, { id }, _args, { parts, viewer }) =>
        parts.database.reader.account.findMany({
          ...soundPage(query),
          where: { AND: [visibleAccounts(viewer), { deletedMark: 0, groups: { some: { groupId: id } } }] },
          orderBy: { id: 'asc' },
        }),
    },
    AccountConnection,
  ),
  apiKeys: t.relatedConnection(
    'apiKeys',
    {
      type: ApiKey,
      cursor: 'id',
      nullable: true,
      totalCount: true,
      description: 'The keys that draw from the group and that you may see.',
      query: (_args, { viewer }) => ({
        where: { AND: [visibleKeys(viewer), { deletedMark: 0 }] },
        orderBy: { id: 'asc' },
      }),
    },
    ApiKeyConnection,
  ),
}))
