// Over 300 lines: the composition root; every part is named, wired and closed here, once.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Account, accountsChanged, createAccounts } from '../accounts/accounts.ts'
import { createGauges, gaugesNoted } from '../accounts/gauges/gauges.ts'
import { createLogins } from '../accounts/login/oauth-login.ts'
import { createRenewals } from '../accounts/login/oauth-renewal.ts'
import { accountReported } from '../accounts/state/reports.ts'
import type { StatePolicy } from '../accounts/state/state.ts'
import type { Transition } from '../accounts/state/transitions.ts'
import type { Config } from '../config/config.ts'
import { loadMasterSecret } from '../config/master-secret.ts'
import { naming, readCa, readText } from '../config/setting-files.ts'
import { fail } from '../errors.ts'
import { createGraphqlDoor } from '../graphql/server/door.ts'
import { type Enveloped, openSocketDoor } from '../graphql/server/websocket.ts'
import { readSettings, settingsChanged } from '../graphql/settings/settings.ts'
import { createClientAddress } from '../http/client-address.ts'
import { listen } from '../http/listen.ts'
import { sendFailure } from '../http/send-failure.ts'
import { createHttp, type HttpLimits } from '../http/server.ts'
import { createStaticClient } from '../http/static-client.ts'
import { createUsers } from '../identity/users.ts'
import { createJobs, defaultTimes as defaultJobTimes, type JobTimes } from '../jobs/jobs.ts'
import { said } from '../jobs/run-words.ts'
import { createKeys, keysChanged } from '../keys/keys.ts'
import { dayCounter, totalCounter } from '../keys/limits.ts'
import { logColumn } from '../ledger/ledger.ts'
import { openUsage } from '../ledger/usage.ts'
import { readDaySeed } from '../live/day-seed.ts'
import { openLiveHub } from '../live/hub.ts'
import type { LiveBatch } from '../live/live-events.ts'
import type { RingLimits } from '../live/ring.ts'
import { type Log, roomLog } from '../log.ts'
import { provision } from '../provisioning/provision.ts'
import { type Provision, readProvisionFile } from '../provisioning/provision-file.ts'
import { createRelay } from '../relay/relay.ts'
import { defaultTimers, type ForwardTimers } from '../relay/request/exchange.ts'
import { createByteBudget, defaultReadLimits, type ReadLimits } from '../relay/request/read-body.ts'
import type { QueueLimits } from '../relay/routing/queue.ts'
import { createRequestIds, requestIdOf, slotOf } from '../request-ids.ts'
import type { Counters } from '../store/counters.ts'
import { openDataDir } from '../store/data-dir.ts'
import { type Database, openDatabase } from '../store/database.ts'
import { createKeptTexts } from '../store/kept-texts.ts'
import { createMemoryCounters } from '../store/memory/counters-memory.ts'
import { createMemoryEvents } from '../store/memory/events-memory.ts'
import { createMemoryLocks } from '../store/memory/locks-memory.ts'
import { createMemoryStream } from '../store/memory/stream-memory.ts'
import { createRedisCounters } from '../store/redis/counters-redis.ts'
import { createRedisEvents } from '../store/redis/events-redis.ts'
import { createRedisLocks } from '../store/redis/locks-redis.ts'
import { openRedis } from '../store/redis/redis.ts'
import { openRedisStream } from '../store/redis/stream-redis.ts'
import { createSeal } from '../store/seal.ts'
import { createAccountTest } from '../upstreams/account-test.ts'
import { claudeUpstream } from '../upstreams/platforms/claude/claude.ts'
import { createClaudeOauth } from '../upstreams/platforms/claude/oauth.ts'
import { consoleUpstream } from '../upstreams/platforms/console/console.ts'
import { createUpstreams } from '../upstreams/platforms.ts'
import { createBench } from '../upstreams/rules/bench.ts'
import { createVerdictRules, rulesChanged } from '../upstreams/rules/rules.ts'
import { createDispatchers, type DispatcherOptions } from '../upstreams/transport/dispatchers.ts'
import { createZoneDays } from '../zone-days.ts'
import { checkDeployment } from './deployment.ts'

