/** The cookie of the refresh token: only sent to /graphql, only by pages of this site, not readable by scripts. */
const name = 'relay_refresh'

export function readRefreshCookie(header: string | undefined): string | null {
  const pair = header?.split(/;\s*/).find((one) => one.startsWith(`${name}=`))
  const value = pair?.slice(name.length + 1) ?? ''
  return /^[\w-]{20,100}$/.test(value) ? value : null
}

/** `set-cookie`; null clears. */
export function refreshCookie(token: { value: string; maxAgeS: number } | null, isSecure: boolean): string {
  const { value, maxAgeS } = token ?? { value: '', maxAgeS: 0 }
  return `${name}=${value}; Path=/graphql; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
}
