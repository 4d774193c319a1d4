import { hash, verify } from '@node-rs/argon2'
import type { Tx } from '../store/database.ts'
import { conflict, inputFailure, notFound } from '../verb-failure.ts'
import { changedFields } from './audit.ts'

/** What a provisioning file or the environment says of the first administrator. */
export interface AdminDraft {
  username: string
  password?: string
  /** null clears. */
  email?: string | null
}

/** A person as an administrator makes or changes one. Absent fields stay as they are. */
export interface UserDraft {
  username: string
  /** Argon2id; hashed before the transaction, which must not wait for it. */
  passwordHash: string
  /** null clears. */
  email: string | null
  role: 'admin' | 'user'
  enabled: boolean
  /** Nothing else may be done before another password is chosen. */
  mustChangePassword?: boolean
}

/** People. Passwords are argon2id (19 MiB, 2 passes); names and e-mail addresses are kept in lower case. */
export function createUsers() {
  return {
    /** Creates an administrator or changes the fields given; matched by name. A password that is right already stays. */
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
        const passwordHash = await hash(draft.password)
        return (await tx.user.create({ data: { username, passwordHash, email: email ?? null, role: 'admin' } })).id
      }
      const keepsPassword = draft.password === undefined || (await verify(found.passwordHash, draft.password))
      await tx.user.update({
        where: { id: found.id },
        data: {
          role: 'admin',
          enabled: true,
          ...(email !== undefined && { email }),
          ...(!keepsPassword && draft.password !== undefined && { passwordHash: await hash(draft.password) }),
        },
      })
      return found.id
    },

    /** Creates a user. Throws an input failure for a name or an e-mail address that is taken. */
    async create(tx: Tx, draft: UserDraft): Promise<number> {
      const fields = inLowerCase(draft)
      await refuseTaken(tx, fields)
      return (await tx.user.create({ data: fields })).id
    },

    /**
     * Changes the fields given. `endsSessions` is true when who is signed in as this user must not stay so. Throws not
     * found, an input failure for what is taken, a conflict for the last administrator.
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

    /** The user a sign-in names, whatever the letter case; null when there is none that may sign in. */
    async findByName(tx: Pick<Tx, 'user'>, username: string) {
      return tx.user.findFirst({ where: { username: username.toLowerCase(), deletedMark: 0 } })
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
    throw inputFailure({ path: 'username', message: 'is taken' })
  }
  if (email && (await tx.user.findFirst({ where: { email, ...others } }))) {
    throw inputFailure({ path: 'email', message: 'belongs to another user' })
  }
}

async function refuseLastAdmin(tx: Tx, id: number): Promise<void> {
  const others = await tx.user.count({ where: { role: 'admin', enabled: true, deletedMark: 0, NOT: { id } } })
  if (others === 0) throw conflict('This is the last administrator who can sign in. Make another one first.')
}

export type Users = ReturnType<typeof createUsers>
