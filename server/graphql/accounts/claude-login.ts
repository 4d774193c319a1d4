import { z } from 'zod'
import { upstreamSecret } from '../../accounts/account-input.ts'
import type { Tokens } from '../../accounts/credential.ts'
import { readCredentialsFile } from '../../accounts/login/oauth-import.ts'
import { type PastedCode, readPastedCode } from '../../accounts/login/oauth-login.ts'
import { builder } from '../builder.ts'
import type { Context } from '../server/context.ts'

export const ClaudeLoginInput = builder.inputType('ClaudeLoginInput', {
  description: 'One of the four ways in: code, accessToken, setupToken, credentialsFile.',
  fields: (t) => ({
    code: t.string({ description: 'CODE#STATE as the page of beginClaudeLogin shows it, or the address it ended at.' }),
    accessToken: t.string({ description: 'As the vendor gave it, without `Bearer`.' }),
    refreshToken: t.string({ description: 'With accessToken.' }),
    expiresAt: t.field({ type: 'DateTime', description: 'End of the accessToken, where it is known.' }),
    setupToken: t.string({ description: 'What `claude setup-token` prints: good for a year, not renewed.' }),
    credentialsFile: t.string({ description: 'The text of .credentials.json.' }),
  }),
})

/** A parsed login; a code must still be exchanged for tokens. */
type GivenLogin =
  | { way: 'code'; pasted: PastedCode }
  | { way: 'accessToken' | 'setupToken' | 'credentialsFile'; tokens: Tokens; plan?: string | undefined }

const ways = ['code', 'accessToken', 'setupToken', 'credentialsFile'] as const

export const claudeLogin = z
  .object({
    code: z.string().max(4096, 'is too long').nullish(),
    accessToken: upstreamSecret.nullish(),
    refreshToken: upstreamSecret.nullish(),
    expiresAt: z.date().nullish(),
    setupToken: upstreamSecret.nullish(),
    credentialsFile: z.string().max(65_536, 'is too long').nullish(),
  })
  .transform((given, check): GivenLogin => {
    const refuse = (path: string[], message: string) => {
      check.addIssue({ code: 'custom', path, message })
      return z.NEVER
    }
    const way = ways.find((one) => given[one] != null)
    if (way === undefined) return refuse([], `needs one of ${ways.join(', ')}`)
    const other = ways.find((one) => one !== way && given[one] != null)
    if (other !== undefined) return refuse([other], `cannot stand beside ${way}`)
    for (const more of ['refreshToken', 'expiresAt'] as const) {
      if (given[more] != null && way !== 'accessToken') return refuse([more], 'belongs to an accessToken')
    }
    const text = given[way]!
    if (way === 'code') {
      const pasted = readPastedCode(text)
      if (!pasted) return refuse([way], 'must be CODE#STATE as the page shows it, or the address that the page went to')
      return { way, pasted }
    }
    if (way === 'credentialsFile') {
      const read = readCredentialsFile(text)
      return 'problem' in read ? refuse([way], read.problem) : { way, ...read }
    }
    const expiresAtMs = given.expiresAt?.getTime() ?? null
    return { way, tokens: { accessToken: text, refreshToken: given.refreshToken ?? null, expiresAtMs } }
  })

/** The tokens of a login. A code can be exchanged only once: check everything else before. */
export async function tokensOf(
  { parts, actor }: Context,
  login: GivenLogin | undefined,
  proxy: string | null,
): Promise<Tokens | undefined> {
  if (login?.way === 'code') return parts.logins.finish(actor.userId, login.pasted, proxy)
  return login?.tokens
}

/** The plan in the credentials file. */
export const planOf = (login: GivenLogin | undefined): string | undefined =>
  login && 'plan' in login ? login.plan : undefined
