import { join } from 'node:path'
import type { Account } from '../accounts/account.ts'
import { createAccounts } from '../accounts/accounts.ts'
import { createGauges, gaugesNoted } from '../accounts/gauges/gauges.ts'
import { createRenewals } from '../accounts/login/oauth-renewal.ts'
import { accountReported } from '../accounts/state/reports.ts'
import type { Transition } from '../accounts/state/transitions.ts'
import { readSettings, weekdays } from '../graphql/settings/settings.ts'
import { createPasswords } from '../identity/passwords.ts'
import { createUsers } from '../identity/users.ts'
import { createJobs, defaultTimes as defaultJobTimes } from '../jobs/jobs.ts'
import { said } from '../jobs/run-words.ts'
import { createKeys } from '../keys/keys.ts'
import { openSightings } from '../keys/sightings.ts'
import { createWindows } from '../keys/windows.ts'
import { createRejections } from '../ledger/rejections.ts'
import { createReratings } from '../ledger/reratings.ts'
import { readDaySeed } from '../live/day-seed.ts'
import { openLiveHub } from '../live/hub.ts'
import { roomLog } from '../log.ts'
import { openPrices } from '../prices/open-prices.ts'
import { provision } from '../provisioning/provision.ts'
import type { Provision } from '../provisioning/provision-file.ts'
import type { LimitPolicy } from '../relay/settlement/reservation.ts'
import { createRequestIds } from '../request-ids.ts'
import { createDurableFiles } from '../store/durable-files.ts'
import { createClassifier } from '../upstreams/classify.ts'
import { createClaudeOauth } from '../upstreams/platforms/claude/oauth.ts'
import { platforms } from '../upstreams/platforms/platforms.ts'
import { createErrorRules } from '../upstreams/rules/rules.ts'
import { createTransport } from '../upstreams/transport/transport.ts'
import { createZoneDays } from '../zone-days.ts'
import type { AppContext } from './context.ts'
import { openLedger } from './open-ledger.ts'
import type { Stores } from './open-stores.ts'
import { createReload } from './reload.ts'

export type Services = Awaited<ReturnType<typeof buildServices>>

/** The files that settings name, read before anything is opened. */
export interface ConfigFiles {
  provision: Provision | null
  caPem: string | undefined
}

const connectTimeoutMs = 10_000
const refreshEveryMs = 30_000
/** A re-rating begins at once; after a process has died, another one goes on with it. */
const rerateEveryMs = 60_000
/** Longer than a refresh may take: a process that waits for another one's refresh finds it done. */
const loginLockWaitMs = 40_000

