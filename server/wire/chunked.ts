/**
 * The chunked transfer coding (RFC 9112 §7.1), read where it lies: the payload is moved together in the bytes themselves, so
 * that two hundred small chunks of one read are one piece afterwards. Strict: what is not by the grammar fails.
 */
export class ChunkedReader {
  /** The last chunk and its trailers have been read. */
  done = false
  /** Not by the grammar: nothing that follows can be trusted. */
  failed = false
  /** Where the payload of the last {@link read} lies. */
  from = 0
  to = 0
  private state = size
  private left = 0
  private digits = 0
  private lineBytes = 0

  /** Reads `bytes[start, end)` and returns how far it read: `end`, unless the body is done or failed. */
  read(bytes: Buffer, start: number, end: number): number {
    let at = start
    let to = -1
    this.from = start
    while (at < end) {
      if (this.state === data) {
        const length = Math.min(this.left, end - at)
        if (to < 0) {
          this.from = at
          to = at
        } else if (to !== at) bytes.copyWithin(to, at, at + length)
        to += length
        at += length
        this.left -= length
        if (this.left === 0) this.state = dataCr
        continue
      }
      if (!this.step(bytes[at++]!)) break
    }
    this.to = to < 0 ? this.from : to
    return at
  }

  /** One byte of what is no payload. False when the body is over, well or badly. */
  private step(byte: number): boolean {
    switch (this.state) {
      case size: {
        const digit = hexDigit(byte)
        if (digit >= 0 && this.digits < mostDigits) {
          this.left = this.left * 16 + digit
          this.digits++
          return true
        }
        if (this.digits === 0) return this.fail()
        if (byte === cr) this.state = sizeLf
        else if (byte === semicolon) this.state = extensionStart
        else return this.fail()
        return true
      }
      case extensionStart:
        if (!isToken(byte)) return this.fail()
        this.state = extensionName
        return this.lineGoesOn(byte)
      case extensionName:
      case extensionValue:
        if (byte === cr) this.state = sizeLf
        else if (byte === semicolon) this.state = extensionStart
        else if (byte === equals && this.state === extensionName) this.state = extensionValue
        else if (byte === quote && this.state === extensionValue) this.state = quoted
        else if (!isToken(byte)) return this.fail()
        return this.lineGoesOn(byte)
      case quoted:
        if (byte === quote) this.state = quotedEnd
        else if (byte === backslash || byte === cr) return this.fail()
        return this.lineGoesOn(byte)
      case quotedEnd:
        if (byte === cr) this.state = sizeLf
        else if (byte === semicolon) this.state = extensionStart
        else return this.fail()
        return this.lineGoesOn(byte)
      case sizeLf:
        if (byte !== lf) return this.fail()
        this.state = this.left === 0 ? trailerStart : data
        this.digits = 0
        this.lineBytes = 0
        return true
      case dataCr:
        if (byte !== cr) return this.fail()
        this.state = dataLf
        return true
      case dataLf:
        if (byte !== lf) return this.fail()
        this.state = size
        return true
      case trailerStart:
        if (byte === cr) this.state = lastLf
        else if (isToken(byte)) this.state = trailerName
        else return this.fail()
        return this.lineGoesOn(byte)
      case trailerName:
        if (byte === colon) this.state = trailer
        else if (!isToken(byte)) return this.fail()
        return this.lineGoesOn(byte)
      case trailer:
        if (byte === cr) this.state = trailerLf
        return this.lineGoesOn(byte)
      case trailerLf:
        if (byte !== lf) return this.fail()
        this.state = trailerStart
        return true
      default:
        if (byte !== lf) return this.fail()
        this.done = true
        return false
    }
  }

  /** Extensions and trailers say nothing to us, but must be short and of characters; a bare line feed ends no line. */
  private lineGoesOn(byte: number): boolean {
    const isCharacter = (byte >= space && byte !== del) || byte === tab || byte === cr
    return !isCharacter || ++this.lineBytes > mostLineBytes ? this.fail() : true
  }

  private fail(): boolean {
    this.failed = true
    return false
  }
}

const size = 0
const extensionName = 1
const sizeLf = 2
const data = 3
const dataCr = 4
const dataLf = 5
const trailerStart = 6
const trailer = 7
const trailerLf = 8
const lastLf = 9
const trailerName = 10
const extensionValue = 11
const quoted = 12
const quotedEnd = 13
const extensionStart = 14

const cr = 0x0d
const lf = 0x0a
const tab = 0x09
const space = 0x20
const semicolon = 0x3b
const colon = 0x3a
const del = 0x7f
const equals = 0x3d
const quote = 0x22
const backslash = 0x5c
/** 2^52: exact as a number. */
const mostDigits = 13
/** Of an extension, or of all trailers together. */
const mostLineBytes = 16 * 1024

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** RFC 9110 §5.6.2. */
function isToken(byte: number): boolean {
  const letter = byte | 0x20
  if ((letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39)) return true
  return tokenSigns.includes(byte)
}
const tokenSigns: readonly number[] = [...Buffer.from("!#$%&'*+-.^_`|~")]
