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
