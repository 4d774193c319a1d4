import type { Socket } from 'node:net'
import { type buildConnector, Client, type Dispatcher } from 'undici'
import type { ResponseListener, TransportRequest } from './response-listener.ts'

/** One connection to an upstream, one request at a time; undici opens it anew when it has ended. */
export interface UpstreamClient {
  /** `ended` is called once, before the listener hears of the end; it returns true when it has sent the request elsewhere. */
  send(request: TransportRequest, listener: ResponseListener, ended: (end: SendEnd) => boolean): void
  /** If given, the running request fails with this error. */
  destroy(error: Error | null): Promise<void>
}

export interface SendEnd {
  /** The connection may carry another request. */
  isReusable: boolean
  /** A reused connection broke before any response byte: the upstream had closed it while it was idle. */
  brokeUnanswered: boolean
}

/** The largest response head that is accepted. */
const maxHeaderBytes = 64 * 1024

/** `disconnected` is called whenever the connection ends. */
export function createUpstreamClient(
  origin: string,
  connect: buildConnector.connector,
  keepAliveMs: number,
  disconnected: () => void,
): UpstreamClient {
  let socket: Socket | null = null
  const client = new Client(origin, {
    connect: (options, done) =>
      connect(options, (error, opened) => {
        if (error) return done(error, null)
        socket = opened
        done(null, opened!)
      }),
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: maxHeaderBytes,
  })
  client.on('disconnect', disconnected)

  return {
    send(request, listener, ended) {
      const before = socket
      const bytesBefore = socket?.bytesRead
      let isConnected = false
      let isOver = false

      function abort(controller: Dispatcher.DispatchController): void {
        if (isOver) return
        isOver = true
        controller.abort(new Error('The request was broken off'))
        ended({ isReusable: false, brokeUnanswered: false })
      }

      const { method, path, headers, body } = request
      client.dispatch(
        {
          method,
          path,
          headers: headers as string[],
          body: body.length === 0 ? null : body.length === 1 ? body[0]! : Buffer.concat(body),
        },
        {
          onRequestStart(controller) {
            isConnected = true
            listener.onConnect(() => abort(controller))
          },
          onResponseStart(controller, status) {
            // 1xx come before the response itself.
            if (isOver || status < 200) return
            listener.onHeaders(status, textOf(controller.rawHeaders as Buffer[]), () => controller.resume())
          },
          onResponseData(controller, chunk) {
            if (!isOver && !listener.onData(chunk)) controller.pause()
          },
          onResponseEnd() {
            if (isOver) return
            isOver = true
            // The upstream responded before it had read the whole request, so unsent bytes still block the connection.
            const isReusable = socket !== null && !socket.destroyed && socket.writableLength === 0
            ended({ isReusable, brokeUnanswered: false })
            listener.onComplete()
          },
          onResponseError(_controller, error) {
            if (isOver) return
            isOver = true
            const isSame = isConnected && before !== null && socket === before
            const brokeUnanswered = isSame && before.bytesRead === bytesBefore
            if (!ended({ isReusable: false, brokeUnanswered })) listener.onError(error)
          },
        },
      )
    },
    destroy: (error) => client.destroy(error),
  }
}

export const stopping = (): Error => Object.assign(new Error('The relay is stopping'), { code: 'UPSTREAM_CLOSED' })

function textOf(raw: readonly Buffer[]): string[] {
  return raw.map((bytes) => bytes.toString('latin1'))
}
