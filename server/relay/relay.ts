import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Failure, fail } from '../errors.ts'
import type { ClientAddress } from '../http/client-address.ts'
import { ClientResponse } from '../http/client-response.ts'
import { sendFailure, sendJson } from '../http/send-failure.ts'
import type { Keys } from '../keys/keys.ts'
import type { RequestId } from '../request-ids.ts'
import type { ZoneDay } from '../zone-days.ts'
import { createFailover, type Ended, type FailoverParts } from './attempt/failover.ts'
import { authenticate } from './request/authenticate.ts'
import { conversationOf } from './request/conversation.ts'
import { createCountRate } from './request/count-rate.ts'
import type { Exchange } from './request/exchange.ts'
import { readRequestHeaders } from './request/headers.ts'
import { inspect, shown } from './request/inspect.ts'
import { modelAnswer } from './request/models.ts'
import { type ByteBudget, type ReadLimits, readBody } from './request/read-body.ts'
import type { QueueLimits } from './routing/queue.ts'
import { createTrace, type RouteDecision, simulateRoute } from './routing/route-trace.ts'
import { simulatedWish } from './routing/schedule.ts'
import { createPlaces } from './routing/slots.ts'
import { admittedOf, entryOf } from './settlement/entries.ts'
import { liveRequestOf, settledOf } from './settlement/live-entries.ts'
import { createTickets } from './settlement/reservations.ts'
import { freeTicket } from './settlement/reserve.ts'

export interface RelayParts extends Omit<FailoverParts, 'inFlight' | 'places'> {
  queue: QueueLimits
  keys: Keys
  budget: ByteBudget
  readLimits: ReadLimits
  dayAt: (atMs: number) => ZoneDay
  clientAddress: ClientAddress
  /** The base URL people should use, for messages. */
  baseUrl: () => string
  /** A failure that is ours: nothing of it reaches the client. */
  onError: (error: unknown, requestId: string) => void
}

export interface Relay {
  handle(req: IncomingMessage, res: ServerResponse, path: string, query: string, id: RequestId): void
  /** The choices made for a request, while they are in this process's memory. */
  traceOf(requestId: string): RouteDecision[]
  /** The choice that a new conversation of this key would find now. */
  simulate(key: { id: number; groupId: number }, model: string): RouteDecision
  /** Resolves when no request is under way. */
  idle(): Promise<void>
  /** Resolves when nothing is under way; answers still running at the deadline are ended with an error. */
  drain(deadlineMs: number): Promise<void>
}

