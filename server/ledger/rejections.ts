import type { Database, Scalar, Write } from '../store/database.ts'
import { isOutcomeUnknown } from '../store/database.ts'
import { createWriteBehind } from '../store/write-behind.ts'
import type { ZoneDay } from '../zone-days.ts'
import { rejectionRollups } from './rollups.ts'

/** Who was refused: a key, or the begin of an unknown secret's HMAC. */
export interface RejectedCaller {
  /** 0: no key of ours. */
  apiKeyId: number
  apiKeyName: string
  userId: number
  groupId: number
  /** '' when the key is known, or none was sent. */
  secretHash: string
}

/** Requests of one caller, refused for one reason within one second. */
export interface RejectionCount extends RejectedCaller {
  reason: string
  requests: number
  lastAtMs: number
  /** What the last one was told. */
  message: string
  /** Of those that had been shown as running while they waited. */
  requestIds: string[]
}

const hourMs = 3_600_000
const secondMs = 1000
/** At most this many unknown secrets have a row of their own in an hour. A scan with new secrets must not fill the table. */
const maxUnknown = 100
/** All the others. */
const otherSecrets = '+'
const maxMessage = 300
/** The begin of an HMAC that is shown: enough to recognise a secret again, nothing to guess it by. */
const hashLength = 8
/** Ids of one second that an event carries. */
const maxIds = 1000

/**
 * Counts requests that were refused before any upstream was asked. A flood costs a map lookup each: once a second the
 * counts become live events, and go into the database by hour. What the last second held is lost with the process.
 */
export function createRejections(parts: {
  database: Pick<Database, 'batch'>
  dayAt: (atMs: number) => ZoneDay
  now: () => number
  /** Once a second, for each caller and reason. */
  onCounted: (count: RejectionCount) => void
  onError: (error: unknown) => void
}) {
  const { database, dayAt, now } = parts
  /** Of this second, by caller and reason. */
  let counting = new Map<string, RejectionCount>()
  /** On their way into the database, by hour, caller and reason. */
  let waiting = new Map<string, RejectionCount>()
  let timer: NodeJS.Timeout | null = null
  const unknown = { hour: 0, hashes: new Set<string>() }

  const queue = createWriteBehind({
    name: 'the counts of rejections',
    write,
    isWaiting: () => waiting.size > 0,
    delayMs: 0,
    maxPauseMs: 5000,
    onError: parts.onError,
  })

  function knownHash(hash: string, hour: number): string {
    if (hash === '') return ''
    if (unknown.hour !== hour) {
      unknown.hour = hour
      unknown.hashes.clear()
    }
    const short = hash.slice(0, hashLength)
    if (unknown.hashes.has(short)) return short
    if (unknown.hashes.size >= maxUnknown) return otherSecrets
    unknown.hashes.add(short)
    return short
  }

  function pass(): void {
    if (timer) clearTimeout(timer)
    timer = null
    const counts = counting
    if (counts.size === 0) return
    counting = new Map()
    for (const count of counts.values()) {
      keep(waiting, count)
      parts.onCounted(count)
    }
    queue.soon()
  }

  async function write(): Promise<void> {
    if (waiting.size === 0) return
    const batch = waiting
    waiting = new Map()
    try {
      await database.batch(writesOf([...batch.values()], dayAt))
    } catch (error) {
      // Written or not, nobody knows: twice would be a number that no client sent.
      if (!isOutcomeUnknown(error)) for (const count of batch.values()) keep(waiting, count)
      throw error
    }
  }

  return {
    /** One request was refused. `shownId`: it had been shown as running. */
    count(caller: RejectedCaller, reason: string, message: string, shownId?: string): void {
      const atMs = now()
      const hour = Math.floor(atMs / hourMs)
      const secretHash = knownHash(caller.secretHash, hour)
      const name = `${hour} ${caller.apiKeyId} ${secretHash} ${reason}`
      let count = counting.get(name)
      if (count === undefined) {
        const { apiKeyId, apiKeyName, userId, groupId } = caller
        const requestIds: string[] = []
        count = {
          apiKeyId,
          apiKeyName,
          userId,
          groupId,
          secretHash,
          reason,
          requests: 0,
          lastAtMs: 0,
          message,
          requestIds,
        }
        counting.set(name, count)
        timer ??= setTimeout(pass, secondMs)
        timer.unref()
      }
      count.requests++
      count.lastAtMs = atMs
      count.message = message
      if (shownId !== undefined && count.requestIds.length < maxIds) count.requestIds.push(shownId)
    },

    /** Those of a day by owner that are not in the database yet. */
    pending(day: string): Map<number, number> {
      const byUser = new Map<number, number>()
      for (const { lastAtMs, userId, requests } of waiting.values()) {
        if (dayAt(lastAtMs).day === day) byUser.set(userId, (byUser.get(userId) ?? 0) + requests)
      }
      return byUser
    },

    /** Resolves when everything counted so far is in the database; rejects when it does not take it now. */
    async drained(): Promise<void> {
      pass()
      await queue.drained()
    },

    async close(): Promise<void> {
      pass()
      await queue.drained().catch(() => {})
      queue.stop()
    },
  }
}

export type Rejections = ReturnType<typeof createRejections>

/** Adds a count to those of its hour. */
function keep(counts: Map<string, RejectionCount>, count: RejectionCount): void {
  const name = `${Math.floor(count.lastAtMs / hourMs)} ${count.apiKeyId} ${count.secretHash} ${count.userId} ${count.groupId} ${count.reason}`
  const known = counts.get(name)
  if (known === undefined) return void counts.set(name, { ...count, requestIds: [] })
  known.requests += count.requests
  if (count.lastAtMs < known.lastAtMs) return
  known.lastAtMs = count.lastAtMs
  known.message = count.message
}

const keys = ['hour_ms', 'api_key_id', 'secret_hash', 'user_id', 'group_id', 'reason']

function writesOf(counts: readonly RejectionCount[], dayAt: (atMs: number) => ZoneDay): Write[] {
  const idOf = (count: RejectionCount): Scalar[] => [
    count.lastAtMs - (count.lastAtMs % hourMs),
    count.apiKeyId,
    count.secretHash,
    count.userId,
    count.groupId,
    count.reason,
  ]
  return [
    {
      kind: 'add',
      table: 'rejections',
      keys,
      sums: ['requests'],
      rows: counts.map((count) => [...idOf(count), count.requests]),
    },
    ...counts.map(
      (count): Write => ({
        kind: 'run',
        sql: `UPDATE \`rejections\` SET \`last_at_ms\` = ?, \`message\` = ? WHERE ${keys.map((key) => `\`${key}\` = ?`).join(' AND ')} AND \`last_at_ms\` <= ?`,
        args: [count.lastAtMs, count.message.slice(0, maxMessage), ...idOf(count), count.lastAtMs],
      }),
    ),
    ...rejectionRollups(counts, dayAt),
  ]
}
