import { z } from 'zod'
import { says } from '../failure-codes.ts'

/** Headers that say who asks, how the message is framed, or what the client speaks: an account does not make them up. */
const refused =
  /^(authorization|cookie|x-api-key|api-key|x-goog-api-key|user-agent|x-app|originator|session[-_]id|chatgpt-account-id|host|connection|keep-alive|te|trailer|upgrade|expect|origin|referer|forwarded|via|anthropic-(version|beta)|(content|transfer|accept|proxy|sec|cf|x-forwarded|x-stainless|x-claude-code)-.*|accept)$/

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, says('HEADER_NAME_MALFORMED'))
  .refine((name) => !refused.test(name.toLowerCase()), says('HEADER_NOT_ALLOWED'))

export const maxExtraHeaders = 20

/** Name → value. Values are secrets: sealed at rest, shown nowhere. */
export const extraHeaders = z
  .record(
    headerName,
    z.string().regex(/^[\x21-\x7e]([\x20-\x7e]{0,2046}[\x21-\x7e])?$/, says('HEADER_VALUE_MALFORMED')),
  )
  .refine((headers) => Object.keys(headers).length <= maxExtraHeaders, says('TOO_LONG_ALTOGETHER'))
  .refine(
    (headers) => new Set(Object.keys(headers).map((name) => name.toLowerCase())).size === Object.keys(headers).length,
    says('HEADER_TWICE'),
  )

/** `list` (name, value …) with these in place of what has the same name. */
export function withExtraHeaders(list: string[], extra: readonly string[]): string[] {
  if (extra.length === 0) return list
  const names = new Set(extra.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()))
  const kept: string[] = []
  for (let i = 0; i < list.length; i += 2) {
    if (!names.has(list[i]!.toLowerCase())) kept.push(list[i]!, list[i + 1]!)
  }
  return [...kept, ...extra]
}
