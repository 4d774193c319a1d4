import { createModelList, createModelMapping } from '../model-patterns.ts'
import type { Database } from '../store/database.ts'
import type { Seal } from '../store/seal.ts'
import type { Account, AccountLive, AuthHeader, Group, Platform, Via } from './account.ts'
import { openCredential, type Tokens } from './credential.ts'
import { type FormatFlags, storedFlags } from './format-flags.ts'
import { loginClock, storedClock, takeLogin } from './login/login-clock.ts'
import { platformsOff } from './platform-switch.ts'
import type { AccountState } from './state/state.ts'
import { storedState } from './state/state-text.ts'

/** Groups and accounts in memory, as the relay reads them. Loads must not overlap: an older one could overwrite a newer one. */
export function createAccountSnapshot(parts: {
  database: Database
  seal: Seal
  now: () => number
  /** For accounts that name none. */
  defaultProxy?: string | null | undefined
  gaugesOf?: ((accountId: number) => AccountLive['gauges']) | undefined
}) {
  const { database, seal } = parts
  /** Logins that are newer in memory than the rows, by account: the database was away, or a read was under way. */
  const renewed = new Map<number, { version: number; tokens: Tokens; atMs: number }>()
  let byId = new Map<number, Account>()
  let byGroup = new Map<number, readonly Account[]>()
  let groups = new Map<number, Group>()
  let off: ReadonlySet<Platform> = new Set()
  /** The proxy each account names, as it names it. */
  const proxyChoices = new Map<number, string | null>()

  const readAccounts = (id?: number) =>
    database.client.account.findMany({
      where: { deletedMark: 0, id },
      include: { credential: true, groups: { orderBy: { groupId: 'asc' } } },
    })

  function accountOf(row: Awaited<ReturnType<typeof readAccounts>>[number]): Account {
    const credential = openCredential(seal, row.credential?.sealed, row.id)
    const platform = row.platform as Platform
    const url = new URL(row.url)
    const groupIds = row.groups.map(({ groupId }) => groupId)
    proxyChoices.set(row.id, credential.proxy)
    const account: Account = {
      id: row.id,
      name: row.name,
      platform,
      origin: url.origin,
      basePath: url.pathname.replace(/\/+$/, ''),
      authHeader: row.authHeader as AuthHeader,
      secret: credential.secret,
      ...storedClock(row.credential, credential),
      ...viaOf(credential.proxy, row.approved),
      isApproved: row.approved,
      groupIds,
      ownerId: row.ownerId ?? 0,
      priority: row.priority,
      weight: row.weight,
      concurrency: row.concurrency,
      models: createModelList(JSON.parse(row.models)),
      mapping: createModelMapping(JSON.parse(row.modelMapping)),
      flags: storedFlags(row.flags),
      timers: {
        connectMs: msOf(row.connectTimeoutSeconds),
        firstByteMs: msOf(row.firstByteTimeoutSeconds),
        idleMs: msOf(row.idleTimeoutSeconds),
      },
      extraHeaders: Object.entries(credential.headers ?? {}).flat(),
      maxUsedPpm: ppmOfShares(JSON.parse(row.maxUtilization)),
      enabled: takesPart({ switchedOn: row.enabled, platform, groupIds }),
      switchedOn: row.enabled,
      live: liveOf(byId.get(row.id), storedState(row.state), parts.gaugesOf?.(row.id)),
    }
    const newer = renewed.get(row.id)
    if (newer && newer.version > (row.credential?.version ?? 0)) takeLogin(account, newer.tokens, newer.atMs)
    else renewed.delete(row.id)
    return account
  }

  const isOff = (groupId: number): boolean => groups.get(groupId)?.enabled === false

  const takesPart = (account: Pick<Account, 'switchedOn' | 'platform' | 'groupIds'>): boolean =>
    account.switchedOn && !off.has(account.platform) && !account.groupIds.every(isOff)

  function sortIntoGroups(): void {
    const sorted = new Map<number, Account[]>()
    for (const account of [...byId.values()].sort((one, other) => one.id - other.id)) {
      for (const groupId of account.groupIds) {
        const members = sorted.get(groupId) ?? []
        sorted.set(groupId, members)
        members.push(isOff(groupId) ? { ...account, enabled: false } : account)
      }
    }
    byGroup = sorted
  }

  /** The proxy that a choice stands for. `isApproved`: an administrator made or approved the choice. */
  function viaOf(choice: string | null, isApproved: boolean): Via {
    const proxy = choice === 'none' ? null : (choice ?? parts.defaultProxy ?? null)
    return { proxy, proxyIsTrusted: isApproved || proxy === (parts.defaultProxy ?? null) }
  }

  async function loadAll(): Promise<void> {
    const [rows, groupRows, platforms] = await Promise.all([
      readAccounts(),
      database.client.group.findMany({ where: { deletedMark: 0 } }),
      platformsOff(database.client),
    ])
    off = platforms
    groups = new Map(groupRows.map((row) => [row.id, row]))
    byId = new Map(rows.map((row) => [row.id, accountOf(row)]))
    for (const id of proxyChoices.keys()) if (!byId.has(id)) proxyChoices.delete(id)
    sortIntoGroups()
  }

  return {
    /** Reads an account, or without an id groups and accounts altogether. Accounts keep their live state over it. */
    async load(id?: number): Promise<void> {
      if (id === undefined) return loadAll()
      const [row] = await readAccounts(id)
      if (row) byId.set(id, accountOf(row))
      else {
        byId.delete(id)
        proxyChoices.delete(id)
      }
      sortIntoGroups()
    },

    /** Reads a group; without an id groups and accounts altogether. */
    async loadGroup(id?: number): Promise<void> {
      if (id === undefined) return loadAll()
      const row = await database.client.group.findFirst({ where: { id, deletedMark: 0 } })
      if (row) groups.set(id, row)
      else groups.delete(id)
      for (const member of byGroup.get(id) ?? []) {
        const account = byId.get(member.id)
        if (!account) continue
        // A group that was deleted took itself off its accounts.
        const groupIds = row ? account.groupIds : account.groupIds.filter((groupId) => groupId !== id)
        byId.set(account.id, { ...account, groupIds, enabled: takesPart({ ...account, groupIds }) })
      }
      sortIntoGroups()
    },

    /** What a refusal taught: requests from now on are written so. */
    applyFlags(id: number, flags: FormatFlags): void {
      const account = byId.get(id)
      if (account) account.flags = flags
    },

    viaOf,
    ofGroup: (groupId: number): readonly Account[] => byGroup.get(groupId) ?? [],
    byId: (id: number): Account | undefined => byId.get(id),
    all: (): Iterable<Account> => byId.values(),
    group: (id: number): Group | undefined => groups.get(id),

    /** A login was renewed: requests from now on carry it. `version` is that of its row, stored or about to be. */
    applyLogin(id: number, version: number, tokens: Tokens): void {
      const atMs = parts.now()
      renewed.set(id, { version, tokens, atMs })
      const account = byId.get(id)
      if (account) takeLogin(account, tokens, atMs)
    },

    /** The vendor will not renew this login; its access token is good until it ends. */
    refreshIsOver(id: number): void {
      const account = byId.get(id)
      if (account) Object.assign(account, loginClock(account.expiresAtMs, 0, false))
    },

    /** Whether it goes through a proxy; the credential itself is never shown. */
    hasProxy: (id: number): boolean => (byId.get(id)?.proxy ?? null) !== null,

    /** Whose proxy it goes through. */
    proxyChoice(id: number): 'default' | 'none' | 'own' {
      const choice = proxyChoices.get(id) ?? 'default'
      return choice === 'none' || choice === 'default' ? choice : 'own'
    },

    /** True when its access token is renewed before it ends. */
    renews: (id: number): boolean => (byId.get(id)?.dueAtMs ?? Infinity) < Infinity,
  }
}

const msOf = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1000)

const ppmOfShares = (shares: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(shares).map(([window, share]) => [window, Math.round(share * 1e6)]))

/** An account keeps its live state. The row is newer where other processes changed it while this one heard nothing. */
function liveOf(known: Account | undefined, stored: AccountState, gauges: AccountLive['gauges']): AccountLive {
  if (!known) return { state: stored, inFlight: 0, ...(gauges && { gauges }) }
  if (stored.sinceMs > known.live.state.sinceMs) known.live.state = stored
  return known.live
}
