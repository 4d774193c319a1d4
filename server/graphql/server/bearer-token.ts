/** The token of `Bearer TOKEN`; null for anything else. */
export function bearerToken(authorization: unknown): string | null {
  return typeof authorization === 'string' ? (/^Bearer (\S+)$/i.exec(authorization)?.[1] ?? null) : null
}
