import type { RowsAsJson } from '../store/database.ts'

/**
 * Rows on their way to the database as the bytes of JSON arrays. Outside of the JavaScript heap: thousands of rows that wait a
 * quarter of a second each would otherwise be carried from generation to generation by the garbage collector. In shared memory:
 * the thread of SQLite reads them where they lie.
 */
export interface RowText {
  /** Appends JSON values, comma-separated; '' appends nothing. */
  add(json: string): void
  /** All of it; good until the next call. */
  rows(): RowsAsJson
  clear(): void
}

const firstBytes = 64 * 1024
/** A piece ends with the row that reaches it. Small enough for the text of a piece and its rows to be young garbage. */
const pieceBytes = 32 * 1024
const opening = 0x5b
const closing = 0x5d
const comma = 0x2c

export function createRowText(): RowText {
  let buffer = sharedBuffer(firstBytes)
  let used = 0
  let isAscii = true
  let from = 0
  let ends: number[] = []

  return {
    add(json) {
      if (json === '') return
      // At most three bytes for a UTF-16 unit; one before it, one for the end.
      const most = used + json.length * 3 + 2
      if (most > buffer.length) {
        const larger = sharedBuffer(Math.max(most, buffer.length * 2))
        buffer.copy(larger, 0, 0, used)
        buffer = larger
      }
      buffer[used] = used === from ? opening : comma
      used++
      const bytes = buffer.write(json, used)
      used += bytes
      isAscii &&= bytes === json.length
      if (used - from >= pieceBytes) endPiece()
    },
    rows() {
      if (used > from) endPiece()
      return { json: buffer.subarray(0, used), ends, isAscii }
    },
    clear() {
      used = 0
      from = 0
      ends = []
      isAscii = true
    },
  }

  function endPiece(): void {
    buffer[used++] = closing
    ends.push(used)
    from = used
  }
}

const sharedBuffer = (bytes: number): Buffer => Buffer.from(new SharedArrayBuffer(bytes))
