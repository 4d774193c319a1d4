/**
 * Request ids: 63 bits that sort by time, written `req_` + 14 characters for people and clients.
 * Bits: milliseconds since 2024 (41) · process slot (10) · counter within the millisecond (12).
 * The ledger's primary key is the same number, so a request id is looked up without an index of its own, id order is time
 * order, and a time filter is a range of the key.
 */
const epochMs = Date.UTC(2024, 0, 1)
const digits = '0123456789abcdefghjkmnpqrstvwxyz'

export interface RequestId {
  /** `req_…`, as clients and logs see it. */
  text: string
  /** The ledger's key, decimal. */
  key: string
  /** When it was made, epoch milliseconds. */
  atMs: number
}

/** `slot` (0..1023) tells processes apart that share a database. */
export function createRequestIds(slot: number, now: () => number): () => RequestId {
  // A machine without a clock wakes in 1970; its ids begin with the epoch.
  let lastMs = epochMs
  let counter = 0
  // What changes once a millisecond is made once a millisecond.
  let madeForMs = -1
  let prefix = ''
  let base = 0n
  return () => {
    const wall = now()
    // A clock that stands still or runs back never repeats an id: the counter runs on into the next millisecond.
    if (wall > lastMs) {
      lastMs = wall
      counter = 0
    } else if (++counter === 4096) {
      lastMs++
      counter = 0
    }
    if (lastMs !== madeForMs) {
      madeForMs = lastMs
      prefix = `req_${base32(lastMs - epochMs, 9)}`
      base = BigInt(lastMs - epochMs) << 22n
    }
    const low = slot * 4096 + counter
    return { text: prefix + base32(low, 5), key: (base + BigInt(low)).toString(), atMs: wall }
  }
}

/** The ledger key of a request id as a decimal string, or null when the text is no request id. */
export function ledgerKey(text: string): string | null {
  if (!/^req_[0-9a-z]{14}$/.test(text)) return null
  const high = fromBase32(text.slice(4, 13))
  const low = fromBase32(text.slice(13))
  if (high === null || low === null || high >= 2 ** 41 || low >= 2 ** 22) return null
  return ((BigInt(high) << 22n) | BigInt(low)).toString()
}

/** The slot of the process that made a request id, or null when the text is no request id. */
export function slotOf(text: string): number | null {
  const key = ledgerKey(text)
  return key === null ? null : Number((BigInt(key) >> 12n) & 0x3ffn)
}

/** The request id of a ledger key. */
export function requestIdOf(key: bigint): string {
  return `req_${base32(Number(key >> 22n), 9)}${base32(Number(key & 0x3fffffn), 5)}`
}

/** The smallest ledger key of a moment: rows admitted at or after it have keys at or above. */
export function firstKeyAt(atMs: number): bigint {
  return BigInt(Math.max(0, Math.floor(atMs) - epochMs)) << 22n
}

function base32(value: number, length: number): string {
  let text = ''
  for (let i = 0; i < length; i++) {
    text = digits[value % 32] + text
    value = Math.floor(value / 32)
  }
  return text
}

function fromBase32(text: string): number | null {
  let value = 0
  for (const char of text) {
    const digit = digits.indexOf(char)
    if (digit < 0) return null
    value = value * 32 + digit
  }
  return value
}
