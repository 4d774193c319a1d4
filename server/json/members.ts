/**
 * Members of a JSON object, found in its raw bytes without parsing it: JSON.parse of a 150 KB body costs more than
 * everything else a relay does (performance.md). Whatever is refused here JSON.parse refuses too (except nesting beyond
 * `deepestNesting`); whatever JSON.parse accepts is found as JSON.parse would read it. Inside values only strings and
 * brackets are looked at: other malformed JSON is not seen.
 */

/** Bytes of a value; `end` is exclusive. */
export interface Span {
  start: number
  end: number
}

export type Members =
  | {
      ok: true
      /** By index of the names asked for; the last duplicate wins. */
      spans: (Span | undefined)[]
      /** First element of the array member `itemsOf`; undefined when it is absent, empty or no array. */
      firstItem: Span | undefined
      /** The last element of it that is an object or an array; its `end` is the list's own closing bracket. */
      lastItem: Span | undefined
    }
  /** `problem` is one line that says what is wrong and at which byte; it quotes nothing of the input. */
  | { ok: false; problem: string }

/** Nobody sends this; it bounds what a hostile body can make us, and the upstream, remember. */
export const deepestNesting = 2_000

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** A native search costs 15 ns, a looped byte about 0.7: of 0, 6, 10, 16, 24, 32 this was the fastest on real bodies. */
const loopedBytes = 16

interface Scan {
  bytes: Buffer
  problem: string
  /** Where the last container directly in the one that was skipped last begins; -1: it held none. */
  lastInner: number
}

/**
 * Finds members at depth 1. `names` are ASCII; keys written with escapes count as JSON.parse would read them.
 * `itemsOf` is one of `names`. Linear, without recursion, without copies.
 */
export function findMembers(bytes: Buffer, names: readonly string[], itemsOf?: string): Members {
  const scan: Scan = { bytes, problem: '', lastInner: -1 }
  const spans: (Span | undefined)[] = names.map(() => undefined)
  const listed = itemsOf === undefined ? -1 : names.indexOf(itemsOf)
  let firstItem: Span | undefined
  let lastItem: Span | undefined
  let at = skipSpace(bytes, 0)
  if (bytes[at] !== openBrace) return { ok: false, problem: `not a JSON object: no { at byte ${at}` }
  at = skipSpace(bytes, at + 1)
  while (bytes[at] !== closeBrace) {
    if (bytes[at] !== quote) return { ok: false, problem: `no key where one must be, at byte ${at}` }
    const keyStart = at
    at = skipString(scan, at)
    if (at < 0) return { ok: false, problem: scan.problem }
    const which = indexOfKey(bytes, keyStart + 1, at - 1, names)
    at = skipSpace(bytes, at)
    if (bytes[at] !== colon) return { ok: false, problem: `a key without a value at byte ${keyStart}` }
    const start = skipSpace(bytes, at + 1)
    if (which >= 0 && which === listed && bytes[start] === openBracket) {
      firstItem = undefined
      lastItem = undefined
      const item = skipSpace(bytes, start + 1)
      at = item
      if (bytes[item] !== closeBracket) {
        at = skipValue(scan, item)
        if (at < 0) return { ok: false, problem: scan.problem }
        firstItem = { start: item, end: at }
      }
      at = skipToClose(scan, start, at)
      if (firstItem) lastItem = { start: scan.lastInner < 0 ? firstItem.start : scan.lastInner, end: at - 1 }
    } else {
      if (which >= 0 && which === listed) {
        firstItem = undefined
        lastItem = undefined
      }
      at = skipValue(scan, start)
    }
    if (at < 0) return { ok: false, problem: scan.problem }
    if (which >= 0) spans[which] = { start, end: at }
    at = skipSpace(bytes, at)
    if (bytes[at] === comma) {
      at = skipSpace(bytes, at + 1)
      if (bytes[at] === closeBrace) return { ok: false, problem: `no key after the comma before byte ${at}` }
    } else if (bytes[at] !== closeBrace) {
      const what = at < bytes.length ? 'neither a comma nor a closing } after a value' : 'the object is not closed'
      return { ok: false, problem: `${what}, at byte ${at}` }
    }
  }
  at = skipSpace(bytes, at + 1)
  if (at < bytes.length) return { ok: false, problem: `something follows the object, at byte ${at}` }
  return { ok: true, spans, firstItem, lastItem }
}

/** The elements of the array at `span`, one after the other; fewer when it is malformed, none when it is no array. */
export function* itemsOf(bytes: Buffer, span: Span): Generator<Span> {
  const scan: Scan = { bytes, problem: '', lastInner: -1 }
  let at = skipSpace(bytes, span.start)
  if (bytes[at] !== openBracket) return
  do {
    const start = skipSpace(bytes, at + 1)
    if (bytes[start] === closeBracket) return
    const end = skipValue(scan, start)
    if (end < 0) return
    yield { start, end }
    at = skipSpace(bytes, end)
  } while (bytes[at] === comma && at < span.end)
}

/** A short string of printable ASCII without escapes: what it means is what stands there, and no parser is needed. */
function isPlainString(bytes: Buffer, { start, end }: Span): boolean {
  if (bytes[start] !== quote || end - start > 100 || bytes[end - 1] !== quote || end - start < 2) return false
  for (let at = start + 1; at < end - 1; at++) {
    const byte = bytes[at]!
    if (byte < 0x20 || byte > 0x7e || byte === quote || byte === backslash) return false
  }
  return true
}

