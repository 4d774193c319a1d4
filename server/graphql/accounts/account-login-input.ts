import { z } from 'zod'
import type { Via } from '../../accounts/account.ts'
import { upstreamSecret } from '../../accounts/account-input.ts'
import type { Tokens } from '../../accounts/credential.ts'
import { readCredentialsFile } from '../../accounts/login/oauth-import.ts'
import { type PastedCode, readPastedCode } from '../../accounts/login/oauth-login.ts'
import { type FailureValues, type FieldProblemCode, says } from '../../failure-codes.ts'
import { builder } from '../builder.ts'
import type { Context } from '../server/context.ts'

const LoginTokensInput = builder.inputType('LoginTokensInput', {
  description: 'The tokens of a login.',
  fields: (t) => ({
    accessToken: t.string({
      required: true,
      description: 'As the vendor gave it; line breaks, spaces, quotes and `Bearer` are taken away.',
    }),
    refreshToken: t.string({ description: 'Renews the access token; without it the login ends with that token.' }),
    expiresAt: t.field({ type: 'DateTime', description: 'When the access token expires, where it is known.' }),
  }),
})

export const AccountLoginInput = builder.inputType('AccountLoginInput', {
  description: 'A login, given in one of four ways.',
  isOneOf: true,
  fields: (t) => ({
    code: t.string({ description: 'CODE#STATE as the page of beginClaudeLogin shows it, or the address it ended at.' }),
    tokens: t.field({ type: LoginTokensInput, description: 'Tokens that the vendor gave.' }),
    setupToken: t.string({ description: 'What `claude setup-token` prints: good for a year, not renewed.' }),
    credentialsFile: t.string({ description: 'The text of the file .credentials.json.' }),
  }),
})

/** A parsed login; a code must still be exchanged for tokens. */
type GivenLogin =
  | { way: 'code'; pasted: PastedCode }
  | { way: 'tokens' | 'setupToken' | 'credentialsFile'; tokens: Tokens; plan?: string | undefined }

/** GraphQL lets exactly one way through. */
export const accountLogin = z
  .object({
    code: z.string().max(4096, says('TOO_LONG')).nullish(),
    tokens: z
      .object({ accessToken: upstreamSecret, refreshToken: upstreamSecret.nullish(), expiresAt: z.date().nullish() })
      .nullish(),
    setupToken: upstreamSecret.nullish(),
    credentialsFile: z.string().max(65_536, says('TOO_LONG')).nullish(),
  })
  .transform(({ code, tokens, setupToken, credentialsFile }, check): GivenLogin => {
    const refuse = (path: string, message: FieldProblemCode, params: FailureValues = {}) => {
      check.addIssue({ code: 'custom', path: [path], message, params })
      return z.NEVER
    }
    if (tokens) {
      const { accessToken, refreshToken, expiresAt } = tokens
      const expiresAtMs = expiresAt?.getTime() ?? null
      return { way: 'tokens', tokens: { accessToken, refreshToken: refreshToken ?? null, expiresAtMs } }
    }
    if (typeof setupToken === 'string') {
      return { way: 'setupToken', tokens: { accessToken: setupToken, refreshToken: null, expiresAtMs: null } }
    }
    if (typeof credentialsFile === 'string') {
      const read = readCredentialsFile(credentialsFile)
      return 'problem' in read
        ? refuse('credentialsFile', read.problem, read.values)
        : { way: 'credentialsFile', ...read }
    }
    const pasted = readPastedCode(code ?? '')
    return pasted ? { way: 'code', pasted } : refuse('code', 'LOGIN_CODE_MALFORMED')
  })

/** The tokens of a login. A code can be exchanged only once: check everything else before. */
export async function tokensOf(
  { parts, actor }: Context,
  login: GivenLogin | undefined,
  via: Via,
): Promise<Tokens | undefined> {
  if (login?.way === 'code') return parts.logins.finish(actor.userId, login.pasted, via)
  return login?.tokens
}

/** The plan in the credentials file. */
export const planOf = (login: GivenLogin | undefined): string | undefined =>
  login && 'plan' in login ? login.plan : undefined
