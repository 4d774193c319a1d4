import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { Server, Socket } from 'node:net'
import { noTokens, type Tokens } from '../../server/money/reading.ts'
import { deferred } from './deferred.ts'
import { type Exchange, exchangeOf } from './fake-exchange.ts'
import { answerDefault, errorBody } from './fake-message.ts'
import { listening } from './listening.ts'
import { leaf, type ServerIdentity } from './test-ca.ts'

/** One request as the upstream received it, and how it ended. */
export interface Recorded {
  /** From 0, in order of arrival. */
  index: number
  method: string
  /** Path with query, as sent. */
  path: string
  /** Name, value, name, value …, as sent. */
  rawHeaders: string[]
  headers: IncomingMessage['headers']
  body: Buffer
  /** `performance.now()` when the head had arrived. */
  at: number
  /** Its connection; the same object for several requests means that it was reused. */
  socket: Socket
  /** The answer's `request-id`. */
  requestId: string
  /** The usage that the default answer or `count()` reported; null until then. */
  usage: { model: string; tokens: Tokens } | null
  /** `finished` when the whole answer was sent, `aborted` when the client left before. */
  closed: Promise<'finished' | 'aborted'>
}

export type Script = (exchange: Exchange) => Promise<void> | void

/** Usage of answers that were sent completely. */
export interface Totals {
  requests: number
  tokens: Tokens
  byModel: Map<string, { requests: number; tokens: Tokens }>
}

export interface FakeUpstream {
  /** http(s)://127.0.0.1:port, as `url` of an account. */
  url: string
  port: number
  requests: Recorded[]
  totals: Totals
  /** Answers the next unscripted requests with these, one each, in order; then the default answer again. */
  script(...scripts: Script[]): void
  /** Answers every request for which `when` is true, before the queue is used. Returns the function that ends this. */
  scriptWhen(when: (request: Recorded) => boolean, script: Script): () => void
  /** Resolves with request `index` (from 0) as soon as it has arrived completely. */
  arrived(index: number): Promise<Recorded>
  /** Connections that are open now. */
  connections(): number
  close(): Promise<void>
}

export interface FakeUpstreamOptions {
  /** true: the leaf certificate of test-ca.ts. */
  tls?: boolean | ServerIdentity
  /** Text deltas of a default streamed answer. Default 3. */
  deltas?: number
}

/**
 * A scripted Anthropic-format upstream: POST /v1/messages (stream and JSON), /v1/messages/count_tokens, GET /v1/models[/id].
 * Without a script it answers correctly and keeps `totals`, so that a ledger can be compared. It sets no timers.
 */
export async function createFakeUpstream(options: FakeUpstreamOptions = {}): Promise<FakeUpstream> {
  const requests: Recorded[] = []
  const queue: Script[] = []
  const rules = new Set<{ when: (request: Recorded) => boolean; script: Script }>()
  const waiting = new Map<number, ReturnType<typeof deferred<Recorded>>>()
  const totals: Totals = { requests: 0, tokens: { ...noTokens }, byModel: new Map() }
  const byPort = new Map<number, Socket>()
  let failure: unknown

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = record(incoming, response, requests.length)
    requests.push(request)
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    request.body = Buffer.concat(chunks)
    response.once('finish', () => add(totals, request))
    arrival(request.index).resolve(request)
    const script = pick(request) ?? ((exchange: Exchange) => answerDefault(exchange, options.deltas ?? 3))
    // With TLS the TCP socket is another object, and only that one can be reset.
    const tcp = byPort.get(incoming.socket.remotePort ?? 0) ?? incoming.socket
    await script(exchangeOf(request, response, tcp))
  }

  const pick = (request: Recorded): Script | undefined =>
    [...rules].find(({ when }) => when(request))?.script ?? queue.shift()

  function arrival(index: number) {
    const known = waiting.get(index) ?? deferred<Recorded>()
    waiting.set(index, known)
    return known
  }

  const onRequest = (incoming: IncomingMessage, response: ServerResponse): void => {
    handle(incoming, response).catch((error: unknown) => {
      // A client may go away at any time. Any other error is a mistake in a script; close() throws it.
      if (!incoming.socket.destroyed) failure ??= error
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end(errorBody('api_error', 'The test script failed'))
    })
  }

  const { tls } = options
  const server: Server = tls ? createHttps(tls === true ? leaf : tls, onRequest) : createHttp(onRequest)
  server.on('connection', (socket: Socket) => {
    const { remotePort = 0 } = socket
    byPort.set(remotePort, socket)
    socket.once('close', () => byPort.delete(remotePort))
  })
  const { port, sockets, close } = await listening(server)

  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    requests,
    totals,
    script: (...scripts) => void queue.push(...scripts),
    scriptWhen(when, script) {
      const rule = { when, script }
      rules.add(rule)
      return () => void rules.delete(rule)
    },
    arrived: (index) => arrival(index).promise,
    connections: () => sockets.size,
    async close() {
      await close()
      if (failure !== undefined) throw failure
    },
  }
}

function record(incoming: IncomingMessage, response: ServerResponse, index: number): Recorded {
  const ended = deferred<'finished' | 'aborted'>()
  response.once('close', () => ended.resolve(response.writableFinished ? 'finished' : 'aborted'))
  return {
    index,
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    rawHeaders: incoming.rawHeaders,
    headers: incoming.headers,
    body: Buffer.alloc(0),
    at: performance.now(),
    socket: incoming.socket,
    requestId: `req_fake_${index}`,
    usage: null,
    closed: ended.promise,
  }
}

function add(totals: Totals, { usage }: Recorded): void {
  if (usage === null) return
  const ofModel = totals.byModel.get(usage.model) ?? { requests: 0, tokens: { ...noTokens } }
  totals.byModel.set(usage.model, ofModel)
  for (const sum of [totals, ofModel]) {
    sum.requests += 1
    for (const name of Object.keys(sum.tokens) as (keyof Tokens)[]) sum.tokens[name] += usage.tokens[name]
  }
}

export type { Exchange }
