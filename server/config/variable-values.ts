import { accessSync, constants } from 'node:fs'
import { isIP } from 'node:net'
import { z } from 'zod'
import { parseProxyUrl } from '../proxy-url.ts'

/** The kinds of values that variables have. A message is a clause that follows the variable's name; it never repeats a secret. */

export const text = z.string().trim()

/** Kept as it was written: space may be part of it. */
export const secretText = z.string()

export const wholeNumber = (min: number, max: number) => {
  const problem = `must be a whole number from ${min} to ${max}`
  return text
    .regex(/^\d{1,10}$/, problem)
    .transform(Number)
    .refine((value) => value >= min && value <= max, problem)
}

export const oneOf = <const T extends string>(...choices: readonly T[]) =>
  text.toLowerCase().pipe(z.enum(choices, `must be one of ${choices.join(', ')}`))

export const secretOfLength = (min: number, max = Number.POSITIVE_INFINITY) =>
  secretText
    .refine((value) => Array.from(value).length >= min, `must have at least ${min} characters`)
    .refine((value) => Array.from(value).length <= max, `must have at most ${max} characters`)

export const hostName = text.refine(
  (value) => isIP(value) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(value),
  'must be an IP address or a host name, without a scheme or a port',
)

export const folder = text.transform((value) => value.replace(/\/+$/, '') || '/')

export const readableFile = text.refine((value) => {
  try {
    accessSync(value, constants.R_OK)
    return true
  } catch {
    return false
  }
}, 'names a file that cannot be read')

/** Comma-separated origins of web pages, or `*` for all. */
export const originList = text.transform((value, context): readonly string[] => {
  const items = value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean)
  const wrong = items.filter((item) => item !== '*' && !(URL.canParse(item) && new URL(item).origin === item))
  if (wrong.length > 0)
    context.addIssue(`must be a list of origins such as https://app.example.com, or *; wrong: ${wrong.join(', ')}`)
  return Object.freeze(items)
})

export const mailAddress = text.regex(/^[^\s@]+@[^\s@]+$/, 'must be an e-mail address')

/** An IANA name as Intl knows it. */
export const timeZone = text
  .refine(isZone, { error: 'must be the name of a time zone, such as Asia/Shanghai or UTC', abort: true })
  // Newer engines also take +08:00, which knows no summer time and is no zone.
  .regex(/^[A-Za-z]/, 'must be a name such as Europe/Berlin, not an offset')

function isZone(value: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value })
    return true
  } catch {
    return false
  }
}

/** http or https, without credentials, query or fragment; trailing slashes are dropped. */
export const webAddress = text
  .refine((value) => /^https?:$/.test(urlOf(value)?.protocol ?? ''), {
    error: 'must be an http:// or https:// address',
    abort: true,
  })
  .refine((value) => !urlOf(value)?.username && !urlOf(value)?.password && !/[?#]/.test(value), {
    error: 'must hold no user, password, query or fragment',
    abort: true,
  })
  .transform((value) => {
    const { origin, pathname } = new URL(value)
    return `${origin}${pathname}`.replace(/\/+$/, '')
  })

export const proxyAddress = secretText.refine(
  (value) => parseProxyUrl(value) !== null,
  'must be http://, https://, socks5:// or socks5h://, with host and port, and user:password@ if needed',
)

/** `file:<path>` (SQLite) or `mysql://user:password@host:port/database`. */
export const databaseAddress = text.superRefine((value, context) => {
  if (value === 'file:') context.addIssue('names no file after file:')
  if (value.startsWith('file:')) return
  const url = urlOf(value)
  if (url?.protocol !== 'mysql:') context.addIssue('must start with file: or mysql://')
  else if (!url.hostname || !/^\/[^/]+$/.test(url.pathname))
    context.addIssue('must be mysql://user:password@host:port/database')
  else if (!isDecodable(url)) context.addIssue(badEscape)
})

/** `redis://` or, with TLS, `rediss://`. */
export const redisAddress = text.superRefine((value, context) => {
  const url = urlOf(value)
  if (!url || !/^rediss?:$/.test(url.protocol) || !url.hostname)
    context.addIssue('must be redis://:password@host:port/number, or rediss:// with TLS')
  else if (!/^(\/\d*)?$/.test(url.pathname)) context.addIssue('must end in the number of a database, such as /0')
  else if (!isDecodable(url)) context.addIssue(badEscape)
})

const badEscape = 'has a % in its user or password that must be written %25'

function urlOf(value: string): URL | undefined {
  return URL.canParse(value) ? new URL(value) : undefined
}

function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username)
    decodeURIComponent(password)
    return true
  } catch {
    return false
  }
}
