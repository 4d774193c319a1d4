import { createHash, randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { answerDefault } from './fake-message.ts'
import {
  createFakeUpstream,
  type Exchange,
  type FakeUpstream,
  type FakeUpstreamOptions,
  type Script,
} from './fake-upstream.ts'

/** A login as the vendor issues it. */
export interface Login {
  accessToken: string
  refreshToken: string
}

/**
 * An emulated vendor of claude accounts: messages need a valid access token, and a refresh token works once. `host` is a name
 * that only a proxy resolves; `prefixes` are the beginnings of its tokens.
 */
export interface FakeClaude extends FakeUpstream {
  /** The environment that makes a relay use it. */
  env: Record<string, string>
  /** Bodies of calls of the token endpoint, refused ones too, in order. */
  grants: Record<string, unknown>[]
  /** All logins that it issued. */
  issued: Login[]
  /** A login, as if somebody had signed in before. */
  issue(): Login
  /** From now on access tokens are refused: the one given, or all. */
  revoke(accessToken?: string): void
  /** The text that the vendor's page shows to a person who signs in at `url`. */
  signIn(url: string): string
  /** False: all access tokens are refused, new ones too. */
  takesTokens: boolean
  /** Set: the token endpoint answers with a proxy's error page of this status. */
  troubledWith: number | null
  /** Answers calls of the token endpoint in place of the vendor. */
  grantScript: Script | null
  /** Seconds for which new access tokens are valid. */
  expiresInS: number
  /** Awaited between the use of a refresh token and the answer. */
  beforeAnswer: (exchange: Exchange) => Promise<void>
  /** Headers of every answer to a message; while there are any, scripts of messages are not used. */
  limits: Record<string, string>
  /** The answer of the endpoint for subscription usage. */
  usage: object
  /** True: a refresh token works again until its new tokens are used, as with vendors that allow for lost answers. */
  forgiving: boolean
}

const clientId = 'client-of-the-test'
const scopes = 'one two'

export async function createFakeClaude(
  options: FakeUpstreamOptions & { host?: string; prefixes?: [access: string, refresh: string] } = {},
): Promise<FakeClaude> {
  const { host = '127.0.0.1', prefixes = ['sk-ant-oat01-', 'sk-ant-ort01-'], ...more } = options
  const plain = await createFakeUpstream(more)
  const upstream = { ...plain, url: plain.url.replace('127.0.0.1', host) }
  const access = new Set<string>()
  const refresh = new Set<string>()
  const spent = new Set<string>()
  const codes = new Map<string, { challenge: string; state: string; redirect: string }>()
  const random = () => randomBytes(24).toString('base64url')
  const env = {
    CLAUDE_AUTHORIZE_URL: `${upstream.url}/oauth/authorize`,
    CLAUDE_TOKEN_URL: `${upstream.url}/v1/oauth/token`,
    CLAUDE_REDIRECT_URL: `${upstream.url}/oauth/code/callback`,
    CLAUDE_CLIENT_ID: clientId,
    CLAUDE_SCOPES: scopes,
  }

  const claude: FakeClaude = {
    ...upstream,
    env,
    grants: [],
    issued: [],
    expiresInS: 8 * 3600,
    forgiving: false,
    takesTokens: true,
    limits: {},
    usage: {},
    troubledWith: null,
    grantScript: null,
    beforeAnswer: async () => {},
    issue() {
      const login = { accessToken: prefixes[0] + random(), refreshToken: prefixes[1] + random() }
      access.add(login.accessToken)
      refresh.add(login.refreshToken)
      claude.issued.push(login)
      return login
    },
    revoke(accessToken) {
      if (accessToken === undefined) access.clear()
      else access.delete(accessToken)
    },
    signIn(url) {
      const { searchParams, origin, pathname } = new URL(url)
      const asked = Object.fromEntries(searchParams)
      const { state = '', code_challenge: challenge = '', redirect_uri: redirect = '', ...rest } = asked
      const expected = { code: 'true', client_id: clientId, response_type: 'code', scope: scopes }
      if (
        origin + pathname !== env.CLAUDE_AUTHORIZE_URL ||
        redirect !== env.CLAUDE_REDIRECT_URL ||
        !/^[\w-]{43}$/.test(state) ||
        !/^[\w-]{43}$/.test(challenge) ||
        !isDeepStrictEqual(rest, { ...expected, code_challenge_method: 'S256' })
      )
        throw new Error(`the vendor does not take this address: ${url}`)
      const code = `code-${random()}`
      codes.set(code, { challenge, state, redirect })
      return `${code}#${state}`
    },
  }

  upstream.scriptWhen(
    ({ path }) => path === '/v1/oauth/token',
    async (exchange) => {
      const { json } = exchange
      claude.grants.push(json)
      if (claude.grantScript !== null) return claude.grantScript(exchange)
      if (claude.troubledWith !== null) {
        return exchange.respond(claude.troubledWith, { 'retry-after': '7' }, '<html>GRANT-CANARY</html>')
      }
      const isGood = exchange.request.headers['content-type'] === 'application/json' && take(json)
      await claude.beforeAnswer(exchange)
      if (!isGood) return exchange.respond(400, {}, { error: 'invalid_grant', error_description: 'GRANT-CANARY' })
      const { accessToken, refreshToken } = claude.issue()
      return exchange.respond(
        200,
        {},
        {
          token_type: 'Bearer',
          access_token: accessToken,
          refresh_token: refreshToken,
          expires_in: claude.expiresInS,
          scope: scopes,
        },
      )
    },
  )

  function take(json: Record<string, unknown>): boolean {
    if (json['client_id'] !== clientId) return false
    if (json['grant_type'] === 'refresh_token') {
      const token = String(json['refresh_token'])
      const isGood = refresh.delete(token) || (claude.forgiving && spent.has(token))
      spent.add(token)
      return isGood
    }
    const code = codes.get(String(json['code']))
    codes.delete(String(json['code']))
    const challenge = createHash('sha256').update(String(json['code_verifier'])).digest('base64url')
    return (
      json['grant_type'] === 'authorization_code' &&
      code !== undefined &&
      code.challenge === challenge &&
      code.state === json['state'] &&
      code.redirect === json['redirect_uri']
    )
  }

  upstream.scriptWhen(
    ({ path, headers }) => {
      if (!path.startsWith('/v1/messages') && path !== '/api/oauth/usage') return false
      const betas = String(headers['anthropic-beta'] ?? '').split(',')
      const token = /^Bearer (.*)$/.exec(headers.authorization ?? '')?.[1] ?? ''
      return (
        headers['x-api-key'] !== undefined ||
        !betas.includes('oauth-2025-04-20') ||
        !claude.takesTokens ||
        !access.has(token)
      )
    },
    (exchange) =>
      exchange.respond(
        401,
        {},
        { type: 'error', error: { type: 'authentication_error', message: 'Invalid bearer token' } },
      ),
  )
  upstream.scriptWhen(
    ({ path }) => path === '/api/oauth/usage',
    (exchange) => exchange.respond(200, {}, claude.usage),
  )
  upstream.scriptWhen(
    ({ path }) => path.startsWith('/v1/messages') && Object.keys(claude.limits).length > 0,
    async (exchange) => {
      const { limits } = claude
      const isMessage = !exchange.request.path.startsWith('/v1/messages/')
      if (isMessage && exchange.json['stream'] === true) await exchange.begin(200, limits)
      const respond: Exchange['respond'] = (status, headers, body) =>
        exchange.respond(status, { ...limits, ...headers }, body)
      await answerDefault({ ...exchange, respond }, 3)
    },
  )
  return claude
}
