/** A request's head, as far as a connection of our own serves it. Everything that is in doubt is node:http's. */
export interface RequestHead {
  /** Path and query as they came. */
  target: string
  /** Name, value, name, value …, as they came, values without the space around them. */
  raw: string[]
  /** Values by lower-case name; no name comes twice. */
  headers: Record<string, string>
  bodyBytes: number
}

/** POST, HTTP/1.1, header lines without folds or anything that is no character of one, the empty line. */
const headShape = /^POST \/[\x21-\x7e]* HTTP\/1\.1\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)+\r\n$/

/** `text`: the bytes as latin1, up to and with the empty line. null where node:http has to look. */
export function readRequestHead(text: string, mostHeaders: number): RequestHead | null {
  if (!headShape.test(text)) return null
  const headers: Record<string, string> = {}
  const raw: string[] = []
  const last = text.length - 2
  for (let at = text.indexOf('\n') + 1; at < last; ) {
    const end = text.indexOf('\r', at)
    const colon = text.indexOf(':', at)
    const name = text.slice(at, colon)
    const value = text.slice(text.charCodeAt(colon + 1) === space ? colon + 2 : colon + 1, end).trim()
    const lower = lowerCase(name)
    // Which of two counts is node:http's to say; and no object of ours has a header for a prototype.
    if (headers[lower] !== undefined) return null
    headers[lower] = value
    raw.push(name, value)
    at = end + 2
  }
  if (raw.length > mostHeaders * 2 || headers['host'] === undefined || !isPlain(headers)) return null
  const length = headers['content-length']
  if (length === undefined || !/^[1-9]\d{0,9}$/.test(length)) return null
  return { target: text.slice(5, text.indexOf(' ', 5)), raw, headers, bodyBytes: Number(length) }
}

/** One body of a known length, as it is, and the connection stays. */
function isPlain(headers: Record<string, string>): boolean {
  return (
    headers['transfer-encoding'] === undefined &&
    headers['expect'] === undefined &&
    headers['upgrade'] === undefined &&
    headers['content-encoding'] === undefined &&
    isKeepAlive(headers['connection'])
  )
}

const isKeepAlive = (connection: string | undefined): boolean =>
  connection === undefined || connection.toLowerCase() === 'keep-alive'

const space = 0x20

/** Clients repeat themselves: names as they came → lower case. Bounded, not emptied. */
const lowerCases = new Map<string, string>()
function lowerCase(name: string): string {
  let lower = lowerCases.get(name)
  if (lower === undefined) {
    lower = name.toLowerCase()
    if (lowerCases.size < 2000 && name.length <= 64) lowerCases.set(name, lower)
  }
  return lower
}
