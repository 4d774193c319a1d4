import type { Account } from '../accounts/accounts.ts'
import { withoutSecret } from '../upstreams/quoted-secret.ts'

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

/** Headers that a relayed request carries beside its body, in upper or lower case as they came. */
export interface RequestHeaders {
  /** Name, value, name, value … of all that may go up, without credentials. */
  upward: string[]
  /** The headers that decide where and how it goes. */
  hasVersion: boolean
  hasTagsBeta: boolean
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

const tagsBeta = 'experimental-claude-tag-'

/** Reads a request's raw headers once. `connection` is that header's value: the names it lists are hop-by-hop too. */
export function readRequestHeaders(raw: readonly string[], connection: string | undefined): RequestHeaders {
  const alsoDropped =
    connection === undefined || connection === 'keep-alive' || connection === 'close'
      ? undefined
      : new Set(connection.split(',').map((name) => name.trim().toLowerCase()))
  const headers: RequestHeaders = { upward: [], hasVersion: false, hasTagsBeta: false }
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!
    const lower = dispositionOf(name)
    if (lower === null || alsoDropped?.has(lower)) continue
    const value = raw[i + 1]!
    if (lower === 'anthropic-version') headers.hasVersion = true
    else if (lower === 'anthropic-beta' && value.includes(tagsBeta)) headers.hasTagsBeta = true
    headers.upward.push(name, value)
  }
  return headers
}

/** The headers of the upstream request: what came, the account's credential, the platform's beta, no compression. */
export function upstreamHeaders(headers: RequestHeaders, account: Account, dropTags: boolean, beta?: string): string[] {
  const list = dropTags && headers.hasTagsBeta ? withoutTagsBeta(headers.upward) : headers.upward.slice()
  if (beta !== undefined) addBeta(list, beta)
  if (!headers.hasVersion) list.push('anthropic-version', '2023-06-01')
  list.push('accept-encoding', 'identity')
  if (account.authHeader === 'bearer') list.push('authorization', `Bearer ${account.secret}`)
  else list.push('x-api-key', account.secret)
  return list
}

/** Names `beta` beside what the client named, never in its place. */
function addBeta(list: string[], beta: string): void {
  let at = -1
  for (let i = 0; i < list.length; i += 2) {
    if (list[i]!.toLowerCase() !== 'anthropic-beta') continue
    if (list[i + 1]!.split(',').some((one) => one.trim() === beta)) return
    at = i + 1
  }
  if (at < 0) list.push('anthropic-beta', beta)
  else list[at] = list[at]!.trim() === '' ? beta : `${list[at]},${beta}`
}

function withoutTagsBeta(upward: readonly string[]): string[] {
  const list: string[] = []
  for (let i = 0; i < upward.length; i += 2) {
    const name = upward[i]!
    let value = upward[i + 1]!
    if (name.toLowerCase() === 'anthropic-beta') {
      value = value
        .split(',')
        .filter((beta) => !beta.trim().startsWith(tagsBeta))
        .join(',')
      if (value.trim() === '') continue
    }
    list.push(name, value)
  }
  return list
}

/** What the relay reads of an upstream's answer: raw headers (name, value, name, value …), read once. */
export class AnswerHeaders {
  contentType = ''
  contentEncoding = ''
  requestId = ''
  private shouldRetry = ''
  private retryAfter = ''
  private retryAfterMs = ''
  private readonly raw: readonly Buffer[]

  constructor(raw: readonly Buffer[]) {
    this.raw = raw
    for (let i = 0; i < raw.length; i += 2) {
      // By length first: most headers of an answer are dropped without ever becoming a string.
      switch (raw[i]!.length) {
        case 10:
          if (this.requestId === '' && nameAt(raw, i) === 'request-id') this.requestId = valueAt(raw, i)
          break
        case 11:
          if (this.retryAfter === '' && nameAt(raw, i) === 'retry-after') this.retryAfter = valueAt(raw, i)
          break
        case 12:
          if (this.contentType === '' && nameAt(raw, i) === 'content-type') this.contentType = valueAt(raw, i)
          break
        case 14:
          if (this.shouldRetry === '' && nameAt(raw, i) === 'x-should-retry') this.shouldRetry = valueAt(raw, i)
          else if (this.retryAfterMs === '' && nameAt(raw, i) === 'retry-after-ms') this.retryAfterMs = valueAt(raw, i)
          break
        case 16:
          if (nameAt(raw, i) === 'content-encoding') this.contentEncoding = valueAt(raw, i).toLowerCase()
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

  /**
   * A number of 52 bits that is the same for the same headers whose names begin so, and hardly for others; 0: there are
   * none. Makes no strings.
   */
  digestOf(prefix: string): number {
    let one = 0x811c9dc5
    let other = 0x9747b28c
    let found = false
    for (let i = 0; i < this.raw.length; i += 2) {
      if (!beginsWith(this.raw[i]!, prefix)) continue
      found = true
      for (let part = i; part < i + 2; part++) {
        const bytes = this.raw[part]!
        for (let at = part === i ? prefix.length : 0; at < bytes.length; at++) {
          one = Math.imul(one ^ bytes[at]!, 0x01000193)
          other = Math.imul(other ^ bytes[at]!, 0x5bd1e995)
          other ^= other >>> 15
        }
        // What is a name's end and what a value's begin is told apart.
        one = Math.imul(one ^ 0x100, 0x01000193)
      }
    }
    return found ? (one >>> 0) * 0x10_0000 + ((other >>> 0) & 0xf_ffff) || 1 : 0
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

/** Whatever its case: `|= 32` makes ASCII letters small and leaves digits and hyphens. */
function beginsWith(name: Buffer, prefix: string): boolean {
  if (name.length <= prefix.length) return false
  for (let at = 0; at < prefix.length; at++) if ((name[at]! | 32) !== prefix.charCodeAt(at)) return false
  return true
}

const nameAt = (raw: readonly Buffer[], i: number): string => raw[i]!.toString('latin1').toLowerCase()
const valueAt = (raw: readonly Buffer[], i: number): string => raw[i + 1]!.toString('latin1')
