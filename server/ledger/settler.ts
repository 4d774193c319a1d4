import type { Database } from '../store/database.ts'
import { createWriteBehind } from '../store/write-behind.ts'
import type { ZoneDay } from '../zone-days.ts'
import { type Backlog, createBacklog } from './backlog.ts'
import type { DeadLetter } from './dead-letters.ts'
import type { Journal, Segment, SettledRecord } from './journal.ts'
import { createLedgerWriter } from './ledger-writer.ts'

/** Brings settled records into the database, in order and in batches, as often as it takes. */
export interface Settler {
  add(record: SettledRecord): void
  /** Resolves when everything added so far is in the database; rejects when the database does not take it now. */
  drained(): Promise<void>
  /** Records that wait for the database. */
  backlog(): number
  waitingNano: Backlog['waitingNano']
  /** Stops the clock; does not drain. */
  stop(): void
}

const maxPauseMs = 5000
/** So many records are written without the usual delay. What waits longer outlives collections of young memory: a fifth of the ledger's CPU time. */
const promptRecords = 200

export function createSettler(options: {
  database: Database
  journal: Journal
  journalId: number
  dayAt: (atMs: number) => ZoneDay
  intervalMs?: number
  batchRows?: number
  /** Records kept in memory, about 2 KB each; what else waits is read back from the journal. */
  memoryRecords?: number
  deadLetter: DeadLetter
  onError: (error: unknown) => void
}): Settler {
  const { database, journal, journalId, dayAt, deadLetter } = options
  const batchRows = options.batchRows ?? 1000
  const prompt = Math.min(batchRows, promptRecords)
  const backlog = createBacklog({ journal, memoryRecords: options.memoryRecords ?? 20_000, batchRows })
  const writer = createLedgerWriter({ database, journalId, checkpoint: 0, dayAt, batchRows, deadLetter })
  const queue = createWriteBehind({
    name: 'the ledger',
    write,
    isWaiting: () => backlog.length() > 0,
    delayMs: options.intervalMs ?? 250,
    maxPauseMs,
    onError: options.onError,
  })

  async function write(): Promise<void> {
    do {
      // The journal first: after a crash it would know a request as running whose row is in the database.
      journal.flush()
      const records = await backlog.first()
      const written = records.slice(0, await writer.write(records))
      const admittedIn = new Map<Segment, number>()
      for (const { segment } of written) admittedIn.set(segment, (admittedIn.get(segment) ?? 0) + 1)
      journal.checkpointed(written.at(-1)?.seq ?? 0, admittedIn)
      backlog.remove(written)
    } while (backlog.length() >= prompt)
  }

  return {
    add(record) {
      backlog.add(record)
      if (backlog.length() === prompt && !queue.isFailing()) void queue.now()
      else queue.soon()
    },
    drained() {
      const target = backlog.lastSeq()
      return queue.drained(() => writer.checkpoint() >= target)
    },
    backlog: backlog.length,
    waitingNano: backlog.waitingNano,
    stop: queue.stop,
  }
}
