import { z } from 'zod'
import { readNetwork } from './networks.ts'
import { parseProxyUrl } from './proxy-url.ts'

/** The values a provisioning file is made of. No message repeats what was written: it may be or hold a secret. */

export const objectName = z
  .string()
  .refine((text) => text !== '' && Array.from(text).length <= 100, {
    error: 'must have 1 to 100 characters',
    abort: true,
  })
  .refine(
    (text) => text === text.trim() && !/[\p{Cc}\p{Cs}]/u.test(text),
    'must hold no control characters and no space at its ends',
  )
  .meta({ minLength: 1, maxLength: 100 })

/** Also what DEFAULT_ADMIN_USERNAME is checked by. */
export const userName = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,63}$/u,
    'must have 1 to 64 letters, digits, or . _ @ -, and begin with a letter or digit',
  )

/** What ANTHROPIC_BASE_URL would be: trailing /, /v1 and /v1/messages are trimmed. */
export const upstreamUrl = z
  .string()
  .transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    const problem =
      !url || !/^https?:$/.test(url.protocol) || /[\s\p{Cc}]/u.test(text)
        ? 'must be an http:// or https:// address'
        : url.username || url.password
          ? 'must hold no user or password: put the secret in "secret"'
          : /[?#]/.test(text)
            ? 'must hold no query and no fragment'
            : undefined
    if (!url || problem) {
      context.addIssue(problem ?? '')
      return z.NEVER
    }
    const path = url.pathname.replace(/\/+$/, '').replace(/\/v1(\/messages)?$/, '')
    return `${url.origin}${path.replace(/\/+$/, '')}`
  })
  .meta({ format: 'uri', pattern: '^https?://[^?#\\s]+$' })

/**
 * http and https proxies are asked by CONNECT; socks5h leaves resolving names to the proxy, and so does socks5 here. "none" is
 * a direct connection where the deployment has a proxy for all.
 */
export const proxyUrl = z
  .string()
  .refine(
    (text) => text === 'none' || parseProxyUrl(text) !== null,
    'must be http://, https://, socks5:// or socks5h://, with host and port, and user:password@ if needed; or none',
  )
  .meta({ pattern: '^((https?|socks5h?)://|none$)' })

/** What a subscription is called by those who pay for it. */
export const planName = z.string().regex(/^[\w .+-]{0,60}$/, 'must have at most 60 letters, digits, spaces, or . + - _')

/** It travels in a header: printable ASCII, no spaces. */
export const upstreamSecret = z.string().regex(/^[\x21-\x7e]{1,8192}$/, 'must be printable ASCII without spaces')

export const keySecret = z
  .string()
  .regex(/^sk-[\x21-\x7e]{17,253}$/, 'must start with sk-, have at least 20 characters, printable ASCII without spaces')

const pattern = z
  .string()
  .regex(/^[\x21-\x7e]{1,191}$/, 'must be the name of a model, or a pattern with *, without spaces')

export const modelPatterns = z.array(pattern).min(1, 'must name at least one model; ["*"] allows every model')

export const modelMapping = z.record(
  // JavaScript moves keys of digits to the front, and the order decides which pattern wins.
  pattern.refine((text) => !/^\d+$/.test(text), 'must not be digits only'),
  z.string().regex(/^[\x21-\x29\x2b-\x7e]{1,191}$/, 'must be the name of a model, without * and spaces'),
)

/** Which answers a rule is for. */
export const verdictStatus = z
  .string()
  .regex(/^(event|[2-5]\d\d(-[2-5]\d\d)?)$/, 'must be a status such as 400, a range such as 500-599, or event')

/** Error types and codes are identifiers; other words are not kept of an answer. */
export const errorWord = z
  .string()
  .regex(/^[\w.*-]{1,80}$/, 'must have 1 to 80 letters, digits, or _ . - and * for anything')

export const errorText = z
  .string()
  .refine((text) => text !== '' && Array.from(text).length <= 300 && !/\p{Cc}/u.test(text), {
    error: 'must have 1 to 300 characters on one line, and * for anything',
  })
  .meta({ minLength: 1, maxLength: 300 })

/** A month at most. */
export const restSeconds = z
  .int()
  .min(1, 'must be at least 1')
  .max(2_678_400, 'must be at most 2678400, which is 31 days')

/** USD, up to 9 digits after the point (a nano-dollar), at most 9000000: beyond that nano-dollars leave exact numbers. */
export const usdAmount = z
  .string()
  .regex(
    /^(?:0|[1-9]\d{0,6})(?:\.\d{1,9})?$/,
    'must be an amount such as "12.50", with at most 9 digits after the point',
  )
  .refine((text) => Number(text) <= 9_000_000, {
    error: 'must be at most 9000000',
    when: ({ issues }) => !issues.length,
  })

export const moment = z.iso.datetime({
  offset: true,
  error: 'must be a date and time with a zone, such as 2027-01-31T00:00:00Z',
})

/** Comma-separated CIDRs; a single address becomes a network of its own. */
export const networkList = z.string().transform((text, context): readonly string[] => {
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean)
  const wrong = items.filter((item) => readNetwork(item) === undefined)
  if (wrong.length > 0)
    context.addIssue(`must be a list of networks such as 10.0.0.0/8, ::1/128; wrong: ${wrong.join(', ')}`)
  return Object.freeze(items.flatMap((item) => readNetwork(item) ?? []))
})
