import { request as requestHttp } from 'node:http'
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import { SocksClient } from 'socks'
import type { ProxyUrl } from '../../proxy-url.ts'
import { type ConnectFailure, connectFailure, isConnectFailure } from './connect-failure.ts'
import { opened, startTls, tuned } from './sockets.ts'

function proxyFailed(
  proxy: ProxyUrl,
  what: string,
  more: Pick<ConnectFailure, 'fault' | 'detail' | 'limitMs'> = {},
): ConnectFailure {
  return connectFailure('UPSTREAM_PROXY_FAILED', `Proxy ${proxy.name} ${what}`, { fault: 'proxy', ...more })
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What the error is called, and the deadline if that was it. */
function detailOf(error: unknown): Pick<ConnectFailure, 'detail' | 'limitMs'> {
  const { code, limitMs } = error as { code?: unknown; limitMs?: number }
  return { ...(typeof code === 'string' && { detail: code }), ...(limitMs !== undefined && { limitMs }) }
}

/**
 * Opens a tunnel through `proxy` to hostname:port. The proxy resolves names; its own is resolved by `lookup`, if there is one.
 * Rejects with UPSTREAM_PROXY_FAILED, or with the refusal of `lookup`; the reason of an abort becomes part of its message.
 */
export async function openTunnel(
  proxy: ProxyUrl,
  target: { hostname: string; port: number },
  way: ProxyWay,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = await openProxySocket(proxy, way, signal).catch((error: unknown) => {
    if (isConnectFailure(error) && error.code === 'UPSTREAM_ADDRESS_REFUSED') throw error
    throw proxyFailed(proxy, `cannot be reached: ${reason(error)}`, detailOf(error))
  })
  const abort = () => socket.destroy()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await (proxy.protocol.startsWith('socks') ? speakSocks : speakConnect)(proxy, target, socket)
  } catch (error) {
    socket.destroy()
    if (!signal.aborted) throw error
    throw proxyFailed(proxy, `did not open a tunnel: ${reason(signal.reason)}`, detailOf(signal.reason))
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

interface ProxyWay {
  secureContext: SecureContext
  lookup?: LookupFunction
}

async function openProxySocket(
  proxy: ProxyUrl,
  { secureContext, ...lookup }: ProxyWay,
  signal: AbortSignal,
): Promise<Socket> {
  const { hostname, port } = proxy
  if (proxy.protocol === 'https:') {
    return opened(tuned(startTls(hostname, secureContext, { port, ...lookup })), 'secureConnect', signal)
  }
  return opened(tuned(connectTcp({ host: hostname, port, ...lookup })), 'connect', signal)
}

const authority = (target: { hostname: string; port: number }): string =>
  `${isIP(target.hostname) === 6 ? `[${target.hostname}]` : target.hostname}:${target.port}`

/** HTTP CONNECT (RFC 9110 §9.3.6), Basic credentials when there are any. */
function speakConnect(proxy: ProxyUrl, target: { hostname: string; port: number }, socket: Socket): Promise<Socket> {
  const host = authority(target)
  const headers: Record<string, string> = { host, connection: 'keep-alive', 'proxy-connection': 'keep-alive' }
  if (proxy.credentials !== null) {
    const { username, password } = proxy.credentials
    headers['proxy-authorization'] = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  }
  return new Promise((resolve, reject) => {
    const request = requestHttp({
      method: 'CONNECT',
      path: host,
      headers,
      createConnection: () => socket,
    })
    request.once('connect', (response, tunnel, head) => {
      const status = response.statusCode ?? 0
      if (status < 200 || status > 299) {
        const isTarget = status === 502 || status === 503 || status === 504
        const fault = isTarget ? 'target' : status === 407 ? 'login' : 'proxy'
        reject(proxyFailed(proxy, `answered ${status} to CONNECT ${host}`, { fault, detail: String(status) }))
        return
      }
      if (head.length > 0) tunnel.unshift(head)
      resolve(socket)
    })
    request.once('error', (error) =>
      reject(proxyFailed(proxy, `broke off CONNECT ${host}: ${error.message}`, detailOf(error))),
    )
    request.end()
  })
}

// Names from the `socks` package for RFC 1928 replies 3 to 6: the proxy works, the way beyond it does not.
const targetReplies = /(NetworkUnreachable|HostUnreachable|ConnectionRefused|TTLExpired)$/

/** SOCKS5 (RFC 1928, 1929). undici's own is experimental and says so on stderr. */
async function speakSocks(
  proxy: ProxyUrl,
  target: { hostname: string; port: number },
  socket: Socket,
): Promise<Socket> {
  try {
    await SocksClient.createConnection({
      command: 'connect',
      proxy: {
        host: proxy.hostname,
        port: proxy.port,
        type: 5,
        ...(proxy.credentials && { userId: proxy.credentials.username, password: proxy.credentials.password }),
      },
      destination: { host: target.hostname, port: target.port },
      existing_socket: socket,
      // Its own deadline cannot be switched off; ours destroys the socket long before.
      timeout: 600_000,
    })
    return socket
  } catch (error) {
    // The package's error carries its options, and with them the password: only the text is kept.
    const text = reason(error)
    const reply = targetReplies.exec(text)?.[1]
    const fault = reply ? 'target' : /authenticat/i.test(text) ? 'login' : 'proxy'
    throw proxyFailed(proxy, `did not connect to ${authority(target)}: ${text}`, {
      fault,
      ...(reply && { detail: reply }),
    })
  }
}
