// The one HTTP server: route table, request ids, limits of size and time, errors in the caller's format.
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type Failure, fail } from '../errors.ts'
import type { RequestId } from '../request-ids.ts'
import type { Format } from '../upstreams/format.ts'
import { anthropicFormat } from '../upstreams/formats/anthropic/anthropic.ts'
import { chatFormat } from '../upstreams/formats/chat/chat.ts'
import { createCors } from './cors.ts'
import { carriesBody, sendFailure } from './send-failure.ts'

export interface HttpParts {
  /** Everything below /claude-code; `path` is what follows it, `query` begins with ? or is empty. */
  relay: (req: IncomingMessage, res: ServerResponse, path: string, query: string, id: RequestId) => void
  /** The same below /openai. */
  openai: (req: IncomingMessage, res: ServerResponse, path: string, query: string, id: RequestId) => void
  /** POST /graphql, and its page. */
  graphql: (req: IncomingMessage, res: ServerResponse, id: RequestId) => void
  /** POST /graphql/key: what the holder of an API key may read. */
  keyHolder: (req: IncomingMessage, res: ServerResponse, id: RequestId) => void
  /** A WebSocket for /graphql. */
  upgrade: (req: IncomingMessage, socket: Socket, head: Buffer) => void
  /** The dashboard: true when the path was one of its files or pages. */
  page: (req: IncomingMessage, res: ServerResponse, path: string) => boolean
  /** Why no new requests are welcome; null: they are. */
  notReady: () => string | null
  requestId: () => RequestId
  baseUrl: () => string
  /** Origins of pages that may call the relay; `*`: all. */
  corsOrigins: readonly string[]
  /** The dashboard is reached by https, so responses carry HSTS. */
  isHttps: boolean
  limits?: HttpLimits
  /** How long an idle connection of a client stays open. */
  keepAliveMs: number
}

export interface HttpLimits {
  /** A request's headers must be there within this time. */
  headersMs: number
  /** How often that is looked at. */
  checkMs: number
  headerBytes: number
  headerCount: number
}

const defaultLimits: HttpLimits = { headersMs: 12_000, checkMs: 3_000, headerBytes: 16 * 1024, headerCount: 150 }
const relayPrefix = '/claude-code'
const openaiPrefix = '/openai'
const graphqlPath = '/graphql'
const keyHolderPath = '/graphql/key'
/** How long a connection that was told why it is closed may go on sending: a reset could overtake the response. */
const lingerMs = 1000
/** So many requests may wait on a connection for the responses before them. */
const maxAhead = 100

