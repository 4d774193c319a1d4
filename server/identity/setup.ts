import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Database, Tx } from '../store/database.ts'
import type { Seal } from '../store/seal.ts'

const validMs = 24 * 3_600_000

/**
 * The way in while nobody is: a link that is made anew at every start and works on every process of the deployment, for
 * a day, and never again once there is an administrator.
 */
export function createSetup(parts: { database: Database; seal: Seal; now: () => number }) {
  const { database, now } = parts
  const key = parts.seal.derive('setup')
  const sign = (text: string): Buffer => createHmac('sha256', key).update(text).digest()

  return {
    /** True until an administrator exists who could sign in. */
    async isNeeded(tx: Pick<Tx, 'user'> = database.reader): Promise<boolean> {
      return (await tx.user.count({ where: { role: 'admin', enabled: true, deletedMark: 0 } })) === 0
    },

    /** `/setup?token=…`, a fresh one at each call. It is a secret: print it, do not log it. */
    linkPath(): string {
      const body = `${(now() + validMs).toString(36)}.${randomBytes(16).toString('base64url')}`
      return `/setup?token=${body}.${sign(body).toString('base64url')}`
    },

    isValid(token: string): boolean {
      const [until = '', nonce = '', signature = ''] = token.split('.')
      const given = Buffer.from(signature, 'base64url')
      const right = sign(`${until}.${nonce}`)
      return given.length === right.length && timingSafeEqual(given, right) && Number.parseInt(until, 36) > now()
    },
  }
}

export type Setup = ReturnType<typeof createSetup>
