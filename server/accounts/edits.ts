import type { Tx } from '../store/database.ts'
import type { Seal } from '../store/seal.ts'
import { conflict, inputFailure, notFound } from '../verb-failure.ts'
import type { AccountDraft } from './accounts.ts'
import { credentialAad, openCredential } from './credential.ts'

/** An account with all it needs. */
export type NewAccount = Required<AccountDraft> & { ownerId: number | null }

/** What people do to groups and accounts, by id. Each runs in the caller's transaction; afterwards accounts.changed(). */
export function createAccountEdits({ seal }: { seal: Seal }) {
  return {
    /** Creates a group. Throws an input failure for a name that is taken. */
    async createGroup(
      tx: Tx,
      draft: { name: string; remark: string; ownerId: number | null; returnsToPriority: boolean; shared: boolean },
    ): Promise<number> {
      await refuseTakenName(tx.group, draft.name)
      return (await tx.group.create({ data: draft })).id
    },

    /** Changes the fields given. Throws not found, or an input failure for a name that is taken. */
    async updateGroup(
      tx: Tx,
      id: number,
      draft: { name?: string; remark?: string; enabled?: boolean; returnsToPriority?: boolean; shared?: boolean },
    ): Promise<void> {
      await existingGroup(tx, id)
      if (draft.name !== undefined) await refuseTakenName(tx.group, draft.name, id)
      await tx.group.update({ where: { id }, data: draft })
    },

    /** Deletes a group without accounts; whoever holds its keys looks after those (keys.refuseGroupInUse). */
    async removeGroup(tx: Tx, id: number): Promise<void> {
      await existingGroup(tx, id)
      const count = await tx.account.count({ where: { groupId: id, deletedMark: 0 } })
      if (count > 0) {
        throw conflict(
          `The group still has ${count} ${count === 1 ? 'account' : 'accounts'}. Move or delete them first.`,
        )
      }
      await tx.group.update({ where: { id }, data: { deletedMark: id, enabled: false } })
    },

    /** Creates an account. Throws an input failure for a name that is taken. */
    async create(tx: Tx, draft: NewAccount): Promise<number> {
      const { secret, proxy, models, modelMapping, ...fields } = draft
      await refuseTakenName(tx.account, draft.name)
      const { id } = await tx.account.create({
        data: { ...fields, models: JSON.stringify(models), modelMapping: JSON.stringify(modelMapping) },
      })
      const sealed = seal.seal(JSON.stringify({ secret, proxy }), credentialAad(id))
      await tx.accountCredential.create({ data: { accountId: id, sealed } })
      return id
    },

    /**
     * Changes the fields given; a null proxy clears it. A secret belongs to its address: another url asks for the secret
     * again, so that nobody who may edit sends it elsewhere. Throws not found, or input failures.
     */
    async update(tx: Tx, id: number, draft: Partial<AccountDraft>): Promise<void> {
      const { secret, proxy, models, modelMapping, ...fields } = draft
      const found = await existingAccount(tx, id)
      if (draft.name !== undefined) await refuseTakenName(tx.account, draft.name, id)
      if (draft.url !== undefined && draft.url !== found.url && secret === undefined) {
        throw inputFailure({ path: 'secret', message: 'must be given again, since the URL changed' })
      }
      await tx.account.update({
        where: { id },
        data: {
          ...fields,
          ...(models !== undefined && { models: JSON.stringify(models) }),
          ...(modelMapping !== undefined && { modelMapping: JSON.stringify(modelMapping) }),
        },
      })
      if (secret === undefined && proxy === undefined) return
      const old = openCredential(seal, found.credential?.sealed, id)
      const fresh = { secret: secret ?? old.secret, proxy: proxy === undefined ? old.proxy : proxy }
      const sealed = seal.seal(JSON.stringify(fresh), credentialAad(id))
      await tx.accountCredential.upsert({
        where: { accountId: id },
        create: { accountId: id, sealed },
        update: { sealed, version: { increment: 1 } },
      })
    },

    /** Takes the account out of the pool; its history stays, its credential goes. */
    async remove(tx: Tx, id: number): Promise<void> {
      await existingAccount(tx, id)
      await tx.accountCredential.deleteMany({ where: { accountId: id } })
      await tx.account.update({ where: { id }, data: { deletedMark: id, enabled: false } })
    },
  }
}

export type AccountEdits = ReturnType<typeof createAccountEdits>

async function existingAccount(tx: Tx, id: number) {
  const found = await tx.account.findFirst({ where: { id, deletedMark: 0 }, include: { credential: true } })
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
  if (other) throw inputFailure({ path: 'name', message: 'is taken' })
}
