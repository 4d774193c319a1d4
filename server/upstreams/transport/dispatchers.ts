import type { LookupAddress, LookupAllOptions } from 'node:dns'
import { lookup as systemLookup } from 'node:dns'
import { connect as connectTcp, isIP, type LookupFunction, type OnReadOpts, type Socket } from 'node:net'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import { type buildConnector, type Dispatcher, Pool } from 'undici'
import { type AddressPolicy, createAddressPolicy } from './address-policy.ts'
import { connectFailure } from './connect-failure.ts'
import type { AnswerListener, Asked } from './connection.ts'
import { createConnections } from './connections.ts'
import { openTunnel, parseProxy } from './proxy-tunnel.ts'
import { opened, startTls, tuned } from './sockets.ts'

export interface Dispatchers {
  /**
   * The pool for an upstream origin, directly or through a proxy; made once, reused, closed when unused for a while:
   * ask for it per attempt. Never throws for a bad proxy (its connections fail), only for an origin that is not http(s).
   */
  for(origin: string, proxy: string | null): Dispatcher
  /** Sends a request on a connection of its own making, for the many that are relayed ({@link UpstreamConnection}). Never throws. */
  ask(origin: string, proxy: string | null, asked: Asked, listener: AnswerListener): void
  /**
   * Other ranges from now on, in place of those so far. Connections that are open are finished and not used again, so that
   * none outlives its permission.
   */
  allow(ranges: readonly string[]): void
  /** Breaks off what is still running (UND_ERR_DESTROYED) and closes every socket: drain before. */
  close(): Promise<void>
}

export interface DispatcherOptions {
  /** CIDRs; private addresses and plain http are allowed there. */
  allow: readonly string[]
  /** Certificates (PEM) trusted beside Node's bundled roots. With it NODE_EXTRA_CA_CERTS has no effect here. */
  caPem?: string
  /** TCP, TLS and the proxy's part together. */
  connectTimeoutMs: number
  /** Connections per pool; unlimited by default, since a stream holds one for minutes. */
  connections?: number
  /** How long an idle connection is kept when the server gives no hint (its `keep-alive: timeout` wins). Default 30 s. */
  keepAliveMs?: number
  /** How long a pool without a request is kept. Default 10 min. */
  unusedMs?: number
  /** Name resolution of direct connections, in the shape of dns.lookup with `all`; for tests. */
  lookup?: ((hostname: string, options: LookupAllOptions, done: LookupDone) => void) | undefined
}

type LookupDone = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void
/** Where a connection goes. */
export interface Target {
  protocol: string
  hostname: string
  port: number
}

/** undici pools by (origin, proxy): HTTP/1.1, TLS verified, no redirects, no timers of undici's (the relay has its own). */
export function createDispatchers(options: DispatcherOptions): Dispatchers {
  const { connectTimeoutMs, keepAliveMs = 30_000, unusedMs = 600_000 } = options
  let policy = createAddressPolicy(options.allow)
  // One context for all: reading the roots costs milliseconds each time.
  const secureContext = createSecureContext(options.caPem ? { ca: [...rootCertificates, options.caPem] } : {})
  const lookup = options.lookup ?? ((hostname, how, done) => systemLookup(hostname, how, done))
  const pools = new Map<string, { pool: Pool; usedAt: number }>()
  const connecting = new Set<AbortController>()

  /** One connection, within the time that it may take. */
  async function open(target: Target, proxy: string | null, way: Way): Promise<Socket> {
    const attempt = new AbortController()
    const deadline = setTimeout(() => attempt.abort(timedOut(target, connectTimeoutMs)), connectTimeoutMs)
    connecting.add(attempt)
    try {
      return await establish(target, proxy, way, attempt.signal)
    } finally {
      clearTimeout(deadline)
      connecting.delete(attempt)
    }
  }

  function createOpener(proxy: string | null): (target: Target, onread?: OnReadOpts) => Promise<Socket> {
    let session: Buffer | undefined
    return async (target, onread) => {
      const socket = await open(target, proxy, { policy, lookup, secureContext, session, onread })
      socket.on('session', (ticket: Buffer) => {
        session = ticket
      })
      return socket
    }
  }

  function createConnector(proxy: string | null): buildConnector.connector {
    const opener = createOpener(proxy)
    return ({ protocol, hostname, port }, callback) => {
      opener(targetOf(protocol, hostname, port)).then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      )
    }
  }

  const connections = createConnections({ createOpener, targetOf: targetOfOrigin, keepAliveMs, unusedMs })

  function closeUnused(): void {
    const before = performance.now() - unusedMs
    for (const [name, { pool, usedAt }] of pools) {
      if (usedAt > before || pool.stats.size > 0) continue
      pools.delete(name)
      void pool.close()
    }
  }
  const sweep = setInterval(closeUnused, unusedMs / 2).unref()

  return {
    for(origin, proxy) {
      // A space occurs in no origin.
      const name = proxy === null ? origin : `${origin} ${proxy}`
      const known = pools.get(name)
      if (known) {
        known.usedAt = performance.now()
        return known.pool
      }
      const pool = new Pool(origin, {
        connect: createConnector(proxy),
        connections: options.connections ?? null,
        pipelining: 1,
        headersTimeout: 0,
        bodyTimeout: 0,
        keepAliveTimeout: keepAliveMs,
      })
      pools.set(name, { pool, usedAt: performance.now() })
      return pool
    },
    ask: connections.ask,
    allow(ranges) {
      policy = createAddressPolicy(ranges)
      for (const { pool } of pools.values()) void pool.close()
      pools.clear()
      connections.renew()
    },
    async close() {
      clearInterval(sweep)
      for (const attempt of connecting) attempt.abort(new Error('The relay is stopping'))
      connections.close()
      const open = [...pools.values()]
      pools.clear()
      await Promise.all(open.map(({ pool }) => pool.destroy()))
    },
  }
}

