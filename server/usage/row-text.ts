/**
 * Rows on their way to the database as the bytes of one JSON array. Outside of the JavaScript heap: thousands of rows that
 * wait a quarter of a second each would otherwise be carried from generation to generation by the garbage collector.
 */
export interface RowText {
  /** Appends JSON values, comma-separated; '' appends nothing. */
  add(json: string): void
  /** All of it as a JSON array; good until the next call. `isAscii`: no character takes more than one byte. */
  json(): { json: Uint8Array; isAscii: boolean }
  clear(): void
}

const firstBytes = 64 * 1024
const opening = 0x5b
const closing = 0x5d
const comma = 0x2c

export function createRowText(): RowText {
  let buffer = Buffer.allocUnsafeSlow(firstBytes)
  let used = 1
  let isAscii = true
  buffer[0] = opening

  return {
    add(json) {
      if (json === '') return
      // At most three bytes for a UTF-16 unit; one for the comma, one for the end.
      const most = used + json.length * 3 + 2
      if (most > buffer.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(most, buffer.length * 2))
        buffer.copy(larger, 0, 0, used)
        buffer = larger
      }
      if (used > 1) buffer[used++] = comma
      const bytes = buffer.write(json, used)
      used += bytes
      isAscii &&= bytes === json.length
    },
    json() {
      buffer[used] = closing
      return { json: buffer.subarray(0, used + 1), isAscii }
    },
    clear() {
      used = 1
      isAscii = true
    },
  }
}
