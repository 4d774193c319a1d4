import type { ZoneDay } from '../zone-days.ts'
import type { Journal, Segment, SettledRecord } from './journal.ts'
import { createRollup, type Rollup } from './rollups.ts'
import { createRowText, type RowText } from './row-text.ts'
import { logColumn } from './rows.ts'

/** Settled records in the form in which the database takes them. */
export interface BatchRows {
  logs: RowText
  attempts: RowText
  rollup: Rollup
}

/** Settled records that wait together, one after the other in the journal. */
export interface WaitingBatch {
  /** Numbers of the first and of the last that waits. */
  nextSeq: number
  lastSeq: number
  count: number
  /** Null: in the journal only, read back when its turn comes. */
  rows: BatchRows | null
  /** Where its requests were admitted. */
  segments: Map<Segment, number>
}

/**
 * Settled records that wait for the database, in order. Of a record no more is kept than its part of a batch; and beyond a bound
 * no more than its part of a sum. So a database may be away for days.
 */
export interface Backlog {
  add(record: SettledRecord): void
  /** Records that wait, in memory or not. */
  length(): number
  /** Number of the last one added; 0 before. */
  lastSeq(): number
  /** The first batch, to which nothing is added any more; undefined when nothing waits. */
  first(): WaitingBatch | undefined
  /** The first records of a batch that is in the journal only. Throws when the journal cannot give them (back). */
  read(batch: WaitingBatch): Promise<SettledRecord[]>
  /** From now on the batch is in the journal only. */
  forget(batch: WaitingBatch): void
  /** The first batch is done with; or its first records are. */
  done(records?: readonly SettledRecord[]): void
  /** What waits of a key, by batch; `day` null: on all days. */
  waitingNano(apiKeyId: number, day: string | null): Map<unknown, { seq: number; nano: number }>
}

const columns = {
  apiKeyId: logColumn('api_key_id'),
  costNano: logColumn('cost_nano'),
  startedAtMs: logColumn('started_at_ms'),
}
/** Emptied buffers kept for the next batches. */
const mostSpare = 2

interface Batch extends WaitingBatch {
  isFull: boolean
  /** Nano-USD by `key day`. */
  nano: Map<string, number>
}

export function createBacklog(options: {
  journal: Journal
  dayAt: (atMs: number) => ZoneDay
  /** Records in memory. */
  memoryRecords: number
  /** Records in a batch. */
  batchRows: number
}): Backlog {
  const { journal, dayAt, memoryRecords, batchRows } = options
  const queue: Batch[] = []
  const spare: BatchRows[] = []
  let lastSeq = 0
  let length = 0
  let inMemory = 0

  function open(record: SettledRecord): Batch {
    const last = queue.at(-1)
    const isInMemory = last?.rows != null
    if (last && (isInMemory ? !last.isFull && inMemory < memoryRecords : true)) return last
    const rows = inMemory < memoryRecords ? (spare.pop() ?? newRows(dayAt)) : null
    const batch: Batch = {
      nextSeq: record.seq,
      lastSeq: record.seq,
      count: 0,
      rows,
      isFull: false,
      nano: new Map(),
      segments: new Map(),
    }
    queue.push(batch)
    return batch
  }

  function addTo(batch: Batch, record: SettledRecord, sign: 1 | -1): void {
    const name = `${record.log[columns.apiKeyId]} ${dayAt(record.log[columns.startedAtMs] as number).day}`
    batch.nano.set(name, (batch.nano.get(name) ?? 0) + sign * (record.log[columns.costNano] as number))
    batch.segments.set(record.segment, (batch.segments.get(record.segment) ?? 0) + sign)
    batch.count += sign
    length += sign
  }

  function release(batch: Batch): void {
    const { rows } = batch
    if (rows === null) return
    batch.rows = null
    inMemory -= batch.count
    if (spare.length >= mostSpare) return
    rows.logs.clear()
    rows.attempts.clear()
    rows.rollup.clear()
    spare.push(rows)
  }

  return {
    add(record) {
      const batch = open(record)
      lastSeq = record.seq
      batch.lastSeq = record.seq
      addTo(batch, record, 1)
      if (batch.rows === null) return
      batch.rows.logs.add(record.logJson)
      batch.rows.attempts.add(record.attemptsJson)
      batch.rows.rollup.add(record)
      inMemory++
      batch.isFull = batch.count >= batchRows
    },
    length: () => length,
    lastSeq: () => lastSeq,
    first() {
      const batch = queue[0]
      if (batch) batch.isFull = true
      return batch
    },
    async read(batch) {
      const records = await journal.readSettled(batch.nextSeq, Math.min(batchRows, batch.count))
      // A line may wait in memory for space on the disk.
      const gap = records.findIndex((record, index) => record.seq !== batch.nextSeq + index)
      if (gap >= 0) records.length = gap
      if (records.length === 0) throw new Error(`the journal does not give settled record ${batch.nextSeq} back`)
      return records
    },
    forget: (batch) => release(batch as Batch),
    done(records) {
      const batch = queue[0]!
      if (records && records.length < batch.count) {
        for (const record of records) addTo(batch, record, -1)
        batch.nextSeq += records.length
        return
      }
      release(batch)
      length -= batch.count
      queue.shift()
    },
    waitingNano(apiKeyId, day) {
      const waiting = new Map<unknown, { seq: number; nano: number }>()
      for (const batch of queue) {
        let sum = 0
        for (const [name, nano] of batch.nano) {
          if (day === null ? name.startsWith(`${apiKeyId} `) : name === `${apiKeyId} ${day}`) sum += nano
        }
        if (sum > 0) waiting.set(batch, { seq: batch.nextSeq, nano: sum })
      }
      return waiting
    },
  }
}

const newRows = (dayAt: (atMs: number) => ZoneDay): BatchRows => ({
  logs: createRowText(),
  attempts: createRowText(),
  rollup: createRollup(dayAt),
})
