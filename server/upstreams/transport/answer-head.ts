/** What an upstream says before its answer's body (RFC 9112 §4 to §6), strictly: what is not by the grammar is no head. */
export interface AnswerHead {
  status: number
  /** Name, value, name, value …, as they came, values without the space around them. */
  headers: string[]
  /** How long the body is: bytes, in chunks, or until the connection ends. */
  body: number | 'chunked' | 'close'
  /** The connection may carry another request afterwards. */
  keepsAlive: boolean
  /** How long the upstream keeps an idle connection; null when it does not say. */
  keepAliveMs: number | null
}

/** Status line, header lines without folds, the empty line. One test of all, so that no line has to be looked at twice. */
const headShape =
  /^HTTP\/1\.[01] [1-5]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n$/

/** `text`: the bytes as latin1, up to and with the empty line. null: no head of HTTP/1.1, or one that contradicts itself. */
export function readAnswerHead(text: string): AnswerHead | null {
  if (!headShape.test(text)) return null
  const status = Number(text.slice(9, 12))
  const head: AnswerHead = { status, headers: [], body: 'close', keepsAlive: text[7] === '1', keepAliveMs: null }
  let length = -1
  let coding = ''
  const last = text.length - 2
  for (let at = text.indexOf('\n') + 1; at < last; ) {
    const end = text.indexOf('\r', at)
    const colon = text.indexOf(':', at)
    const name = text.slice(at, colon)
    const value = text.slice(text.charCodeAt(colon + 1) === space ? colon + 2 : colon + 1, end).trim()
    head.headers.push(name, value)
    at = end + 2
    // By length first: few headers say something of the framing.
    if (name.length === 14 && name.toLowerCase() === 'content-length') {
      if (!/^\d{1,15}$/.test(value) || (length >= 0 && length !== Number(value))) return null
      length = Number(value)
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      coding = coding === '' ? value.toLowerCase() : `${coding}, ${value.toLowerCase()}`
    } else if (name.length === 10 && isHop(name)) readHop(head, name.toLowerCase(), value.toLowerCase())
  }
  return withBody(head, length, coding) ? head : null
}

/** Begins as connection and keep-alive do: request-id has their length. */
function isHop(name: string): boolean {
  const letter = name.charCodeAt(0) | 0x20
  return letter === 0x63 || letter === 0x6b
}

function readHop(head: AnswerHead, name: string, value: string): void {
  if (name === 'connection') {
    if (/(?:^|,)\s*close\s*(?:,|$)/.test(value)) head.keepsAlive = false
    else if (/(?:^|,)\s*keep-alive\s*(?:,|$)/.test(value)) head.keepsAlive = true
  } else if (name === 'keep-alive') {
    const seconds = /(?:^|[,\s])timeout=(\d{1,9})/.exec(value)?.[1]
    if (seconds !== undefined) head.keepAliveMs = Number(seconds) * 1000
  }
}

/** How the body is framed; false where two framings are told, or one that nobody knows. */
function withBody(head: AnswerHead, length: number, coding: string): boolean {
  const { status } = head
  if (status < 200 || status === 204 || status === 304) head.body = 0
  else if (coding !== '') {
    // Two lengths are how answers are smuggled.
    if (coding !== 'chunked' || length >= 0) return false
    head.body = 'chunked'
  } else if (length >= 0) head.body = length
  else head.keepsAlive = false
  return true
}

const space = 0x20
