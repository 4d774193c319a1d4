import type { Tx } from '../store/database.ts'
import { conflict } from '../verb-failure.ts'

/** Puts an account into these groups, at least one, and takes it out of all others. */
export async function setGroups(tx: Tx, accountId: number, groupIds: readonly number[]): Promise<void> {
  await tx.accountGroup.deleteMany({ where: { accountId } })
  await tx.accountGroup.createMany({ data: groupIds.map((groupId) => ({ accountId, groupId })) })
}

/** Takes the accounts out of a group that is to be deleted. Throws a conflict while an account serves no other group. */
export async function emptyGroup(tx: Tx, groupId: number): Promise<void> {
  const count = await tx.account.count({
    where: { deletedMark: 0, groups: { some: { groupId }, every: { groupId } } },
  })
  if (count > 0) {
    throw conflict('GROUP_HAS_ACCOUNTS', { count })
  }
  await tx.accountGroup.deleteMany({ where: { groupId, account: { deletedMark: 0 } } })
}
