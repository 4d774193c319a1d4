import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Cost } from '../money/cost.ts'
import { noReading, type Reading } from '../money/reading.ts'
import type { Database } from '../store/database.ts'
import type { ZoneDay } from '../zone-days.ts'
import { createDeadLetters } from './dead-letters.ts'
import { type Admitted, billedOf, type LedgerEntry } from './entry.ts'
import { type JournalledAdmission, openJournal, type WriteBytes } from './journal.ts'
import { journalDone } from './ledger-writer.ts'
import { type Interrupted, type Replayed, replayJournals, slotOfJournal } from './replay.ts'
import { attemptRows, type LedgerRows, logRow } from './rows.ts'
import { createSettler } from './settler.ts'
import { type RecentUse, readRecentUse, readSpend, type SpendOf } from './spend.ts'

/** What a reading costs that an account answered; its own prices are those of the time. */
export type PriceReading = (reading: Reading, atMs: number, accountId: number) => Cost

/** A request's end as the ledger has taken it. */
export interface Settlement {
  /** What is billed for it, in nano-USD. */
  spentNano: number
  /** Where its record stands. */
  record: { journalId: number; seq: number }
}

/** Who spent what: the journal of this process and the rows in the database. */
export interface Ledger {
  /** Tells processes on one database apart (0..1023), for request ids. */
  slot: number
  /** What the journals of dead processes held. */
  replayed: Replayed
  admit(admitted: Admitted): JournalledAdmission
  usage(id: string, attempt: { accountId: number; modelSent: string; reading: Reading }): void
  /** Ends a request: journal now, database soon. Returns what is billed for it, in nano-USD. */
  settle(admission: JournalledAdmission, entry: LedgerEntry): Settlement
  /** Everything so far is in the journal's file. */
  flush(): void
  /** Nano-USD of a key, an owner or a group, in the ledger and on its way there. */
  spentNano(of: SpendOf): Promise<number>
  /** The newest requests of a key for a model. */
  recentUse(apiKeyId: number, model: string, count: number): Promise<RecentUse[]>
  /** Resolves when everything settled so far is in the database. */
  drained(): Promise<void>
  /** Settled records that wait for the database, and bytes of the journal that are still needed. */
  /** Why admissions are refused at the moment; null: they are not. */
  problem(): string | null
  backlog(): { records: number; journalBytes: number }
  close(): Promise<void>
}

/** Long after any file of theirs. */
const keepClosedJournalsMs = 30 * 24 * 3_600_000

/** Replays what dead processes left, then opens this process's journal. The folder is this process's alone (data-dir.ts). */
export async function openLedger(options: {
  database: Database
  dataDir: string
  dayAt: (atMs: number) => ZoneDay
  now: () => number
  /** Prices what an interrupted request had used. */
  price: PriceReading
  settleIntervalMs?: number
  /** Settled records kept in memory while the database is away; the rest waits in the journal only. */
  memoryRecords?: number
  /** Rows that a replay brought into the ledger: their budgets have to hear of them. */
  onReplayed?: (rows: readonly LedgerRows[]) => Promise<void>
  /** How bytes are written; tests let it fail. */
  write?: WriteBytes | undefined
  onError: (error: unknown, doing: string) => void
}): Promise<Ledger> {
  const { database, dayAt } = options
  const directory = join(options.dataDir, 'journal')
  const onRefused = (error: unknown, id: string) =>
    options.onError(error, `writing ledger row ${id}, which is kept in ${directory},`)
  const replayed = await replayJournals({
    directory,
    database,
    dayAt,
    now: options.now,
    onRefused,
    close: (request) => interruptedRows(request, options.price, options.now()),
    onRows: options.onReplayed,
  })
  // Their files are gone; the rows only served to know them by.
  await database.client.journal.deleteMany({
    where: { settledSeq: journalDone, createdAt: { lt: new Date(options.now() - keepClosedJournalsMs) } },
  })

  const name = `${new Date(options.now()).toISOString().replace(/[:.]/g, '-')}-${randomBytes(4).toString('hex')}`
  const { id: journalId } = await database.client.journal.create({ data: { name } })
  const journal = openJournal({
    directory,
    name,
    write: options.write,
    onError: (error) => options.onError(error, 'writing the journal'),
  })
  const settler = createSettler({
    database,
    journal,
    journalId,
    dayAt,
    intervalMs: options.settleIntervalMs,
    memoryRecords: options.memoryRecords,
    deadLetter: createDeadLetters({ directory, name, now: options.now, onRefused }),
    onError: (error) => options.onError(error, 'writing the ledger'),
  })

  return {
    slot: slotOfJournal(journalId),
    replayed,
    admit: journal.admit,
    usage: journal.usage,
    settle(admission, entry) {
      const record = journal.settle(admission.segment, entry)
      settler.add(record)
      return { spentNano: billedOf(entry), record: { journalId, seq: record.seq } }
    },
    flush: journal.flush,
    async spentNano(of) {
      const before = settler.waitingNano(of)
      const { nano, settledSeq } = await readSpend(database, of, journalId)
      let sum = nano
      // What waits is what the sum does not have yet.
      for (const { seq, nano: waiting } of new Map([...before, ...settler.waitingNano(of)]).values()) {
        if (seq > settledSeq) sum += waiting
      }
      return sum
    },
    recentUse: (apiKeyId, model, count) => readRecentUse(database, apiKeyId, model, count),
    drained: settler.drained,
    problem: journal.problem,
    backlog: () => ({ records: settler.backlog(), journalBytes: journal.size() }),
    async close() {
      journal.flush()
      // Whatever is still under way stays in the journal: the next start closes it.
      let done = false
      try {
        await settler.drained()
        done = journal.open() === 0
        if (done) await database.client.journal.update({ where: { id: journalId }, data: { settledSeq: journalDone } })
      } catch (error) {
        // The journal stays: the next start brings it in.
        done = false
        options.onError(error, 'writing the ledger at shutdown')
      }
      settler.stop()
      journal.close(done)
    },
  }
}

/** The rows of a request whose process died under it: charged for the usage that its upstream had reported, if any. */
function interruptedRows(request: Interrupted, price: PriceReading, nowMs: number): LedgerRows {
  const { admitted, usage } = request
  const modelSent = usage?.modelSent ?? admitted.modelSent
  const reported = usage?.reading ?? noReading
  const reading = reported.source !== 'none' && reported.model === '' ? { ...reported, model: modelSent } : reported
  const durationMs = Math.min(Math.max(0, nowMs - admitted.startedAtMs), 2_147_483_647)
  const entry: LedgerEntry = {
    ...admitted,
    outcome: 'interrupted',
    httpStatus: 0,
    errorType: 'interrupted',
    firstByteMs: -1,
    durationMs,
    attempts:
      admitted.accountId === 0
        ? []
        : [
            {
              accountId: usage?.accountId ?? admitted.accountId,
              modelSent,
              startedAtMs: admitted.startedAtMs,
              outcome: 'interrupted',
              httpStatus: 0,
              errorType: 'interrupted',
              errorCode: '',
              upstreamRequestId: '',
              firstByteMs: -1,
              durationMs,
              charged: true,
              reading,
              cost: price(reading, admitted.startedAtMs, usage?.accountId ?? admitted.accountId),
            },
          ],
  }
  return { log: logRow(entry), attempts: attemptRows(entry) }
}
