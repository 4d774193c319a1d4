import { hash, verify } from '@node-rs/argon2'

/** What one check of a password costs. */
export interface PasswordCost {
  memoryKib: number
  passes: number
}

const defaultCost: PasswordCost = { memoryKib: 19 * 1024, passes: 2 }

/** Passwords as Argon2id, computed in the thread pool. A hash names its own cost; `cost` is that of new ones. */
export function createPasswords(cost: PasswordCost = defaultCost) {
  const hashOf = (password: string): Promise<string> =>
    hash(password, { memoryCost: cost.memoryKib, timeCost: cost.passes, parallelism: 1 })
  let nobodysHash: Promise<string> | undefined

  return {
    hash: hashOf,
    /** True when `password` matches `passwordHash`. null: the user does not exist; false after the same time. */
    async matches(passwordHash: string | null, password: string): Promise<boolean> {
      nobodysHash ??= hashOf('no password is this one')
      const right = await verify(passwordHash ?? (await nobodysHash), password)
      return right && passwordHash !== null
    },
  }
}

export type Passwords = ReturnType<typeof createPasswords>