/** What tests and the demo set: deadlines, clock, chance. */
export interface AppOptions {
  timers?: Partial<ForwardTimers>
  readLimits?: Partial<ReadLimits>
  httpLimits?: HttpLimits
  statePolicy?: StatePolicy
  queue?: Partial<QueueLimits>
  settleIntervalMs?: number
  /** null: nothing happens by itself. */
  jobs?: Partial<JobTimes> | null
  /** How often moved gauges are told and written. */
  gauges?: { tellMs?: number; writeMs?: number }
  /** In place of our own workers. */
  jobWorkers?: { probe?: URL; chore?: URL }
  connectTimeoutMs?: number
  /** How names of upstreams are resolved. */
  lookup?: DispatcherOptions['lookup']
  now?: () => number
  chance?: () => number
  /** Written beside the lock of the data folder, so that people can find who has it. */
  pid?: number
  /** In place of the file that PROVISION_FILE names. */
  provision?: Provision
  /** How much of what happened live subscribers can go back to. */
  liveRing?: RingLimits
  /** The program's own, for the dashboard. */
  version?: string
  /** Where the built dashboard lies. */
  clientDirectory?: string
  /** How long a stop waits for answers under way; then they end with an error event. */
  drainMs?: number
}

export interface App {
  /** http://host:port, once started. */
  url: string
  database: Database
  /** Where the first administrator is made; null when there is one. Secret: for the console only, never a log. */
  setupPath: string | null
  /** Accounts that can be used, for the first words to a newcomer. */
  accountCount: number
  /** Resolves when no request is under way and the ledger holds all that were. */
  settled(): Promise<void>
  stop(): Promise<void>
}

/** Beside the built program: dist/client for dist/server/app.js, and for server/app.ts too. */
const clientDirectory = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/client/' : '../../client/',
  import.meta.url,
)
const connectTimeoutMs = 10_000
const drainMs = 30_000
const refreshEveryMs = 30_000
/** Longer than a refresh may take, so that whoever waits for another process's finds it done. */
const loginLockWaitMs = 40_000

/** The composition root: builds each room once and starts listening. Throws with a message for people; what was opened is closed. */
export async function startApp(config: Config, log: Log, options: AppOptions = {}): Promise<App> {
  const opened: (() => Promise<void> | void)[] = []
  try {
    return await compose(config, log, options, opened)
  } catch (error) {
    await closeAll(opened, () => {})
    throw error
  }
}

