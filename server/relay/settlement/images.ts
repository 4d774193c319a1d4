// What images and documents in a request take of the model's attention: by their pixels, not by their bytes.

/** The most tokens that an image takes. */
const maxImageTokens = 1600
const pixelsPerToken = 750
/** Bytes of a document that make about a token. */
const documentBytesPerToken = 20
/** Shorter texts under the name `data` are no pictures. */
const minBase64 = 100
/** A JPEG says its size within so many bytes nearly always. */
const maxHeadBytes = 64 * 1024

export interface Attachments {
  /** Bytes of the body that they take, as base64. */
  bytes: number
  tokens: number
}

const dataName = Buffer.from('"data"')
const quote = 34

/** Finds base64 data in the bytes of a request. */
export function attachmentsIn(body: Buffer): Attachments {
  let bytes = 0
  let tokens = 0
  for (let at = body.indexOf(dataName); at >= 0; at = body.indexOf(dataName, at)) {
    at += dataName.length
    let start = at
    while (start < body.length && ' \t\r\n:'.includes(String.fromCharCode(body[start]!))) start++
    if (body[start] !== quote) continue
    const end = body.indexOf(quote, start + 1)
    if (end < 0) break
    const length = end - start - 1
    at = end
    if (length < minBase64) continue
    const found = tokensOf(body, start + 1, length)
    if (found === null) continue
    bytes += length
    tokens += found
  }
  return { bytes, tokens }
}

function tokensOf(body: Buffer, start: number, length: number): number | null {
  const begin = body.toString('latin1', start, start + 12)
  if (begin.startsWith('JVBERi0')) return Math.ceil((length * 0.75) / documentBytesPerToken)
  const kind = (['iVBORw0KGgo', '/9j/', 'R0lGOD', 'UklGR'] as const).find((magic) => begin.startsWith(magic))
  if (kind === undefined) return null
  const headChars = Math.min(length, Math.ceil((maxHeadBytes * 4) / 3))
  const size = sizeOf(kind, Buffer.from(body.toString('latin1', start, start + headChars), 'base64'))
  if (size === null) return maxImageTokens
  return Math.min(maxImageTokens, Math.ceil((size.width * size.height) / pixelsPerToken))
}

function sizeOf(kind: string, head: Buffer): { width: number; height: number } | null {
  if (head.length < 30) return null
  if (kind === 'iVBORw0KGgo') return { width: head.readUInt32BE(16), height: head.readUInt32BE(20) }
  if (kind === 'R0lGOD') return { width: head.readUInt16LE(6), height: head.readUInt16LE(8) }
  if (kind === 'UklGR') return webpSize(head)
  return jpegSize(head)
}

function webpSize(head: Buffer): { width: number; height: number } | null {
  const chunk = head.toString('latin1', 12, 16)
  if (chunk === 'VP8X') return { width: head.readUIntLE(24, 3) + 1, height: head.readUIntLE(27, 3) + 1 }
  if (chunk === 'VP8 ') return { width: head.readUInt16LE(26) & 0x3fff, height: head.readUInt16LE(28) & 0x3fff }
  if (chunk !== 'VP8L') return null
  const bits = head.readUInt32LE(21)
  return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 }
}

/** Goes from segment to segment up to the one that holds the size. */
function jpegSize(head: Buffer): { width: number; height: number } | null {
  for (let at = 2; at + 9 < head.length; ) {
    if (head[at] !== 0xff) return null
    const marker = head[at + 1]!
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return { width: head.readUInt16BE(at + 7), height: head.readUInt16BE(at + 5) }
    at += 2 + head.readUInt16BE(at + 2)
  }
  return null
}
