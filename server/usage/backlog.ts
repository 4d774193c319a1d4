import type { ZoneDay } from '../zone-days.ts'
import type { Journal, SettledRecord } from './journal.ts'
import { logColumn } from './ledger.ts'

/**
 * Settled records that wait for the database, in order. Memory holds the first ones only: beyond its bound a record is no more
 * than its part of a sum, and is read back from the journal when its turn comes. So a database may be away for days.
 */
export interface Backlog {
  add(record: SettledRecord): void
  /** Records that wait, in memory or not. */
  length(): number
  /** Number of the last one added; 0 before. */
  lastSeq(): number
  /** The first records, at least one when any waits. Throws when the journal cannot give them (back). */
  first(): Promise<readonly SettledRecord[]>
  /** Takes the first `count` away. */
  take(count: number): SettledRecord[]
  /** What waits of a key by record number; `day` null: on all days. What is not in memory is one sum under one number. */
  waitingNano(apiKeyId: number, day: string | null): Map<number, number>
}

const columns = {
  apiKeyId: logColumn('api_key_id'),
  costNano: logColumn('cost_nano'),
  startedAtMs: logColumn('started_at_ms'),
}

export function createBacklog(options: {
  journal: Journal
  dayAt: (atMs: number) => ZoneDay
  memoryRecords: number
  /** How many are read back at once. */
  readRecords: number
}): Backlog {
  const { journal, dayAt, memoryRecords, readRecords } = options
  const queue: SettledRecord[] = []
  let lastSeq = 0
  let outside = { count: 0, firstSeq: 0, nano: new Map<string, number>() }

  const ofRecord = ({ log }: SettledRecord) => ({
    apiKeyId: log[columns.apiKeyId] as number,
    day: dayAt(log[columns.startedAtMs] as number).day,
    nano: log[columns.costNano] as number,
  })

  function addOutside(record: SettledRecord, sign: 1 | -1): void {
    const { apiKeyId, day, nano } = ofRecord(record)
    outside.nano.set(`${apiKeyId} ${day}`, (outside.nano.get(`${apiKeyId} ${day}`) ?? 0) + sign * nano)
    outside.count += sign
    if (outside.count === 0) outside = { count: 0, firstSeq: 0, nano: new Map() }
  }

  return {
    add(record) {
      lastSeq = record.seq
      if (outside.count === 0 && queue.length < memoryRecords) {
        queue.push(record)
        return
      }
      if (outside.count === 0) outside.firstSeq = record.seq
      addOutside(record, 1)
    },
    length: () => queue.length + outside.count,
    lastSeq: () => lastSeq,
    async first() {
      if (queue.length > 0 || outside.count === 0) return queue
      const records = await journal.readSettled(outside.firstSeq, Math.min(readRecords, outside.count))
      for (const record of records) {
        // Its line waits in memory for space on the disk.
        if (record.seq !== outside.firstSeq) break
        outside.firstSeq++
        queue.push(record)
        addOutside(record, -1)
      }
      if (queue.length === 0) throw new Error(`the journal does not give settled record ${outside.firstSeq} back`)
      return queue
    },
    take: (count) => queue.splice(0, count),
    waitingNano(apiKeyId, day) {
      const waiting = new Map<number, number>()
      for (const record of queue) {
        const its = ofRecord(record)
        if (its.apiKeyId === apiKeyId && (day === null || its.day === day)) waiting.set(record.seq, its.nano)
      }
      let sum = 0
      for (const [name, nano] of outside.nano) {
        if (day === null ? name.startsWith(`${apiKeyId} `) : name === `${apiKeyId} ${day}`) sum += nano
      }
      if (sum > 0) waiting.set(Number.POSITIVE_INFINITY, sum)
      return waiting
    },
  }
}
