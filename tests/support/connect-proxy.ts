import { createServer as createHttp, type IncomingMessage } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { listening } from './listening.ts'
import { splice } from './splice.ts'
import type { ServerIdentity } from './test-ca.ts'

export interface ConnectProxy {
  /** With the credentials, %-escaped, when there are any. */
  url: string
  port: number
  /** host:port of every CONNECT, refused ones too. */
  targets: string[]
  close(): Promise<void>
}

export interface ConnectProxyOptions {
  /** Basic credentials that it requires (407 otherwise). */
  credentials?: { username: string; password: string }
  /** Speak TLS to the client. */
  tls?: ServerIdentity
  /** Answer every CONNECT with this status instead of a tunnel. */
  refuseWith?: number
  /** Take the CONNECT and never answer. */
  silent?: boolean
}

/** An HTTP CONNECT proxy. It resolves every name to 127.0.0.1, also names that nothing else can resolve. */
export async function createConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const { credentials, tls, refuseWith, silent } = options
  const targets: string[] = []
  const expected =
    credentials && `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`

  const server = tls ? createHttps(tls) : createHttp()
  server.on('request', (_request, response) => response.writeHead(405).end())
  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    const target = request.url ?? ''
    targets.push(target)
    client.on('error', () => {})
    if (silent) return
    const status =
      refuseWith ?? (expected === undefined || request.headers['proxy-authorization'] === expected ? 200 : 407)
    if (status !== 200) return void client.end(`HTTP/1.1 ${status} Refused\r\ncontent-length: 0\r\n\r\n`)
    splice(client as Socket, Number(target.slice(target.lastIndexOf(':') + 1)), head, (reached) =>
      client.write(reached ? 'HTTP/1.1 200 Connection established\r\n\r\n' : 'HTTP/1.1 502 Bad Gateway\r\n\r\n'),
    )
  })
  const { port, close } = await listening(server)
  const login = credentials
    ? `${encodeURIComponent(credentials.username)}:${encodeURIComponent(credentials.password)}@`
    : ''
  return { url: `${tls ? 'https' : 'http'}://${login}127.0.0.1:${port}`, port, targets, close }
}
