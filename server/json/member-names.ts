// Compares names of members in raw JSON, with the escapes that they may be written with.

const backslash = 0x5c

export function indexOfKey(bytes: Buffer, start: number, end: number, names: readonly string[]): number {
  for (let index = 0; index < names.length; index++) {
    if (keyIs(bytes, start, end, names[index]!)) return index
  }
  return -1
}

/** Compares byte by byte and stops at the first difference, however long the key is. `folded`: capital letters count as small ones. */
export function keyIs(bytes: Buffer, start: number, end: number, name: string, folded = false): boolean {
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
    } else if (folded && unit === 0xc5 && bytes[at] === 0xbf) {
      unit = longS
      at++
    }
    if (folded) unit = unit === longS ? 0x73 : unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit
    if (unit !== name.charCodeAt(index)) return false
  }
  return at === end
}

/** ſ, which counts as an s for readers that fold letters as Unicode says. In UTF-8 it is c5 bf. */
const longS = 0x17f

/** The character after the backslash, and the character that both mean. */
const shortEscapes: ReadonlyMap<number, number> = new Map(
  ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)]),
)
