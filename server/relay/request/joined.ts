import type { Span } from '../../json/members.ts'

/** Bodies up to this size are joined in one lasting buffer; larger ones are rare enough for a buffer of their own. */
const lastingBytes = 4 * 1024 * 1024
const firstBytes = 256 * 1024

/**
 * A body in one piece, to be looked at: the bytes are good until the next call, so nothing that waits may keep them. A copy
 * into memory that is already there costs a tenth of a fresh buffer.
 */
export function createJoiner(): (body: { chunks: readonly Buffer[]; length: number }) => Buffer {
  let lasting: Buffer | undefined
  return ({ chunks, length }) => {
    if (chunks.length === 1) return chunks[0]!
    if (length > lastingBytes) return Buffer.concat(chunks, length)
    if (lasting === undefined || lasting.length < length) {
      let size = firstBytes
      while (size < length) size *= 2
      lasting = Buffer.allocUnsafeSlow(size)
    }
    let at = 0
    for (const chunk of chunks) {
      lasting.set(chunk, at)
      at += chunk.length
    }
    return lasting.subarray(0, length)
  }
}

/** The bytes of a span, joined only where it lies over more than one piece. */
export function bytesOf({ chunks }: { chunks: readonly Buffer[] }, { start, end }: Span): Buffer {
  const found: Buffer[] = []
  let at = 0
  for (const chunk of chunks) {
    const from = Math.max(0, start - at)
    const to = Math.min(chunk.length, end - at)
    if (from < to) found.push(chunk.subarray(from, to))
    at += chunk.length
  }
  return found.length === 1 ? found[0]! : Buffer.concat(found)
}
