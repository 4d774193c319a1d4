import { networkOf } from '../networks.ts'
import type { Database, Tx } from '../store/database.ts'
import { VerbFailure } from '../verb-failure.ts'

const maxTries = 10
/** Of one address for all names: an office behind one address has many people. */
const maxTriesOfAddress = 100
const windowMs = 15 * 60_000

/**
 * Counts tries to sign in by user name and address together: the eleventh within 15 minutes is refused before its password is
 * checked, and so is the 101st of an address for all names. A name alone locks nobody out. A try is counted before the check,
 * so that many tries at once are counted too; a right password takes it back.
 */
export function createSignInTries(parts: { database: Database; now: () => number }) {
  const { database, now } = parts
  return {
    /** Counts one try. Throws a sign-in failure with the seconds to wait when the name at this address, or the address, has used up its tries. */
    async begin(username: string, address: string): Promise<void> {
      const atMs = now()
      const waitMs = await database.locked(['sign-in-tries'], async (tx) => {
        await tx.signInTry.deleteMany({ where: { firstAtMs: { lte: BigInt(atMs - windowMs) } } })
        const most = triesAllowed(username, address)
        const known = await tx.signInTry.findMany({ where: { subject: { in: [...most.keys()] } } })
        const full = known.filter((row) => row.tries >= (most.get(row.subject) ?? maxTries))
        if (full.length > 0) return Math.max(...full.map((row) => Number(row.firstAtMs) + windowMs - atMs))
        for (const subject of most.keys()) {
          await tx.signInTry.upsert({
            where: { subject },
            create: { subject, tries: 1, firstAtMs: BigInt(atMs) },
            update: { tries: { increment: 1 } },
          })
        }
        return 0
      })
      if (waitMs > 0) throw tooManyTries(Math.ceil(waitMs / 1000))
    },

    /** The password was right: clears the tries of the name at this address, and takes one try of the address back. */
    async succeeded(tx: Tx, username: string, address: string): Promise<void> {
      await tx.signInTry.deleteMany({ where: { subject: nameSubject(username, address) } })
      await tx.signInTry.updateMany({
        where: { subject: addressSubject(address), tries: { gt: 0 } },
        data: { tries: { decrement: 1 } },
      })
    },
  }
}

export type SignInTries = ReturnType<typeof createSignInTries>

/** Clears the tries of a user from everywhere, for the administrator's command. */
export async function forgetTries(tx: Tx, username: string): Promise<void> {
  await tx.signInTry.deleteMany({ where: { subject: { startsWith: `${userSubject(username)} ` } } })
}

function tooManyTries(retryAfterS: number): VerbFailure {
  return new VerbFailure('sign_in', 'TOO_MANY_TRIES', { values: { seconds: retryAfterS }, retryAfterS })
}

const userSubject = (username: string): string => `user:${username.toLowerCase().slice(0, 120)}`

const nameSubject = (username: string, address: string): string => `${userSubject(username)} ${networkOf(address)}`

const addressSubject = (address: string): string => `address:${networkOf(address)}`

/** How many tries each subject of a sign-in has. */
const triesAllowed = (username: string, address: string): Map<string, number> =>
  new Map([
    [nameSubject(username, address), maxTries],
    [addressSubject(address), maxTriesOfAddress],
  ])
