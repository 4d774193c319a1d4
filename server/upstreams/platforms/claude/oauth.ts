import type { Via } from '../../../accounts/account.ts'
import type { Tokens } from '../../../accounts/credential.ts'
import type { CodeResponse, RefreshResponse } from '../../../accounts/login/oauth-responses.ts'
import { retryAfter } from '../../retry-after.ts'
import { isConnectFailure } from '../../transport/connect-failure.ts'
import { codeOfError, explainFailure } from '../../transport/failure-cause.ts'
import type { Transport } from '../../transport/transport.ts'
import { askWhole } from '../../transport/whole-response.ts'
import { oauthBeta } from './oauth-beta.ts'

/** Where logins of claude accounts are made; each of them has moved before, so a deployment can say otherwise. */
export interface ClaudeOauthEndpoints {
  authorizeUrl: string
  tokenUrl: string
  /** Shows the code to the person; nothing of ours listens there. */
  redirectUrl: string
  clientId: string
  /** Separated by spaces. */
  scopes: string
}

const defaultTimeoutMs = 30_000
const maxBytes = 64 * 1024

/**
 * OAuth with PKCE as Claude's sign-in speaks it (protocol.md §2.1): the address a person opens, and the two grants. Of the
 * vendor's words only error codes go further, never its text.
 */
export function createClaudeOauth(parts: {
  transport: Transport
  endpoints: ClaudeOauthEndpoints
  now: () => number
  timeoutMs?: number
}) {
  const { endpoints, now, timeoutMs = defaultTimeoutMs } = parts
  const token = new URL(endpoints.tokenUrl)

  async function grant(body: Record<string, string>, via: Via): Promise<Answered> {
    try {
      const request = {
        method: 'POST' as const,
        path: token.pathname + token.search,
        headers: { 'content-type': 'application/json', accept: 'application/json', 'anthropic-beta': oauthBeta },
        body: JSON.stringify(body),
      }
      // The address is the deployment's own.
      const { proxy, proxyIsTrusted } = via
      const target = { origin: token.origin, originIsTrusted: true, proxy, proxyIsTrusted }
      const response = await askWhole(parts.transport, target, request, { timeoutMs, maxBytes })
      if (response.isCut) return failed('The token endpoint answered too much.')
      const { status } = response
      const said = parsed(response.body)
      if (status === 200 && said && !('error' in said)) return { kind: 'said', said }
      const code = said ? codeOf(said, Object.values(body)) : ''
      return {
        kind: 'failed',
        status,
        code,
        reason: `The token endpoint answered ${status}${code === '' ? '' : ` ${code}`}.`,
        retryAfterMs: retryAfter(new Map(response.headers).get('retry-after'), now()),
        isOurs: false,
      }
    } catch (error) {
      const isLate = codeOfError(error) === 'TimeoutError'
      const { reason } = explainFailure(
        error,
        { origin: token.origin, proxy: via.proxy },
        isLate ? timeoutMs : undefined,
      )
      return { ...failed(`The token endpoint could not be asked: ${reason}.`), isOurs: isConnectFailure(error) }
    }
  }

  function tokensOf(said: Said): Tokens | null {
    const accessToken = tokenText(said['access_token'])
    if (accessToken === null) return null
    const expiresIn = said['expires_in']
    return {
      accessToken,
      refreshToken: tokenText(said['refresh_token']),
      expiresAtMs: typeof expiresIn === 'number' && expiresIn > 0 ? now() + Math.round(expiresIn * 1000) : null,
    }
  }

  return {
    /** The page where a person signs in and gets the code. `challenge`: base64url of SHA-256 of the verifier. */
    authorizeAddress(state: string, challenge: string): string {
      const url = new URL(endpoints.authorizeUrl)
      for (const [name, value] of Object.entries({
        code: 'true',
        client_id: endpoints.clientId,
        response_type: 'code',
        redirect_uri: endpoints.redirectUrl,
        scope: endpoints.scopes,
        code_challenge: challenge,
        code_challenge_method: 'S256',
        state,
      }))
        url.searchParams.set(name, value)
      return url.href
    },

    async exchange(given: { code: string; state: string; verifier: string }, via: Via): Promise<CodeResponse> {
      const answer = await grant(
        {
          grant_type: 'authorization_code',
          code: given.code,
          state: given.state,
          client_id: endpoints.clientId,
          redirect_uri: endpoints.redirectUrl,
          code_verifier: given.verifier,
        },
        via,
      )
      if (answer.kind === 'said') {
        const tokens = tokensOf(answer.said)
        if (tokens) return { kind: 'tokens', tokens }
        return { kind: 'refused', reason: 'The token endpoint answered without an access token.' }
      }
      const { reason, status } = answer
      if (status >= 400 && status < 500 && status !== 429) return { kind: 'refused', reason }
      return { kind: 'failed', reason, byProxy: answer.isOurs && via.proxy !== null }
    },

    async refresh(refreshToken: string, via: Via): Promise<RefreshResponse> {
      const answer = await grant(
        { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: endpoints.clientId },
        via,
      )
      if (answer.kind === 'said') {
        const tokens = tokensOf(answer.said)
        // The old one goes on where no new one is given.
        if (tokens) return { kind: 'tokens', tokens: { ...tokens, refreshToken: tokens.refreshToken ?? refreshToken } }
        return { kind: 'failed', reason: 'The token endpoint answered without an access token.', retryAfterMs: null }
      }
      const { reason, retryAfterMs } = answer
      return isGrantGone(answer) ? { kind: 'refused', reason } : { kind: 'failed', reason, retryAfterMs }
    },
  }
}

type Said = Record<string, unknown>
interface Failed {
  kind: 'failed'
  /** 0: no answer. */
  status: number
  code: string
  reason: string
  retryAfterMs: number | null
  /** No connection came about, for a reason of ours: address policy, proxy, deadline. */
  isOurs: boolean
}
type Answered = { kind: 'said'; said: Said } | Failed

const failed = (reason: string): Failed => ({
  kind: 'failed',
  status: 0,
  code: '',
  reason,
  retryAfterMs: null,
  isOurs: false,
})

/** Codes that name the refresh token itself (RFC 6749 §5.2, and how vendors spell it). */
const grantGone =
  /^(invalid_grant|(invalid|expired|revoked|reused|unknown)_refresh_token|refresh_token_(invalid|invalidated|expired|revoked|reused|not_found|unknown))$/

/** True when the vendor does not take the refresh token any more. A firewall, a limit or a wrong request takes no login away. */
const isGrantGone = ({ status, code }: Failed): boolean => status < 500 && grantGone.test(code)

function parsed(body: Buffer): Said | null {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Said) : null
  } catch {
    return null
  }
}

/**
 * `error` is a code (RFC 6749 §5.2) or an envelope with a code or a type; whatever else stands there is not kept, and
 * neither is a code that quotes something of what was `sent`.
 */
function codeOf(said: Said, sent: readonly string[]): string {
  const { error } = said
  const named =
    typeof error === 'object' && error !== null ? [(error as Said)['code'], (error as Said)['type']] : [error]
  const codes = named.filter(
    (code): code is string =>
      typeof code === 'string' &&
      /^[a-z][a-z0-9_.-]{0,63}$/.test(code) &&
      (grantGone.test(code) || !sent.some((value) => value.includes(code) || code.includes(value))),
  )
  return codes.find((code) => grantGone.test(code)) ?? codes[0] ?? ''
}

/** A token travels in a header: printable ASCII, no spaces. */
const tokenText = (value: unknown): string | null =>
  typeof value === 'string' && /^[\x21-\x7e]{1,8192}$/.test(value) ? value : null