/** true, false or an integer of a few digits; undefined for all else. */
function plainScalar(bytes: Buffer, { start, end }: Span): boolean | number | undefined {
  const first = bytes[start]!
  if (first === 0x74 || first === 0x66) {
    const word = end - start > 5 ? '' : bytes.toString('latin1', start, end)
    return word === 'true' ? true : word === 'false' ? false : undefined
  }
  if (first < 0x31 || first > 0x39 || end - start > 9) return undefined
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return value
}

/** The value of a span; undefined (which no JSON text means) when its bytes are not JSON. Never throws. */
export function parseSpan(bytes: Buffer, span: Span): unknown {
  if (isPlainString(bytes, span)) return bytes.toString('latin1', span.start + 1, span.end - 1)
  try {
    return plainScalar(bytes, span) ?? JSON.parse(bytes.toString('utf8', span.start, span.end))
  } catch {
    // The message of a SyntaxError quotes the input, and the input may hold secrets.
    return undefined
  }
}

/** A copy of `bytes` in which `span` holds `text` as a JSON string; every other byte is as it was. */
export function replaceSpan(bytes: Buffer, span: Span, text: string): Buffer {
  const value = JSON.stringify(text)
  const added = Buffer.byteLength(value)
  const out = Buffer.allocUnsafe(bytes.length - (span.end - span.start) + added)
  bytes.copy(out, 0, 0, span.start)
  out.write(value, span.start)
  bytes.copy(out, span.start + added, span.end)
  return out
}

/** After the white space that JSON.parse knows: space, tab, line feed, carriage return. A byte order mark is none. */
function skipSpace(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length) {
    const byte = bytes[at]!
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break
    at++
  }
  return at
}

/** From the first byte of a value to behind its last, or -1. */
function skipValue(scan: Scan, start: number): number {
  const { bytes } = scan
  const first = bytes[start]
  if (first === quote) return skipString(scan, start)
  if (first === openBrace || first === openBracket) return skipToClose(scan, start, start + 1)
  let at = start
  while (at < bytes.length && !endsScalar(bytes[at]!)) at++
  if (at > start) return at
  scan.problem = `no value where one must be, at byte ${start}`
  return -1
}

function endsScalar(byte: number): boolean {
  return byte <= 0x20 || byte === comma || byte === colon || byte === quote || isBracket(byte)
}

function isBracket(byte: number): boolean {
  // The four brackets differ from { and } in bit 5 only.
  const brace = byte | 0x20
  return brace === openBrace || brace === closeBrace
}

/** From the opening quote of a string to behind its closing one, or -1. */
function skipString(scan: Scan, open: number): number {
  const { bytes } = scan
  const { length } = bytes
  let at = open + 1
  for (;;) {
    const near = Math.min(at + loopedBytes, length)
    while (at < near) {
      const byte = bytes[at]!
      if (byte === quote) return at + 1
      at += byte === backslash ? 2 : 1
    }
    const close = at < length ? bytes.indexOf(quote, at) : -1
    if (close < 0) {
      scan.problem = `a string that is not closed, opened at byte ${open}`
      return -1
    }
    // `at` is never inside an escape, so that an even run of backslashes leaves the quote a closing one.
    let run = close
    while (run > at && bytes[run - 1] === backslash) run--
    at = close + 1
    if (((close - run) & 1) === 0) return at
  }
}

/** From a point inside the container opened at `open`, directly in it, to behind its closing bracket, or -1. */
function skipToClose(scan: Scan, open: number, from: number): number {
  const { bytes } = scan
  const { length } = bytes
  scan.lastInner = -1
  // A closing bracket is its opening one plus 2.
  let expected = bytes[open]! + 2
  const outer: number[] = []
  let at = from
  while (at < length) {
    const byte = bytes[at]!
    if (byte === quote) {
      at = skipString(scan, at)
      if (at < 0) return -1
      continue
    }
    at++
    const brace = byte | 0x20
    if (brace === openBrace) {
      // The object itself and this container are two levels.
      if (outer.length + 2 >= deepestNesting) {
        scan.problem = `nested deeper than ${deepestNesting} levels, at byte ${at - 1}`
        return -1
      }
      if (outer.length === 0) scan.lastInner = at - 1
      outer.push(expected)
      expected = byte + 2
    } else if (brace === closeBrace) {
      if (byte !== expected) {
        scan.problem = `a closing bracket of the wrong kind, at byte ${at - 1}`
        return -1
      }
      const next = outer.pop()
      if (next === undefined) return at
      expected = next
    }
  }
  scan.problem = `the input ends inside the value opened at byte ${open}`
  return -1
}

function indexOfKey(bytes: Buffer, start: number, end: number, names: readonly string[]): number {
  for (let index = 0; index < names.length; index++) {
    if (keyIs(bytes, start, end, names[index]!)) return index
  }
  return -1
}

/** Compares in step, so that a long or escaped key costs no more than its difference from the name. */
function keyIs(bytes: Buffer, start: number, end: number, name: string): boolean {
  if (end - start < name.length) return false
  let at = start
  for (let index = 0; index < name.length; index++) {
    if (at >= end) return false
    let unit = bytes[at++]!
    if (unit === backslash) {
      const letter = bytes[at++]!
      if (letter === 0x75) {
        const digits = bytes.toString('latin1', at, at + 4)
        unit = /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : -1
        at += 4
      } else unit = shortEscapes.get(letter) ?? -1
    }
    if (unit !== name.charCodeAt(index)) return false
  }
  return at === end
}

/** What follows the backslash → the character meant. */
const shortEscapes: ReadonlyMap<number, number> = new Map(
  ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)]),
)
