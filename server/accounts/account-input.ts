import { z } from 'zod'
import { says } from '../failure-codes.ts'
import { modelName, modelPattern, modelPatterns, objectName, wholeNumber } from '../field-values.ts'
import { parseProxyUrl } from '../proxy-url.ts'
import { extraHeaders } from './extra-headers.ts'
import { formatFlagFields } from './format-flags.ts'

export const servedPlatform = z.enum(['console', 'claude', 'openai', 'codex'], {
  error: says('PLATFORM_UNKNOWN'),
})

/** What ANTHROPIC_BASE_URL or OPENAI_BASE_URL would be: trailing /, /v1 and the path of an endpoint are trimmed. */
const upstreamUrl = z
  .string()
  .transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    const problem =
      !url || !/^https?:$/.test(url.protocol) || /[\s\p{Cc}]/u.test(text)
        ? says('URL_MALFORMED')
        : url.username || url.password
          ? says('URL_WITH_PASSWORD')
          : /[?#]/.test(text)
            ? says('URL_WITH_QUERY')
            : undefined
    if (!url || problem) {
      context.addIssue(problem ?? '')
      return z.NEVER
    }
    const path = url.pathname
      .replace(/\/+$/, '')
      .replace(/(\/v1\/messages|\/chat\/completions|\/responses)$/, '')
      .replace(/\/v1$/, '')
    return `${url.origin}${path.replace(/\/+$/, '')}`
  })
  .meta({ format: 'uri', pattern: '^https?://[^?#\\s]+$' })

/** "none" is a direct connection where the deployment has a proxy for all. */
const proxyUrl = z
  .string()
  .refine((text) => text === 'none' || parseProxyUrl(text) !== null, says('PROXY_MALFORMED'))
  .meta({ pattern: '^((https?|socks5h?)://|none$)' })

/** How many groups an account may serve. */
export const maxGroups = 100

/**
 * A key or a token, as people paste it: without the line breaks and spaces of a terminal, the quotes of a file, the word
 * `Bearer`. It travels in a header: printable ASCII, no spaces.
 */
export const upstreamSecret = z
  .string()
  .max(16_384, says('TOO_LONG'))
  .transform(repairedSecret)
  .pipe(z.string().regex(/^[\x21-\x7e]{1,8192}$/, says('NOT_PRINTABLE')))

function repairedSecret(text: string): string {
  const bare = text.replace(/^[\s"'`“”‘’,;]+|[\s"'`“”‘’,;]+$/g, '')
  return bare.replace(/^(authorization\s*:\s*)?bearer\s+/i, '').replace(/[\s\u200b-\u200d\ufeff"'`“”‘’]+/g, '')
}

/** JavaScript moves keys of digits to the front, and the order decides which pattern wins. */
export const mappedPattern = modelPattern.refine((text) => !/^\d+$/.test(text), says('DIGITS_ONLY'))

/** As vendors name the windows of their limits. */
const gaugeWindow = z.string().regex(/^[a-z0-9_]{1,32}$/, says('WINDOW_MALFORMED'))
const utilizationShare = z.number().min(0.01, says('TOO_SMALL')).max(1, says('TOO_LARGE'))

/** The fields of an account as people give them, in GraphQL, files and commands. */
export const accountFields = {
  name: objectName,
  platform: servedPlatform,
  url: upstreamUrl,
  authHeader: z.enum(['bearer', 'x-api-key', 'api-key']),
  secret: upstreamSecret,
  priority: wholeNumber(0, 10_000),
  weight: wholeNumber(1, 10_000),
  concurrency: wholeNumber(1, 10_000),
  models: modelPatterns,
  modelMapping: z.record(mappedPattern, modelName),
  flags: formatFlagFields,
  connectTimeoutSeconds: wholeNumber(1, 300),
  firstByteTimeoutSeconds: wholeNumber(1, 3600),
  idleTimeoutSeconds: wholeNumber(1, 3600),
  extraHeaders,
  maxUtilization: z
    .record(gaugeWindow, utilizationShare)
    .refine((shares) => Object.keys(shares).length <= 32, says('TOO_LONG_ALTOGETHER')),
  proxy: proxyUrl,
  /** What a subscription is called by those who pay for it. */
  plan: z.string().regex(/^[\w .+-]{0,60}$/, says('PLAN_MALFORMED')),
  enabled: z.boolean(),
}