export function createHttp(parts: HttpParts): Server {
  const limits = parts.limits ?? defaultLimits
  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    // Bodies have a clock of their own (relay/request/read-body.ts): it grows with what arrives.
    requestTimeout: 0,
    connectionsCheckingInterval: limits.checkMs,
    keepAliveTimeout: parts.keepAliveMs,
    noDelay: true,
    // Refused below instead, in the format of all other errors.
    requireHostHeader: false,
  })
  const cors = createCors(parts.corsOrigins)
  const closing = new WeakSet<Socket>()
  /** Responses by connection, in order. Only the first is under way, the others wait. */
  const responsesOf = new WeakMap<Socket, ServerResponse[]>()
  // Node silently drops headers beyond its own count; ours is reached well before it, and gets a 431.
  server.maxHeadersCount = limits.headerCount * 4

  /**
   * Routes the requests of a connection one after another. Node lets a client send them ahead, but a response that has no
   * connection yet hears neither that the client left nor that it does not read.
   */
  function routeInTurn(req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req
    const responses = responsesOf.get(socket) ?? []
    responsesOf.set(socket, responses)
    responses.push(res)
    res.once('close', () => {
      responses.shift()
      const [next] = responses
      if (next !== undefined && !socket.destroyed && !closing.has(socket)) route(next.req, next)
    })
    if (responses.length === 1) route(req, res)
    else if (responses.length > maxAhead) socket.destroy()
  }

  function route(req: IncomingMessage, res: ServerResponse): void {
    const id = parts.requestId()
    const url = withoutOrigin(req.url ?? '/')
    req.url = url
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    if (req.rawHeaders.length > limits.headerCount * 2) {
      const failure = fail('headers_too_large', `More than ${limits.headerCount} headers.`, { closes: true })
      return sendFailure(req, res, failure, id.text, formatAt(path))
    }
    if (req.headers.host === undefined && req.httpVersionMinor > 0) {
      const failure = fail('request_invalid', 'HTTP/1.1 asks for a host header.', { closes: true })
      return sendFailure(req, res, failure, id.text, formatAt(path))
    }
    // Nobody reads the body of such a request, and none has a clock.
    if (isRead(req) && carriesBody(req)) res.shouldKeepAlive = false
    const isOpenai = isBelow(openaiPrefix, path)
    if (isOpenai || isBelow(relayPrefix, path)) {
      if (cors(req, res)) return
      const prefix = isOpenai ? openaiPrefix : relayPrefix
      const serve = isOpenai ? parts.openai : parts.relay
      serve(req, res, path.slice(prefix.length), mark < 0 ? '' : url.slice(mark), id)
      return
    }
    // A year. The relay's own paths need none: no browser opens them by typing.
    if (parts.isHttps) res.setHeader('strict-transport-security', 'max-age=31536000')
    if (path === graphqlPath) {
      parts.graphql(req, res, id)
    } else if (path === keyHolderPath) {
      parts.keyHolder(req, res, id)
    } else if (path === '/health' && isRead(req)) {
      plain(req, res, 200, 'ok')
    } else if (path === '/ready' && isRead(req)) {
      const why = parts.notReady()
      plain(req, res, why === null ? 200 : 503, why ?? 'ready')
    } else if (!parts.page(req, res, path)) {
      const hint = `There is nothing here. Claude Code's base URL is ${parts.baseUrl()}.`
      sendFailure(req, res, fail('route_unknown', hint), id.text)
    }
  }

  server.on('request', routeInTurn)
  // A client that waits for "continue" before it sends its body: the relay decides by the headers and says it itself.
  server.on('checkContinue', routeInTurn)
  // Another expectation is ignored: node would refuse it without a word.
  server.on('checkExpectation', routeInTurn)
  server.on('upgrade', (req: IncomingMessage, socket: Socket, head: Buffer) => {
    if (req.headers.upgrade?.toLowerCase() !== 'websocket') return readAgain(req, socket, head)
    socket.on('error', () => {})
    const url = withoutOrigin(req.url ?? '/')
    if (url === graphqlPath || url.startsWith(`${graphqlPath}?`)) return parts.upgrade(req, socket, head)
    const failure = fail('upgrade_refused', 'This path does not speak WebSocket. Use plain HTTP.')
    socket.end(rawFailure(failure, parts.requestId(), formatAt(url)))
    socket.destroySoon()
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // The connection is being closed: what it still sends is dropped.
    if (closing.has(socket) && error.code !== 'ECONNRESET') return
    const [first] = responsesOf.get(socket) ?? []
    if (!socket.writable || error.code === 'ECONNRESET') return socket.destroy()
    if (first?.req.complete) {
      // What follows a whole request is not HTTP: that request gets its response first, and the connection ends with it.
      closing.add(socket)
      first.once('close', () => socket.destroySoon())
      return
    }
    // A response is under way on this connection: a second status line inside it would corrupt it.
    if (first?.headersSent) return socket.destroy()
    closing.add(socket)
    socket.end(rawFailure(protocolFailure(error.code), parts.requestId()))
    setTimeout(() => socket.destroy(), lingerMs).unref()
  })

  /** A client that offers another protocol, as Java's offers `h2c`, is served in HTTP/1.1: its request is read again without the offer. */
  function readAgain(req: IncomingMessage, socket: Socket, rest: Buffer): void {
    const lines = [`${req.method} ${req.url} HTTP/${req.httpVersion}`]
    for (let i = 0; i < req.rawHeaders.length; i += 2) {
      if (req.rawHeaders[i]!.toLowerCase() !== 'upgrade') lines.push(`${req.rawHeaders[i]}: ${req.rawHeaders[i + 1]}`)
    }
    socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), rest]))
    server.emit('connection', socket)
  }
  return server
}

/** A request may name the whole URL, as for a proxy. What follows the host counts. */
function withoutOrigin(url: string): string {
  const rest = /^https?:\/\/[^/?]+(.*)$/i.exec(url)?.[1]
  return rest === undefined ? url : rest.startsWith('/') ? rest : `/${rest}`
}

function protocolFailure(code: string | undefined): Failure {
  if (code === 'HPE_HEADER_OVERFLOW') return fail('headers_too_large', 'The request headers are too large.')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return fail('body_too_slow', 'The request did not arrive in time.')
  return fail('request_invalid', 'The request is not valid HTTP/1.1.')
}

/** A whole HTTP response for sockets that have no response object. */
function rawFailure(failure: Failure, id: RequestId, format: Format = anthropicFormat): string {
  const body = format.errorBody(failure.type, failure.message, id.text)
  const upgrade = failure.status === 426 ? 'upgrade: HTTP/1.1\r\n' : ''
  const retry = failure.shouldRetry === undefined ? '' : `x-should-retry: ${failure.shouldRetry}\r\n`
  return (
    `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status] ?? 'Error'}\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\nrequest-id: ${id.text}\r\n` +
    `${upgrade}${retry}connection: close\r\n\r\n${body.toString('utf8')}`
  )
}

const isBelow = (prefix: string, path: string): boolean =>
  path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')

/** What whoever asks here reads. */
const formatAt = (path: string): Format => (isBelow(openaiPrefix, path) ? chatFormat : anthropicFormat)

const isRead = (req: IncomingMessage): boolean => req.method === 'GET' || req.method === 'HEAD'

function plain(req: IncomingMessage, res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, {
    'content-type': 'text/plain',
    'content-length': Buffer.byteLength(text) + 1,
    'cache-control': 'no-store',
  })
  res.end(req.method === 'HEAD' ? undefined : `${text}\n`)
}
