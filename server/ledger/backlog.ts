import type { ZoneDay } from '../zone-days.ts'
import type { Journal, SettledRecord } from './journal.ts'
import { logColumn } from './rows.ts'

/** What waits of a key, with the number of its first record. */
interface WaitingNano {
  seq: number
  nano: number
}

const columns = {
  apiKeyId: logColumn('api_key_id'),
  costNano: logColumn('cost_nano'),
  startedAtMs: logColumn('started_at_ms'),
}

/**
 * Settled records that wait for the database, in order. Beyond a bound they are in the journal only, and memory has no more
 * than their number and their sums: so a database may be away for days.
 */
export function createBacklog(parts: {
  journal: Pick<Journal, 'readSettled'>
  dayAt: (atMs: number) => ZoneDay
  /** Records in memory. */
  memoryRecords: number
  /** Records of one batch. */
  batchRows: number
}) {
  const { journal, dayAt, memoryRecords, batchRows } = parts
  const inMemory: SettledRecord[] = []
  /** Those behind them. Nano-USD by `key day`. */
  const inJournal = { nextSeq: 0, count: 0, nano: new Map<string, number>() }
  let lastSeq = 0

  const nameOf = ({ log }: SettledRecord): string =>
    `${log[columns.apiKeyId]} ${dayAt(log[columns.startedAtMs] as number).day}`
  const nanoOf = ({ log }: SettledRecord): number => log[columns.costNano] as number

  function addInJournal(record: SettledRecord, sign: 1 | -1): void {
    const { nano } = inJournal
    const name = nameOf(record)
    nano.set(name, (nano.get(name) ?? 0) + sign * nanoOf(record))
    inJournal.count += sign
    if (inJournal.count === 0) nano.clear()
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

    /** What waits of a key, by record, and as one sum for those in the journal only; `day` null: on all days. */
    waitingNano(apiKeyId: number, day: string | null): Map<number | 'journal', WaitingNano> {
      const isMeant = (name: string): boolean =>
        day === null ? name.startsWith(`${apiKeyId} `) : name === `${apiKeyId} ${day}`
      const waiting = new Map<number | 'journal', WaitingNano>()
      for (const record of inMemory) {
        if (isMeant(nameOf(record))) waiting.set(record.seq, { seq: record.seq, nano: nanoOf(record) })
      }
      let sum = 0
      for (const [name, nano] of inJournal.nano) if (isMeant(name)) sum += nano
      if (sum > 0) waiting.set('journal', { seq: inJournal.nextSeq, nano: sum })
      return waiting
    },
  }
}

export type Backlog = ReturnType<typeof createBacklog>
