import type { Database } from '../store/database.ts'
import type { ZoneDay } from '../zone-days.ts'
import { createBacklog } from './backlog.ts'
import type { Journal, SettledRecord } from './journal.ts'
import type { LedgerRecord } from './ledger.ts'
import { createLedgerWriter } from './ledger-writer.ts'

/** Brings settled records into the database, in order and in batches, as often as it takes. */
export interface Settler {
  add(record: SettledRecord): void
  /** Resolves when everything added so far is in the database; rejects when the database does not take it now. */
  drained(): Promise<void>
  /** Records that wait for the database. */
  backlog(): number
  /** Nano-USD of a key that waits for the database, by record number; `day` null: on all days. */
  waitingNano(apiKeyId: number, day: string | null): Map<number, number>
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
  /** Records kept in memory, about 3 KB each; what else waits is read back from the journal. */
  memoryRecords?: number
  setAside: (record: LedgerRecord, error: unknown) => void
  onError: (error: unknown, backlog: number) => void
}): Settler {
  const { database, journal, journalId, dayAt } = options
  const batchRows = options.batchRows ?? 1000
  const intervalMs = options.intervalMs ?? 250
  const memoryRecords = options.memoryRecords ?? 20_000
  const backlog = createBacklog({ journal, dayAt, memoryRecords, readRecords: batchRows })
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
    while (backlog.length() > 0) {
      try {
        // The journal first: else a crash could leave a row in the database that the journal knows as under way only.
        journal.flush()
        const records = await backlog.first()
        const offered = records.length
        const count = await writer.write(records)
        journal.checkpointed(backlog.take(count))
        failures = 0
        if (count === offered && backlog.length() < batchRows) return
      } catch (error) {
        failures++
        options.onError(error, backlog.length())
        return
      }
    }
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
