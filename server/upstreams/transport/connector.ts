import type { LookupAddress, LookupAllOptions } from 'node:dns'
import { lookup as systemLookup } from 'node:dns'
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { buildConnector } from 'undici'
import { parseProxyUrl } from '../../proxy-url.ts'
import type { AddressPolicy } from './address-policy.ts'
import { connectFailure } from './connect-failure.ts'
import { openTunnel } from './proxy-tunnel.ts'
import { opened, startTls, tuned } from './sockets.ts'

/** Name resolution in the shape of dns.lookup with `all`. */
export type Lookup = (
  hostname: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** Where a connection goes. */
export interface Target {
  protocol: string
  hostname: string
  port: number
}

export interface ConnectorParts {
  proxy: string | null
  policy: AddressPolicy
  secureContext: SecureContext
  /** TCP, TLS and the proxy's part together. */
  connectTimeoutMs: number
  lookup?: Lookup | undefined
  /** Attempts under way, for whoever wants to end them. */
  connecting: Set<AbortController>
}

/** Opens connections for undici, each within its deadline. TLS sessions are resumed. */
export function createConnector(parts: ConnectorParts): buildConnector.connector {
  const { proxy, policy, secureContext, connectTimeoutMs, connecting } = parts
  const lookup: Lookup = parts.lookup ?? ((hostname, how, done) => systemLookup(hostname, how, done))
  let session: Buffer | undefined

  async function open(target: Target): Promise<Socket> {
    const attempt = new AbortController()
    const timer = setTimeout(() => attempt.abort(timedOut(target, connectTimeoutMs)), connectTimeoutMs)
    connecting.add(attempt)
    try {
      const socket = await establish(target, proxy, { policy, lookup, secureContext, session }, attempt.signal)
      socket.on('session', (fresh: Buffer) => {
        session = fresh
      })
      return socket
    } finally {
      clearTimeout(timer)
      connecting.delete(attempt)
    }
  }

  return ({ protocol, hostname, port }, done) => {
    open({ protocol, hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) }).then(
      (socket) => done(null, socket),
      (error: Error) => done(error, null),
    )
  }
}

function timedOut({ hostname, port }: Target, timeoutMs: number): Error {
  const message = `No connection to ${hostname}:${port} within ${timeoutMs} ms`
  return connectFailure('UPSTREAM_CONNECT_TIMEOUT', message, { limitMs: timeoutMs })
}

interface Way {
  policy: AddressPolicy
  lookup: Lookup
  secureContext: SecureContext
  /** The TLS session of the pool's last connection, to resume. */
  session: Buffer | undefined
}

/** One connection, ready for HTTP. Rejects with a ConnectFailure or with the error of TCP, DNS or TLS. */
async function establish(target: Target, proxy: string | null, way: Way, signal: AbortSignal): Promise<Socket> {
  const { protocol, hostname, port } = target
  if (proxy !== null) {
    const { policy, secureContext, session } = way
    if (!mayAskProxyFor(target, policy)) throw refused(target, hostname)
    const parsed = parseProxyUrl(proxy)
    if (parsed === null)
      throw connectFailure('UPSTREAM_PROXY_FAILED', 'The proxy address is not usable', { fault: 'proxy' })
    const socket = await openTunnel(parsed, target, secureContext, signal)
    if (protocol !== 'https:') return socket
    return opened(startTls(hostname, secureContext, { socket, session }), 'secureConnect', signal)
  }
  if (isIP(hostname) !== 0 && !way.policy.admits(protocol, hostname)) throw refused(target, hostname)
  const place = { port, lookup: guardedLookup(target, way), autoSelectFamilyAttemptTimeout: 1_000 }
  if (protocol !== 'https:') return opened(tuned(connectTcp({ ...place, host: hostname })), 'connect', signal)
  const socket = startTls(hostname, way.secureContext, { ...place, session: way.session })
  return opened(tuned(socket), 'secureConnect', signal)
}

/** The proxy resolves host names; IP literals and `localhost` (RFC 6761) are checked here. */
function mayAskProxyFor({ protocol, hostname }: Target, policy: AddressPolicy): boolean {
  if (isIP(hostname) !== 0) return policy.admits(protocol, hostname)
  if (/(^|\.)localhost\.?$/i.test(hostname)) return policy.admits(protocol, '127.0.0.1')
  return protocol === 'https:'
}

/** A lookup that drops forbidden addresses: what was checked is what net.connect connects to, so nothing can change in between. */
function guardedLookup(target: Target, { policy, lookup }: Way): LookupFunction {
  return (hostname, how, done) => {
    lookup(hostname, { ...how, all: true }, (error, addresses) => {
      if (error) return done(error, [])
      const admitted = addresses.filter(({ address }) => policy.admits(target.protocol, address))
      const [first] = admitted
      if (first === undefined) return done(refused(target, addresses[0]?.address ?? 'no address'), [])
      if (how.all) return done(null, admitted)
      return done(null, first.address, first.family)
    })
  }
}

function refused({ protocol, hostname, port }: Target, address: string): Error {
  const why = protocol === 'https:' ? 'is not a public address' : 'may not be reached over plain http'
  return connectFailure(
    'UPSTREAM_ADDRESS_REFUSED',
    `${hostname}:${port} (${address}) ${why}; to allow it, add its range to UPSTREAM_ALLOW or to the setting upstreamAllow`,
  )
}
