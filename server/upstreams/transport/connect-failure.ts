/** Why no connection to an upstream came about, where the operating system has no code of its own for it. */
export type ConnectFailureCode =
  /** The address policy forbids the address; UPSTREAM_ALLOW or the setting upstreamAllow would permit it. */
  | 'UPSTREAM_ADDRESS_REFUSED'
  /** TCP, TLS and proxy together took longer than the connect deadline. */
  | 'UPSTREAM_CONNECT_TIMEOUT'
  /** The proxy refused, broke or did not answer; the upstream itself was never spoken to. */
  | 'UPSTREAM_PROXY_FAILED'

export interface ConnectFailure extends Error {
  code: ConnectFailureCode
  /**
   * With UPSTREAM_PROXY_FAILED: `target` when the proxy works but says it cannot reach the upstream (CONNECT 502, 503, 504;
   * SOCKS replies 3 to 6), `login` when it does not take the credentials, `proxy` for everything else.
   */
  fault?: 'proxy' | 'login' | 'target'
  /** What the operating system, TLS or the proxy called it: ECONNREFUSED, 502, … */
  detail?: string
  /** With UPSTREAM_CONNECT_TIMEOUT, or a proxy that took too long: the deadline. */
  limitMs?: number
}

/** An error with a code of ours. `message` goes to logs and people: hosts and ports yes, credentials never. */
export function connectFailure(
  code: ConnectFailureCode,
  message: string,
  more: Pick<ConnectFailure, 'fault' | 'detail' | 'limitMs'> = {},
): ConnectFailure {
  return Object.assign(new Error(message), { code }, more)
}

/** Narrows what undici reports to `onError`: true for the failures named here. */
export function isConnectFailure(error: unknown): error is ConnectFailure {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'UPSTREAM_ADDRESS_REFUSED' || code === 'UPSTREAM_CONNECT_TIMEOUT' || code === 'UPSTREAM_PROXY_FAILED'
}
