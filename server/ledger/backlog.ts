import type { Journal, SettledRecord } from './journal.ts'
import { logColumn } from './rows.ts'
import { type SpendOf, spendColumns } from './spend.ts'

/** What waits, with the number of its first record. */
interface WaitingNano {
  seq: number
  nano: number
}

/** A sum of those in the journal only: of one key, owner and group, in one stretch of time. */
interface JournalSum {
  key: number
  user: number
  group: number
  fromMs: number
  nano: number
}

/** The edges of all windows of limits lie on these. */
const stretchMs = 5 * 60_000
const subjects = {
  key: logColumn(spendColumns.key),
  user: logColumn(spendColumns.user),
  group: logColumn(spendColumns.group),
}
const columns = {
  billedNano: logColumn('billed_nano'),
  startedAtMs: logColumn('started_at_ms'),
}

/**
 * Settled records that wait for the database, in order. Beyond a bound they are in the journal only, and memory has no more
 * than their number and their sums: so a database may be away for days.
 */
export function createBacklog(parts: {
  journal: Pick<Journal, 'readSettled'>
  /** Records in memory. */
  memoryRecords: number
  /** Records of one batch. */
  batchRows: number
}) {
  const { journal, memoryRecords, batchRows } = parts
  const inMemory: SettledRecord[] = []
  /** Those behind them. */
  const inJournal = { nextSeq: 0, count: 0, sums: new Map<string, JournalSum>() }
  let lastSeq = 0

  const nanoOf = ({ log }: SettledRecord): number => log[columns.billedNano] as number

  function addInJournal(record: SettledRecord, sign: 1 | -1): void {
    const { sums } = inJournal
    const { log } = record
    const [key, user, group] = [log[subjects.key], log[subjects.user], log[subjects.group]] as [number, number, number]
    const startedAtMs = log[columns.startedAtMs] as number
    const fromMs = startedAtMs - (startedAtMs % stretchMs)
    const name = `${key} ${user} ${group} ${fromMs}`
    const sum = sums.get(name) ?? { key, user, group, fromMs, nano: 0 }
    sum.nano += sign * nanoOf(record)
    sums.set(name, sum)
    inJournal.count += sign
    if (inJournal.count === 0) sums.clear()
  }

  async function readBack(): Promise<SettledRecord[]> {
    const { nextSeq, count } = inJournal
    if (count === 0) return []
    const records = await journal.readSettled(nextSeq, Math.min(batchRows, count))
    // A line may wait in memory for space on the disk.
    const gap = records.findIndex((record, index) => record.seq !== nextSeq + index)
    if (gap >= 0) records.length = gap
    if (records.length === 0) throw new Error(`the journal does not give settled record ${nextSeq} back`)
    return records
  }

  return {
    add(record: SettledRecord): void {
      lastSeq = record.seq
      if (inJournal.count === 0 && inMemory.length < memoryRecords) {
        inMemory.push(record)
        return
      }
      if (inJournal.count === 0) inJournal.nextSeq = record.seq
      addInJournal(record, 1)
    },

    /** Records that wait, in memory or not. */
    length: (): number => inMemory.length + inJournal.count,

    /** Number of the last one added; 0 before. */
    lastSeq: (): number => lastSeq,

    /** The first records that wait, at most a batch. Rejects when the journal cannot give them back. */
    first: async (): Promise<SettledRecord[]> =>
      inMemory.length > 0 ? inMemory.slice(0, batchRows) : await readBack(),

    /** These first records are done with. */
    remove(records: readonly SettledRecord[]): void {
      if (inMemory.length > 0) {
        inMemory.splice(0, records.length)
        return
      }
      for (const record of records) addInJournal(record, -1)
      inJournal.nextSeq += records.length
    },

    /** What waits of a subject, by record, and as one sum for those in the journal only. */
    waitingNano({ subject, id, window }: SpendOf): Map<number | 'journal', WaitingNano> {
      const isWithin = (atMs: number): boolean => window === null || (window.fromMs <= atMs && atMs < window.toMs)
      const waiting = new Map<number | 'journal', WaitingNano>()
      for (const record of inMemory) {
        const { log, seq } = record
        if (log[subjects[subject]] === id && isWithin(log[columns.startedAtMs] as number))
          waiting.set(seq, { seq, nano: nanoOf(record) })
      }
      let nano = 0
      for (const sum of inJournal.sums.values()) if (sum[subject] === id && isWithin(sum.fromMs)) nano += sum.nano
      if (nano > 0) waiting.set('journal', { seq: inJournal.nextSeq, nano })
      return waiting
    },
  }
}

export type Backlog = ReturnType<typeof createBacklog>
