// The relay door: one request from header to bill, one step a file.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Account } from '../accounts/account.ts'
import { type Failure, fail } from '../errors.ts'
import { ClientResponse } from '../http/client-response.ts'
import { sendFailure, sendJson } from '../http/send-failure.ts'
import type { ApiKey } from '../keys/api-key.ts'
import type { Keys } from '../keys/keys.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Rejections } from '../ledger/rejections.ts'
import type { LiveSource } from '../live/hub.ts'
import type { Prices } from '../prices/open-prices.ts'
import { createRate } from '../rate.ts'
import type { RequestId } from '../request-ids.ts'
import type { Counters } from '../store/counters.ts'
import type { Format } from '../upstreams/format.ts'
import { anthropicFormat } from '../upstreams/formats/anthropic/anthropic.ts'
import { chatFormat } from '../upstreams/formats/chat/chat.ts'
import { responsesFormat } from '../upstreams/formats/responses/responses.ts'
import { createFailover, type FailoverParts } from './attempt/failover.ts'
import { clientRefusal } from './request/allowed-client.ts'
import { authenticate } from './request/authenticate.ts'
import { answerProbe, isProbe } from './request/connection-probe.ts'
import { shown } from './request/inspect.ts'
import { type KnownModels, modelBehind, modelList } from './request/models.ts'
import { openaiModelList } from './request/openai-models.ts'
import { type ClientRoute, type ReadParts, readRequest } from './request/read-request.ts'
import { type Refused, refusedKey } from './request/refused.ts'
import type { RelayRequest, RequestEnd, RunningRequest } from './request/relay-request.ts'
import { createAffinity, maySpeak } from './routing/affinity.ts'
import type { QueueLimits } from './routing/queue.ts'
import { criteriaOfNew } from './routing/route-criteria.ts'
import { createTrace, type RouteDecision, simulateRoute } from './routing/route-trace.ts'
import { createSlots } from './routing/slots.ts'
import { liveRequestOf } from './settlement/live-request.ts'
import { createReservations, type LimitPolicy } from './settlement/reservation.ts'
import { noReservation } from './settlement/reserved.ts'
import { admittedOf, settle } from './settlement/settlement.ts'

/** What stands behind /openai, without the list of models. */
const openaiRoutes: Readonly<Record<string, Format>> = {
  '/v1/chat/completions': chatFormat,
  '/v1/responses': responsesFormat,
}

type BuiltHere = 'slots' | 'remember' | 'foreignBefore' | 'reservations' | 'report'

export interface RelayParts extends Omit<FailoverParts, BuiltHere>, Omit<ReadParts, 'modelsUrl' | 'modelBehind'> {
  /** What ANTHROPIC_BASE_URL is to be. */
  baseUrl: () => string
  /** What OPENAI_BASE_URL is to be. */
  openaiBaseUrl: () => string
  queue: QueueLimits
  keys: Keys
  ledger: Ledger
  prices: Prices
  counters: Counters
  live: LiveSource
  rejections: Pick<Rejections, 'count'>
  limitPolicy: () => LimitPolicy
  /** The address of the page that shows a key its limits; null: none is known. */
  keyPage: () => string | null
  chance: () => number
  /** A failure that is ours: nothing of it reaches the client. */
  onError: (error: unknown, requestId: string) => void
}

export interface Relay {
  /** Below /claude-code. */
  handle(req: IncomingMessage, res: ServerResponse, path: string, query: string, id: RequestId): void
  /** Below /openai. */
  handleOpenai(req: IncomingMessage, res: ServerResponse, path: string, query: string, id: RequestId): void
  /** The choices made for a request, while they are in this process's memory. */
  traceOf(requestId: string): RouteDecision[]
  /** The choice that a new conversation of this key would find now. */
  simulate(key: { id: number; groupId: number }, model: string): RouteDecision
  /** Resolves when no request is under way. */
  idle(): Promise<void>
  /** Resolves when nothing is under way; responses still running at the deadline are ended with an error. */
  drain(deadlineMs: number): Promise<void>
}