/** Second step of the start: the nouns with their contents loaded, the upstreams, live events and jobs. */
export async function buildServices(context: AppContext, stores: Stores, files: ConfigFiles) {
  const { config, log, options, now, chance, dayAt, report, onClose } = context
  const { database, seal, events } = stores
  const prices = await openPrices(database)
  const ledger = await openLedger(context, stores, prices)
  const requestId = createRequestIds(ledger.slot, now)
  const reratings = createReratings({ database, price: prices.price, dayAt, now })

  const rejections = createRejections({
    database,
    dayAt,
    now,
    onCounted: (count) => live.rejected(count),
    onError: (error) => report('ledger')(error, 'writing the counts of rejections'),
  })
  const live = await openLiveHub({
    stream: await stores.openStream(),
    dayAt,
    now,
    seed: (day) => readDaySeed(database, day, rejections.pending),
    ringLimits: options.liveRing,
    report: report('live'),
  })
  onClose(() => live.close())
  onClose(rejections.close)
  if (stores.isShared && ledger.replayed.settled + ledger.replayed.interrupted > 0) live.recount()
  const publishAccount = (account: Account, steps: readonly Transition[] = []): void =>
    live.accountChanged({
      accountId: account.id,
      name: account.name,
      groupIds: account.groupIds,
      userId: account.ownerId,
      enabled: account.switchedOn,
      state: account.live.state,
      gauges: gauges.of(account.id),
      steps,
    })

  const gauges = createGauges({
    database,
    events,
    now,
    onMoved(id) {
      const account = accounts.byId(id)
      if (account) publishAccount(account)
    },
    onError: report('accounts'),
    ...options.gauges,
  })
  onClose(gauges.stop)
  const accounts = createAccounts({
    database,
    seal,
    events,
    now,
    chance,
    policy: options.statePolicy,
    defaultProxy: config.upstreamProxy,
    gaugesOf: gauges.windowsOf,
    newId: requestId,
    firstProbeMs: (account, model) => jobs.firstProbeMs(account, model),
    onFailure(account, reason) {
      roomLog(log, 'accounts').info({ account: account.name, reason }, 'account failed')
      publishAccount(account)
    },
    onTransition(account, steps) {
      for (const { from, to, model, untilMs, reason, cause } of steps) {
        const fields = { account: account.name, from, to, model, until: untilMs, reason, by: cause.by }
        roomLog(log, 'accounts').info({ ...fields, requestId: cause.requestId }, 'account state')
      }
      publishAccount(account, steps)
    },
    onError: report('accounts'),
  })
  onClose(async () => {
    await accounts.stored().catch(() => {})
    accounts.stop()
  })
  const keys = createKeys({ database, seal, now })
  const sightings = await openSightings({ database, now, writeMs: options.sightingsWriteMs, onError: report('keys') })
  onClose(async () => {
    await sightings.written().catch(() => {})
    sightings.stop()
  })
  const rules = createErrorRules({ database, platforms })
  const passwords = createPasswords(options.passwordCost)
  const users = createUsers({ passwords })
  if (config.defaultAdmin) {
    const { username, password, email } = config.defaultAdmin
    await database.locked(['users'], async (tx) => {
      // Only the first time: a password changed since then stays.
      if ((await tx.user.count()) === 0)
        await users.saveAdmin(tx, { username, password, ...(email !== null && { email }) })
    })
  }
  if (files.provision) await provision({ database, users, accounts, keys, rules }, files.provision)

  const network = {
    allow: config.upstreamAllow,
    caPem: files.caPem,
    connectTimeoutMs: options.connectTimeoutMs ?? connectTimeoutMs,
  }
  const transport = createTransport({ ...network, lookup: options.lookup })
  onClose(() => transport.close())
  const probing = { isActive: false, firstMs: 0 }
  const windowsOf = (resetHour: number, weekStart: string) =>
    createWindows(
      resetHour === 0 ? dayAt : createZoneDays(config.timeZone, resetHour),
      (weekdays as readonly string[]).indexOf(weekStart),
    )
  const limits: LimitPolicy = { whenReached: 'finish', windows: windowsOf(0, 'monday') }
  async function loadSettings(): Promise<void> {
    const { upstreamAllow, recoveryProbes, recoveryProbeSeconds, ...rest } = await readSettings(database)
    limits.whenReached = rest.whenLimitReached === 'stop' ? 'stop' : 'finish'
    limits.windows = windowsOf(Number(rest.resetHour), rest.weekStart)
    probing.isActive = recoveryProbes === 'active'
    probing.firstMs = Number(recoveryProbeSeconds) * 1000
    const allow = [...config.upstreamAllow, ...upstreamAllow.split(', ').filter(Boolean)]
    if (allow.join() === network.allow.join()) return
    network.allow = allow
    transport.allow(allow)
  }
  const publishAccounts = (): void => {
    for (const account of accounts.all()) publishAccount(account)
  }
  const reload = await createReload({
    events,
    load: {
      account: accounts.load,
      group: accounts.loadGroup,
      key: keys.load,
      price: prices.load,
      rule: rules.load,
      settings: loadSettings,
    },
    onChanged(noun, id) {
      // Nothing that a live event says of an account depends on its group.
      if (noun !== 'account') return
      if (id === undefined) return publishAccounts()
      const account = accounts.byId(id)
      if (account) publishAccount(account)
    },
  })
  const readAll = async (): Promise<void> => {
    await Promise.all((['account', 'key', 'price', 'rule', 'settings'] as const).map((noun) => reload.read(noun)))
    publishAccounts()
  }
  await events.subscribe(gaugesNoted, gauges.applyNoted)
  await gauges.load()
  await events.subscribe(accountReported, accounts.applyReported)
  events.onReconnect(() => {
    for (const load of [readAll, gauges.load])
      load().catch((error: unknown) =>
        report('store')(error, 'reading accounts, keys, prices, rules and settings anew'),
      )
  })
  await readAll()
  if (files.provision) for (const noun of ['account', 'key', 'rule'] as const) reload.publish(noun)

  const classifier = createClassifier({ platforms, rowsOf: rules.rowsOf })
  const oauth = createClaudeOauth({ transport, endpoints: config.claudeOauth, now })
  const renewals = createRenewals({
    database,
    seal,
    accounts,
    locks: stores.createLocks(loginLockWaitMs),
    kept: createDurableFiles(join(stores.dataDir.path, 'refreshed-logins')),
    refresh: (account, refreshToken) => oauth.refresh(refreshToken, account),
    onChanged(id) {
      reload.changed('account', id).catch((error: unknown) => report('accounts')(error, 'reading a refreshed login'))
    },
    now,
    chance,
    onError: report('accounts'),
  })
  onClose(() => renewals.close())
  await renewals.recover()

  const jobs = createJobs({
    accounts,
    gauges,
    prices,
    ledger,
    live,
    database,
    platforms,
    classifier,
    locks: stores.createLocks(0),
    events,
    network: () => network,
    probing: () => probing,
    renew: renewals.renew,
    times: { ...defaultJobTimes, ...options.jobs },
    tasks: [
      {
        name: 'refresh',
        everyMs: refreshEveryMs,
        isDue: () => renewals.isDue(now()),
        run: async () => said('logins_due', { logins: await renewals.refreshDue(now()) }),
      },
      {
        name: 'rerate',
        everyMs: rerateEveryMs,
        isDue: reratings.isDue,
        async run() {
          const { rows = 0, changed = 0 } = (await reratings.run()) ?? {}
          if (changed > 0) live.recount()
          return said('rerated', { rows, changed })
        },
      },
    ],
    probeWorker: options.probeWorker,
    newId: requestId,
    dayAt,
    now,
    chance,
    onDrift(rows) {
      if (rows > 0) roomLog(log, 'ledger').error({ rows }, 'sums of the ledger and of its rollups differ')
    },
    onError: report('jobs'),
  })
  onClose(() => jobs.stop())

  return {
    prices,
    reratings,
    limits,
    ledger,
    rejections,
    requestId,
    live,
    gauges,
    accounts,
    keys,
    sightings,
    rules,
    users,
    passwords,
    transport,
    classifier,
    oauth,
    renewals,
    jobs,
    reload,
  }
}
