import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { type ExecutionArgs, GraphQLError, getOperationAST } from 'graphql'
import { CloseCode, makeServer, type Context as SocketContext, type SubscribePayload } from 'graphql-ws'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { ClientAddress } from '../../http/client-address.ts'
import { type Sessions, type SessionsEnded, sessionsEnded, type Viewer } from '../../identity/sessions.ts'
import type { LiveHub } from '../../live/hub.ts'
import { networkOf } from '../../networks.ts'
import type { Events, ReportEventFailure } from '../../store/events.ts'
import { bearerToken } from './bearer-token.ts'
import { createSocketList, type SocketEntry } from './socket-list.ts'

const protocol = 'graphql-transport-ws'

/** Yoga's `getEnveloped`, so that its plugins apply to sockets too. */
export type Enveloped = (initialContext: { params: SubscribePayload; request: IncomingMessage; viewer: Viewer }) => {
  schema: ExecutionArgs['schema']
  parse: (source: string) => ExecutionArgs['document']
  validate: (schema: ExecutionArgs['schema'], document: ExecutionArgs['document']) => readonly GraphQLError[]
  contextFactory: () => unknown
  execute: (args: ExecutionArgs) => unknown
  subscribe: (args: ExecutionArgs) => unknown
}

export interface SocketLimits {
  payloadBytes: number
  /** From the upgrade to connection_init. */
  initMs: number
  socketsPerUser: number
  /** Sockets without an accepted token. */
  unauthenticated: number
  /** The same of one address. */
  unauthenticatedPerAddress: number
  operationsPerSocket: number
  /** Each is parsed on the event loop that also carries the relay's streams. */
  messagesPerSecond: number
  /** A socket with this much unread that sends another message is cut off. */
  unsentBytes: number
  /** Between pings; a missing pong ends the socket. */
  pingMs: number
  /** From the close frame to the cut. */
  closeMs: number
  /** How often sessions are checked that may have ended without an event: by another program, or while Redis was away. */
  checkMs: number
}

const defaultSocketLimits: SocketLimits = {
  payloadBytes: 64 * 1024,
  initMs: 3_000,
  socketsPerUser: 20,
  unauthenticated: 1_024,
  unauthenticatedPerAddress: 32,
  operationsPerSocket: 16,
  messagesPerSecond: 100,
  unsentBytes: 1024 * 1024,
  pingMs: 15_000,
  closeMs: 1_000,
  checkMs: 2_500,
}

export interface SocketParts {
  enveloped: Enveloped
  sessions: Pick<Sessions, 'viewerOf' | 'standing'>
  events: Pick<Events, 'subscribe' | 'onReconnect'>
  live: Pick<LiveHub, 'sessionsEnded' | 'subscriberSessions'>
  /** Origins of pages that may connect, besides the host of the request. */
  origins: () => readonly string[]
  clientAddress: ClientAddress
  now: () => number
  report: ReportEventFailure
  limits?: Partial<SocketLimits>
}

