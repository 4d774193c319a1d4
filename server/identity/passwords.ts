import { hash, verify } from '@node-rs/argon2'

/** Argon2id (19 MiB, 2 passes), computed in the thread pool. */
export const hashPassword = (password: string): Promise<string> => hash(password)

/** Checked when the user does not exist, so that the reply takes as long as for one who does. */
const nobodysHash = hashOnce('no password is this one')

/** True when `password` matches `passwordHash`. null: the user does not exist; false after the same time. */
export async function isPassword(passwordHash: string | null, password: string): Promise<boolean> {
  const right = await verify(passwordHash ?? (await nobodysHash()), password)
  return right && passwordHash !== null
}

function hashOnce(text: string): () => Promise<string> {
  let made: Promise<string> | undefined
  return () => {
    made ??= hash(text)
    return made
  }
}