function targetOf(protocol: string, hostname: string, port: string): Target {
  return { protocol, hostname, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) }
}

function targetOfOrigin(origin: string): Target {
  const { protocol, hostname, port } = new URL(origin)
  return targetOf(protocol, hostname.replace(/^\[(.*)\]$/, '$1'), port)
}

function timedOut({ hostname, port }: Target, timeoutMs: number): Error {
  const message = `No connection to ${hostname}:${port} within ${timeoutMs} ms`
  return connectFailure('UPSTREAM_CONNECT_TIMEOUT', message, { limitMs: timeoutMs })
}

interface Way {
  policy: AddressPolicy
  lookup: NonNullable<DispatcherOptions['lookup']>
  secureContext: SecureContext
  /** The TLS session of the pool's last connection, to resume. */
  session: Buffer | undefined
  /** Where what is read goes, for whom streams are too slow. A plain connection through a proxy does without. */
  onread: OnReadOpts | undefined
}

/** One connection, ready for HTTP. Rejects with a ConnectFailure or with the error of TCP, DNS or TLS. */
async function establish(target: Target, proxy: string | null, way: Way, signal: AbortSignal): Promise<Socket> {
  const { protocol, hostname, port } = target
  // tls.connect hands `onread` on to the socket; its types do not know.
  const reading = way.onread && { onread: way.onread }
  if (proxy !== null) {
    const { policy, secureContext, session } = way
    if (!mayAskProxyFor(target, policy)) throw refused(target, hostname)
    const parsed = parseProxy(proxy)
    if (parsed === null)
      throw connectFailure('UPSTREAM_PROXY_FAILED', 'The proxy address is not usable', { fault: 'proxy' })
    const socket = await openTunnel(parsed, target, secureContext, signal)
    if (protocol !== 'https:') return socket
    return opened(startTls(hostname, secureContext, { socket, session, ...reading }), 'secureConnect', signal)
  }
  if (isIP(hostname) !== 0 && !way.policy.admits(protocol, hostname)) throw refused(target, hostname)
  const place = { port, lookup: guardedLookup(target, way), autoSelectFamilyAttemptTimeout: 1_000, ...reading }
  if (protocol !== 'https:') return opened(tuned(connectTcp({ ...place, host: hostname })), 'connect', signal)
  const socket = startTls(hostname, way.secureContext, { ...place, session: way.session })
  return opened(tuned(socket), 'secureConnect', signal)
}

/** Names are the proxy's to resolve, literals are known here; `localhost` names loopback by RFC 6761, whoever resolves it. */
function mayAskProxyFor({ protocol, hostname }: Target, policy: AddressPolicy): boolean {
  if (isIP(hostname) !== 0) return policy.admits(protocol, hostname)
  if (/(^|\.)localhost\.?$/i.test(hostname)) return policy.admits(protocol, '127.0.0.1')
  return protocol === 'https:'
}

/** A lookup that drops forbidden addresses: what was checked is what net.connect connects to, so no answer can change between. */
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
    `${hostname}:${port} (${address}) ${why}; UPSTREAM_ALLOW, or the setting upstreamAllow of an administrator, lists the ranges that may be reached nevertheless`,
  )
}
