import { parseProxyUrl } from '../../proxy-url.ts'
import { isConnectFailure } from './connect-failure.ts'

/** What was asked: scheme://host:port, and the proxy on the way (its URL may hold a password). */
export interface Tried {
  origin: string
  proxy: string | null
}

/** Why no usable response came. Names never change: clients translate them, timelines keep them. */
const plainCauses = {
  connection_refused: (at: string) => `connection refused by ${at}`,
  name_unresolved: (at: string) => `the name of ${at} does not resolve`,
  unreachable: (at: string) => `there is no way to ${at}`,
  connect_timeout: (at: string, within: string) => `no connection to ${at}${within}`,
  connection_broken: (at: string) => `${at} closed the connection`,
  certificate_wrong_name: (at: string) => `the certificate of ${at} is not for this name`,
  certificate_expired: (at: string) => `the certificate of ${at} is not valid at this time`,
  certificate_untrusted: (at: string) => `the certificate of ${at} is of an authority that is not trusted here`,
  tls_failed: (at: string) => `${at} does not speak TLS as it should`,
} as const
type PlainCause = keyof typeof plainCauses

const upstreamCauses = {
  no_answer: (at: string, within: string) => `no response from ${at}${within}`,
  silent: (at: string, within: string) => `${at} stopped in the middle of its response: nothing came${within}`,
  not_http: (at: string) => `what ${at} sends is not HTTP`,
} as const
type UpstreamCause = keyof typeof upstreamCauses

/** Causes whose sentence is written where they are found, and what they mean in general. */
const otherCauses = {
  address_refused: 'the relay may not connect to this address',
  proxy_login_refused: 'the proxy refused user and password',
  proxy_cannot_reach: 'the proxy cannot reach the upstream',
  proxy_failed: 'the proxy failed',
  broken_response: 'the response broke off',
  ended_early: 'the response ended too early',
  wrong_content_type: 'the response is of another kind, such as a sign-in page',
  bad_encoding: 'the response uses a compression that was not asked for',
  bad_response: 'the response is not valid',
  response_too_large: 'the response is too large',
  event_too_large: 'an event of the response is too large',
  token_not_renewed: 'the access token could not be renewed',
  other: 'something else failed',
} as const
type OtherCause = keyof typeof otherCauses

/** With `proxy_` before it: the proxy is what could not be reached. */
export type FailureCause = PlainCause | `proxy_${PlainCause}` | UpstreamCause | OtherCause

const plainNames = Object.keys(plainCauses) as PlainCause[]
export const failureCauses: readonly FailureCause[] = [
  ...plainNames,
  ...plainNames.map((name) => `proxy_${name}` as const),
  ...(Object.keys(upstreamCauses) as UpstreamCause[]),
  ...(Object.keys(otherCauses) as OtherCause[]),
]

/** What a cause means in general, as a clause. */
export function meaningOf(cause: FailureCause): string {
  if (Object.hasOwn(otherCauses, cause)) return otherCauses[cause as OtherCause]
  if (Object.hasOwn(upstreamCauses, cause)) return upstreamCauses[cause as UpstreamCause]('the upstream', ' in time')
  const isOfProxy = cause.startsWith('proxy_')
  const plain = (isOfProxy ? cause.slice('proxy_'.length) : cause) as PlainCause
  return plainCauses[plain](isOfProxy ? 'the proxy' : 'the upstream', ' in time')
}

/** A failure explained. */
export interface Explained {
  cause: FailureCause
  /** For people, in English: what happened, host and port, the way there, the code. No secret. */
  reason: string
  /** `host:port`, behind a proxy `proxy → host:port`; with how long was waited. */
  place: string
}

const byCode: readonly [RegExp, PlainCause | UpstreamCause][] = [
  [/^ECONNREFUSED$/, 'connection_refused'],
  [/^(ENOTFOUND|EAI_\w+|ENODATA)$/, 'name_unresolved'],
  [/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL|EACCES)$/, 'unreachable'],
  [/^(UPSTREAM_CONNECT_TIMEOUT|ETIMEDOUT)$/, 'connect_timeout'],
  [/^(ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_SOCKET|UPSTREAM_CLOSED)$/, 'connection_broken'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'certificate_wrong_name'],
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, 'certificate_expired'],
  [/^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|INVALID_CA|HOSTNAME_MISMATCH)/, 'certificate_untrusted'],
  [/^(ERR_SSL_|ERR_TLS_|EPROTO)/, 'tls_failed'],
  [/^(HPE_|HTTPParserError$|UND_ERR_HEADERS_OVERFLOW$|UND_ERR_RES_)/, 'not_http'],
  [/^(first_byte_timeout|TimeoutError)$/, 'no_answer'],
  [/^idle_timeout$/, 'silent'],
]

