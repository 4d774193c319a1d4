import { createModelList, createModelMapping, type ModelList, type ModelMapping } from '../model-patterns.ts'
import type { RequestId } from '../request-ids.ts'
import type { Database, Tx } from '../store/database.ts'
import type { Events } from '../store/events.ts'
import type { Seal } from '../store/seal.ts'
import { credentialAad, openCredential, type SealedCredential } from './credential.ts'
import { createReports } from './reports.ts'
import { type AccountState, type StatePolicy, storedState } from './state.ts'
import { createTimeline } from './timeline.ts'
import type { Transition } from './transitions.ts'

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
  /** Requests in flight at once; null: as many as come. */
  concurrency: number | null
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
  /** A conversation that went to a larger priority number comes back with its next user turn. */
  returnsToPriority: boolean
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
  concurrency?: number | null
  models?: readonly string[]
  modelMapping?: Readonly<Record<string, string>>
  enabled?: boolean
}

export const accountsChanged = 'accounts.changed'
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
  onTransition?: (account: Account, steps: readonly Transition[]) => void
  /** A state or a step could not be written yet. */
  onError?: (error: unknown, doing: string) => void
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
        concurrency: row.concurrency,
        models: createModelList(JSON.parse(row.models)),
        mapping: createModelMapping(JSON.parse(row.modelMapping)),
        enabled: row.enabled,
        live: liveOf(byId.get(row.id), storedState(row.state)),
      }
      next.set(account.id, account)
      const members = nextByGroup.get(account.groupId)
      if (members) members.push(account)
      else nextByGroup.set(account.groupId, [account])
    }
    byId = next
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
    onTransition: parts.onTransition,
  })

  return {
    ...reports,
    load,
    timeline: timeline.read,
    pruneTimeline: timeline.prune,
    /** Resolves when every state and step so far is written. */
    stored: timeline.written,
    /** Gives up what the database does not take. */
    stop: timeline.stop,
    ofGroup: (groupId: number): readonly Account[] => byGroup.get(groupId) ?? [],
    byId: (id: number): Account | undefined => byId.get(id),
    all: (): Iterable<Account> => byId.values(),
    group: (id: number): Group | undefined => groups.get(id),

    /** Creates a group or changes the fields given; matched by name. */
    async ensureGroup(
      tx: Tx,
      name: string,
      fields: { returnsToPriority?: boolean; shared?: boolean } = {},
    ): Promise<number> {
      const found = await tx.group.findFirst({ where: { name, deletedMark: 0 } })
      if (!found) return (await tx.group.create({ data: { name, ...fields } })).id
      if (Object.keys(fields).length > 0) await tx.group.update({ where: { id: found.id }, data: fields })
      return found.id
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
        ...(draft.concurrency !== undefined && { concurrency: draft.concurrency }),
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

    /** What can be seen of an account's credential: never the secret, only whether there is a proxy. */
    hasProxy: (id: number): boolean => (byId.get(id)?.proxy ?? null) !== null,

    /** Tells every process, this one too, that accounts or groups changed. */
    changed: () => events.publish(accountsChanged, {}),
  }
}

export type Accounts = ReturnType<typeof createAccounts>

/** An account keeps its live state; of one that other processes changed while we heard nothing, the row knows more. */
function liveOf(known: Account | undefined, stored: AccountState): AccountLive {
  if (!known) return { state: stored, inFlight: 0 }
  if (stored.sinceMs > known.live.state.sinceMs) known.live.state = stored
  return known.live
}