/** The relay door: one request from header to bill, one step a file. */
export function createRelay(parts: RelayParts): Relay {
  const { keys, accounts, prices, ledger, now } = parts
  const countRate = createCountRate(now)
  const tickets = createTickets(parts)
  let inFlight = 0
  const trace = createTrace()
  const places = createPlaces({ ...parts, trace })
  const { wishOf, forward, cutOff } = createFailover({ ...parts, places, inFlight: () => inFlight })
  const waiting: (() => void)[] = []

  function handle(req: IncomingMessage, res: ServerResponse, path: string, query: string, id: RequestId): void {
    const answer = (failure: Failure) => sendFailure(req, res, failure, id.text)
    const { method } = req
    // SDKs whose base URL already ends in /v1 ask for /v1/v1/….
    const route = path.startsWith('/v1/v1/') ? path.slice(3) : path
    if (method === 'POST' && (route === '/v1/messages' || route === '/v1/messages/count_tokens')) {
      const client = new ClientResponse(res, parts.timers.blockedMs)
      void underWay(relayRead(req, res, client, route, query, id), req, client, id)
    } else if (method === 'GET' && (route === '/v1/models' || route.startsWith('/v1/models/'))) {
      const key = authenticate(req.headers, keys, now())
      if ('code' in key) return answer(key)
      const found = modelAnswer(key, accounts.ofGroup(key.groupId), prices.book().knownModels(), route, query)
      if ('code' in found) return answer(found)
      sendJson(res, found, id.text)
    } else if ((method === 'HEAD' || method === 'GET') && (route === '' || route === '/' || route === '/api/hello')) {
      // Probes that clients send to warm a connection: harmless, without a key, without a log line.
      res.writeHead(200, { 'content-length': 0 })
      res.end()
    } else {
      answer(
        fail(
          'route_unknown',
          `There is no ${method} ${shown(path)} here. Claude Code's base URL is ${parts.baseUrl()}.`,
        ),
      )
    }
  }

  /** Counts a request while it runs. What goes wrong in it reaches the client as an error of ours. */
  async function underWay(
    running: Promise<void>,
    req: IncomingMessage,
    res: ClientResponse,
    id: RequestId,
  ): Promise<void> {
    inFlight++
    try {
      await running
    } catch (error) {
      parts.onError(error, id.text)
      if (res.headersSent) res.destroy()
      else sendFailure(req, res, fail('internal', `The relay failed. Request id: ${id.text}.`), id.text)
    } finally {
      inFlight--
      if (inFlight === 0) for (const resolve of waiting.splice(0)) resolve()
    }
  }

  const idle = (): Promise<void> =>
    inFlight === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))

  async function relayRead(
    req: IncomingMessage,
    res: ServerResponse,
    client: ClientResponse,
    route: string,
    query: string,
    id: RequestId,
  ): Promise<void> {
    const key = authenticate(req.headers, keys, id.atMs)
    if ('code' in key) return sendFailure(req, res, key, id.text)
    const body = await readBody(req, res, parts.budget, parts.readLimits)
    if (body === null) return
    if ('code' in body) return sendFailure(req, res, body, id.text)
    try {
      const headers = readRequestHeaders(req.rawHeaders, req.headers.connection)
      const exchange = openExchange(req, client, body.bytes, { key, id, route, query, headers })
      if ('failure' in exchange) return sendFailure(req, res, exchange.failure, id.text)
      await (exchange.metered ? relayMetered(exchange) : relayCount(exchange))
    } finally {
      body.give()
    }
  }

  /** Body found good, model allowed: everything the next steps ask for, in one place. */
  function openExchange(
    req: IncomingMessage,
    res: ClientResponse,
    bytes: Buffer,
    { key, id, route, query, headers }: Pick<Exchange, 'key' | 'id' | 'query' | 'headers'> & { route: string },
  ): Exchange | { failure: Failure } {
    const inspected = inspect(bytes)
    if ('code' in inspected) return { failure: inspected }
    if (!key.models.allows(inspected.model)) {
      const failure = fail(
        'model_not_allowed',
        `This API key may not use the model ${shown(inspected.model)}. GET ${parts.baseUrl()}/v1/models lists the ones it may.`,
      )
      return { failure }
    }
    const conversation = conversationOf(key.id, req.headers, bytes, inspected.metadata, inspected.firstMessage)
    const metered = route === '/v1/messages'
    const exchange: Exchange = {
      id,
      ledgerId: metered ? id.key : '',
      req,
      res,
      key,
      path: route,
      query,
      headers,
      body: bytes,
      model: inspected.model,
      modelSpan: inspected.modelSpan,
      lastMessage: inspected.lastMessage,
      stream: metered && inspected.stream,
      maxTokens: inspected.maxTokens,
      hasTags: inspected.hasTags,
      requestBytes: bytes.length,
      // Written out: a spread here makes every later access of the exchange slow.
      sessionId: conversation.sessionId,
      agentId: conversation.agentId,
      stickyKey: conversation.stickyKey,
      cameFrom: null,
      metered,
      account: null,
      holdsPlace: false,
      ticket: freeTicket,
      clientLeft: false,
      call: null,
      told: null,
      firstByteAtMs: 0,
      attempts: [],
      renewedId: 0,
    }
    res.onLeave(() => {
      exchange.clientLeft = true
      exchange.call?.clientIsGone()
    })
    return exchange
  }

  async function relayMetered(exchange: Exchange): Promise<void> {
    const { id, key, req, res } = exchange
    if (key.dailyLimitNano !== null || key.totalLimitNano !== null) {
      const amount = prices.estimateReservation(exchange.model, exchange.requestBytes, exchange.maxTokens, id.atMs)
      const ticket = await tickets.hold(exchange, amount)
      if ('code' in ticket) return sendFailure(req, res, ticket, id.text)
      exchange.ticket = ticket
    }
    const wish = wishOf(exchange)
    const first = places.take(exchange, wish)
    const admitted = admittedOf(exchange, first, parts.clientAddress(req))
    const admission = ledger.admit(admitted)
    if ((await admission.written) !== undefined) {
      places.free(exchange)
      tickets.release(exchange)
      return sendFailure(
        req,
        res,
        fail('ledger_unavailable', 'The relay cannot record usage at the moment.', { retryAfterS: 5 }),
        id.text,
      )
    }
    const told = liveRequestOf(exchange, first)
    exchange.told = told
    parts.live.started(told)
    // Whatever goes wrong in here: what was admitted is settled.
    let ended: Ended = { outcome: 'failed', httpStatus: 500, errorType: 'internal' }
    try {
      ended = await forward(exchange, first, wish)
    } finally {
      places.free(exchange)
      const entry = entryOf(exchange, admitted, ended, now())
      const { spentNano, record } = ledger.settle(admission, entry)
      tickets.settle(exchange, spentNano)
      parts.live.settled(settledOf(entry, told, record))
    }
  }

  async function relayCount(exchange: Exchange): Promise<void> {
    const { key, req, res, id } = exchange
    if (!countRate.allows(key.id)) {
      return sendFailure(
        req,
        res,
        fail('count_rate_reached', 'Too many count_tokens requests of this key at once.', { retryAfterS: 1 }),
        id.text,
      )
    }
    const wish = wishOf(exchange)
    await forward(exchange, places.take(exchange, wish), wish)
  }

  return {
    handle,
    idle,
    traceOf: trace.of,
    simulate: (key, model) =>
      simulateRoute(key, accounts.ofGroup(key.groupId), simulatedWish(model, now(), parts.chance)),
    async drain(deadlineMs) {
      const timer = setTimeout(cutOff, deadlineMs)
      await idle()
      clearTimeout(timer)
    },
  }
}
