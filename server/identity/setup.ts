import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Database, Tx } from '../store/database.ts'
import type { Seal } from '../store/seal.ts'

const validMs = 24 * 3_600_000

/**
 * The link by which the first administrator is made. A new one is made at every start. It works on every process of the
 * deployment, for one day, and only while there is no administrator.
 */
export function createSetup(parts: { database: Database; seal: Seal; now: () => number }) {
  const { database, now } = parts
  const key = parts.seal.derive('setup')
  const sign = (text: string): Buffer => createHmac('sha256', key).update(text).digest()

  return {
    /** True while there is no administrator who can sign in. */
    async isNeeded(tx: Pick<Tx, 'user'> = database.reader): Promise<boolean> {
      return (await tx.user.count({ where: { role: 'admin', enabled: true, deletedMark: 0 } })) === 0
    },

    /** `/setup?token=…`, a new one at each call. It is a secret: print it, do not log it. */
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
