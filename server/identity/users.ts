import type { Tx } from '../store/database.ts'
import { conflict, inputFailure, notFound } from '../verb-failure.ts'
import { changedFields } from './audit.ts'
import type { Passwords } from './passwords.ts'

/** The first administrator as in the provisioning file or the environment. */
export interface AdminDraft {
  username: string
  password?: string
  /** null clears. */
  email?: string | null
}

/** The fields of a user that an administrator sets. Absent fields stay as they are. */
export interface UserDraft {
  username: string
  /** Argon2id. Hashed before the transaction, because a transaction must not wait for it. */
  passwordHash: string
  /** null clears. */
  email: string | null
  role: 'admin' | 'user'
  enabled: boolean
  /** What the cost of their requests is multiplied by, in basis points, to give what is billed. */
  chargeBp?: number
  /** The user must choose a new password before anything else. */
  mustChangePassword?: boolean
}

/** Users. Names and e-mail addresses are stored in lower case. */
export function createUsers({ passwords }: { passwords: Passwords }) {
  return {
    /** Creates the administrator with this name, or changes the given fields. A password that already matches is kept. */
    async saveAdmin(tx: Tx, draft: AdminDraft): Promise<number> {
      const username = draft.username.toLowerCase()
      const email = draft.email?.toLowerCase() ?? draft.email
      const found = await tx.user.findFirst({ where: { username, deletedMark: 0 } })
      if (email) {
        const other = await tx.user.findFirst({ where: { email, deletedMark: 0, NOT: { username } } })
        if (other) throw new Error(`the e-mail address belongs to user "${other.username}" already`)
      }
      if (!found) {
        if (draft.password === undefined) throw new Error(`administrator "${username}" is new and needs a password`)
        const passwordHash = await passwords.hash(draft.password)
        return (await tx.user.create({ data: { username, passwordHash, email: email ?? null, role: 'admin' } })).id
      }
      const keepsPassword =
        draft.password === undefined || (await passwords.matches(found.passwordHash, draft.password))
      await tx.user.update({
        where: { id: found.id },
        data: {
          role: 'admin',
          enabled: true,
          ...(email !== undefined && { email }),
          ...(!keepsPassword && draft.password !== undefined && { passwordHash: await passwords.hash(draft.password) }),
        },
      })
      return found.id
    },

    /** Creates a user. Throws an input failure when the name or e-mail address is taken. */
    async create(tx: Tx, draft: UserDraft): Promise<number> {
      const fields = inLowerCase(draft)
      await refuseTaken(tx, fields)
      return (await tx.user.create({ data: fields })).id
    },

    /**
     * Changes the given fields. `endsSessions` is true when the sessions of this user must end. Throws not found, an input
     * failure for a taken name or address, and a conflict for the last administrator.
     */
    async update(tx: Tx, id: number, draft: Partial<UserDraft>) {
      const found = await tx.user.findFirst({ where: { id, deletedMark: 0 } })
      if (!found) throw notFound('user')
      const fields = inLowerCase(draft)
      await refuseTaken(tx, fields, id)
      const wasAdmin = found.role === 'admin' && found.enabled
      const staysAdmin = (fields.role ?? found.role) === 'admin' && (fields.enabled ?? found.enabled)
      if (wasAdmin && !staysAdmin) await refuseLastAdmin(tx, id)
      await tx.user.update({ where: { id }, data: fields })
      const changed = changedFields<Partial<UserDraft>>(found, fields)
      const endsSessions = ['passwordHash', 'role', 'enabled'].some((name) => name in changed.after)
      return { ...changed, endsSessions }
    },

    /** The user with this name, in upper or lower case, with the hash of the password; null when nobody with it may sign in. */
    async findByName(tx: Pick<Tx, 'user'>, username: string) {
      return tx.user.findFirst({
        where: { username: username.toLowerCase(), deletedMark: 0 },
        omit: { passwordHash: false },
      })
    },
  }
}

function inLowerCase<Draft extends Partial<UserDraft>>(draft: Draft): Draft {
  return {
    ...draft,
    ...(draft.username !== undefined && { username: draft.username.toLowerCase() }),
    ...(draft.email && { email: draft.email.toLowerCase() }),
  }
}

async function refuseTaken(tx: Tx, { username, email }: Partial<UserDraft>, ownId = 0): Promise<void> {
  const others = { deletedMark: 0, NOT: { id: ownId } }
  if (username !== undefined && (await tx.user.findFirst({ where: { username, ...others } }))) {
    throw inputFailure({ path: 'username', code: 'TAKEN' })
  }
  if (email && (await tx.user.findFirst({ where: { email, ...others } }))) {
    throw inputFailure({ path: 'email', code: 'EMAIL_TAKEN' })
  }
}

async function refuseLastAdmin(tx: Tx, id: number): Promise<void> {
  const others = await tx.user.count({ where: { role: 'admin', enabled: true, deletedMark: 0, NOT: { id } } })
  if (others === 0) throw conflict('LAST_ADMINISTRATOR')
}

export type Users = ReturnType<typeof createUsers>
