/**
 * Finds members of a JSON object in its raw bytes without parsing it: JSON.parse of a 150 KB body costs more than
 * everything else a relay does. What this refuses JSON.parse refuses too (except nesting deeper than `maxNesting`), and what
 * JSON.parse accepts is found with the same meaning. Inside values only strings and brackets are read: other malformed JSON
 * is not noticed.
 */
import { indexOfKey, keyIs } from './member-names.ts'

/** Bytes of a value; `end` is exclusive. */
export interface Span {
  start: number
  end: number
}

export type Members =
  | {
      ok: true
      /** In the order of the given names. Of duplicates the last one counts. */
      spans: (Span | undefined)[]
      /** First element of the array member `itemsOf`; undefined when it is absent, empty or no array. */
      firstItem: Span | undefined
      /** Its last element that is an object or an array; `end` is the closing bracket of the list. */
      lastItem: Span | undefined
      /** The first of the names `once` that occurs twice, or also with other capital letters. */
      repeated: string | undefined
    }
  /** `problem` is one line that says what is wrong and at which byte. It does not quote the input. */
  | { ok: false; problem: string }

/** No client nests deeper. Bounds the memory that a hostile body can take here and at the upstream. */
export const maxNesting = 2_000

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** Bytes to compare in a loop before a native search: the search costs 15 ns, a byte in the loop about 0.7. Of 0, 6, 10, 16, 24 and 32 this was the fastest on real bodies. */
const loopedBytes = 16

interface Scan {
  bytes: Buffer
  problem: string
  /** Start of the last container directly inside the one that was skipped last; -1 when it had none. */
  lastInner: number
}

/**
 * Finds members at depth 1. `names` are ASCII; escapes in keys are read as JSON.parse reads them. `itemsOf` is one of
 * `names`. Takes linear time, without recursion and copies. `once` are names, in small letters, for which readers differ:
 * some take the first of two, some read `Model` as `model`.
 */
export function findMembers(
  bytes: Buffer,
  names: readonly string[],
  itemsOf?: string,
  once: readonly string[] = [],
): Members {
  const scan: Scan = { bytes, problem: '', lastInner: -1 }
  const spans: (Span | undefined)[] = names.map(() => undefined)
  const listed = itemsOf === undefined ? -1 : names.indexOf(itemsOf)
  let firstItem: Span | undefined
  let lastItem: Span | undefined
  let repeated: string | undefined
  let at = skipSpace(bytes, 0)
  if (bytes[at] !== openBrace) return { ok: false, problem: `not a JSON object: no { at byte ${at}` }
  at = skipSpace(bytes, at + 1)
  while (bytes[at] !== closeBrace) {
    if (bytes[at] !== quote) return { ok: false, problem: `no key where one must be, at byte ${at}` }
    const keyStart = at
    at = skipString(scan, at)
    if (at < 0) return { ok: false, problem: scan.problem }
    const which = indexOfKey(bytes, keyStart + 1, at - 1, names)
    repeated ??= once.find((name) =>
      name === names[which] ? spans[which] !== undefined : keyIs(bytes, keyStart + 1, at - 1, name, true),
    )
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
  return { ok: true, spans, firstItem, lastItem, repeated }
}

/** The elements of the array at `span`. Ends early when it is malformed; empty when it is no array. */
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

/** True for a short string of printable ASCII without escapes: it needs no parser. */
function isPlainString(bytes: Buffer, { start, end }: Span): boolean {
  if (bytes[start] !== quote || end - start > 100 || bytes[end - 1] !== quote || end - start < 2) return false
  for (let at = start + 1; at < end - 1; at++) {
    const byte = bytes[at]!
    if (byte < 0x20 || byte > 0x7e || byte === quote || byte === backslash) return false
  }
  return true
}

/** true, false or an integer of a few digits; undefined for anything else. */
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

/** The value of a span; undefined, which is no JSON value, when its bytes are not JSON. Never throws. */
export function parseSpan(bytes: Buffer, span: Span): unknown {
  if (isPlainString(bytes, span)) return bytes.toString('latin1', span.start + 1, span.end - 1)
  try {
    return plainScalar(bytes, span) ?? JSON.parse(bytes.toString('utf8', span.start, span.end))
  } catch {
    // Not thrown on: the message of a SyntaxError quotes the input, which may contain secrets.
    return undefined
  }
}

/** A copy of `bytes` with `text` as a JSON string at `span`; all other bytes are the same. */
export function replaceSpan(bytes: Buffer, span: Span, text: string): Buffer {
  const value = JSON.stringify(text)
  const added = Buffer.byteLength(value)
  const out = Buffer.allocUnsafe(bytes.length - (span.end - span.start) + added)
  bytes.copy(out, 0, 0, span.start)
  out.write(value, span.start)
  bytes.copy(out, span.start + added, span.end)
  return out
}

/** The index after white space as JSON.parse knows it: space, tab, line feed, carriage return, but no byte order mark. */
function skipSpace(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length) {
    const byte = bytes[at]!
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break
    at++
  }
  return at
}

/** The index after the value that begins at `start`, or -1. */
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

/** The index after the string whose opening quote is at `open`, or -1. */
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
    // `at` is never inside an escape: after an even number of backslashes the quote closes the string.
    let run = close
    while (run > at && bytes[run - 1] === backslash) run--
    at = close + 1
    if (((close - run) & 1) === 0) return at
  }
}

/** The index after the closing bracket of the container at `open`, or -1. `from` is directly inside it. */
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
      // The whole object and this container are two levels.
      if (outer.length + 2 >= maxNesting) {
        scan.problem = `nested deeper than ${maxNesting} levels, at byte ${at - 1}`
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
