import { createModelList, createModelMapping, type ModelList, type ModelMapping } from '../model-patterns.ts'
import type { Database, Tx } from '../store/database.ts'
import type { Events } from '../store/events.ts'
import type { Seal } from '../store/seal.ts'
import { credentialAad, openCredential, type SealedCredential } from './credential.ts'
import { type AccountEvent, type AccountState, fold, readyState, type StatePolicy } from './state.ts'

export type Platform = 'claude' | 'console' | 'openai' | 'codex'
export type AuthHeader = 'bearer' | 'x-api-key'

/** An account as the relay needs it: a snapshot, replaced as a whole when somebody edits it. */
export interface Account {
  id: number
  name: string
  platform: Platform
  /** scheme://host:port */
  origin: string
  /** Path before /v1, '' or '/…' without a trailing slash. */
  basePath: string
  authHeader: AuthHeader
  /** Plain in memory only; sealed at rest. */
  secret: string
  proxy: string | null
  groupId: number
  /** 0: none. */
  ownerId: number
  priority: number
  weight: number
  models: ModelList
  mapping: ModelMapping
  enabled: boolean
  /** Shared by all snapshots of this account. */
  live: AccountLive
}

export interface AccountLive {
  state: AccountState
  /** Upstream calls under way in this process. */
  inFlight: number
}

export interface Group {
  id: number
  name: string
  enabled: boolean
}

/** What a person or a provisioning file says of an account. Absent fields stay as they are. */
export interface AccountDraft {
  name: string
  platform?: Platform
  url?: string
  authHeader?: AuthHeader
  secret?: string
  proxy?: string | null
  groupId?: number
  priority?: number
  weight?: number
  models?: readonly string[]
  modelMapping?: Readonly<Record<string, string>>
  enabled?: boolean
}

export const accountsChanged = 'accounts.changed'
/** Topic; message: { id }. */
export const accountStateCleared = 'accounts.state-cleared'

