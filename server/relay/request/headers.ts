import { withoutSecret } from '../../upstreams/quoted-secret.ts'

/**
 * The header lists of the relay. Requests: everything goes up as it came but for what is named here (the vendor adds
 * headers at any time). Answers: only what is named here comes down (an upstream's answer tells of a shared account).
 */
const droppedFromRequests = new Set([
  // The caller's credentials, and selectors of whose money is spent.
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'anthropic-workspace-id',
  'anthropic-user-profile-id',
  // Hop by hop, or made anew for the upstream.
  'host',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-length',
  'content-encoding',
  'accept-encoding',
  // Where the request came from: not the upstream's business, and spoofable.
  'anthropic-dangerous-direct-browser-access',
  'origin',
  'referer',
  'cookie',
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'fastly-client-ip',
])
const droppedPrefixes = ['x-forwarded-', 'cf-', 'sec-fetch-']

/** True when a request header (lower case) stays here. */
function staysHere(name: string): boolean {
  return droppedFromRequests.has(name) || droppedPrefixes.some((prefix) => name.startsWith(prefix))
}

/** Names as they came → lower case when it may go up, null when not. Clients repeat themselves: bounded, not emptied. */
const dispositions = new Map<string, string | null>()
function dispositionOf(name: string): string | null {
  let disposition = dispositions.get(name)
  if (disposition === undefined) {
    const lower = name.toLowerCase()
    disposition = staysHere(lower) ? null : lower
    if (dispositions.size < 2000 && name.length <= 64) dispositions.set(name, disposition)
  }
  return disposition
}

/**
 * Reads a request's raw headers once: name, value, name, value … of all that may go up, as they came, without credentials.
 * `connection` is that header's value: the names it lists are hop-by-hop too.
 */
export function readRequestHeaders(raw: readonly string[], connection: string | undefined): string[] {
  const alsoDropped =
    connection === undefined || connection === 'keep-alive' || connection === 'close'
      ? undefined
      : new Set(connection.split(',').map((name) => name.trim().toLowerCase()))
  const headers: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const lower = dispositionOf(raw[i]!)
    if (lower !== null && !alsoDropped?.has(lower)) headers.push(raw[i]!, raw[i + 1]!)
  }
  return headers
}

/** What must not stand in a header's value: it would end the line, or is no character of one. */
const unfit = /[^\t\x20-\x7e\x80-\xff]/

/** False for a secret that no header can carry. */
export const fitsHeader = (secret: string): boolean => !unfit.test(secret)

/** What the relay reads of an upstream's answer: its headers as they came (name, value, name, value …), read once. */
export class AnswerHeaders {
  contentType = ''
  contentEncoding = ''
  requestId = ''
  private shouldRetry = ''
  private retryAfter = ''
  private retryAfterMs = ''
  private readonly raw: readonly string[]

  constructor(raw: readonly string[]) {
    this.raw = raw
    for (let i = 0; i < raw.length; i += 2) {
      // By length first: most headers of an answer are dropped unread.
      switch (raw[i]!.length) {
        case 10:
          if (this.requestId === '' && isNamed(raw, i, 'request-id')) this.requestId = valueAt(raw, i)
          break
        case 11:
          if (this.retryAfter === '' && isNamed(raw, i, 'retry-after')) this.retryAfter = valueAt(raw, i)
          break
        case 12:
          if (this.contentType === '' && isNamed(raw, i, 'content-type')) this.contentType = valueAt(raw, i)
          break
        case 14:
          if (this.shouldRetry === '' && isNamed(raw, i, 'x-should-retry')) this.shouldRetry = valueAt(raw, i)
          else if (this.retryAfterMs === '' && isNamed(raw, i, 'retry-after-ms')) this.retryAfterMs = valueAt(raw, i)
          break
        case 16:
          if (isNamed(raw, i, 'content-encoding')) this.contentEncoding = valueAt(raw, i).toLowerCase()
          break
        default:
      }
    }
  }

  /** What was read is read without `secret`, where an upstream quotes it. */
  forget(secret: string): void {
    // Nearly always shorter than the secret, and thereby without it.
    this.contentType = withoutSecret(this.contentType, secret)
    this.contentEncoding = withoutSecret(this.contentEncoding, secret)
    this.requestId = withoutSecret(this.requestId, secret)
    this.shouldRetry = withoutSecret(this.shouldRetry, secret)
    this.retryAfter = withoutSecret(this.retryAfter, secret)
    this.retryAfterMs = withoutSecret(this.retryAfterMs, secret)
  }

  /** All, by lower-case name, for a verdict. */
  all(): Map<string, string> {
    const all = new Map<string, string>()
    for (let i = 0; i < this.raw.length; i += 2) all.set(nameAt(this.raw, i), valueAt(this.raw, i))
    return all
  }

  /** Those whose names begin so (in lower case). */
  beginningWith(prefix: string): Map<string, string> {
    const found = new Map<string, string>()
    for (let i = 0; i < this.raw.length; i += 2) {
      if (beginsWith(this.raw[i]!, prefix)) found.set(nameAt(this.raw, i), valueAt(this.raw, i))
    }
    return found
  }

  /** The same as one text, for comparing; '' when there are none. */
  textOf(prefix: string): string {
    let text = ''
    for (let i = 0; i < this.raw.length; i += 2) {
      if (beginsWith(this.raw[i]!, prefix)) text += `${nameAt(this.raw, i)}: ${valueAt(this.raw, i)}\n`
    }
    return text
  }

  /** The allow-list of what comes down to the client; when to try again only with errors that are the caller's own. */
  forClient(withError: boolean): string[] {
    const list: string[] = []
    if (this.contentType !== '') list.push('content-type', this.contentType)
    if (this.requestId !== '') list.push('request-id', this.requestId)
    if (this.shouldRetry !== '') list.push('x-should-retry', this.shouldRetry)
    if (!withError) return list
    if (this.retryAfter !== '') list.push('retry-after', this.retryAfter)
    if (this.retryAfterMs !== '') list.push('retry-after-ms', this.retryAfterMs)
    return list
  }
}

const beginsWith = (name: string, prefix: string): boolean =>
  name.length > prefix.length && name.slice(0, prefix.length).toLowerCase() === prefix

/** Most upstreams write names in lower case. */
const isNamed = (raw: readonly string[], i: number, name: string): boolean =>
  raw[i] === name || raw[i]!.toLowerCase() === name
const nameAt = (raw: readonly string[], i: number): string => raw[i]!.toLowerCase()
const valueAt = (raw: readonly string[], i: number): string => raw[i + 1]!
