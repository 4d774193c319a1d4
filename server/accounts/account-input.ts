import { z } from 'zod'
import { modelName, modelPattern, modelPatterns, objectName, wholeNumber } from '../field-values.ts'
import { parseProxyUrl } from '../proxy-url.ts'

const served = ['console', 'claude'] as const
const notServed = ['openai', 'codex']

/** Only platforms that the relay can speak to; others have a name already. */
export const servedPlatform = z.enum(served, {
  error: ({ input }) =>
    notServed.includes(String(input))
      ? 'is not supported yet'
      : 'must be "console" or "claude", the platforms known so far',
})

/** What ANTHROPIC_BASE_URL would be: trailing /, /v1 and /v1/messages are trimmed. */
const upstreamUrl = z
  .string()
  .transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    const problem =
      !url || !/^https?:$/.test(url.protocol) || /[\s\p{Cc}]/u.test(text)
        ? 'must be an http:// or https:// address'
        : url.username || url.password
          ? 'must hold no user or password'
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

/** "none" is a direct connection where the deployment has a proxy for all. */
const proxyUrl = z
  .string()
  .refine(
    (text) => text === 'none' || parseProxyUrl(text) !== null,
    'must be http://, https://, socks5:// or socks5h://, with host and port, and user:password@ if needed; or none',
  )
  .meta({ pattern: '^((https?|socks5h?)://|none$)' })

/** How many groups an account may serve. */
export const maxGroups = 100

/** A key or a token. It travels in a header: printable ASCII, no spaces. */
export const upstreamSecret = z.string().regex(/^[\x21-\x7e]{1,8192}$/, 'must be printable ASCII without spaces')

/** JavaScript moves keys of digits to the front, and the order decides which pattern wins. */
export const mappedPattern = modelPattern.refine((text) => !/^\d+$/.test(text), 'must not be digits only')

/** The fields of an account as people give them, in GraphQL, files and commands. */
export const accountFields = {
  name: objectName,
  platform: servedPlatform,
  url: upstreamUrl,
  authHeader: z.enum(['bearer', 'x-api-key']),
  secret: upstreamSecret,
  priority: wholeNumber(0, 10_000),
  weight: wholeNumber(1, 10_000),
  concurrency: wholeNumber(1, 10_000),
  models: modelPatterns,
  modelMapping: z.record(mappedPattern, modelName),
  proxy: proxyUrl,
  /** What a subscription is called by those who pay for it. */
  plan: z.string().regex(/^[\w .+-]{0,60}$/, 'must have at most 60 letters, digits, spaces, or . + - _'),
  enabled: z.boolean(),
}