/** The pool: groups and accounts in memory, their states, and the verbs that change them. */
export function createAccounts(parts: {
  database: Database
  seal: Seal
  events: Events
  now: () => number
  chance: () => number
  policy?: StatePolicy
  onStateChange?: (account: Account, before: AccountState) => void
}) {
  const { database, seal, events } = parts
  let byId = new Map<number, Account>()
  let byGroup = new Map<number, readonly Account[]>()
  let groups = new Map<number, Group>()

  /** Reads everything anew. Accounts keep their live state over it. */
  async function load(): Promise<void> {
    const [rows, groupRows] = await Promise.all([
      database.client.account.findMany({ where: { deletedMark: 0 }, include: { credential: true } }),
      database.client.group.findMany({ where: { deletedMark: 0 } }),
    ])
    const next = new Map<number, Account>()
    const nextByGroup = new Map<number, Account[]>()
    for (const row of rows) {
      const credential = openCredential(seal, row.credential?.sealed, row.id)
      const url = new URL(row.url)
      const account: Account = {
        id: row.id,
        name: row.name,
        platform: row.platform as Platform,
        origin: url.origin,
        basePath: url.pathname.replace(/\/+$/, ''),
        authHeader: row.authHeader as AuthHeader,
        secret: credential.secret,
        proxy: credential.proxy,
        groupId: row.groupId,
        ownerId: row.ownerId ?? 0,
        priority: row.priority,
        weight: row.weight,
        models: createModelList(JSON.parse(row.models)),
        mapping: createModelMapping(JSON.parse(row.modelMapping)),
        enabled: row.enabled,
        live: byId.get(row.id)?.live ?? { state: storedState(row.state), inFlight: 0 },
      }
      next.set(account.id, account)
      const members = nextByGroup.get(account.groupId)
      if (members) members.push(account)
      else nextByGroup.set(account.groupId, [account])
    }
    byId = next
    byGroup = nextByGroup
    groups = new Map(groupRows.map((row) => [row.id, { id: row.id, name: row.name, enabled: row.enabled }]))
  }

  return {
    load,
    ofGroup: (groupId: number): readonly Account[] => byGroup.get(groupId) ?? [],
    byId: (id: number): Account | undefined => byId.get(id),
    all: (): Iterable<Account> => byId.values(),
    group: (id: number): Group | undefined => groups.get(id),

    /** Folds what happened into the account's state; a change is stored and told off the caller's path. */
    report(account: Account, event: AccountEvent): void {
      const before = account.live.state
      const after = fold(before, event, parts.now(), parts.chance(), parts.policy)
      if (after === before) return
      account.live.state = after
      parts.onStateChange?.(account, before)
    },

    /** Writes a state as it is now; called off the relay path. */
    async storeState(account: Account): Promise<void> {
      await database.client.account.updateMany({
        where: { id: account.id },
        data: { state: JSON.stringify(account.live.state) },
      })
    },

    /** Creates a group or finds it by name. */
    async ensureGroup(tx: Tx, name: string): Promise<number> {
      const found = await tx.group.findFirst({ where: { name, deletedMark: 0 } })
      return found ? found.id : (await tx.group.create({ data: { name } })).id
    },

    /** Creates an account or changes the fields given; matched by name. */
    async save(tx: Tx, draft: AccountDraft): Promise<number> {
      const found = await tx.account.findFirst({
        where: { name: draft.name, deletedMark: 0 },
        include: { credential: true },
      })
      const fields = {
        ...(draft.platform !== undefined && { platform: draft.platform }),
        ...(draft.url !== undefined && { url: draft.url }),
        ...(draft.authHeader !== undefined && { authHeader: draft.authHeader }),
        ...(draft.groupId !== undefined && { groupId: draft.groupId }),
        ...(draft.priority !== undefined && { priority: draft.priority }),
        ...(draft.weight !== undefined && { weight: draft.weight }),
        ...(draft.models !== undefined && { models: JSON.stringify(draft.models) }),
        ...(draft.modelMapping !== undefined && { modelMapping: JSON.stringify(draft.modelMapping) }),
        ...(draft.enabled !== undefined && { enabled: draft.enabled }),
      }
      let id: number
      if (found) {
        id = found.id
        await tx.account.update({ where: { id }, data: fields })
      } else {
        if (draft.url === undefined || draft.groupId === undefined || draft.secret === undefined) {
          throw new Error(`account "${draft.name}" is new and needs url, group and secret`)
        }
        const created = await tx.account.create({
          data: {
            name: draft.name,
            platform: 'console',
            authHeader: 'bearer',
            models: '["*"]',
            modelMapping: '{}',
            ...fields,
            url: draft.url,
            groupId: draft.groupId,
          },
        })
        id = created.id
      }
      if (draft.secret !== undefined || draft.proxy !== undefined) {
        const old = openCredential(seal, found?.credential?.sealed, id)
        const credential: SealedCredential = {
          secret: draft.secret ?? old.secret,
          proxy: draft.proxy !== undefined ? draft.proxy : old.proxy,
        }
        if (!found?.credential || credential.secret !== old.secret || credential.proxy !== old.proxy) {
          const sealed = seal.seal(JSON.stringify(credential), credentialAad(id))
          await tx.accountCredential.upsert({
            where: { accountId: id },
            create: { accountId: id, sealed },
            update: { sealed, version: { increment: 1 } },
          })
        }
      }
      return id
    },

    /** Folds a clearing, made by whichever process, into this one's memory. */
    applyCleared(id: number): void {
      const account = byId.get(id)
      if (!account || account.live.state === readyState) return
      const before = account.live.state
      account.live.state = readyState
      parts.onStateChange?.(account, before)
    },

    /** Tells every process that an account's state was cleared. */
    stateCleared: (id: number) => events.publish(accountStateCleared, { id }),

    /** What can be seen of an account's credential: never the secret, only whether there is a proxy. */
    hasProxy: (id: number): boolean => (byId.get(id)?.proxy ?? null) !== null,

    /** Tells every process, this one too, that accounts or groups changed. */
    changed: () => events.publish(accountsChanged, {}),
  }
}

export type Accounts = ReturnType<typeof createAccounts>

/** The state as stored in a row; what is unreadable or missing is ready. */
export function storedState(text: string): AccountState {
  const stored = JSON.parse(text) as Partial<AccountState>
  return stored.kind === undefined || stored.kind === 'ready' ? readyState : { ...readyState, ...stored }
}
