import { unlinkSync } from 'node:fs'
import type { Reading } from '../money/reading.ts'
import type { Database } from '../store/database.ts'
import type { ZoneDay } from '../zone-days.ts'
import { createDeadLetters } from './dead-letters.ts'
import type { Admitted } from './entry.ts'
import { journalLines, journalsIn } from './journal-files.ts'
import { createLedgerWriter, journalDone } from './ledger-writer.ts'
import { type LedgerRecord, type LedgerRows, logColumn } from './rows.ts'

/** The last known of a request that was under way when its process died. */
export interface Interrupted {
  admitted: Admitted
  /** Usage as last journalled; null when the upstream had reported none. */
  usage: { accountId: number; modelSent: string; reading: Reading } | null
}

export interface Replayed {
  /** Settled records that had not reached the database. */
  settled: number
  /** Requests closed as interrupted. */
  interrupted: number
  /** Journals whose database is another one: left alone. */
  foreign: string[]
  /** Slots (request-ids.ts) of the processes that died. */
  slots: number[]
}

/** The slot of the process that has this journal. */
export const slotOfJournal = (journalId: number): number => journalId % 1024

/**
 * How old a settled record may be to be handed to `onRows` again: counters remember a settlement for six hours (counters.ts),
 * and would count an older one twice.
 */
const repeatedForMs = 5 * 3_600_000
/** How many records that the ledger has are handed to `onRows` again: the kill may have come before their counters. */
const repeatedRecords = 2000

const endedAt = { startedAtMs: logColumn('started_at_ms'), durationMs: logColumn('duration_ms') }

/**
 * Brings journals of processes that died into the ledger, each exactly once, then deletes their files. Killed at any step, it
 * may run again: what is in the database is left out. `close` turns an interrupted request into its rows (with a price).
 * `onRows` gets all rows that the dead process may not have brought to the counters; some of them may be there already.
 */
export async function replayJournals(options: {
  directory: string
  database: Database
  dayAt: (atMs: number) => ZoneDay
  now: () => number
  close: (request: Interrupted) => LedgerRows
  onRows?: (rows: readonly LedgerRows[]) => Promise<void>
  /** A record that the database refuses for good: it is kept in a file beside the journal. */
  onRefused: (error: unknown, id: string) => void
  batchRows?: number
}): Promise<Replayed> {
  const { directory, database, dayAt, now } = options
  const batchRows = options.batchRows ?? 500
  const result: Replayed = { settled: 0, interrupted: 0, foreign: [], slots: [] }
  for (const [name, files] of journalsIn(directory)) {
    const row = await database.client.journal.findUnique({ where: { name } })
    if (!row) {
      result.foreign.push(name)
      continue
    }
    result.slots.push(slotOfJournal(row.id))
    const settledSeq = Number(row.settledSeq)
    if (settledSeq !== journalDone) await replay({ id: row.id, name, settledSeq }, files)
    for (const file of files) unlinkSync(file)
  }
  return result

  async function replay(
    journal: { id: number; name: string; settledSeq: number },
    files: readonly string[],
  ): Promise<void> {
    const writer = createLedgerWriter({
      database,
      journalId: journal.id,
      checkpoint: journal.settledSeq,
      dayAt,
      batchRows,
      deadLetter: createDeadLetters({ directory, name: journal.name, now, onRefused: options.onRefused }),
    })
    const under = new Map<string, Interrupted>()
    let seq = journal.settledSeq
    let batch: LedgerRecord[] = []
    let forCounters: LedgerRows[] = []

    for (const file of files) {
      for await (const { record } of journalLines(file)) {
        if (record?.t === 'a') under.set(record.r.id, { admitted: record.r, usage: null })
        else if (record?.t === 'u') {
          const request = under.get(record.id)
          if (request) request.usage = record.r
        } else if (record?.t === 's') {
          under.delete(String(record.l[0]))
          await settled(record.n, { log: record.l, attempts: record.a })
        }
      }
    }
    const closed = [...under.values()].map(options.close)
    result.interrupted += closed.length
    for (const rows of closed) await take(++seq, rows, true)
    await write()
    await writer.finish()

    async function settled(number: number, rows: LedgerRows): Promise<void> {
      const isYoung =
        now() - ((rows.log[endedAt.startedAtMs] as number) + (rows.log[endedAt.durationMs] as number)) < repeatedForMs
      if (number > seq) {
        seq = number
        result.settled++
        await take(number, rows, isYoung)
      } else if (isYoung && number > journal.settledSeq - repeatedRecords) {
        forCounters.push(rows)
        if (forCounters.length >= batchRows) await write()
      }
    }

    async function take(number: number, rows: LedgerRows, isForCounters: boolean): Promise<void> {
      const attemptsJson = JSON.stringify(rows.attempts).slice(1, -1)
      batch.push({ ...rows, seq: number, logJson: JSON.stringify(rows.log), attemptsJson })
      if (isForCounters) forCounters.push(rows)
      if (batch.length >= batchRows) await write()
    }

    async function write(): Promise<void> {
      while (batch.length > 0) batch.splice(0, await writer.write(batch))
      if (forCounters.length > 0) await options.onRows?.(forCounters)
      batch = []
      forCounters = []
    }
  }
}
