import { hash, verify } from '@node-rs/argon2'

/** Argon2id (19 MiB, 2 passes), computed on the thread pool. */
export const hashPassword = (password: string): Promise<string> => hash(password)

/** Verified against when there is no such user, so that the answer takes as long. */
const nobodysHash = hashOnce('no password is this one')

/** True when `password` is the one of `passwordHash`; null stands for a user who does not exist, at the same cost. */
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
