import { isDeepStrictEqual } from 'node:util'
import type { Tx } from '../store/database.ts'
import type { Seal } from '../store/seal.ts'

/** What an account opens its upstream with; JSON in the sealed column. */
export interface SealedCredential {
  /** An API key, or the access token of a login. */
  secret: string
  /** With user and password, if it has them; 'none' for a direct connection; null for the deployment's default. */
  proxy: string | null
  /** Extra request headers; absent: none. */
  headers?: Readonly<Record<string, string>>
  /** Renews the access token of a login; absent for what cannot be renewed. */
  refreshToken?: string
  /** Keyed hash of the tokens a provisioning file gave: the same tokens do not undo what was renewed since. */
  provisioned?: string
}

/** A login at the vendor: what a code, an import or a refresh gave. */
export interface Tokens {
  accessToken: string
  /** null: none, the login ends with its access token. */
  refreshToken: string | null
  /** null: when it ends is not known. */
  expiresAtMs: number | null
}

/** A change of a credential; absent fields stay. A secret and a login replace each other. */
export interface CredentialDraft {
  secret?: string | undefined
  login?: Tokens | undefined
  proxy?: string | null | undefined
  extraHeaders?: Readonly<Record<string, string>> | undefined
}

const credentialAad = (accountId: number): string => `account_credentials:${accountId}`

/** The credential of a row; empty when there is none. Throws SealBroken. */
export function openCredential(seal: Seal, sealed: string | undefined, accountId: number): SealedCredential {
  return sealed === undefined ? { secret: '', proxy: null } : JSON.parse(seal.open(sealed, credentialAad(accountId)))
}

export function sealCredential(seal: Seal, credential: SealedCredential, accountId: number): string {
  return seal.seal(JSON.stringify(credential), credentialAad(accountId))
}

/** The credential with a fresh login in place of the old secret; its proxy stays. */
export function withTokens({ proxy, headers, provisioned }: SealedCredential, tokens: Tokens): SealedCredential {
  return {
    secret: tokens.accessToken,
    proxy,
    ...(headers !== undefined && { headers }),
    ...(tokens.refreshToken !== null && { refreshToken: tokens.refreshToken }),
    ...(provisioned !== undefined && { provisioned }),
  }
}

/** Columns of a credential whose last refresh has ended well, or that begins anew. */
export const refreshed = { refreshStartedAtMs: null, refreshFailure: '', refreshError: '', refreshRetryAtMs: null }

/**
 * Writes what changed of an account's credential, in the transaction of whoever changes it. `fromFile`: tokens that a
 * file gave before are left as they have become since. Whoever calls holds the lock 'accounts', as every writer of
 * credentials does. True when the account opens its upstream with something else now.
 */
export async function changeCredential(
  tx: Tx,
  seal: Seal,
  id: number,
  draft: CredentialDraft,
  how: { fromFile?: boolean } = {},
): Promise<boolean> {
  const { proxy, extraHeaders: headers } = draft
  if ([draft.secret, draft.login, proxy, headers].every((one) => one === undefined)) return false
  const row = await tx.accountCredential.findUnique({ where: { accountId: id } })
  const old = openCredential(seal, row?.sealed, id)
  let fresh: SealedCredential = { ...old, ...(proxy !== undefined && { proxy }), ...(headers && { headers }) }
  let columns: object = {}
  const login = draft.login ?? (draft.secret === undefined ? undefined : tokensOf(draft.secret))
  const mark = how.fromFile && draft.login ? seal.hmac(JSON.stringify(draft.login)) : undefined
  if (login !== undefined && (mark === undefined || mark !== old.provisioned)) {
    fresh = withTokens(mark === undefined ? fresh : { ...fresh, provisioned: mark }, login)
    columns = {
      ...refreshed,
      refreshedAtMs: null,
      expiresAtMs: login.expiresAtMs === null ? null : BigInt(login.expiresAtMs),
    }
  }
  const isOther = fresh.secret !== old.secret || fresh.refreshToken !== old.refreshToken
  if (row && isDeepStrictEqual(fresh, old)) return false
  const sealed = sealCredential(seal, fresh, id)
  await tx.accountCredential.upsert({
    where: { accountId: id },
    create: { accountId: id, sealed, ...columns },
    update: { sealed, ...(isOther && columns), version: { increment: 1 } },
  })
  return isOther
}

const tokensOf = (secret: string): Tokens => ({ accessToken: secret, refreshToken: null, expiresAtMs: null })
