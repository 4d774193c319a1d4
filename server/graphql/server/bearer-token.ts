/** The token of `Bearer TOKEN`; null for anything else. */
export function bearerToken(authorization: unknown): string | null {
  return typeof authorization === 'string' ? (/^Bearer (\S+)$/i.exec(authorization)?.[1] ?? null) : null
}

/** True when a token was meant to be sent. Other schemes are those of a proxy in front. */
export const carriesBearer = (authorization: unknown): boolean =>
  typeof authorization === 'string' && /^Bearer\b/i.test(authorization)
