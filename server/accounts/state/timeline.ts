import type { AccountEvent as Stored } from '../../generated/sqlite/client.ts'
import { firstKeyAt, type RequestId } from '../../request-ids.ts'
import { type Database, isDuplicate, isRefusal, type Scalar, type Tx, type Write } from '../../store/database.ts'
import { newestOfEach, type Page } from '../../store/newest-of-each.ts'
import { createWriteBehind } from '../../store/write-behind.ts'
import type { Account } from '../account.ts'
import type { StateKind } from './state.ts'
import { stateText } from './state-text.ts'
import type { Transition } from './transitions.ts'

/** A state to be stored, and the rows of the steps that led to it. */
interface Entry {
  accountId: number
  state: string
  rows: readonly (readonly Scalar[])[]
}

/** In the order of `dataOf`. */
const columns =
  'id account_id at_ms from_kind to_kind model until_ms next_probe_at_ms reason cause status error_type code message request_id'

const batchEntries = 200
/** Accounts that change state all the time make a few entries a second, so this holds hours without a database. */
const maxEntries = 50_000
const maxPauseMs = 5000

/**
 * The timelines of accounts: states and steps on their way to the database, in order and together, and what is there. What is
 * lost (more than fits in memory, or refused for good) is reported.
 */
export function createTimeline(parts: {
  database: Database
  newId: () => RequestId
  onError?: ((error: unknown, doing: string) => void) | undefined
}) {
  const { database, newId } = parts
  const onError = parts.onError ?? (() => {})
  let waiting: Entry[] = []
  const queue = createWriteBehind({
    name: 'the timeline',
    write,
    isWaiting: () => waiting.length > 0,
    delayMs: 0,
    maxPauseMs,
    onError: (error) => onError(error, 'writing the timeline'),
  })

  async function write(): Promise<void> {
    let size = batchEntries
    while (waiting.length > 0) {
      const batch = waiting.splice(0, size)
      try {
        await database.batch(writesOf(batch))
      } catch (error) {
        const isThere = isDuplicate(error)
        if (batch.length === 1 && (isThere || isRefusal(error))) {
          if (!isThere) onError(error, 'writing a step of the timeline, which is given up,')
          continue
        }
        waiting = [...batch, ...waiting]
        if (!isThere && !isRefusal(error)) throw error
        // One at a time: an earlier try has arrived after all, or one of them is refused for good.
        size = 1
      }
    }
  }

  return {
    /** Takes the account's state as it is now and the steps that led to it; returns at once. */
    write(account: Account, steps: readonly Transition[]): void {
      if (waiting.length >= maxEntries) {
        onError(new Error(`${maxEntries} steps wait for the database: the oldest is given up`), 'writing the timeline')
        waiting.shift()
      }
      const rows = steps.map((step) => Object.values(dataOf(BigInt(newId().key), account.id, step)))
      waiting.push({ accountId: account.id, state: stateText(account.live.state), rows })
      queue.soon()
    },

    /** Resolves when everything so far is written; rejects when the database does not take it now. */
    written: (): Promise<void> => queue.drained(),

    /** The same in a transaction that something else belongs to. */
    async writeIn(tx: Tx, accountId: number, steps: readonly Transition[]): Promise<void> {
      const data = steps.map((step) => dataOf(BigInt(newId().key), accountId, step))
      if (data.length > 0) await tx.accountEvent.createMany({ data })
    },

    /** Steps of accounts, a list for each page, the newest first. */
    async read(pages: readonly Page[]): Promise<{ id: bigint; step: Transition }[][]> {
      const keys = await newestOfEach(database, { table: 'account_events', parent: 'account_id', at: 'at_ms' }, pages)
      const rows = await database.reader.accountEvent.findMany({
        where: { id: { in: keys.flat() } },
        orderBy: { id: 'desc' },
      })
      return keys.map((ids) => {
        const ofPage = new Set(ids)
        return rows.filter(({ id }) => ofPage.has(id)).map((row) => ({ id: row.id, step: stepOf(row) }))
      })
    },

    /** Deletes the steps before a moment, some at a time; returns how many. */
    async prune(beforeMs: number, max = 10_000): Promise<number> {
      const found = await database.reader.accountEvent.findMany({
        where: { id: { lt: firstKeyAt(beforeMs) } },
        orderBy: { id: 'asc' },
        take: max,
        select: { id: true },
      })
      const last = found.at(-1)
      if (!last) return 0
      return (await database.client.accountEvent.deleteMany({ where: { id: { lte: last.id } } })).count
    },

    /** Nothing is tried again after this. */
    stop(): void {
      queue.stop()
      waiting = []
    },
  }
}

function dataOf(id: bigint, accountId: number, { cause, ...step }: Transition) {
  const { evidence } = cause
  return {
    id,
    accountId,
    atMs: BigInt(step.atMs),
    fromKind: step.from,
    toKind: step.to,
    model: step.model.slice(0, 191),
    untilMs: bigOrNull(step.untilMs),
    nextProbeAtMs: bigOrNull(step.nextProbeAtMs),
    reason: step.reason.slice(0, 191),
    cause: cause.by,
    status: evidence?.status ?? 0,
    errorType: evidence?.errorType ?? '',
    code: evidence?.code ?? '',
    message: evidence?.message ?? '',
    requestId: cause.requestId,
  } satisfies Stored
}

function stepOf(row: Stored): Transition {
  const { status, errorType, code, message, requestId } = row
  const hasEvidence = status !== 0 || errorType !== '' || code !== '' || message !== ''
  return {
    atMs: Number(row.atMs),
    from: row.fromKind as StateKind,
    to: row.toKind as StateKind,
    model: row.model,
    untilMs: row.untilMs === null ? null : Number(row.untilMs),
    nextProbeAtMs: row.nextProbeAtMs === null ? null : Number(row.nextProbeAtMs),
    reason: row.reason,
    cause: {
      by: row.cause as Transition['cause']['by'],
      requestId,
      evidence: hasEvidence ? { status, errorType, code, message } : null,
    },
  }
}

const bigOrNull = (value: number | null): bigint | null => (value === null ? null : BigInt(value))

function writesOf(batch: readonly Entry[]): Write[] {
  // Of several states of one account only the last is stored.
  const states = new Map(batch.map((entry) => [entry.accountId, entry.state]))
  return [
    { kind: 'insert', table: 'account_events', columns: columns.split(' '), rows: batch.flatMap(({ rows }) => rows) },
    ...Array.from(
      states,
      ([id, state]): Write => ({
        kind: 'run',
        sql: 'UPDATE `accounts` SET `state` = ? WHERE `id` = ?',
        args: [state, id],
      }),
    ),
  ]
}
