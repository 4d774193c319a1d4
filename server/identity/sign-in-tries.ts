import { isIPv6 } from 'node:net'
import type { Database, Tx } from '../store/database.ts'
import { VerbFailure } from '../verb-failure.ts'

const maxTries = 10
const windowMs = 15 * 60_000

/**
 * Counts tries to sign in by user name and by address: the eleventh within 15 minutes is refused before its password is
 * checked. A try is counted before the check, so that many tries at once are counted too; a right password takes it back.
 */
export function createSignInTries(parts: { database: Database; now: () => number }) {
  const { database, now } = parts
  return {
    /** Counts one try. Throws a sign-in failure with the seconds to wait when the name or the address has used up its tries. */
    async begin(username: string, address: string): Promise<void> {
      const atMs = now()
      const waitMs = await database.locked(['sign-in-tries'], async (tx) => {
        await tx.signInTry.deleteMany({ where: { firstAtMs: { lte: BigInt(atMs - windowMs) } } })
        const names = subjects(username, address)
        const known = await tx.signInTry.findMany({ where: { subject: { in: names } } })
        const full = known.filter((row) => row.tries >= maxTries)
        if (full.length > 0) return Math.max(...full.map((row) => Number(row.firstAtMs) + windowMs - atMs))
        for (const subject of names) {
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

    /** The password was right: clears the tries of the name, and takes one try of the address back. */
    async succeeded(tx: Tx, username: string, address: string): Promise<void> {
      const [user, place] = subjects(username, address)
      await tx.signInTry.deleteMany({ where: { subject: user } })
      await tx.signInTry.updateMany({ where: { subject: place, tries: { gt: 0 } }, data: { tries: { decrement: 1 } } })
    },
  }
}

export type SignInTries = ReturnType<typeof createSignInTries>

/** Clears the tries of a user, for the administrator's command. */
export async function forgetTries(tx: Tx, username: string): Promise<void> {
  await tx.signInTry.deleteMany({ where: { subject: userSubject(username) } })
}

function tooManyTries(retryAfterS: number): VerbFailure {
  return new VerbFailure('sign_in', 'TOO_MANY_TRIES', { values: { seconds: retryAfterS }, retryAfterS })
}

const userSubject = (username: string): string => `user:${username.toLowerCase().slice(0, 120)}`

function subjects(username: string, address: string): [string, string] {
  return [userSubject(username), `address:${networkOf(address)}`]
}

/** An IPv6 address counts as its /64 network, because whoever has one of its addresses has all of them. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
  if (!isIPv6(plain)) return plain
  const [head = '', tail = ''] = plain.split('::')
  const left = head.split(':').filter(Boolean)
  const right = plain.includes('::') ? tail.split(':').filter(Boolean) : []
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  return `${[...left, ...(plain.includes('::') ? zeros : []), ...right].slice(0, 4).join(':')}::/64`
}
