import { createHash, randomBytes } from 'node:crypto'
import type { Database, Tx } from '../../store/database.ts'
import type { Seal } from '../../store/seal.ts'
import { inputFailure } from '../../verb-failure.ts'
import type { Via } from '../account.ts'
import type { Tokens } from '../credential.ts'
import type { CodeResponse } from './oauth-responses.ts'

/** A sign-in that a person goes and makes at the vendor. */
export interface BegunLogin {
  url: string
  state: string
  expiresAtMs: number
}

const lifeMs = 600_000
const random = (): string => randomBytes(32).toString('base64url')

/**
 * Sign-ins at the vendor with PKCE (RFC 7636). State and verifier are made here and wait in the database, so that any
 * process can finish what another began; a state is good once, for ten minutes, for the person who began.
 */
export function createLogins(parts: {
  database: Database
  seal: Seal
  now: () => number
  authorizeAddress: (state: string, challenge: string) => string
  exchange: (given: { code: string; state: string; verifier: string }, via: Via) => Promise<CodeResponse>
}) {
  const { database, seal, now } = parts
  const hmacOf = (state: string): string => seal.hmac(`login-state:${state}`)

  return {
    async begin(tx: Tx, userId: number): Promise<BegunLogin> {
      const state = random()
      const verifier = random()
      const expiresAtMs = now() + lifeMs
      await tx.accountLogin.deleteMany({ where: { expiresAtMs: { lte: BigInt(now()) } } })
      const stateHmac = hmacOf(state)
      const sealed = seal.seal(verifier, `account_logins:${stateHmac}`)
      await tx.accountLogin.create({ data: { stateHmac, userId, sealed, expiresAtMs: BigInt(expiresAtMs) } })
      const challenge = createHash('sha256').update(verifier).digest('base64url')
      return { url: parts.authorizeAddress(state, challenge), state, expiresAtMs }
    },

    /** The tokens for a code. Throws an input failure for `code`, or for `proxy` when that is what failed. */
    async finish(userId: number, { code, state }: PastedCode, via: Via): Promise<Tokens> {
      const stateHmac = hmacOf(state)
      // Found by a keyed hash: how long a comparison takes says nothing about the state.
      const begun = await database.locked(['account-logins'], async (tx) => {
        const row = await tx.accountLogin.findUnique({ where: { stateHmac } })
        if (!row || row.userId !== userId || row.expiresAtMs <= BigInt(now())) return null
        await tx.accountLogin.delete({ where: { stateHmac } })
        return row
      })
      if (!begun) throw inputFailure({ path: 'login.code', code: 'LOGIN_CODE_UNKNOWN' })
      const verifier = seal.open(begun.sealed, `account_logins:${stateHmac}`)
      const response = await parts.exchange({ code, state, verifier }, via)
      if (response.kind === 'tokens') return response.tokens
      if (response.kind === 'refused') {
        throw inputFailure({ path: 'login.code', code: 'LOGIN_CODE_REFUSED', values: { reason: response.reason } })
      }
      // Nobody saw the code: it can be sent again when the way there is mended.
      await database.locked(['account-logins'], (tx) => tx.accountLogin.create({ data: begun }))
      const path = response.byProxy ? 'proxy' : 'login.code'
      throw inputFailure({ path, code: 'LOGIN_CODE_UNSENT', values: { reason: response.reason } })
    },
  }
}

export type Logins = ReturnType<typeof createLogins>

export interface PastedCode {
  code: string
  state: string
}

/** CODE#STATE as the vendor's page shows it, or the whole address it went to; null for anything else. */
export function readPastedCode(text: string): PastedCode | null {
  const pasted = text.trim()
  let code: string
  let state: string
  if (/^https?:\/\//i.test(pasted)) {
    if (!URL.canParse(pasted)) return null
    const { searchParams } = new URL(pasted)
    code = searchParams.get('code') ?? ''
    state = searchParams.get('state') ?? ''
  } else {
    ;[code = '', state = ''] = pasted.split('#')
  }
  return /^[\w-]{10,512}$/.test(code) && /^[\w-]{10,512}$/.test(state) ? { code, state } : null
}
