import { fileURLToPath } from 'node:url'
import { createLogins } from '../accounts/login/oauth-login.ts'
import { fail } from '../errors.ts'
import { createGraphqlDoor } from '../graphql/server/door.ts'
import { type Enveloped, openSocketDoor } from '../graphql/server/websocket.ts'
import { createClientAddress } from '../http/client-address.ts'
import { listen } from '../http/listen.ts'
import { sendFailure } from '../http/send-failure.ts'
import { createHttp } from '../http/server.ts'
import { createStaticClient } from '../http/static-client.ts'
import { createLimitStatus } from '../keys/limit-status.ts'
import { roomLog } from '../log.ts'
import { maxJsonBytes } from '../relay/attempt/response/json-response.ts'
import { createByteBudget } from '../relay/byte-budget.ts'
import { createRelay } from '../relay/relay.ts'
import { defaultReadLimits } from '../relay/request/read-body.ts'
import { defaultTimers } from '../relay/timers.ts'
import { createAccountTest } from '../upstreams/account-test.ts'
import { chatFormat } from '../upstreams/formats/chat/chat.ts'
import { platforms } from '../upstreams/platforms/platforms.ts'
import { createBench } from '../upstreams/rules/rule-trial.ts'
import type { Services } from './build-services.ts'
import type { AppContext } from './context.ts'
import type { Stores } from './open-stores.ts'

export interface AppServer {
  /** http://host:port. */
  url: string
  /** Where the first administrator is made; null when there is one. Secret. */
  setupPath: string | null
  /** Resolves when no relay request is running. */
  idle(): Promise<void>
  /** Refuses new requests, lets running ones end within `drainMs`, and closes all sockets. */
  stop(drainMs: number): Promise<void>
}

/** Beside the built program: dist/client for dist/server/app/build-server.js, and for server/app/build-server.ts too. */
const clientDirectory = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/client/' : '../../client/',
  import.meta.url,
)

/** Third step of the start: the doors behind one HTTP server, which listens when this resolves. */
export async function buildServer(context: AppContext, stores: Stores, services: Services): Promise<AppServer> {
  const { config, log, options, now, chance, dayAt, report, onClose } = context
  const { database, seal, events, counters } = stores
  const {
    accounts,
    gauges,
    keys,
    sightings,
    rules,
    users,
    passwords,
    live,
    prices,
    reratings,
    ledger,
    jobs,
    transport,
    classifier,
    requestId,
  } = services
  const { renew } = services.renewals
  const isHttps = config.publicUrl?.startsWith('https:') ?? false
  let url = ''
  const baseUrl = () => `${config.publicUrl ?? url}/claude-code`
  const openaiBaseUrl = () => `${config.publicUrl ?? url}/openai/v1`
  const clientAddress = createClientAddress(config.trustedProxies)
  const readLimits = { ...defaultReadLimits, ...options.readLimits }
  const relay = createRelay({
    clientAddress,
    keys,
    sightings,
    accounts,
    prices,
    ledger,
    counters,
    transport,
    platforms,
    classifier,
    gauges,
    renew,
    live,
    rejections: services.rejections,
    limitPolicy: () => services.limits,
    keyPage: () => (config.publicUrl === null ? null : `${config.publicUrl}/stats/api-key`),
    queue: { waitMs: config.queueWaitMs, length: config.queueLength, ...options.queue },
    budget: createByteBudget(options.bodyMemoryBytes ?? config.bodyMemoryBytes, readLimits.bodyBytes),
    readLimits,
    responseBudget: createByteBudget(options.responseMemoryBytes ?? config.responseMemoryBytes, maxJsonBytes),
    timers: { ...defaultTimers, ...options.timers },
    maxEventBytes: config.streamEventBytes,
    disconnect: config.clientDisconnect,
    now,
    chance,
    baseUrl,
    openaiBaseUrl,
    onError: (error, requestId) =>
      roomLog(log, 'relay').error({ err: error, requestId }, 'a request failed inside the relay'),
  })
  const { authorizeAddress, exchange } = services.oauth
  const door = createGraphqlDoor({
    database,
    seal,
    events,
    users,
    passwords,
    accounts,
    gauges,
    keys,
    prices,
    reratings,
    rules,
    bench: createBench(rules, platforms),
    live,
    changed: services.reload.changed,
    routes: relay,
    jobs,
    logins: createLogins({ database, seal, now, authorizeAddress, exchange }),
    testAccount: createAccountTest({ transport, platforms, classifier, accounts, gauges, renew, now }),
    dayAt,
    now,
    newId: requestId,
    log: roomLog(log, 'graphql'),
    version: options.version ?? 'unknown',
    baseUrl,
    clientAddress,
    timeZone: config.timeZone,
    secureCookies: isHttps,
    limitsOf: createLimitStatus({
      counters,
      spentNano: ledger.spentNano,
      windows: () => services.limits.windows,
      now,
    }),
  })
  const sockets = await openSocketDoor({
    enveloped: door.graphql.enveloped as Enveloped,
    sessions: door.sessions,
    events,
    live,
    origins: () => (config.publicUrl === null ? [] : [new URL(config.publicUrl).origin]),
    clientAddress,
    now,
    report: report('graphql'),
  })
  let socketsClosed: Promise<void> | null = null
  const closeSockets = () => {
    socketsClosed ??= sockets.close()
    return socketsClosed
  }
  onClose(closeSockets)
  const client = createStaticClient({ directory: options.clientDirectory ?? fileURLToPath(clientDirectory) })

  let isReady = true
  const isStopping = () =>
    fail('stopping', 'This relay is stopping. Try again shortly.', { retryAfterS: 1, closes: true })
  const server = createHttp({
    keepAliveMs: config.keepAliveMs,
    graphql: door.graphql.handle,
    keyHolder: door.keyHolder,
    upgrade: sockets.upgrade,
    page: client.serve,
    relay(req, res, path, query, id) {
      if (isReady) relay.handle(req, res, path, query, id)
      else sendFailure(req, res, isStopping(), id.text)
    },
    openai(req, res, path, query, id) {
      if (isReady) relay.handleOpenai(req, res, path, query, id)
      else sendFailure(req, res, isStopping(), id.text, chatFormat)
    },
    notReady: () => (isReady ? ledger.problem() : 'stopping'),
    corsOrigins: config.corsOrigins,
    isHttps,
    requestId,
    baseUrl,
    limits: options.httpLimits,
  })
  url = await listen(server, config)

  return {
    url,
    setupPath: (await door.setup.isNeeded()) ? door.setup.linkPath() : null,
    idle: () => relay.idle(),
    async stop(drainMs) {
      // Still listening while responses run: /ready and /health are answered, new requests get a 529.
      isReady = false
      // A request whose body is still on its way has no response that could end with an error.
      const lastResort = setTimeout(() => server.closeAllConnections(), drainMs + 1000)
      await relay.drain(drainMs)
      clearTimeout(lastResort)
      // The server would wait for an open WebSocket without end.
      await closeSockets()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}
