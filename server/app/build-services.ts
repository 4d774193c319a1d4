import { join } from 'node:path'
import type { Account } from '../accounts/account.ts'
import { accountsChanged, createAccounts } from '../accounts/accounts.ts'
import { createGauges, gaugesNoted } from '../accounts/gauges/gauges.ts'
import { createRenewals } from '../accounts/login/oauth-renewal.ts'
import { accountReported } from '../accounts/state/reports.ts'
import type { Transition } from '../accounts/state/transitions.ts'
import { readSettings, settingsChanged } from '../graphql/settings/settings.ts'
import { createUsers } from '../identity/users.ts'
import { createJobs, defaultTimes as defaultJobTimes } from '../jobs/jobs.ts'
import { said } from '../jobs/run-words.ts'
import { createKeys, keysChanged } from '../keys/keys.ts'
import { readDaySeed } from '../live/day-seed.ts'
import { openLiveHub } from '../live/hub.ts'
import { roomLog } from '../log.ts'
import { openPrices } from '../prices/open-prices.ts'
import { provision } from '../provisioning/provision.ts'
import type { Provision } from '../provisioning/provision-file.ts'
import { createRequestIds } from '../request-ids.ts'
import { createDurableFiles } from '../store/durable-files.ts'
import { createClassifier } from '../upstreams/classify.ts'
import { createClaudeOauth } from '../upstreams/platforms/claude/oauth.ts'
import { platforms } from '../upstreams/platforms/platforms.ts'
import { createErrorRules, rulesChanged } from '../upstreams/rules/rules.ts'
import { createTransport } from '../upstreams/transport/transport.ts'
import type { AppContext } from './context.ts'
import { openLedger } from './open-ledger.ts'
import type { Stores } from './open-stores.ts'
import { oneAtATime } from './reload.ts'

export type Services = Awaited<ReturnType<typeof buildServices>>

/** The files that settings name, read before anything is opened. */
export interface ConfigFiles {
  provision: Provision | null
  caPem: string | undefined
}

const connectTimeoutMs = 10_000
const refreshEveryMs = 30_000
/** Longer than a refresh may take: a process that waits for another one's refresh finds it done. */
const loginLockWaitMs = 40_000

/** Second step of the start: the nouns with their contents loaded, the upstreams, live events and jobs. */
export async function buildServices(context: AppContext, stores: Stores, files: ConfigFiles) {
  const { config, log, options, now, chance, dayAt, report, onClose } = context
  const { database, seal, events } = stores
  const prices = await openPrices(database)
  const ledger = await openLedger(context, stores, prices)
  const requestId = createRequestIds(ledger.slot, now)

  const live = await openLiveHub({
    stream: await stores.openStream(),
    dayAt,
    now,
    seed: (day) => readDaySeed(database, day),
    ringLimits: options.liveRing,
    report: report('live'),
  })
  onClose(() => live.close())
  if (stores.isShared && ledger.replayed.settled + ledger.replayed.interrupted > 0) live.recount()
  const publishAccount = (account: Account, steps: readonly Transition[] = []): void =>
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
  const keys = createKeys({ database, seal, events, now })
  const rules = createErrorRules({ database, events, platforms })
  const users = createUsers()
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
  const changedIds = new Set<number | undefined>()
  const loadChanged = oneAtATime(async () => {
    const ids = [...changedIds]
    changedIds.clear()
    try {
      if (ids.includes(undefined)) await accounts.load()
      else for (const id of ids) await accounts.load(id)
    } catch (error) {
      changedIds.add(undefined)
      throw error
    }
  })
  const reloadAccounts = (id?: number): Promise<void> => {
    changedIds.add(id)
    return loadChanged()
  }
  const publishAccounts = (id?: number): void => {
    for (const account of accounts.all()) if (id === undefined || account.id === id) publishAccount(account)
  }
  const reload = {
    accounts: reloadAccounts,
    keys: oneAtATime(keys.load),
    rules: oneAtATime(rules.load),
    settings: oneAtATime(async () => {
      const { upstreamAllow, recoveryProbes, recoveryProbeSeconds } = await readSettings(database)
      probing.isActive = recoveryProbes === 'active'
      probing.firstMs = Number(recoveryProbeSeconds) * 1000
      const allow = [...config.upstreamAllow, ...upstreamAllow.split(', ').filter(Boolean)]
      if (allow.join() === network.allow.join()) return
      network.allow = allow
      transport.allow(allow)
    }),
  }
  await events.subscribe(gaugesNoted, gauges.applyNoted)
  await gauges.load()
  await events.subscribe(accountsChanged, async (message) => {
    const { id, isOwn } = accounts.changeOf(message)
    await reloadAccounts(id)
    // One live event an account, from the process that made the change.
    if (isOwn) publishAccounts(id)
  })
  await events.subscribe(keysChanged, reload.keys)
  await events.subscribe(rulesChanged, reload.rules)
  await events.subscribe(settingsChanged, reload.settings)
  await events.subscribe(accountReported, accounts.applyReported)
  events.onReconnect(() => {
    const accountsAgain = (): Promise<void> => reloadAccounts().then(() => publishAccounts())
    for (const load of [accountsAgain, reload.keys, reload.rules, reload.settings, gauges.load])
      load().catch((error: unknown) => report('store')(error, 'reading accounts, keys, rules and settings anew'))
  })
  await Promise.all([reload.accounts(), reload.keys(), reload.rules(), reload.settings()])
  publishAccounts()
  if (files.provision) {
    accounts.changed()
    keys.changed()
    rules.changed()
  }

  const classifier = createClassifier({ platforms, rowsOf: rules.rowsOf })
  const oauth = createClaudeOauth({ transport, places: config.claudeOauth, now })
  const renewals = createRenewals({
    database,
    seal,
    accounts,
    locks: stores.createLocks(loginLockWaitMs),
    kept: createDurableFiles(join(stores.dataDir.path, 'refreshed-logins')),
    refresh: (account, refreshToken) => oauth.refresh(refreshToken, account.proxy),
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
      if (rows > 0) roomLog(log, 'ledger').error({ rows }, 'sums of the ledger and of its rollups differ')
    },
    onError: report('jobs'),
  })
  onClose(() => jobs.stop())

  return {
    prices,
    ledger,
    requestId,
    live,
    gauges,
    accounts,
    keys,
    rules,
    users,
    transport,
    classifier,
    oauth,
    renewals,
    jobs,
    reload,
  }
}
