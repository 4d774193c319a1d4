/**
 * Request ids: 63 bits that sort by time, written `req_` + 14 characters for people and clients.
 * Bits: milliseconds since 2024 (41) · process slot (10) · counter within the millisecond (12).
 * The ledger's primary key is the same number. So a request id needs no index of its own, rows sort by time, and a time
 * filter is a range of the key.
 */
const epochMs = Date.UTC(2024, 0, 1)
const digits = '0123456789abcdefghjkmnpqrstvwxyz'

export interface RequestId {
  /** `req_…`, as clients and logs see it. */
  text: string
  /** The ledger's key as decimal text. */
  key: string
  /** When it was made, epoch milliseconds. */
  atMs: number
}

/** `slot` (0..1023) is different for each process of a deployment. */
export function createRequestIds(slot: number, now: () => number): () => RequestId {
  // A clock may start in 1970, before our epoch.
  let lastMs = epochMs
  let counter = 0
  // The part of the text that depends on the time is made once per millisecond.
  let madeForMs = -1
  let prefix = ''
  let base = 0n
  return () => {
    const wall = now()
    // When the clock stands still or is set back, the counter continues into the next millisecond, so that no id repeats.
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

/** The smallest ledger key of a time: rows admitted then or later have this key or a larger one. */
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
