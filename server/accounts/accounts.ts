import { randomUUID } from 'node:crypto'
import { createModelList, createModelMapping } from '../model-patterns.ts'
import type { RequestId } from '../request-ids.ts'
import type { Database, Tx } from '../store/database.ts'
import type { Events, Json } from '../store/events.ts'
import type { Seal } from '../store/seal.ts'
import {
  type Account,
  type AccountDraft,
  type AccountLive,
  type AuthHeader,
  type Group,
  type Platform,
  vendorUrls,
} from './account.ts'
import { changeCredential, openCredential, type Tokens } from './credential.ts'
import { loginClock, storedClock, takeLogin } from './login/login-clock.ts'
import { platformsOff } from './platform-switch.ts'
import { createReports } from './state/reports.ts'
import type { AccountState, StatePolicy } from './state/state.ts'
import { storedState } from './state/state-text.ts'
import { createTimeline } from './state/timeline.ts'
import type { Transition } from './state/transitions.ts'

export const accountsChanged = 'accounts.changed'

/** Message of that topic. */
interface AccountsChange {
  /** null: any account may have changed. */
  id: number | null
  from: string
}

/** The pool: groups and accounts in memory, their states, and the verbs that change them. */
export function createAccounts(parts: {
  database: Database
  seal: Seal
  events: Events
  now: () => number
  chance: () => number
  /** Ids that sort by time, for the timeline. */
  newId: () => RequestId
  policy?: StatePolicy
  /** For accounts that name none. */
  defaultProxy?: string | null
  /** When a probe looks first at a rest that has just begun, of the account (model '') or of a model; null: not at all. */
  firstProbeMs?: (account: Account, model: string) => number | null
  onFailure?: (account: Account, reason: string) => void
  onTransition?: (account: Account, steps: readonly Transition[]) => void
  /** A state or a step could not be written yet. */
  onError?: (error: unknown, doing: string) => void
}) {
  const { database, seal, events } = parts
  const self = randomUUID()
  /** Logins that are newer in memory than the rows, by account: the database was away, or a read was under way. */
  const renewed = new Map<number, { version: number; tokens: Tokens; atMs: number }>()
  let byId = new Map<number, Account>()
  let byGroup = new Map<number, readonly Account[]>()
  let groups = new Map<number, Group>()
  /** The proxy each account names, as it names it. */
  let choices = new Map<number, string | null>()

  /** Reads groups and accounts anew, or groups and this account alone. Accounts keep their live state over it. */
  async function load(id?: number): Promise<void> {
    const [rows, groupRows, off] = await Promise.all([
      database.client.account.findMany({ where: { deletedMark: 0, id }, include: { credential: true } }),
      database.client.group.findMany({ where: { deletedMark: 0 } }),
      platformsOff(database.client),
    ])
    const groupsOff = new Set(groupRows.filter((row) => !row.enabled).map(({ id }) => id))
    const next = new Map(id === undefined ? [] : byId)
    const nextChoices = new Map(id === undefined ? [] : choices)
    if (id !== undefined) {
      next.delete(id)
      nextChoices.delete(id)
    }
    for (const row of rows) {
      const credential = openCredential(seal, row.credential?.sealed, row.id)
      const platform = row.platform as Platform
      const url = new URL(row.url)
      const account: Account = {
        id: row.id,
        name: row.name,
        platform,
        origin: url.origin,
        basePath: url.pathname.replace(/\/+$/, ''),
        authHeader: row.authHeader as AuthHeader,
        secret: credential.secret,
        ...storedClock(row.credential, credential),
        proxy: proxyFor(credential.proxy),
        groupId: row.groupId,
        ownerId: row.ownerId ?? 0,
        priority: row.priority,
        weight: row.weight,
        concurrency: row.concurrency,
        models: createModelList(JSON.parse(row.models)),
        mapping: createModelMapping(JSON.parse(row.modelMapping)),
        enabled: row.enabled && !off.has(platform) && !groupsOff.has(row.groupId),
        switchedOn: row.enabled,
        live: liveOf(byId.get(row.id), storedState(row.state)),
      }
      const newer = renewed.get(row.id)
      if (newer && newer.version > (row.credential?.version ?? 0)) takeLogin(account, newer.tokens, newer.atMs)
      else renewed.delete(row.id)
      next.set(account.id, account)
      nextChoices.set(account.id, credential.proxy)
    }
    const nextByGroup = new Map<number, Account[]>()
    for (const account of [...next.values()].sort((one, other) => one.id - other.id)) {
      const members = nextByGroup.get(account.groupId)
      if (members) members.push(account)
      else nextByGroup.set(account.groupId, [account])
    }
    byId = next
    choices = nextChoices
    byGroup = nextByGroup
    groups = new Map(groupRows.map((row) => [row.id, row]))
  }

  const timeline = createTimeline({ database, newId: parts.newId, onError: parts.onError })
  const reports = createReports({
    byId: (id) => byId.get(id),
    all: () => byId.values(),
    events,
    now: parts.now,
    chance: parts.chance,
    policy: parts.policy,
    store: timeline.write,
    writeIn: timeline.writeIn,
    firstProbeMs: parts.firstProbeMs,
    onFailure: parts.onFailure,
    onTransition: parts.onTransition,
  })
  /** What a choice of proxy comes to. */
  function proxyFor(choice: string | null): string | null {
    return choice === 'none' ? null : (choice ?? parts.defaultProxy ?? null)
  }

  return {
    ...reports,
    load,
    timeline: timeline.read,
    pruneTimeline: timeline.prune,
    /** Resolves when every state and step so far is written. */
    stored: timeline.written,
    stop: timeline.stop,
    proxyFor,
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

    /** Creates a group or changes the fields given; matched by name. */
    async ensureGroup(
      tx: Tx,
      name: string,
      fields: { returnsToPriority?: boolean; stripForeignReasoning?: boolean; shared?: boolean } = {},
    ): Promise<number> {
      const found = await tx.group.findFirst({ where: { name, deletedMark: 0 } })
      if (!found) return (await tx.group.create({ data: { name, ...fields } })).id
      if (Object.keys(fields).length > 0) await tx.group.update({ where: { id: found.id }, data: fields })
      return found.id
    },

    /** Creates an account or changes the fields given; matched by name. */
    async save(tx: Tx, draft: AccountDraft): Promise<number> {
      const found = await tx.account.findFirst({ where: { name: draft.name, deletedMark: 0 } })
      const fields = {
        ...(draft.platform !== undefined && { platform: draft.platform }),
        ...(draft.url !== undefined && { url: draft.url }),
        ...(draft.authHeader !== undefined && { authHeader: draft.authHeader }),
        ...(draft.groupId !== undefined && { groupId: draft.groupId }),
        ...(draft.priority !== undefined && { priority: draft.priority }),
        ...(draft.weight !== undefined && { weight: draft.weight }),
        ...(draft.concurrency !== undefined && { concurrency: draft.concurrency }),
        ...(draft.models !== undefined && { models: JSON.stringify(draft.models) }),
        ...(draft.modelMapping !== undefined && { modelMapping: JSON.stringify(draft.modelMapping) }),
        ...(draft.plan !== undefined && { plan: draft.plan }),
        ...(draft.enabled !== undefined && { enabled: draft.enabled }),
      }
      const opens = draft.secret ?? draft.login
      let id: number
      if (found) {
        id = found.id
        for (const field of opens === undefined ? (['url', 'platform'] as const) : []) {
          if (draft[field] === undefined || draft[field] === found[field]) continue
          throw new Error(`account "${draft.name}" has another ${field} now, and needs its secret again`)
        }
        await tx.account.update({ where: { id }, data: fields })
      } else {
        const url = draft.url ?? vendorUrls[draft.platform ?? 'console']
        if (url === undefined || draft.groupId === undefined || opens === undefined) {
          throw new Error(`account "${draft.name}" is new and needs url, group and secret (or accessToken)`)
        }
        const created = await tx.account.create({
          data: {
            name: draft.name,
            platform: 'console',
            authHeader: 'bearer',
            models: '["*"]',
            modelMapping: '{}',
            ...fields,
            url,
            groupId: draft.groupId,
          },
        })
        id = created.id
      }
      if ((await changeCredential(tx, seal, id, draft, { fromFile: true })) && found) {
        // What it rested for was said of the old one.
        await reports.clearState(tx, id, { by: 'person', requestId: '', evidence: null })
      }
      return id
    },

    /** What can be seen of an account's credential: never the secret, only whether there is a proxy. */
    hasProxy: (id: number): boolean => (byId.get(id)?.proxy ?? null) !== null,

    /** Whose proxy it goes through. */
    proxyChoice(id: number): 'default' | 'none' | 'own' {
      const choice = choices.get(id) ?? 'default'
      return choice === 'none' || choice === 'default' ? choice : 'own'
    },

    /** True when its access token is renewed before it ends. */
    renews: (id: number): boolean => (byId.get(id)?.dueAtMs ?? Infinity) < Infinity,

    /** Publishes to every process, this one too, that an account was changed; without an id: that any may have been. */
    changed(id?: number): void {
      const message: AccountsChange = { id: id ?? null, from: self }
      events.publish(accountsChanged, message as unknown as Json)
    },

    /** What a message of `accountsChanged` says; `isOwn`: this process published it. */
    changeOf(message: Json): { id: number | undefined; isOwn: boolean } {
      const { id, from } = message as unknown as AccountsChange
      return { id: id ?? undefined, isOwn: from === self }
    },
  }
}

export type Accounts = ReturnType<typeof createAccounts>

/** An account keeps its live state; of one that other processes changed while we heard nothing, the row knows more. */
function liveOf(known: Account | undefined, stored: AccountState): AccountLive {
  if (!known) return { state: stored, inFlight: 0 }
  if (stored.sinceMs > known.live.state.sinceMs) known.live.state = stored
  return known.live
}
