import { createSecureContext, rootCertificates } from 'node:tls'
import { createAddressPolicy } from './address-policy.ts'
import { createConnector, type Lookup } from './connector.ts'
import type { ResponseListener, TransportRequest } from './response-listener.ts'
import type { Target } from './target.ts'
import { createUpstreamClient, stopping, type UpstreamClient } from './upstream-client.ts'

export interface TransportOptions {
  /** CIDRs; private addresses and plain http are allowed there. */
  allow: readonly string[]
  /** Certificates (PEM) trusted beside Node's bundled roots. With it NODE_EXTRA_CA_CERTS has no effect here. */
  caPem?: string | undefined
  /** TCP, TLS and the proxy's part together. */
  connectTimeoutMs: number
  /** How long an idle connection is kept when the server gives no hint (its `keep-alive: timeout` wins). Default 30 s. */
  keepAliveMs?: number
  /** Name resolution of direct connections, in the shape of dns.lookup with `all`; for tests. */
  lookup?: Lookup | undefined
}

export interface Transport {
  /**
   * Sends a request on a free connection or a new one, directly or through a proxy. TLS is verified always, redirects are not
   * followed, there is no time limit but the one on connecting (absent: that of the options). Whatever is wrong comes through the
   * listener.
   */
  send(target: Target, request: TransportRequest, listener: ResponseListener, connectTimeoutMs?: number): void
  /**
   * Other ranges from now on, in place of those so far. Connections that are open are finished and not used again, so that
   * none outlives its permission.
   */
  allow(ranges: readonly string[]): void
  /** Breaks off what is still running and closes every socket: drain before. */
  close(): Promise<void>
}

/** The connections of one target. */
interface Pool {
  name: string
  /** Clients that are idle or at work. */
  size: number
  /** Nothing runs on them; the last one that became free is the first to be used again. */
  idle: UpstreamClient[]
  create(): UpstreamClient
}

/** For targets that no administrator vouches for. */
const publicPolicy = createAddressPolicy([])

/** Kept-alive HTTP/1.1 connections to upstreams by target, as many as are needed at once: a stream holds one for minutes. */
export function createTransport(options: TransportOptions): Transport {
  const { keepAliveMs = 30_000 } = options
  // One context for all: reading the roots costs milliseconds each time.
  const secureContext = createSecureContext(options.caPem ? { ca: [...rootCertificates, options.caPem] } : {})
  let policy = createAddressPolicy(options.allow)
  const pools = new Map<string, Pool>()
  const all = new Set<UpstreamClient>()
  const connecting = new Set<AbortController>()
  let isClosed = false

  function poolOf({ origin, proxy, originIsTrusted, proxyIsTrusted }: Target, connectTimeoutMs: number): Pool {
    // A space occurs in no origin.
    const name = `${origin} ${proxy ?? ''} ${connectTimeoutMs} ${originIsTrusted} ${proxyIsTrusted}`
    const known = pools.get(name)
    if (known) return known
    const connect = createConnector({
      ...options,
      connectTimeoutMs,
      proxy,
      policy: originIsTrusted ? policy : publicPolicy,
      proxyPolicy: proxyIsTrusted ? null : publicPolicy,
      isTrusted: originIsTrusted,
      secureContext,
      connecting,
    })
    const pool: Pool = {
      name,
      size: 0,
      idle: [],
      create() {
        const client = createUpstreamClient(origin, connect, keepAliveMs, () => dropIdle(pool, client))
        all.add(client)
        pool.size++
        return client
      },
    }
    pools.set(name, pool)
    return pool
  }

  const isUsed = (pool: Pool): boolean => pools.get(pool.name) === pool

  function discard(pool: Pool, client: UpstreamClient): void {
    all.delete(client)
    pool.size--
    if (pool.size === 0 && isUsed(pool)) pools.delete(pool.name)
    void client.destroy(null)
  }

  /** An idle connection has ended. */
  function dropIdle(pool: Pool, client: UpstreamClient): void {
    const at = pool.idle.indexOf(client)
    if (at < 0) return
    pool.idle.splice(at, 1)
    discard(pool, client)
  }

  /** `isLast`: the second try of a request, on a connection of its own that nobody else gets. */
  function sendOn(
    pool: Pool,
    client: UpstreamClient,
    request: TransportRequest,
    listener: ResponseListener,
    isLast: boolean,
  ): void {
    client.send(request, listener, ({ isReusable, brokeUnanswered }) => {
      if (isReusable && !isLast && isUsed(pool)) pool.idle.push(client)
      else discard(pool, client)
      if (!brokeUnanswered || isLast) return false
      sendOn(pool, pool.create(), request, listener, true)
      return true
    })
  }

  return {
    send(target, request, listener, connectTimeoutMs = options.connectTimeoutMs) {
      if (isClosed) return listener.onError(stopping())
      let pool: Pool
      let client: UpstreamClient
      try {
        pool = poolOf(target, connectTimeoutMs)
        client = pool.idle.pop() ?? pool.create()
      } catch (error) {
        return listener.onError(error as Error)
      }
      sendOn(pool, client, request, listener, false)
    },
    allow(ranges) {
      policy = createAddressPolicy(ranges)
      const before = [...pools.values()]
      pools.clear()
      for (const pool of before) for (const client of pool.idle.splice(0)) discard(pool, client)
    },
    async close() {
      isClosed = true
      for (const attempt of connecting) attempt.abort(stopping())
      pools.clear()
      await Promise.all([...all].map((client) => client.destroy(stopping())))
      all.clear()
    },
  }
}