async function compose(
  config: Config,
  log: Log,
  options: AppOptions,
  opened: (() => Promise<void> | void)[],
): Promise<App> {
  const now = options.now ?? Date.now
  const chance = options.chance ?? Math.random
  const report = (room: string) => (error: unknown, doing: string) =>
    roomLog(log, room).error({ err: error, doing }, `${doing} failed`)

  const dataDir = await openDataDir(config.dataDir, options.pid).catch(naming('DATA_DIR'))
  opened.push(() => dataDir.release())
  const file =
    options.provision ??
    (config.provisionFile === null ? null : readProvisionFile(readText(config.provisionFile, 'PROVISION_FILE')))
  const caPem = config.caFile === null ? undefined : readCa(config.caFile)
  const seal = createSeal(loadMasterSecret(config.dataDir, config.masterSecret))

  const database = await openDatabase({ url: config.databaseUrl, log: roomLog(log, 'store') }).catch(
    naming('DATABASE_URL'),
  )
  opened.push(() => database.close())
  const deploymentId = await checkDeployment(database, seal)
  const place = config.redisUrl === null ? 'alone' : 'shared'
  if (!(await database.holdPlace(place))) {
    const other = place === 'alone' ? 'Another relay process' : 'A relay process without Redis'
    throw new Error(`${other} uses this database. Several processes need Redis between them: set REDIS_URL on all.`)
  }
  const redis =
    config.redisUrl === null ? null : await openRedis(config.redisUrl, roomLog(log, 'store')).catch(naming('REDIS_URL'))
  if (redis) opened.push(() => redis.close())
  const prefix = `ccr:${deploymentId}`
  const events = redis
    ? createRedisEvents({ commands: redis.commands, subscriber: redis.subscriber, prefix, report: report('events') })
    : createMemoryEvents(report('events'))
  opened.push(() => events.close())
  const counters = redis ? createRedisCounters({ redis: redis.commands, prefix, now }) : createMemoryCounters({ now })
  opened.push(() => counters.close())

  const dayAt = createZoneDays(config.timeZone)
  const columns = {
    id: logColumn('id'),
    key: logColumn('api_key_id'),
    cost: logColumn('cost_nano'),
    startedAt: logColumn('started_at_ms'),
  }
  const usage = await openUsage({
    database,
    dataDir: dataDir.path,
    dayAt,
    now,
    settleIntervalMs: options.settleIntervalMs,
    async onReplayed(rows) {
      // Memory counters start from the ledger; those on Redis outlived the process and must hear of its end.
      if (!redis) return
      for (const { log: row } of rows) {
        const keyId = Number(row[columns.key])
        const names = [totalCounter(keyId), dayCounter(keyId, dayAt(Number(row[columns.startedAt])).day)]
        await counters.settle(requestIdOf(BigInt(row[columns.id]!)), Number(row[columns.cost]), names)
      }
    },
    onError: report('usage'),
  })
  opened.push(() => usage.close())
  if (redis && usage.replayed.slots.length > 0) await releaseHolds(counters, new Set(usage.replayed.slots))
  const requestId = createRequestIds(usage.slot, now)

  const stream = redis
    ? await openRedisStream<LiveBatch>({ ...redis, prefix, name: 'live', report: report('live') })
    : createMemoryStream<LiveBatch>({ now })
  const live = await openLiveHub({
    stream,
    dayAt,
    now,
    seed: (day) => readDaySeed(database, day),
    ringLimits: options.liveRing,
    report: report('live'),
  })
  opened.push(() => live.close())
  if (redis && usage.replayed.settled + usage.replayed.interrupted > 0) live.recount()
  const tellAccount = (account: Account, steps: readonly Transition[] = []): void =>
    live.accountChanged({
      accountId: account.id,
      name: account.name,
      groupId: account.groupId,
      userId: account.ownerId,
      enabled: account.switchedOn,
      state: account.live.state,
      inFlight: account.live.inFlight,
      gauges: gauges.of(account.id),
      steps,
    })

  const gauges = createGauges({
    database,
    events,
    now,
    onMoved(id) {
      const account = accounts.byId(id)
      if (account) tellAccount(account)
    },
    onError: report('accounts'),
    ...options.gauges,
  })
  opened.push(gauges.stop)
  const accounts = createAccounts({
    database,
    seal,
    events,
    now,
    chance,
    policy: options.statePolicy,
    defaultProxy: config.upstreamProxy,
    newId: requestId,
    firstProbeMs: (account, model) => jobs.firstProbeMs(account, model),
    onFailure(account, reason) {
      roomLog(log, 'accounts').info({ account: account.name, reason }, 'account failed')
      tellAccount(account)
    },
    onTransition(account, steps) {
      for (const { from, to, model, untilMs, reason, cause } of steps) {
        const fields = { account: account.name, from, to, model, until: untilMs, reason, by: cause.by }
        roomLog(log, 'accounts').info({ ...fields, requestId: cause.requestId }, 'account state')
      }
      tellAccount(account, steps)
    },
    onError: report('accounts'),
  })
  opened.push(async () => {
    await accounts.stored().catch(() => {})
    accounts.stop()
  })
  const keys = createKeys({ database, seal, events, now })
  const dialects = { console: consoleUpstream, claude: claudeUpstream, openai: undefined, codex: undefined }
  const rules = createVerdictRules({ database, events, dialects })
  const users = createUsers()
  if (config.defaultAdmin) {
    const { username, password, email } = config.defaultAdmin
    await database.locked('provision', async (tx) => {
      // Only the first time: a password changed since then stays.
      if ((await tx.user.count()) === 0)
        await users.saveAdmin(tx, { username, password, ...(email !== null && { email }) })
    })
  }
  if (file) await provision({ database, users, accounts, keys, rules }, file)
  const loadAccounts = async () => {
    await accounts.load()
    for (const account of accounts.all()) tellAccount(account)
  }
  const network = {
    allow: config.upstreamAllow,
    caPem,
    connectTimeoutMs: options.connectTimeoutMs ?? connectTimeoutMs,
  }
  const dispatchers = createDispatchers({ ...network, lookup: options.lookup })
  opened.push(() => dispatchers.close())
  const probing = { isActive: false, firstMs: 0 }
  const loadSettings = async () => {
    const { upstreamAllow, recoveryProbes, recoveryProbeSeconds } = await readSettings(database)
    probing.isActive = recoveryProbes === 'active'
    probing.firstMs = Number(recoveryProbeSeconds) * 1000
    const allow = [...config.upstreamAllow, ...upstreamAllow.split(', ').filter(Boolean)]
    if (allow.join() === network.allow.join()) return
    network.allow = allow
    dispatchers.allow(allow)
  }
  await events.subscribe(gaugesNoted, gauges.applyNoted)
  await gauges.load()
  const reload = {
    accounts: lastWins(loadAccounts),
    keys: lastWins(keys.load),
    rules: lastWins(rules.load),
    settings: lastWins(loadSettings),
  }
  await events.subscribe(accountsChanged, reload.accounts)
  await events.subscribe(keysChanged, reload.keys)
  await events.subscribe(rulesChanged, reload.rules)
  await events.subscribe(settingsChanged, reload.settings)
  await events.subscribe(accountReported, accounts.applyReported)
  events.onReconnect(() => {
    for (const load of [...Object.values(reload), gauges.load])
      load().catch((error: unknown) => report('store')(error, 'reading accounts, keys, rules and settings anew'))
  })
  await Promise.all([reload.accounts(), reload.keys(), reload.rules(), reload.settings()])
  if (file) {
    accounts.changed()
    keys.changed()
    rules.changed()
  }

  const upstreams = createUpstreams(dialects, rules.rowsOf)
  const oauth = createClaudeOauth({ dispatchers, places: config.claudeOauth, now })
  const renewals = createRenewals({
    database,
    seal,
    accounts,
    locks: redis
      ? createRedisLocks({ redis: redis.commands, prefix, waitMs: loginLockWaitMs })
      : createMemoryLocks({ waitMs: loginLockWaitMs }),
    kept: createKeptTexts(join(dataDir.path, 'refreshed-logins')),
    refresh: (account, refreshToken) => oauth.refresh(refreshToken, account.proxy),
    now,
    chance,
    onError: report('accounts'),
  })
  opened.push(() => renewals.close())
  await renewals.recover()
  let url = ''
  const baseUrl = () => `${config.publicUrl ?? url}/claude-code`
  const clientAddress = createClientAddress(config.trustedProxies)
  const readLimits = { ...defaultReadLimits, ...options.readLimits }
  const timers = { ...defaultTimers, ...options.timers }
  const relay = createRelay({
    clientAddress,
    keys,
    accounts,
    usage,
    counters,
    dispatchers,
    upstreams,
    gauges,
    renew: renewals.renew,
    live,
    queue: { waitMs: config.queueWaitMs, length: config.queueLength, ...options.queue },
    budget: createByteBudget(config.bodyMemoryBytes),
    readLimits,
    timers,
    mostEventBytes: config.streamEventBytes,
    disconnect: config.clientDisconnect,
    dayAt,
    now,
    chance,
    baseUrl,
    onError: (error, requestId) =>
      roomLog(log, 'relay').error({ err: error, requestId }, 'a request failed inside the relay'),
  })

  const jobs = createJobs({
    accounts,
    gauges,
    usage,
    live,
    database,
    upstreams,
    locks: redis ? createRedisLocks({ redis: redis.commands, prefix, waitMs: 0 }) : createMemoryLocks({ waitMs: 0 }),
    network: () => network,
    probing: () => probing,
    renew: renewals.renew,
    times: { ...defaultJobTimes, ...options.jobs },
    others: [
      {
        name: 'refresh',
        everyMs: refreshEveryMs,
        isDue: () => renewals.isDue(now()),
        run: async () => said('logins_due', { logins: await renewals.refreshDue(now()) }),
      },
    ],
    workers: options.jobWorkers,
    newId: requestId,
    dayAt,
    now,
    chance,
    onDrift(rows) {
      if (rows > 0) roomLog(log, 'usage').error({ rows }, 'sums of the ledger and of its rollups differ')
    },
    onError: report('jobs'),
  })
  opened.push(() => jobs.stop())
  const door = createGraphqlDoor({
    database,
    seal,
    events,
    users,
    accounts,
    gauges,
    keys,
    rules,
    bench: createBench(rules),
    live,
    reload,
    settingsChanged: () => events.publish(settingsChanged, {}),
    routes: relay,
    jobs,
    logins: createLogins({ database, seal, now, authorizeAddress: oauth.authorizeAddress, exchange: oauth.exchange }),
    testAccount: createAccountTest({ dispatchers, upstreams, accounts, gauges, renew: renewals.renew, now }),
    dayAt,
    now,
    newId: requestId,
    log: roomLog(log, 'graphql'),
    version: options.version ?? 'unknown',
    baseUrl,
    clientAddress,
    timeZone: config.timeZone,
    secureCookies: config.publicUrl?.startsWith('https:') ?? false,
  })
  const sockets = await openSocketDoor({
    enveloped: door.graphql.enveloped as Enveloped,
    sessions: door.sessions,
    events,
    live,
    origins: () => (config.publicUrl === null ? [] : [new URL(config.publicUrl).origin]),
    now,
    report: report('graphql'),
  })
  let socketsClosed: Promise<void> | null = null
  const closeSockets = () => {
    socketsClosed ??= sockets.close()
    return socketsClosed
  }
  opened.push(closeSockets)
  const client = createStaticClient({ directory: options.clientDirectory ?? fileURLToPath(clientDirectory) })

  let isReady = true
  const { server, connections } = createHttp({
    messages: relay.door(() => isReady, requestId),
    bodyLimits: readLimits,
    untakenMs: timers.blockedMs,
    graphql: door.graphql.handle,
    upgrade: sockets.upgrade,
    page: client.serve,
    relay(req, res, path, query, id) {
      if (isReady) return relay.handle(req, res, path, query, id)
      const failure = fail('stopping', 'This relay is stopping. Try again shortly.', { retryAfterS: 1, closes: true })
      sendFailure(req, res, failure, id.text)
    },
    isReady: () => isReady,
    requestId,
    baseUrl,
    limits: options.httpLimits,
  })
  url = await listen(server, config)
  if (options.jobs !== null) await jobs.start()
  const { replayed } = usage
  if (replayed.settled + replayed.interrupted > 0) {
    log.info(
      { settled: replayed.settled, interrupted: replayed.interrupted },
      'brought the journal of the last run into the ledger',
    )
  }
  if (replayed.foreign.length > 0) {
    log.warn({ journals: replayed.foreign }, 'journals of another database were left alone')
  }

  let stopped: Promise<void> | null = null
  async function stopAll(): Promise<void> {
    // Still listening while answers run: who asks /ready or /health gets an answer, new requests a 529.
    isReady = false
    const jobsStopped = Promise.all([jobs.stop(), renewals.close()])
    const patienceMs = options.drainMs ?? drainMs
    // Requests whose body is still on its way have no answer that could end with an error.
    const lastResort = setTimeout(() => {
      server.closeAllConnections()
      connections.closeAll()
    }, patienceMs + 1000)
    await relay.drain(patienceMs)
    clearTimeout(lastResort)
    await jobsStopped
    // A WebSocket is a connection that the server would wait for, for ever.
    await closeSockets()
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    connections.closeAll()
    await closed
    await closeAll(opened, (error) => report('app')(error, 'closing'))
  }

  return {
    url,
    database,
    setupPath: (await door.setup.isNeeded()) ? door.setup.linkPath() : null,
    accountCount: await database.client.account.count({ where: { deletedMark: 0 } }),
    async settled() {
      await relay.idle()
      await usage.drained()
    },
    // Parts close in the reverse order of opening: two stops at once would close one under the other.
    stop: () => {
      stopped ??= stopAll()
      return stopped
    },
  }
}

/** Ends holds of processes that died between the hold and the journal: nothing went upstream, and no replay knows of them. */
async function releaseHolds(counters: Counters, deadSlots: ReadonlySet<number | null>): Promise<void> {
  for (const id of await counters.unsettled()) if (deadSlots.has(slotOf(id))) await counters.settle(id, 0)
}

/** In the reverse order of opening; what fails to close does not keep the rest open. */
async function closeAll(opened: (() => Promise<void> | void)[], onError: (error: unknown) => void): Promise<void> {
  for (let close = opened.pop(); close !== undefined; close = opened.pop()) {
    try {
      await close()
    } catch (error) {
      onError(error)
    }
  }
}

/** Runs one at a time; calls that come while it runs are answered by one more run. */
function lastWins(load: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null
  let next: Promise<void> | null = null
  const run = (): Promise<void> => {
    if (!running) {
      running = load().finally(() => {
        running = null
      })
      return running
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = null
        return run()
      })
    return next
  }
  return run
}
