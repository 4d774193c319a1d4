import type { Seal } from '../store/seal.ts'

/** What an account opens its upstream with; JSON in the sealed column. */
export interface SealedCredential {
  secret: string
  /** With user and password, if it has them. */
  proxy: string | null
}

export const credentialAad = (accountId: number): string => `account_credentials:${accountId}`

/** The credential of a row; empty when there is none. Throws SealBroken. */
export function openCredential(seal: Seal, sealed: string | undefined, accountId: number): SealedCredential {
  return sealed === undefined ? { secret: '', proxy: null } : JSON.parse(seal.open(sealed, credentialAad(accountId)))
}
