import type { RequestId } from '../request-ids.ts'
import type { Database, Tx } from '../store/database.ts'
import type { Events } from '../store/events.ts'
import type { Seal } from '../store/seal.ts'
import { type Account, type AccountDraft, type AccountLive, vendorUrls } from './account.ts'
import { setGroups } from './account-groups.ts'
import { createAccountSnapshot } from './account-snapshot.ts'
import { changeCredential } from './credential.ts'
import { changesOf, type FormatFlagChanges, type FormatFlags } from './format-flags.ts'
import { createReports } from './state/reports.ts'
import type { StatePolicy } from './state/state.ts'
import { createTimeline } from './state/timeline.ts'
import type { Transition } from './state/transitions.ts'

/** Groups and accounts in memory, their states, and the verbs that change them. */
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
  /** The gauges of an account, kept up to date. */
  gaugesOf?: (accountId: number) => AccountLive['gauges']
  /** When the first probe of a cooldown is due that has just begun, of the account (model '') or of a model; null: none is. */
  firstProbeMs?: (account: Account, model: string) => number | null
  onFailure?: (account: Account, reason: string) => void
  onTransition?: (account: Account, steps: readonly Transition[]) => void
  /** A state or a step could not be written yet. */
  onError?: (error: unknown, doing: string) => void
}) {
  const { database, seal, events } = parts
  const snapshot = createAccountSnapshot(parts)
  const timeline = createTimeline({ database, newId: parts.newId, onError: parts.onError })
  const reports = createReports({
    byId: snapshot.byId,
    all: snapshot.all,
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

  const learning = new Set<Promise<unknown>>()

  /** What the refusal of a translated request taught about an account: in force at once, stored beside. */
  function learnFlags(id: number, learnt: FormatFlagChanges): void {
    const account = snapshot.byId(id)
    if (!account) return
    const flags = { ...account.flags, ...(learnt as Partial<FormatFlags>) }
    snapshot.applyFlags(id, flags)
    const text = JSON.stringify(changesOf(flags))
    const writing = database.client.account
      .updateMany({ where: { id }, data: { flags: text } })
      .catch((error: unknown) => parts.onError?.(error, 'storing what an upstream takes'))
      .finally(() => learning.delete(writing))
    learning.add(writing)
  }

  return {
    learnFlags,
    ...reports,
    ...snapshot,
    timelines: timeline.read,
    /** Steps of one account, the newest first. */
    timeline: async (of: number, limit: number, before?: bigint) =>
      (await timeline.read([{ of, limit, before }]))[0] ?? [],
    pruneTimeline: timeline.prune,
    /** Resolves when every state and step so far is written. */
    async stored(): Promise<void> {
      await Promise.all([timeline.written(), ...learning])
    },
    stop: timeline.stop,

    /** Creates a group or changes the fields given; matched by name. */
    async ensureGroup(
      tx: Tx,
      name: string,
      fields: {
        returnsToPriority?: boolean
        stripForeignReasoning?: boolean
        shared?: boolean
        chargeBp?: number
      } = {},
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
        // Whoever writes the file is an administrator.
        ...(draft.url !== undefined && { url: draft.url, approved: true }),
        ...(draft.authHeader !== undefined && { authHeader: draft.authHeader }),
        ...(draft.priority !== undefined && { priority: draft.priority }),
        ...(draft.weight !== undefined && { weight: draft.weight }),
        ...(draft.concurrency !== undefined && { concurrency: draft.concurrency }),
        ...(draft.models !== undefined && { models: JSON.stringify(draft.models) }),
        ...(draft.modelMapping !== undefined && { modelMapping: JSON.stringify(draft.modelMapping) }),
        ...(draft.flags !== undefined && { flags: JSON.stringify(draft.flags) }),
        ...(draft.connectTimeoutSeconds !== undefined && { connectTimeoutSeconds: draft.connectTimeoutSeconds }),
        ...(draft.firstByteTimeoutSeconds !== undefined && { firstByteTimeoutSeconds: draft.firstByteTimeoutSeconds }),
        ...(draft.idleTimeoutSeconds !== undefined && { idleTimeoutSeconds: draft.idleTimeoutSeconds }),
        ...(draft.maxUtilization !== undefined && { maxUtilization: JSON.stringify(draft.maxUtilization) }),
        ...(draft.plan !== undefined && { plan: draft.plan }),
        ...(draft.enabled !== undefined && { enabled: draft.enabled }),
      }
      const opens = draft.secret ?? draft.login
      let id: number
      let { extraHeaders } = draft
      if (found) {
        id = found.id
        for (const field of opens === undefined ? (['url', 'platform'] as const) : []) {
          if (draft[field] === undefined || draft[field] === found[field]) continue
          throw new Error(`account "${draft.name}" has another ${field} now, and needs its secret again`)
        }
        // They belong to their address, like the secret.
        if (draft.url !== undefined && draft.url !== found.url) extraHeaders ??= {}
        await tx.account.update({ where: { id }, data: fields })
      } else {
        const url = draft.url ?? vendorUrls[draft.platform ?? 'console']
        if (url === undefined || draft.groupIds === undefined || opens === undefined) {
          throw new Error(`account "${draft.name}" is new and needs url, groups and secret (or accessToken)`)
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
            approved: true,
          },
        })
        id = created.id
      }
      if (draft.groupIds) await setGroups(tx, id, draft.groupIds)
      if ((await changeCredential(tx, seal, id, { ...draft, extraHeaders }, { fromFile: true })) && found) {
        // The state came from responses to the old credential.
        await reports.clearState(tx, id, { by: 'person', requestId: '', evidence: null })
      }
      return id
    },
  }
}

export type Accounts = ReturnType<typeof createAccounts>
