// Where keys were used from and by which programs: noted in memory, bounded for each key, and written behind.
import type { Database } from '../store/database.ts'
import { createWriteBehind } from '../store/write-behind.ts'

type Kind = 'address' | 'client'

interface Sighting {
  firstAtMs: number
  lastAtMs: number
}

/** How long one is shown after its last time. */
export const sightingKeptMs = 7 * 24 * 3_600_000
/** Of each kind and key; for a new one the one that was not seen for longest is forgotten. */
const maxSightings = 50
/** What is seen all the time is written so often. */
const writeEveryMs = 10 * 60_000
const maxValueChars = 120

export interface Sightings {
  /** Costs no query: a request of this key came from there. */
  note(keyId: number, address: string, userAgent: string): void
  /** Resolves when everything noted is in the database. */
  written(): Promise<void>
  stop(): void
}

/** Opens with what the database has, so that a restart neither forgets nor exceeds the bounds. */
export async function openSightings(parts: {
  database: Database
  now: () => number
  writeMs?: number | undefined
  onError: (error: unknown, doing: string) => void
}): Promise<Sightings> {
  const { database, now } = parts
  /** By kind and key; values in the order of their last time. */
  const lists = new Map<string, Map<string, Sighting>>()
  /** Rows to write; undefined: to delete. */
  let waiting = new Map<string, { keyId: number; kind: Kind; value: string; sighting: Sighting | undefined }>()
  const queue = createWriteBehind({
    name: 'where keys were used from',
    write,
    isWaiting: () => waiting.size > 0,
    delayMs: parts.writeMs ?? 5_000,
    maxPauseMs: 60_000,
    onError: (error) => parts.onError(error, 'writing where keys were used from'),
  })

  function see(keyId: number, kind: Kind, text: string, atMs: number): void {
    const value = text.slice(0, maxValueChars)
    const list = listOf(keyId, kind)
    const known = list.get(value)
    if (known && atMs - known.lastAtMs < writeEveryMs) return
    const sighting = { firstAtMs: known?.firstAtMs ?? atMs, lastAtMs: atMs }
    list.delete(value)
    list.set(value, sighting)
    put(keyId, kind, value, sighting)
    for (const [oldest, { lastAtMs }] of list) {
      if (list.size <= maxSightings && atMs - lastAtMs < sightingKeptMs) break
      list.delete(oldest)
      put(keyId, kind, oldest, undefined)
    }
  }

  function listOf(keyId: number, kind: Kind): Map<string, Sighting> {
    const name = `${kind} ${keyId}`
    const list = lists.get(name) ?? new Map<string, Sighting>()
    lists.set(name, list)
    return list
  }

  function put(keyId: number, kind: Kind, value: string, sighting: Sighting | undefined): void {
    waiting.set(`${kind} ${keyId} ${value}`, { keyId, kind, value, sighting })
    queue.soon()
  }

  async function write(): Promise<void> {
    const batch = waiting
    waiting = new Map()
    try {
      await database.locked(['key-sightings'], async (tx) => {
        for (const { keyId: apiKeyId, kind, value, sighting } of batch.values()) {
          const where = { apiKeyId, kind, value }
          if (sighting === undefined) {
            await tx.apiKeySighting.deleteMany({ where })
            continue
          }
          const lastAtMs = BigInt(sighting.lastAtMs)
          const { count } = await tx.apiKeySighting.updateMany({ where, data: { lastAtMs } })
          if (count === 0)
            await tx.apiKeySighting.create({ data: { ...where, firstAtMs: BigInt(sighting.firstAtMs), lastAtMs } })
        }
      })
    } catch (error) {
      // What was noted meanwhile is newer.
      waiting = new Map([...batch, ...waiting])
      throw error
    }
  }

  const rows = await database.client.apiKeySighting.findMany({ orderBy: { lastAtMs: 'asc' } })
  for (const { apiKeyId, kind, value, firstAtMs, lastAtMs } of rows) {
    listOf(apiKeyId, kind as Kind).set(value, { firstAtMs: Number(firstAtMs), lastAtMs: Number(lastAtMs) })
  }

  return {
    note(keyId, address, userAgent) {
      const atMs = now()
      if (address !== '') see(keyId, 'address', address, atMs)
      if (userAgent !== '') see(keyId, 'client', userAgent, atMs)
    },
    written: () => queue.drained(),
    stop: queue.stop,
  }
}
