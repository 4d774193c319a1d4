import { BatchConflict, type Database, isDuplicate, isRefusal, type Write } from '../store/database.ts'
import type { ZoneDay } from '../zone-days.ts'
import type { DeadLetter } from './dead-letters.ts'
import { rollupWrites } from './rollups.ts'
import { attemptColumns, type LedgerRecord, logColumn, logColumns } from './rows.ts'
import { sessionWrites } from './session-sums.ts'

/** The checkpoint of a journal whose every record is in the database. */
export const journalDone = Number.MAX_SAFE_INTEGER

export interface LedgerWriter {
  /** Number of the last record that the database is known to hold. */
  checkpoint(): number
  /**
   * Brings some of the first records into the database and returns how many of them are done with. Rejects when the database
   * does not take them now; then nothing of them was written, or the next call finds out that it was.
   */
  write(records: readonly LedgerRecord[]): Promise<number>
  /** Nothing comes after this: the journal is closed for good. */
  finish(): Promise<void>
}

/**
 * Rows, rollups and the journal's checkpoint in one transaction. The checkpoint is compared and set, so that a batch whose
 * acknowledgement was lost is not counted twice: the next try finds the checkpoint moved, and goes on behind it. Rows that are
 * there already are left out, of the rollups too. A record that the database refuses for good is found by halving the batch,
 * and becomes a dead letter.
 */
export function createLedgerWriter(parts: {
  database: Database
  journalId: number
  checkpoint: number
  dayAt: (atMs: number) => ZoneDay
  batchRows: number
  deadLetter: DeadLetter
}): LedgerWriter {
  const { database, journalId, dayAt, batchRows } = parts
  let { checkpoint } = parts
  let size = batchRows

  async function write(records: readonly LedgerRecord[]): Promise<number> {
    const batch = records.slice(0, size)
    if (batch.length === 0) return 0
    const to = batch[batch.length - 1]!.seq
    let rows = batch
    for (;;) {
      try {
        await database.batch(ledgerWrites(rows, dayAt, { journalId, from: checkpoint, to }))
        checkpoint = to
        size = Math.min(batchRows, size * 2)
        return batch.length
      } catch (error) {
        if (error instanceof BatchConflict) {
          await readCheckpoint(error)
          return records.filter((record) => record.seq <= checkpoint).length
        }
        if (rows.length === 0 || !isRefusal(error)) throw error
        const missing = isDuplicate(error) ? await notStored(rows) : rows
        if (missing.length < rows.length) rows = missing
        else if (batch.length > 1) {
          size = Math.ceil(batch.length / 2)
          return write(records)
        } else {
          parts.deadLetter(batch[0]!, error)
          rows = []
        }
      }
    }
  }

  /** The checkpoint is another one than ours: an earlier try did arrive, or an older database was put back. */
  async function readCheckpoint(conflict: unknown): Promise<void> {
    const row = await database.client.journal.findUnique({ where: { id: journalId } })
    const stored = row ? Number(row.settledSeq) : journalDone
    if (stored === checkpoint || stored === journalDone) throw conflict
    checkpoint = stored
  }

  /** An id alone could be another request's: then the row is not there, and is refused. */
  async function notStored(rows: readonly LedgerRecord[]): Promise<LedgerRecord[]> {
    const names = identity.map((column) => `\`${logColumns[column]}\``).join(', ')
    const marks = rows.map(() => '?').join(', ')
    const ids = rows.map((row) => BigInt(row.log[0]!))
    const found = await database.select(`SELECT ${names} FROM \`logs\` WHERE \`id\` IN (${marks})`, ids)
    const stored = new Set(found.map((row) => row.join(' ')))
    return rows.filter((row) => !stored.has(identity.map((column) => row.log[column]).join(' ')))
  }

  return {
    checkpoint: () => checkpoint,
    write,
    async finish() {
      await database.client.journal.update({ where: { id: journalId }, data: { settledSeq: journalDone } })
      checkpoint = journalDone
    },
  }
}

/** What admission already knew of a request. */
const identity = ['id', 'started_at_ms', 'api_key_id', 'request_bytes'].map(logColumn)

/** The transaction that takes records into the ledger. */
function ledgerWrites(
  records: readonly LedgerRecord[],
  dayAt: (atMs: number) => ZoneDay,
  step: { journalId: number; from: number; to: number },
): Write[] {
  const rowsOf = (texts: readonly string[]): string => `[${texts.filter((text) => text !== '').join(',')}]`
  return [
    {
      kind: 'run',
      sql: 'UPDATE `journals` SET `settled_seq` = ? WHERE `id` = ? AND `settled_seq` = ?',
      args: [step.to, step.journalId, step.from],
      expect: 1,
    },
    {
      kind: 'insert',
      table: 'logs',
      columns: [...logColumns, 'journal_id', 'journal_seq'],
      rows: rowsOf(records.map(({ logJson, seq }) => `${logJson.slice(0, -1)},${step.journalId},${seq}]`)),
    },
    {
      kind: 'insert',
      table: 'attempts',
      columns: attemptColumns,
      rows: rowsOf(records.map(({ attemptsJson }) => attemptsJson)),
    },
    ...sessionWrites(records),
    ...rollupWrites(records, dayAt),
  ]
}
