import type { LookupAddress, LookupAllOptions } from 'node:dns'
import { lookup as systemLookup } from 'node:dns'
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { buildConnector } from 'undici'
import { type ProxyUrl, parseProxyUrl } from '../../proxy-url.ts'
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
  /** Of the proxy's own address; null: an administrator chose it. */
  proxyPolicy: AddressPolicy | null
  /** False: a refusal says that an administrator has to approve. */
  isTrusted: boolean
  secureContext: SecureContext
  /** TCP, TLS and the proxy's part together. */
  connectTimeoutMs: number
  lookup?: Lookup | undefined
  /** Attempts under way, for whoever wants to end them. */
  connecting: Set<AbortController>
}

/** Opens connections for undici, each within its deadline. TLS sessions are resumed. */
export function createConnector(parts: ConnectorParts): buildConnector.connector {
  const { proxy, connectTimeoutMs, connecting } = parts
  const lookup: Lookup = parts.lookup ?? ((hostname, how, done) => systemLookup(hostname, how, done))
  let session: Buffer | undefined

  async function open(target: Target): Promise<Socket> {
    const attempt = new AbortController()
    const timer = setTimeout(() => attempt.abort(timedOut(target, connectTimeoutMs)), connectTimeoutMs)
    connecting.add(attempt)
    try {
      const socket = await establish(target, proxy, { ...parts, lookup, session }, attempt.signal)
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

interface Way extends Pick<ConnectorParts, 'policy' | 'proxyPolicy' | 'isTrusted' | 'secureContext'> {
  lookup: Lookup
  /** The TLS session of the pool's last connection, to resume. */
  session: Buffer | undefined
}

/** One connection, ready for HTTP. Rejects with a ConnectFailure or with the error of TCP, DNS or TLS. */
async function establish(target: Target, proxy: string | null, way: Way, signal: AbortSignal): Promise<Socket> {
  const { protocol, hostname, port } = target
  if (proxy !== null) {
    const { policy, secureContext, session } = way
    if (!mayAskProxyFor(target, policy)) throw refused(target, hostname, way)
    const parsed = parseProxyUrl(proxy)
    if (parsed === null)
      throw connectFailure('UPSTREAM_PROXY_FAILED', 'The proxy address is not usable', { fault: 'proxy' })
    const socket = await openTunnel(parsed, target, { secureContext, ...guardOf(parsed, way) }, signal)
    if (protocol !== 'https:') return socket
    return opened(startTls(hostname, secureContext, { socket, session }), 'secureConnect', signal)
  }
  if (isIP(hostname) !== 0 && !way.policy.admits(protocol, hostname)) throw refused(target, hostname, way)
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

/** What bounds the address of a proxy that an ordinary user chose. Throws where it is known already to be out of bounds. */
function guardOf({ hostname, port }: ProxyUrl, way: Way): { lookup?: LookupFunction } {
  const { proxyPolicy: policy } = way
  if (policy === null) return {}
  // A proxy is spoken to in plain, so that only its address counts.
  const place = { protocol: 'https:', hostname, port }
  if (isIP(hostname) !== 0 && !policy.admits(place.protocol, hostname))
    throw refused(place, hostname, { isTrusted: false })
  return { lookup: guardedLookup(place, { ...way, policy, isTrusted: false }) }
}

/** A lookup that drops forbidden addresses: what was checked is what net.connect connects to, so nothing can change in between. */
function guardedLookup(target: Target, way: Way): LookupFunction {
  const { policy, lookup } = way
  return (hostname, how, done) => {
    lookup(hostname, { ...how, all: true }, (error, addresses) => {
      if (error) return done(error, [])
      const admitted = addresses.filter(({ address }) => policy.admits(target.protocol, address))
      const [first] = admitted
      if (first === undefined) return done(refused(target, addresses[0]?.address ?? 'no address', way), [])
      if (how.all) return done(null, admitted)
      return done(null, first.address, first.family)
    })
  }
}

/** An ordinary user does not read to which address a name leads: that is what somebody who looks round would ask. */
function refused({ protocol, hostname, port }: Target, address: string, { isTrusted }: Pick<Way, 'isTrusted'>): Error {
  const why = protocol === 'https:' ? 'is not a public address' : 'may not be reached over plain http'
  const place = `${hostname}:${port}${isTrusted ? ` (${address})` : ''}`
  const remedy = isTrusted
    ? 'UPSTREAM_ALLOW, or the setting upstreamAllow of an administrator, lists the ranges that may be reached nevertheless'
    : 'an administrator may approve the account for the networks that administrators granted'
  return connectFailure('UPSTREAM_ADDRESS_REFUSED', `${place} ${why}; ${remedy}`)
}
