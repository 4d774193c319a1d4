import type { IncomingHttpHeaders } from 'node:http'

const bearer = /^bearer +(\S+)$/i

const keyHeaders = ['x-api-key', 'api-key', 'x-goog-api-key']

/** The secrets that a client sends in its headers, in the order in which they count. Claude Code may send two at once. */
export function presentedSecrets(headers: IncomingHttpHeaders): string[] {
  const secrets: string[] = []
  const match = headers.authorization === undefined ? null : bearer.exec(headers.authorization)
  if (match) secrets.push(match[1]!)
  for (const name of keyHeaders) {
    const value = headers[name]
    if (typeof value === 'string' && value !== '') secrets.push(value)
  }
  return secrets
}