/** The cause by the code that an attempt's row keeps; null where the code is an upstream's own. */
export function causeOfCode(code: string): FailureCause | null {
  if (code === 'UPSTREAM_ADDRESS_REFUSED') return 'address_refused'
  if (code === 'UPSTREAM_PROXY_FAILED') return 'proxy_failed'
  const known = byCode.find(([pattern]) => pattern.test(code))?.[1]
  return known ?? (Object.hasOwn(otherCauses, code) ? (code as OtherCause) : null)
}

/** An error of the operating system, of TLS, of HTTP, or of ours, that came in place of a response. */
export function explainFailure(error: unknown, tried: Tried, limitMs?: number): Explained {
  const code = codeOfError(error)
  if (!isConnectFailure(error)) return explain(causeOfCode(code) ?? 'other', code, tried, limitMs)
  if (error.code === 'UPSTREAM_ADDRESS_REFUSED')
    return { cause: 'address_refused', reason: `${error.message} (${code})`, place: placeOf(tried) }
  if (error.code === 'UPSTREAM_CONNECT_TIMEOUT') return explain('connect_timeout', code, tried, error.limitMs)
  const { fault, detail = '' } = error
  const proxy = proxyOf(tried)
  if (fault === 'login' || fault === 'target') {
    const cause = fault === 'login' ? 'proxy_login_refused' : 'proxy_cannot_reach'
    const what = fault === 'login' ? `${proxy} refuses the login` : `${proxy} cannot reach ${hostOf(tried)}`
    return { cause, reason: `${what} (${detail || code})`, place: placeOf(tried) }
  }
  const at = causeOfCode(detail)
  if (at !== null && at in plainCauses) return explain(`proxy_${at as PlainCause}`, detail, tried, error.limitMs)
  return { cause: 'proxy_failed', reason: `${error.message} (${code})`, place: placeOf(tried) }
}

/** A failure by its cause; `code` is what stands in brackets, `limitMs` how long was waited. */
export function explain(cause: FailureCause, code: string, tried: Tried, limitMs?: number): Explained {
  const within = limitMs === undefined ? '' : ` within ${secondsOf(limitMs)}`
  const place = `${placeOf(tried)}${limitMs === undefined ? '' : ` · ${secondsOf(limitMs)}`}`
  const ofProxy = cause.startsWith('proxy_') ? cause.slice('proxy_'.length) : ''
  const word = (name: string) => plainCauses[name as PlainCause] ?? upstreamCauses[name as UpstreamCause]
  const through = tried.proxy === null || ofProxy !== '' ? '' : `, through ${proxyOf(tried)}`
  const said =
    ofProxy in plainCauses
      ? word(ofProxy)(proxyOf(tried), within)
      : (word(cause)?.(hostOf(tried), within) ?? `the connection to ${hostOf(tried)} failed`)
  return { cause, reason: `${said}${through} (${code})`, place }
}

/** A failure whose sentence is written already. */
export function describeFailure(cause: FailureCause, reason: string, tried: Tried): Explained {
  return { cause, reason, place: placeOf(tried) }
}

/** What an error is called: its code, or its name. */
export function codeOfError(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException
  if (typeof code === 'string' && code !== '') return code
  return typeof name === 'string' && name !== '' && name !== 'Error' ? name : 'failed'
}

const proxyOf = ({ proxy }: Tried): string => `proxy ${(proxy && parseProxyUrl(proxy)?.name) || 'that is not usable'}`

/** host:port, also where the port is the usual one. */
function hostOf({ origin }: Tried): string {
  const { hostname, port, protocol } = new URL(origin)
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
}

function placeOf(tried: Tried): string {
  const name = tried.proxy === null ? undefined : (parseProxyUrl(tried.proxy)?.name ?? '?')
  return name === undefined ? hostOf(tried) : `${name} → ${hostOf(tried)}`
}

const secondsOf = (ms: number): string => `${Number((ms / 1000).toFixed(1))} s`
