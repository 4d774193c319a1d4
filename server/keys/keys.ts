import { hash } from 'node:crypto'
import type { Database, Tx } from '../store/database.ts'
import type { Seal } from '../store/seal.ts'
import { conflict, inputFailure, notFound } from '../verb-failure.ts'
import { type ApiKey, allowedColumns, keyOf } from './api-key.ts'

/** Limits as people set them; null: none. */
export interface LimitDraft {
  dailyLimitNano?: bigint | null
  weeklyLimitNano?: bigint | null
  monthlyLimitNano?: bigint | null
  totalLimitNano?: bigint | null
  rollingLimitNano?: bigint | null
  rollingHours?: number
}

/** A change of a key by a person or a provisioning file. Absent fields stay as they are, null clears. */
export interface ApiKeyDraft extends LimitDraft {
  name: string
  secret?: string
  userId?: number | null
  groupId?: number
  models?: readonly string[]
  /** CIDR; empty: from everywhere. */
  allowedAddresses?: readonly string[]
  /** Patterns of the user agent; empty: every program. */
  allowedClients?: readonly string[]
  requestsPerMinute?: number | null
  tokensPerMinute?: number | null
  concurrency?: number | null
  expiresAt?: Date | null
  validForDays?: number | null
  enabled?: boolean
}

/** A key with all it needs; limits that are absent are none. */
export type NewApiKey = Required<
  Pick<ApiKeyDraft, 'name' | 'secret' | 'userId' | 'groupId' | 'models' | 'expiresAt' | 'enabled'>
> & {
  [Name in Exclude<keyof ApiKeyDraft, 'name' | 'secret' | 'userId' | 'groupId' | 'models' | 'expiresAt' | 'enabled'>]?:
    | ApiKeyDraft[Name]
    | undefined
}

const dayMs = 24 * 3_600_000

/** Secrets whose HMAC is remembered; when there are more, all are forgotten. */
const maxKnownSecrets = 10_000

