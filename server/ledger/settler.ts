import type { Database } from '../store/database.ts'
import type { ZoneDay } from '../zone-days.ts'
import { type Backlog, type BatchRows, createBacklog, type WaitingBatch } from './backlog.ts'
import type { Journal, Segment, SettledRecord } from './journal.ts'
import { createLedgerWriter, mustBeLookedAt } from './ledger-writer.ts'
import type { LedgerRecord } from './rows.ts'

/** Brings settled records into the database, in order and in batches, as often as it takes. */
export interface Settler {
  add(record: SettledRecord): void
  /** Resolves when everything added so far is in the database; rejects when the database does not take it now. */
  drained(): Promise<void>
  /** Records that wait for the database. */
  backlog(): number
  /** Nano-USD of a key that waits for the database, by batch with its first record; `day` null: on all days. */
  waitingNano: Backlog['waitingNano']
  /** Stops the clock; does not drain. */
  stop(): void
}

const longestPauseMs = 5000

export function createSettler(options: {
  database: Database
  journal: Journal
  journalId: number
  dayAt: (atMs: number) => ZoneDay
  intervalMs?: number
  batchRows?: number
  /** Records kept in memory, about 1 KB each; what else waits is read back from the journal. */
  memoryRecords?: number
  setAside: (record: LedgerRecord, error: unknown) => void
  onError: (error: unknown, backlog: number) => void
}): Settler {
  const { database, journal, journalId, dayAt } = options
  const batchRows = options.batchRows ?? 1000
  const intervalMs = options.intervalMs ?? 250
  const memoryRecords = options.memoryRecords ?? 20_000
  const backlog = createBacklog({ journal, dayAt, memoryRecords, batchRows })
  const { setAside } = options
  const writer = createLedgerWriter({ database, journalId, checkpoint: 0, dayAt, batchRows, setAside })
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> | null = null
  let stopped = false
  let failures = 0

  function schedule(afterMs: number): void {
    if (timer || stopped || running) return
    timer = setTimeout(() => {
      timer = null
      void run()
    }, afterMs)
  }

  function run(): Promise<void> {
    if (!running) {
      if (timer) clearTimeout(timer)
      timer = null
      running = work().finally(() => {
        running = null
        if (backlog.length() === 0) return
        schedule(failures === 0 ? intervalMs : Math.min(intervalMs * 2 ** failures, longestPauseMs))
      })
    }
    return running
  }

  async function work(): Promise<void> {
    for (let batch = backlog.first(); batch; batch = backlog.first()) {
      try {
        // The journal first: else a crash could leave a row in the database that the journal knows as under way only.
        journal.flush()
        if (batch.rows) await writeWhole(batch, batch.rows)
        else await writeRead(batch)
        failures = 0
        if (backlog.length() < batchRows) return
      } catch (error) {
        if (batch.rows && mustBeLookedAt(error)) {
          backlog.forget(batch)
          continue
        }
        failures++
        options.onError(error, backlog.length())
        return
      }
    }
  }

  async function writeWhole(batch: WaitingBatch, rows: BatchRows): Promise<void> {
    await writer.writeWhole(rows, batch.lastSeq)
    journal.checkpointed(batch.lastSeq, batch.segments)
    backlog.done()
  }

  /** Record by record, as the journal gives them back. */
  async function writeRead(batch: WaitingBatch): Promise<void> {
    const records = await backlog.read(batch)
    const taken = records.slice(0, await writer.write(records))
    const segments = new Map<Segment, number>()
    for (const { segment } of taken) segments.set(segment, (segments.get(segment) ?? 0) + 1)
    journal.checkpointed(taken.at(-1)?.seq ?? 0, segments)
    backlog.done(taken)
  }

  return {
    add(record) {
      backlog.add(record)
      if (backlog.length() >= batchRows && failures === 0 && !stopped) void run()
      else schedule(intervalMs)
    },
    async drained() {
      const target = backlog.lastSeq()
      while (writer.checkpoint() < target && !stopped) {
        await run()
        if (failures > 0) throw new Error('the database does not take the ledger')
      }
    },
    backlog: backlog.length,
    waitingNano: backlog.waitingNano,
    stop() {
      stopped = true
      if (timer) clearTimeout(timer)
      timer = null
    },
  }
}
