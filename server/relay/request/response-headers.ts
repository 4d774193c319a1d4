// What the relay reads of an upstream's response headers, and what of them the client may see.
import { withoutSecret } from '../../upstreams/quoted-secret.ts'

/** Headers as they came (name, value, name, value …), read once. */
export class ResponseHeaders {
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
      // By length first: most headers of a response are dropped unread.
      switch (raw[i]!.length) {
        case 10:
          if (this.requestId === '' && isNamed(raw, i, 'request-id')) this.requestId = boundedAt(raw, i)
          break
        case 11:
          if (this.retryAfter === '' && isNamed(raw, i, 'retry-after')) this.retryAfter = boundedAt(raw, i)
          break
        case 12:
          if (this.contentType === '' && isNamed(raw, i, 'content-type')) this.contentType = boundedAt(raw, i)
          break
        case 14:
          if (this.shouldRetry === '' && isNamed(raw, i, 'x-should-retry')) this.shouldRetry = boundedAt(raw, i)
          else if (this.retryAfterMs === '' && isNamed(raw, i, 'retry-after-ms')) this.retryAfterMs = boundedAt(raw, i)
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

  /** All, by lower-case name, to classify an error by. */
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

/** What reaches clients, rows and the log: printable ASCII that fits a row's column. Anything else counts as absent (fault 57). */
function boundedAt(raw: readonly string[], i: number): string {
  const value = valueAt(raw, i)
  return /^[\x20-\x7e]{1,191}$/.test(value) ? value : ''
}