/** Keys in memory by the HMAC of their secret, and the verbs that change them. */
export function createKeys(parts: { database: Database; seal: Seal; now?: () => number }) {
  const { database, seal, now = Date.now } = parts
  const byHmac = new Map<string, ApiKey>()
  /** Secrets that were rotated out and still open their key for a while. */
  const byOldHmac = new Map<string, { key: ApiKey; untilMs: number }>()
  const byId = new Map<number, ApiKey>()
  /** HMACs of secrets that opened a key, by a plain hash of them: an HMAC takes six times as long, and every request needs one. */
  const knownHmacs = new Map<string, string>()

  /** Reads a key, or without an id all keys. */
  async function load(id?: number): Promise<void> {
    const rows = await database.client.apiKey.findMany({
      where: { deletedMark: 0, id },
      include: { user: true, group: true },
    })
    const read = rows.map((row) => ({ row, key: keyOf(row) }))
    forget(id)
    for (const { row, key } of read) {
      byId.set(key.id, key)
      byHmac.set(row.secretHmac, key)
      if (row.previousSecretHmac !== null && row.previousUntil !== null) {
        byOldHmac.set(row.previousSecretHmac, { key, untilMs: row.previousUntil.getTime() })
      }
    }
  }

  /** Forgets a key, or without an id all keys. */
  function forget(id?: number): void {
    const isMeant = (key: ApiKey): boolean => id === undefined || key.id === id
    for (const [keyId, key] of byId) if (isMeant(key)) byId.delete(keyId)
    for (const [hmac, key] of byHmac) if (isMeant(key)) byHmac.delete(hmac)
    for (const [hmac, { key }] of byOldHmac) if (isMeant(key)) byOldHmac.delete(hmac)
  }

  function findByHmac(hmac: string): ApiKey | undefined {
    const old = byOldHmac.get(hmac)
    return byHmac.get(hmac) ?? (old && old.untilMs > now() ? old.key : undefined)
  }

  function find(secret: string): ApiKey | undefined {
    const digest = hash('sha256', secret, 'base64')
    const known = knownHmacs.get(digest)
    if (known !== undefined) return findByHmac(known)
    const hmac = seal.hmac(secret)
    const key = findByHmac(hmac)
    if (key === undefined) return undefined
    if (knownHmacs.size === maxKnownSecrets) knownHmacs.clear()
    knownHmacs.set(digest, hmac)
    return key
  }

  return {
    load,

    /** What a secret is known by. */
    hmacOf: (secret: string): string => seal.hmac(secret),

    /** The key with this secret. How long it takes tells only whether the secret was used before, never a part of it. */
    find,

    /** The same for a secret whose HMAC is at hand. */
    findByHmac,

    byId: (id: number): ApiKey | undefined => byId.get(id),

    /** Creates a key or changes the fields given; matched by name. */
    async save(tx: Tx, draft: ApiKeyDraft): Promise<number> {
      const found = await tx.apiKey.findFirst({ where: { name: draft.name, deletedMark: 0 } })
      if (draft.secret !== undefined) await refuseTaken(tx, seal.hmac(draft.secret), found?.id)
      const { name: _name, secret, models, allowedAddresses, allowedClients, ...rest } = draft
      const fields = {
        ...rest,
        ...(secret !== undefined && { secretHmac: seal.hmac(secret), secretHint: hintOf(secret) }),
        ...(models !== undefined && { models: JSON.stringify(models) }),
        ...allowedColumns({ allowedAddresses, allowedClients }),
      }
      if (found) {
        await tx.apiKey.update({ where: { id: found.id }, data: fields })
        return found.id
      }
      if (draft.secret === undefined || draft.groupId === undefined) {
        throw new Error(`key "${draft.name}" is new and needs secret and group`)
      }
      const created = await tx.apiKey.create({
        data: {
          name: draft.name,
          models: '["*"]',
          ...fields,
          groupId: draft.groupId,
          secretHmac: seal.hmac(draft.secret),
          secretHint: hintOf(draft.secret),
        },
      })
      return created.id
    },

    /** Creates a key. Throws an input failure for a name or a secret that is taken. */
    async create(tx: Tx, draft: NewApiKey): Promise<number> {
      const { secret, models, allowedAddresses, allowedClients, ...fields } = draft
      await refuseTakenName(tx, draft.name)
      await refuseTakenSecret(tx, seal.hmac(secret))
      const created = await tx.apiKey.create({
        data: {
          ...fields,
          models: JSON.stringify(models),
          ...allowedColumns({ allowedAddresses, allowedClients }),
          secretHmac: seal.hmac(secret),
          secretHint: hintOf(secret),
        },
      })
      return created.id
    },

    /** Changes the fields given; null clears. Throws not found, or an input failure for a name that is taken. */
    async update(tx: Tx, id: number, draft: Omit<Partial<ApiKeyDraft>, 'secret'>): Promise<void> {
      const { models, allowedAddresses, allowedClients, ...fields } = draft
      await existing(tx, id)
      if (draft.name !== undefined) await refuseTakenName(tx, draft.name, id)
      await tx.apiKey.update({
        where: { id },
        data: {
          ...fields,
          ...(models !== undefined && { models: JSON.stringify(models) }),
          ...allowedColumns({ allowedAddresses, allowedClients }),
        },
      })
    },

    /** A key that expires so long after its first use has been used: from now on its time runs. */
    async begin(key: ApiKey, atMs: number): Promise<void> {
      if (key.validForDays === null) return
      const expiresAt = new Date(atMs + key.validForDays * dayMs)
      key.validForDays = null
      key.expiresAtMs = expiresAt.getTime()
      await database.client.apiKey.updateMany({ where: { id: key.id, expiresAt: null }, data: { expiresAt } })
    },

    /** Gives the key another secret; limits and history stay. The old one opens it until `keepOldUntil` (null: no more). */
    async rotate(tx: Tx, id: number, secret: string, keepOldUntil: Date | null): Promise<void> {
      const { secretHmac } = await existing(tx, id)
      const fresh = seal.hmac(secret)
      await refuseTakenSecret(tx, fresh)
      await tx.apiKey.update({
        where: { id },
        data: {
          secretHmac: fresh,
          secretHint: hintOf(secret),
          // Kept also when it opens nothing any more: an old secret never becomes another key's.
          previousSecretHmac: secretHmac,
          previousUntil: keepOldUntil,
        },
      })
    },

    /** The key opens nothing any more; its history stays, and its secrets are never given again. */
    async remove(tx: Tx, id: number): Promise<void> {
      await existing(tx, id)
      await tx.apiKey.update({ where: { id }, data: { deletedMark: id, enabled: false } })
    },

    /** Refuses to leave keys without a group; names what is still there. */
    async refuseGroupInUse(tx: Tx, groupId: number): Promise<void> {
      const count = await tx.apiKey.count({ where: { groupId, deletedMark: 0 } })
      if (count > 0) throw conflict('GROUP_HAS_KEYS', { count })
    },
  }
}

export type Keys = ReturnType<typeof createKeys>

async function existing(tx: Tx, id: number) {
  const found = await tx.apiKey.findFirst({ where: { id, deletedMark: 0 } })
  if (!found) throw notFound('API key')
  return found
}

async function refuseTakenName(tx: Tx, name: string, ownId = 0): Promise<void> {
  const other = await tx.apiKey.findFirst({ where: { name, deletedMark: 0, NOT: { id: ownId } } })
  if (other) throw inputFailure({ path: 'name', code: 'TAKEN' })
}

/** Does not name the key that has it: somebody who tries secrets must not learn names. */
async function refuseTakenSecret(tx: Tx, hmac: string): Promise<void> {
  const other = await tx.apiKey.findFirst({ where: { OR: [{ secretHmac: hmac }, { previousSecretHmac: hmac }] } })
  if (other) throw inputFailure({ path: 'secret', code: 'SECRET_NOT_USABLE' })
}

/** A secret opens one key only, and one that was taken back never opens anything again. */
async function refuseTaken(tx: Tx, secretHmac: string, ownId: number | undefined): Promise<void> {
  const holder = await tx.apiKey.findFirst({ where: { OR: [{ secretHmac }, { previousSecretHmac: secretHmac }] } })
  if (!holder || holder.id === ownId) return
  const whose = holder.deletedMark === 0 ? 'the secret of key' : 'the secret of the deleted key'
  throw new Error(`has ${whose} "${holder.name}"; every key needs a secret of its own`)
}

/** `sk-a…wxyz`: enough to recognise a key of 20 or more characters, too little to guess it. */
function hintOf(secret: string): string {
  return `${secret.slice(0, 4)}…${secret.slice(-4)}`
}
