import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { BatchConflict, type Database, isDuplicate, isRefusal, type Write } from '../store/database.ts'
import type { ZoneDay } from '../zone-days.ts'
import type { BatchRows } from './backlog.ts'
import { createRollup, rollupDimensions, rollupSums } from './rollups.ts'
import { createRowText } from './row-text.ts'
import { attemptColumns, type LedgerRecord, logColumn, logColumns } from './rows.ts'

/** The checkpoint of a journal whose every record is in the database. */
export const journalDone = Number.MAX_SAFE_INTEGER

export interface LedgerWriter {
  /** Number of the last record that the database is known to hold. */
  checkpoint(): number
  /**
   * Brings a whole batch into the database, up to record number `to`. Throws when the database does not take it, as one piece
   * ({@link mustBeLookedAt}) or at all now.
   */
  writeWhole(rows: BatchRows, to: number): Promise<void>
  /**
   * Brings some of the first records into the database and returns how many of them are done with. Throws when the database
   * does not take them now; then nothing of them was written, or the next call finds out that it was.
   */
  write(records: readonly LedgerRecord[]): Promise<number>
  /** Nothing comes after this: the journal is closed for good. */
  finish(): Promise<void>
}

/**
 * Rows, rollups and the journal's checkpoint in one transaction. The checkpoint is compared and set, so that a batch whose
 * acknowledgement was lost is not counted twice: the next try finds the checkpoint moved, and moves on. Rows that are there
 * already are left out, of the rollups too. What the database refuses for good is found by halving, and set aside.
 */
export function createLedgerWriter(parts: {
  database: Database
  journalId: number
  checkpoint: number
  dayAt: (atMs: number) => ZoneDay
  batchRows: number
  /** Keeps a record that the database refuses; throws when it cannot. */
  setAside: (record: LedgerRecord, error: unknown) => void
}): LedgerWriter {
  const { database, journalId, dayAt, batchRows } = parts
  let { checkpoint } = parts
  let size = batchRows

  function batchOf(records: readonly LedgerRecord[]): BatchRows {
    const batch = { logs: createRowText(), attempts: createRowText(), rollup: createRollup(dayAt) }
    for (const record of records) {
      batch.logs.add(record.logJson)
      batch.attempts.add(record.attemptsJson)
      batch.rollup.add(record)
    }
    return batch
  }

  async function write(records: readonly LedgerRecord[]): Promise<number> {
    const batch = records.slice(0, size)
    if (batch.length === 0) return 0
    const to = batch[batch.length - 1]!.seq
    let rows = batch
    for (;;) {
      try {
        await database.batch(ledgerWrites(batchOf(rows), { journalId, from: checkpoint, to }))
        checkpoint = to
        size = Math.min(batchRows, size * 2)
        return batch.length
      } catch (error) {
        if (error instanceof BatchConflict) {
          await believeDatabase(error)
          return records.filter((record) => record.seq <= checkpoint).length
        }
        if (rows.length === 0 || !isRefusal(error)) throw error
        const missing = isDuplicate(error) ? await notStored(rows) : rows
        if (missing.length < rows.length) rows = missing
        else if (batch.length > 1) {
          size = Math.ceil(batch.length / 2)
          return write(records)
        } else {
          parts.setAside(batch[0]!, error)
          rows = []
        }
      }
    }
  }

  /** The checkpoint stands elsewhere than we think: an earlier try did arrive, or an older database was put back. */
  async function believeDatabase(conflict: unknown): Promise<void> {
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
    async writeWhole(rows, to) {
      await database.batch(ledgerWrites(rows, { journalId, from: checkpoint, to }))
      checkpoint = to
    },
    write,
    async finish() {
      await database.client.journal.update({ where: { id: journalId }, data: { settledSeq: journalDone } })
      checkpoint = journalDone
    },
  }
}

/** What admission already knew of a request. */
const identity = ['id', 'started_at_ms', 'api_key_id', 'request_bytes'].map(logColumn)

/** True when a batch failed as a whole and has to be taken record by record. */
export const mustBeLookedAt = (error: unknown): boolean => error instanceof BatchConflict || isRefusal(error)

/** The transaction that takes a batch into the ledger. */
function ledgerWrites(batch: BatchRows, step: { journalId: number; from: number; to: number }): Write[] {
  const { logs, attempts, rollup } = batch
  const hourKeys = ['hour_ms', ...rollupDimensions]
  return [
    {
      kind: 'run',
      sql: 'UPDATE `journals` SET `settled_seq` = ? WHERE `id` = ? AND `settled_seq` = ?',
      args: [step.to, step.journalId, step.from],
      expect: 1,
    },
    { kind: 'insert', table: 'logs', columns: logColumns, rows: logs.rows() },
    { kind: 'insert', table: 'attempts', columns: attemptColumns, rows: attempts.rows() },
    { kind: 'add', table: 'hourly_rollups', keys: hourKeys, sums: rollupSums, rows: rollup.hourly() },
    { kind: 'add', table: 'daily_rollups', keys: ['day', ...rollupDimensions], sums: rollupSums, rows: rollup.daily() },
  ]
}

/** Keeps refused records in `NAME.refused.jsonl` beside the journal; people can bring them in once the reason is gone. */
export function createSetAside(options: {
  directory: string
  name: string
  now: () => number
  onRefused: (error: unknown, id: string) => void
}): (record: LedgerRecord, error: unknown) => void {
  const path = join(options.directory, `${options.name}.refused.jsonl`)
  return ({ log, attempts }, error) => {
    const why = error instanceof Error ? error.message : String(error)
    appendFileSync(path, `${JSON.stringify({ atMs: options.now(), why, log, attempts })}\n`, { mode: 0o600 })
    options.onRefused(error, String(log[0]))
  }
}