export function createRelay(parts: RelayParts): Relay {
  const { keys, accounts, ledger, prices, live, now } = parts
  // `/context` in Claude Code asks 26 times in a tenth of a second.
  const countRate = createRate<number>({ burst: 200, perSecond: 50, now })
  const readParts: ReadParts = {
    ...parts,
    modelsUrl: ({ name }) =>
      name === 'anthropic' ? `${parts.baseUrl()}/v1/models` : `${parts.openaiBaseUrl()}/models`,
    modelBehind: ({ groupId }, name) =>
      modelBehind(name, (own) => accounts.ofGroup(groupId).some(({ mapping }) => mapping.names.includes(own))),
  }
  const onPosition = (running: RunningRequest, position: number | null): void => {
    if (position !== null) show(running)
    const shown = running.live
    if (!shown || shown.queuePosition === position) return
    shown.queuePosition = position
    live.progress(shown)
  }
  const reservations = createReservations({ ...parts, policy: parts.limitPolicy, onPosition })
  const trace = createTrace()
  const slots = createSlots({ ...parts, trace, onPosition })
  const affinity = createAffinity(parts)
  let inFlight = 0
  const failover = createFailover({
    ...parts,
    slots,
    reservations,
    report: accounts.report,
    remember: ({ request }, criteria, account) => affinity.remember(request, criteria, account),
    foreignBefore: affinity.foreignBefore,
  })
  const waiting: (() => void)[] = []

  function handle(req: IncomingMessage, res: ServerResponse, path: string, query: string, id: RequestId): void {
    const { method } = req
    // SDKs whose base URL already ends in /v1 ask for /v1/v1/….
    const route = path.startsWith('/v1/v1/') ? path.slice(3) : path
    if (method === 'POST' && (route === '/v1/messages' || route === '/v1/messages/count_tokens')) {
      const metered = route === '/v1/messages'
      void serve(req, res, { path: route, query, id, format: anthropicFormat, metered })
    } else if (method === 'GET' && (route === '/v1/models' || route.startsWith('/v1/models/'))) {
      listModels(req, res, id, anthropicFormat, (key, members, known) => modelList(key, members, known, route, query))
    } else if (isProbe(method, route)) answerProbe(res)
    else {
      const hint = `There is no ${method} ${shown(path)} here. Claude Code's base URL is ${parts.baseUrl()}.`
      sendFailure(req, res, fail('route_unknown', hint), id.text)
    }
  }

  /** The same for clients of OpenAI's formats, with `/v1` in their base URL or without. */
  function handleOpenai(req: IncomingMessage, res: ServerResponse, path: string, query: string, id: RequestId): void {
    const { method } = req
    const route = path.startsWith('/v1/v1/') ? path.slice(3) : path.startsWith('/v1') ? path : `/v1${path}`
    const format = openaiRoutes[route]
    if (method === 'POST' && format) void serve(req, res, { path: route, query, id, format, metered: true })
    else if (method === 'GET' && (route === '/v1/models' || route.startsWith('/v1/models/')))
      listModels(req, res, id, chatFormat, (key, members, known) => openaiModelList(key, members, known, route))
    else if (isProbe(method, path)) answerProbe(res)
    else {
      const hint = `There is no ${method} ${shown(path)} here. The base URL for OpenAI clients is ${parts.openaiBaseUrl()}.`
      sendFailure(req, res, fail('route_unknown', hint), id.text, chatFormat)
    }
  }

  function keyOf(req: IncomingMessage, format: Format): ApiKey | Refused {
    const key = authenticate(req.headers, keys, now(), format)
    if ('failure' in key) return key
    const refusal = clientRefusal(key, parts.clientAddress(req), req.headers['user-agent'] ?? '')
    return refusal ? refusedKey(key, refusal) : key
  }

  function listModels(
    req: IncomingMessage,
    res: ServerResponse,
    id: RequestId,
    format: Format,
    list: (key: ApiKey, members: readonly Account[], known: KnownModels) => object | Failure,
  ): void {
    const key = keyOf(req, format)
    const { platforms } = parts
    const members = 'failure' in key ? [] : accounts.ofGroup(key.groupId)
    const found =
      'failure' in key
        ? key.failure
        : list(
            key,
            members.filter(({ platform }) => maySpeak(format, platforms[platform])),
            {
              names: prices.book().knownModels(),
              speaksClaude: ({ platform }) => platforms[platform]?.format === anthropicFormat,
            },
          )
    if (isFailure(found)) sendFailure(req, res, found, id.text, format)
    else sendJson(res, found, id.text)
  }

  /** Counts the request while it runs. What goes wrong in it reaches the client as an error of ours. */
  async function serve(req: IncomingMessage, res: ServerResponse, route: ClientRoute): Promise<void> {
    const { id, format } = route
    const client = new ClientResponse(res, parts.timers.blockedMs, now)
    inFlight++
    try {
      const read = await readRequest(readParts, req, res, route)
      if (read === null) return
      if ('failure' in read) {
        if (route.metered) reject(read)
        return sendFailure(req, client, read.failure, id.text, format)
      }
      try {
        const { request } = read
        const failure = await (request.metered ? relayMessage(request, client) : relayCount(request, client))
        if (failure) sendFailure(req, client, failure, id.text, format)
      } finally {
        read.release()
      }
    } catch (error) {
      parts.onError(error, id.text)
      if (client.headersSent) client.destroy()
      else sendFailure(req, client, fail('internal', `The relay failed. Request id: ${id.text}.`), id.text, format)
    } finally {
      inFlight--
      if (inFlight === 0) for (const resolve of waiting.splice(0)) resolve()
    }
  }

  /** Returns why the request was not admitted; undefined: it has its response and its row. */
  async function relayMessage(request: RelayRequest, client: ClientResponse): Promise<Failure | undefined> {
    const { id } = request
    const criteria = affinity.criteriaOf(request)
    const running = runningOf(request, client)
    const reservation = await reservations.reserve(running)
    if ('code' in reservation) return rejected(request, reservation, running)
    running.reservation = reservation
    if (request.key.validForDays !== null)
      void keys.begin(request.key, id.atMs).catch((error) => parts.onError(error, id.text))
    // Nothing is recorded of a request that no account takes: it is counted among the rejections.
    const first = slots.take(running, criteria) ?? (await failover.firstSlot(running, criteria))
    if (first === undefined && !client.hasLeft) {
      reservations.release(reservation, request)
      return rejected(request, failover.noAccount(running, criteria), running)
    }
    const admitted = admittedOf(request, first?.account)
    const admission = ledger.admit(admitted)
    if ((await admission.written) !== undefined) {
      first?.free()
      reservations.release(reservation, request)
      const failure = fail('ledger_unavailable', 'The relay cannot record usage at the moment.', { retryAfterS: 5 })
      return rejected(request, failure, running)
    }
    show(running)
    // Whatever goes wrong in here: what was admitted is settled.
    let end: RequestEnd = { outcome: 'failed', httpStatus: 500, errorType: 'internal' }
    try {
      end = await failover.forward(running, first, criteria)
    } finally {
      settle({ ledger, live, reservations, now }, running, admission, admitted, end)
    }
    return undefined
  }

  /** Live subscribers see the request from here on. */
  function show(running: RunningRequest): void {
    if (running.live !== null || !running.request.metered) return
    running.live = liveRequestOf(running.request, running.account ?? undefined)
    live.started(running.live)
  }

  function rejected(request: RelayRequest, failure: Failure, running?: RunningRequest): Failure {
    reject(refusedKey(request.key, failure), running?.live?.requestId)
    return failure
  }

  function reject({ failure, key, secretHash }: Refused, shownId?: string): void {
    if (shownId !== undefined) live.left(shownId)
    const { id = 0, name = '', userId = 0, groupId = 0 } = key ?? {}
    const caller = { apiKeyId: id, apiKeyName: name, userId, groupId, secretHash }
    parts.rejections.count(caller, failure.code, failure.message, shownId)
  }

  const runningOf = (request: RelayRequest, client: ClientResponse): RunningRequest => ({
    request,
    client,
    reservation: noReservation(),
    live: null,
    attempts: [],
    account: null,
    giveBackFailover: null,
  })

  /** count_tokens is free: no row and no limits, but a rate of its own. */
  async function relayCount(request: RelayRequest, client: ClientResponse): Promise<Failure | undefined> {
    if (!countRate.allows(request.key.id))
      return fail('count_rate_reached', 'Too many count_tokens requests of this key at once.', { retryAfterS: 1 })
    const criteria = affinity.criteriaOf(request)
    const running = runningOf(request, client)
    await failover.forward(running, slots.take(running, criteria), criteria)
    return undefined
  }

  const idle = (): Promise<void> =>
    inFlight === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))

  return {
    handle,
    handleOpenai,
    idle,
    traceOf: trace.of,
    simulate: (key, model) =>
      simulateRoute(key, accounts.ofGroup(key.groupId), criteriaOfNew(model, now(), parts.chance)),
    async drain(deadlineMs) {
      const timer = setTimeout(failover.cutOff, deadlineMs)
      await idle()
      clearTimeout(timer)
    },
  }
}

const isFailure = (found: object): found is Failure => 'code' in found