export interface SocketDoor {
  /** Accepts or refuses an upgrade of /graphql; never throws. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  socketCount(): number
  close(): Promise<void>
}

/** graphql-ws's code 4429. */
const tooMany = CloseCode.TooManyInitialisationRequests

interface Extra {
  socket: WebSocket
  request: IncomingMessage
  entry: SocketEntry
}

/**
 * Subscriptions over WebSocket, by graphql-ws' protocol core: its adapter for ws has no limits. The token comes in
 * connection_init (`{ authorization: "Bearer …" }`), or in the same header of the upgrade; when it, its session or its user ends, the socket is closed with 4403.
 */
export async function openSocketDoor(parts: SocketParts): Promise<SocketDoor> {
  const limits = { ...defaultSocketLimits, ...parts.limits }
  const sockets = createSocketList({ ...limits, now: parts.now })
  const wsServer = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.payloadBytes,
    perMessageDeflate: false,
    handleProtocols: () => protocol,
  })
  const server = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: limits.initMs,
    onConnect: connect,
    onSubscribe: prepare,
    // Yoga's functions are in the arguments (see prepare).
    execute: (args) => (args as Prepared).enveloped.execute(args) as never,
    subscribe: (args) => (args as Prepared).enveloped.subscribe(args) as never,
  })
  const unsubscribe = await parts.events.subscribe(sessionsEnded, (message) => {
    // Sockets first: they must close with 4403, not complete their subscriptions.
    sockets.sessionsEnded(message as SessionsEnded)
    parts.live.sessionsEnded(message as SessionsEnded)
  })
  const offReconnect = parts.events.onReconnect(() => void check())
  const checks = setInterval(() => void check(), limits.checkMs)
  checks.unref()
  let failed = false

  async function check(): Promise<void> {
    const asked = new Set([...sockets.sessions(), ...parts.live.subscriberSessions()])
    if (asked.size === 0) return
    try {
      const standing = await parts.sessions.standing([...asked])
      sockets.checked(asked, standing)
      for (const sessionId of asked) if (!standing.has(sessionId)) parts.live.sessionsEnded({ sessionId })
      failed = false
    } catch (error) {
      // Reported once: live events go on while the database is away.
      if (!failed) parts.report(error, 'checking the sessions of sockets')
      failed = true
    }
  }

  async function connect({
    connectionParams,
    extra: { socket, request, entry },
  }: SocketContext<Record<string, unknown>, Extra>) {
    const token = bearerToken(connectionParams?.['authorization'] ?? request.headers.authorization)
    if (token === null) return false
    const viewer = await sockets.admit(entry, () => parts.sessions.viewerOf(token))
    if (viewer !== 'too many') return viewer !== null
    socket.close(tooMany, 'Too many sockets')
    return false
  }

  type Prepared = ExecutionArgs & { enveloped: ReturnType<Enveloped> }

  async function prepare(
    { extra: { request, entry }, subscriptions }: SocketContext<Record<string, unknown>, Extra>,
    _id: string,
    payload: SubscribePayload,
  ): Promise<Prepared | readonly GraphQLError[]> {
    const { viewer } = entry
    if (!viewer) return [refusal('Sign in first.', 'UNAUTHENTICATED')]
    if (Object.keys(subscriptions).length > limits.operationsPerSocket)
      return [refusal(`At most ${limits.operationsPerSocket} operations at once.`, 'TOO_MANY_OPERATIONS')]
    const enveloped = parts.enveloped({ params: payload, request, viewer })
    try {
      const document = enveloped.parse(payload.query)
      const operation = getOperationAST(document, payload.operationName)
      // Queries and mutations go over HTTP, which has their limits and cookies.
      if (operation?.operation !== 'subscription')
        return [refusal('Only subscriptions go over a socket; send this over HTTP.', 'SUBSCRIPTIONS_ONLY')]
      const errors = enveloped.validate(enveloped.schema, document)
      if (errors.length > 0) return errors
      return {
        enveloped,
        schema: enveloped.schema,
        document,
        operationName: payload.operationName,
        variableValues: payload.variables,
        contextValue: await enveloped.contextFactory(),
      }
    } catch (error) {
      if (error instanceof GraphQLError) return [error]
      parts.report(error, 'a subscription')
      return [refusal('Unexpected error.', 'INTERNAL_SERVER_ERROR')]
    }
  }

  function open(socket: WebSocket, request: IncomingMessage): void {
    const entry = sockets.add(socket, networkOf(parts.clientAddress(request)))
    let receive: (text: string) => Promise<void> = async () => {}
    const closed = server.opened(
      {
        protocol: socket.protocol,
        // Resolves when the bytes are with the kernel: until then graphql-ws takes no further event.
        send: (text) =>
          new Promise((resolve) => {
            if (socket.readyState !== socket.OPEN) return resolve()
            socket.send(text, () => resolve())
          }),
        close: (code, reason) => sockets.end(entry, code ?? CloseCode.InternalServerError, reason ?? ''),
        onMessage: (callback) => {
          receive = callback
        },
      },
      { socket, request, entry },
    )
    let second = 0
    let messages = 0
    socket.on('message', (data, isBinary) => {
      if (socket.readyState !== socket.OPEN) return
      const now = Math.floor(performance.now() / 1000)
      messages = now === second ? messages + 1 : 1
      second = now
      if (messages > limits.messagesPerSecond) return sockets.end(entry, tooMany, 'Too many messages')
      if (isBinary) return sockets.end(entry, 1003, 'Text only')
      // It sends, but does not read.
      if (socket.bufferedAmount > limits.unsentBytes) return socket.terminate()
      receive(textOf(data)).catch((error: unknown) => {
        // graphql-ws throws this for messages that only servers send; other bad messages it answers itself.
        if (error instanceof Error && error.message.startsWith('Unexpected message of type'))
          return sockets.end(entry, CloseCode.BadRequest, 'Invalid message received')
        parts.report(error, 'a message of a socket')
        sockets.end(entry, CloseCode.InternalServerError, 'Internal server error')
      })
    })
    // ws itself closes a socket that breaks the protocol or sends too much.
    socket.on('error', () => {})
    socket.once('close', (code, reason) => {
      sockets.remove(entry)
      closed(code, String(reason)).catch((error: unknown) => parts.report(error, 'closing a socket'))
    })
  }

  return {
    upgrade(request, socket, head) {
      socket.on('error', () => {})
      const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
      if (!mayConnect(request, parts.origins())) refuse(socket, 403, 'This origin may not connect.')
      else if (!offered.includes(protocol)) refuse(socket, 400, `Speak ${protocol}.`)
      else if (sockets.unauthenticated() >= limits.unauthenticated)
        refuse(socket, 503, 'Too many sockets wait to sign in.')
      else if (sockets.unauthenticatedOf(networkOf(parts.clientAddress(request))) >= limits.unauthenticatedPerAddress)
        refuse(socket, 429, 'Too many sockets of this address wait to sign in.')
      else wsServer.handleUpgrade(request, socket, head, open)
    },
    socketCount: sockets.count,
    async close() {
      offReconnect()
      clearInterval(checks)
      await unsubscribe()
      await sockets.close()
      wsServer.close()
    },
  }
}

/** Pages of other origins may not; programs send no origin. Cookies do not count here, a token is always needed. */
function mayConnect(request: IncomingMessage, origins: readonly string[]): boolean {
  const { origin, host } = request.headers
  if (origin === undefined || origins.includes(origin)) return true
  const url = URL.canParse(origin) ? new URL(origin) : null
  return url !== null && url.host === host
}

function refuse(socket: Duplex, status: number, message: string): void {
  const body = `${JSON.stringify({ errors: [{ message }] })}\n`
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

const refusal = (message: string, code: string): GraphQLError => new GraphQLError(message, { extensions: { code } })

/** Always one Buffer with the default binaryType. */
const textOf = (data: RawData): string => (data instanceof Buffer ? data.toString() : '')
