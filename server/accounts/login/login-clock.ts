import type { Account } from '../account.ts'
import type { SealedCredential, Tokens } from '../credential.ts'

/**
 * When an access token has to be renewed. Ten minutes ahead no request notices; in the last half minute it may end on its
 * way, so requests wait. Of short lives the last half, and the last quarter. `sinceMs`: when it was given, −Infinity if unknown.
 */
export function loginClock(expiresAtMs: number, sinceMs: number, refreshes: boolean) {
  const never = Number.POSITIVE_INFINITY
  if (!refreshes) return { expiresAtMs, dueAtMs: never, staleAtMs: never }
  // When it ends is not known: it is renewed every hour.
  if (expiresAtMs === never) return { expiresAtMs, dueAtMs: sinceMs + 3_600_000, staleAtMs: never }
  const lifeMs = expiresAtMs - sinceMs
  return {
    expiresAtMs,
    dueAtMs: expiresAtMs - Math.min(600_000, lifeMs / 2),
    staleAtMs: expiresAtMs - Math.min(30_000, lifeMs / 4),
  }
}

/** The same from a row. */
export function storedClock(
  row: { expiresAtMs: bigint | null; refreshedAtMs: bigint | null; refreshFailure: string } | null,
  { refreshToken }: SealedCredential,
) {
  const expiresAtMs = row?.expiresAtMs == null ? Number.POSITIVE_INFINITY : Number(row.expiresAtMs)
  const sinceMs = row?.refreshedAtMs == null ? Number.NEGATIVE_INFINITY : Number(row.refreshedAtMs)
  return loginClock(expiresAtMs, sinceMs, refreshToken !== undefined && row?.refreshFailure === '')
}

/** The account opens its upstream with these from now on. */
export function takeLogin(account: Account, tokens: Tokens, atMs: number): void {
  account.secret = tokens.accessToken
  const expiresAtMs = tokens.expiresAtMs ?? Number.POSITIVE_INFINITY
  Object.assign(account, loginClock(expiresAtMs, atMs, tokens.refreshToken !== null))
}
