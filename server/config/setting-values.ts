import { accessSync, constants } from 'node:fs'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { isProxyUrl, userName } from '../field-values.ts'

/** A setting's text turned into a value, or what is wrong with it: a clause that follows its name, without the text. */
export type Parsed<T> = { value: T } | { problem: string }

type Read<T> = (text: string) => Parsed<T>

export const anyText: Read<string> = (value) => ({ value })

export const wholeNumber =
  (least: number, most: number): Read<number> =>
  (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
    return value >= least && value <= most ? { value } : { problem: `must be a whole number from ${least} to ${most}` }
  }

export const oneOf =
  <const T extends string>(...choices: readonly T[]): Read<T> =>
  (text) => {
    const value = choices.find((choice) => choice === text.toLowerCase())
    return value === undefined ? { problem: `must be one of ${choices.join(', ')}` } : { value }
  }

export const textOfAtLeast =
  (characters: number, most = Number.POSITIVE_INFINITY): Read<string> =>
  (text) => {
    const { length } = Array.from(text)
    if (length < characters) return { problem: `must have at least ${characters} characters` }
    return length > most ? { problem: `must have at most ${most} characters` } : { value: text }
  }

/** What the pages take as the name of a person. */
export const personName: Read<string> = (text) => {
  const checked = userName.safeParse(text)
  return checked.success ? { value: text } : { problem: checked.error.issues[0]!.message }
}

export const hostName: Read<string> = (text) =>
  isIP(text) || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text)
    ? { value: text }
    : { problem: 'must be an IP address or a host name, without a scheme or a port' }

export const folder: Read<string> = (text) => ({ value: text.length > 1 ? text.replace(/\/+$/, '') || '/' : text })

export const readableFile: Read<string> = (text) => {
  try {
    accessSync(text, constants.R_OK)
    return { value: text }
  } catch {
    return { problem: 'names a file that cannot be read' }
  }
}

export const mailAddress: Read<string> = (text) =>
  /^[^\s@]+@[^\s@]+$/.test(text) ? { value: text } : { problem: 'must be an e-mail address' }

/** An IANA name as Intl knows it. */
export const timeZone: Read<string> = (text) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    // Newer engines also take +08:00, which knows no summer time and is no zone.
    return /^[A-Za-z]/.test(text) ? { value: text } : { problem: 'must be a name such as Europe/Berlin, not an offset' }
  } catch {
    return { problem: 'must be the name of a time zone, such as Asia/Shanghai or UTC' }
  }
}

/** Comma-separated CIDRs; a single address stands for itself. */
export const networks: Read<readonly string[]> = (text) => {
  const items = text.split(',').map((item) => item.trim())
  const value = items.filter(Boolean).map(networkOf)
  const wrong = items.filter(Boolean).filter((_, index) => value[index] === undefined)
  if (wrong.length)
    return { problem: `must be a list of networks such as 10.0.0.0/8, ::1/128; wrong: ${wrong.join(', ')}` }
  return { value: value.filter((item) => item !== undefined) }
}

function networkOf(text: string): string | undefined {
  // Four parts only: ipaddr.js also reads 10.1 and 0x7f.1, which nobody means in an allow-list.
  if (!isIP(text.split('/')[0] ?? '')) return undefined
  const network = text.includes('/') ? text : `${text}/${isIP(text) === 6 ? 128 : 32}`
  return ipaddr.isValidCIDR(network) ? network : undefined
}

/** http or https, without credentials, query or fragment; trailing slashes are dropped. */
export const webAddress: Read<string> = (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) return { problem: 'must be an http:// or https:// address' }
  if (url.username || url.password || /[?#]/.test(text))
    return { problem: 'must hold no user, password, query or fragment' }
  return { value: `${url.origin}${url.pathname}`.replace(/\/+$/, '') }
}

export const proxyAddress: Read<string> = (text) =>
  isProxyUrl(text)
    ? { value: text }
    : {
        problem: 'must be http://, https://, socks5:// or socks5h://, with host and port, and user:password@ if needed',
      }

/** `file:<path>` (SQLite) or `mysql://user:password@host:port/database`. */
export const databaseAddress: Read<string> = (text) => {
  const value = text.trim()
  if (value.startsWith('file:')) return value.length > 5 ? { value } : { problem: 'names no file after file:' }
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol !== 'mysql:') return { problem: 'must start with file: or mysql://' }
  if (!url.hostname || !/^\/[^/]+$/.test(url.pathname))
    return { problem: 'must be mysql://user:password@host:port/database' }
  return decodable(url) ? { value } : { problem: 'has a % in its user or password that must be written %25' }
}

/** `redis://` or, with TLS, `rediss://`. */
export const redisAddress: Read<string> = (text) => {
  const value = text.trim()
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (!url || !/^rediss?:$/.test(url.protocol) || !url.hostname)
    return { problem: 'must be redis://:password@host:port/number, or rediss:// with TLS' }
  if (!/^(\/\d*)?$/.test(url.pathname)) return { problem: 'must end in the number of a database, such as /0' }
  return decodable(url) ? { value } : { problem: 'has a % in its user or password that must be written %25' }
}

function decodable(url: URL): boolean {
  try {
    decodeURIComponent(url.username)
    decodeURIComponent(url.password)
    return true
  } catch {
    return false
  }
}
