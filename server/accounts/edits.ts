import type { Tx } from '../store/database.ts'
import type { Seal } from '../store/seal.ts'
import { conflict, inputFailure, notFound } from '../verb-failure.ts'
import { type AccountDraft, vendorUrls } from './account.ts'
import { emptyGroup, setGroups } from './account-groups.ts'
import { changeCredential, openCredential } from './credential.ts'

/** An account with all it needs; a secret or a login opens it. */
export type NewAccount = Required<Omit<AccountDraft, 'secret' | 'login' | 'flags'>> &
  Pick<AccountDraft, 'secret' | 'login' | 'flags'> & { ownerId: number | null; approved: boolean }

/** What people do to groups and accounts, by id. Each runs in the caller's transaction. */
export function createAccountEdits({ seal }: { seal: Seal }) {
  return {
    /** Creates a group. Throws an input failure for a name that is taken. */
    async createGroup(
      tx: Tx,
      draft: {
        name: string
        remark: string
        ownerId: number | null
        returnsToPriority: boolean
        stripForeignReasoning: boolean
        shared: boolean
      },
    ): Promise<number> {
      await refuseTakenName(tx.group, draft.name)
      return (await tx.group.create({ data: draft })).id
    },

    /** Changes the fields given. Throws not found, or an input failure for a name that is taken. */
    async updateGroup(
      tx: Tx,
      id: number,
      draft: {
        name?: string
        remark?: string
        enabled?: boolean
        returnsToPriority?: boolean
        stripForeignReasoning?: boolean
        shared?: boolean
        dailyLimitNano?: bigint | null
        weeklyLimitNano?: bigint | null
        monthlyLimitNano?: bigint | null
        totalLimitNano?: bigint | null
        rollingLimitNano?: bigint | null
        rollingHours?: number
        chargeBp?: number
      },
    ): Promise<void> {
      await existingGroup(tx, id)
      if (draft.name !== undefined) await refuseTakenName(tx.group, draft.name, id)
      await tx.group.update({ where: { id }, data: draft })
    },

    /** Deletes a group that no account needs. Its keys are checked by the caller (keys.refuseGroupInUse). */
    async removeGroup(tx: Tx, id: number): Promise<void> {
      await existingGroup(tx, id)
      await emptyGroup(tx, id)
      await tx.group.update({ where: { id }, data: { deletedMark: id, enabled: false } })
    },

    /** Throws an input failure for a name that another account has. */
    refuseTakenName: (tx: Pick<Tx, 'account'>, name: string, ownId?: number) =>
      refuseTakenName(tx.account, name, ownId),

    /** Creates an account. Throws an input failure for a name that is taken. */
    async create(tx: Tx, draft: NewAccount): Promise<number> {
      const { secret, login, proxy, extraHeaders, groupIds, models, modelMapping, flags, maxUtilization, ...fields } =
        draft
      await refuseTakenName(tx.account, draft.name)
      const { id } = await tx.account.create({
        data: {
          ...fields,
          models: JSON.stringify(models),
          modelMapping: JSON.stringify(modelMapping),
          ...(flags !== undefined && { flags: JSON.stringify(flags) }),
          maxUtilization: JSON.stringify(maxUtilization),
        },
      })
      await setGroups(tx, id, groupIds)
      await changeCredential(tx, seal, id, { secret, login, proxy, extraHeaders })
      return id
    },

    /**
     * Changes the fields given; a null proxy stands for the deployment's. A secret belongs to its address: another url or platform,
     * and another proxy that could read it, ask for it again, so that nobody who may edit sends it elsewhere. An administrator's
     * approval is of the address and the proxy: `endsApproval` when somebody else edits. True when it has a fresh secret or
     * login: its state came from responses to the old one. Throws not found, or input failures.
     */
    async update(tx: Tx, id: number, draft: Partial<AccountDraft>, endsApproval: boolean): Promise<boolean> {
      const { secret, login, proxy, groupIds, models, modelMapping, flags, maxUtilization, ...rest } = draft
      const { extraHeaders: given, ...fields } = rest
      const found = await existingAccount(tx, id)
      if (draft.name !== undefined) await refuseTakenName(tx.account, draft.name, id)
      const opens = secret ?? login
      const path = (draft.platform ?? found.platform) in vendorUrls ? 'login' : 'upstreamApiKey'
      for (const field of ['url', 'platform'] as const) {
        if (opens !== undefined || draft[field] === undefined || draft[field] === found[field]) continue
        throw inputFailure({
          path,
          code: field === 'url' ? 'SECRET_NEEDED_FOR_URL' : 'SECRET_NEEDED_FOR_PLATFORM',
        })
      }
      // Over plain HTTP a proxy reads what it passes on.
      const isReadable = (draft.url ?? found.url).startsWith('http:')
      const isOtherProxy =
        proxy != null && proxy !== 'none' && proxy !== openCredential(seal, found.credential?.sealed, id).proxy
      if (opens === undefined && isReadable && isOtherProxy) {
        throw inputFailure({ path, code: 'SECRET_NEEDED_FOR_PROXY' })
      }
      // Extra headers belong to their address too.
      const isOtherUrl = draft.url !== undefined && draft.url !== found.url
      const extraHeaders = given ?? (isOtherUrl ? {} : undefined)
      await tx.account.update({
        where: { id },
        data: {
          ...fields,
          ...(endsApproval && (isOtherUrl || isOtherProxy) && { approved: false }),
          ...(models !== undefined && { models: JSON.stringify(models) }),
          ...(modelMapping !== undefined && { modelMapping: JSON.stringify(modelMapping) }),
          ...(flags !== undefined && { flags: JSON.stringify(flags) }),
          ...(maxUtilization !== undefined && { maxUtilization: JSON.stringify(maxUtilization) }),
        },
      })
      if (groupIds) await setGroups(tx, id, groupIds)
      return changeCredential(tx, seal, id, { secret, login, proxy, extraHeaders })
    },

    /** An administrator approves an account, or takes the approval away; what it was before. Throws not found. */
    async approve(tx: Tx, id: number, approved: boolean): Promise<boolean> {
      const found = await existingAccount(tx, id)
      await tx.account.update({ where: { id }, data: { approved } })
      return found.approved
    },

    /** Takes an account out of a group; its groups before and after. Throws not found, or a conflict for its only group. */
    async removeFromGroup(tx: Tx, id: number, groupId: number): Promise<{ before: number[]; after: number[] }> {
      const { groups } = await existingAccount(tx, id)
      const before = groups.map((row) => row.groupId)
      const after = before.filter((one) => one !== groupId)
      if (after.length === before.length) throw notFound('account')
      if (after.length === 0) throw conflict('ACCOUNT_IN_NO_OTHER_GROUP')
      await setGroups(tx, id, after)
      return { before, after }
    },

    /** Takes the account out of its groups. Its history stays, its credential goes. */
    async remove(tx: Tx, id: number): Promise<void> {
      await existingAccount(tx, id)
      await tx.accountCredential.deleteMany({ where: { accountId: id } })
      await tx.account.update({ where: { id }, data: { deletedMark: id, enabled: false } })
    },
  }
}

export type AccountEdits = ReturnType<typeof createAccountEdits>

async function existingAccount(tx: Tx, id: number) {
  const include = { credential: true, groups: { orderBy: { groupId: 'asc' } } } as const
  const found = await tx.account.findFirst({ where: { id, deletedMark: 0 }, include })
  if (!found) throw notFound('account')
  return found
}

async function existingGroup(tx: Tx, id: number) {
  const found = await tx.group.findFirst({ where: { id, deletedMark: 0 } })
  if (!found) throw notFound('group')
  return found
}

async function refuseTakenName(
  table: { findFirst(query: { where: object }): Promise<unknown> },
  name: string,
  ownId = 0,
): Promise<void> {
  const other = await table.findFirst({ where: { name, deletedMark: 0, NOT: { id: ownId } } })
  if (other) throw inputFailure({ path: 'name', code: 'TAKEN' })
}
