import { isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls'

/**
 * Waits for a socket's `event` ('connect' or 'secureConnect'). An abort destroys the socket with the signal's reason.
 * Rejects with the socket's own error.
 */
export function opened<S extends Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const abort = () => socket.destroy(signal.reason as Error)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    // Stays on: between this promise and undici's own listener an error would otherwise end the process.
    socket.on('error', reject)
    socket.once('close', () =>
      reject(Object.assign(new Error('The connection was closed early'), { code: 'ECONNRESET' })),
    )
    socket.once(event, () => {
      signal.removeEventListener('abort', abort)
      resolve(socket)
    })
  })
}

/** Sets what every connection of ours has: no Nagle (40 ms steps with delayed acknowledgement), TCP keep-alive after 60 s. */
export function tuned<S extends Socket>(socket: S): S {
  return socket.setNoDelay(true).setKeepAlive(true, 60_000)
}

/**
 * Starts TLS with `hostname`, verified always (whatever NODE_TLS_REJECT_UNAUTHORIZED says), HTTP/1.1 only.
 * `more` carries either an open socket or what net.connect needs.
 */
export function startTls(hostname: string, secureContext: SecureContext, more: ConnectionOptions): TLSSocket {
  return connectTls({
    ...more,
    host: hostname,
    // SNI carries names only (RFC 6066 §3).
    servername: isIP(hostname) === 0 ? hostname : '',
    secureContext,
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
  })
}
