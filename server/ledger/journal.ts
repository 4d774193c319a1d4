import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Reading } from '../money/reading.ts'
import { diskProblem } from '../store/disk-problem.ts'
import type { Admitted, LedgerEntry } from './entry.ts'
import { journalLines, segmentName } from './journal-files.ts'
import { attemptRows, type LedgerRecord, logRow } from './rows.ts'

/**
 * The append-only journal of one process start: what makes the ledger survive SIGKILL and a database that is away.
 * Three records a request, a JSON line each: `a` admitted (on disk before the upstream call), `u` usage at message_start,
 * `s` settled (numbered: the settler's checkpoint counts these). What a turn of the loop appends is one write at its end
 * (measured: 5 µs a write); an admission has a promise for it.
 */
export interface JournalledAdmission {
  /** Resolves, within this turn of the loop, to why the record is not with the operating system; to undefined when it is. */
  written: Promise<unknown>
  segment: Segment
}

/** A file of the journal. Deleted when neither it nor an older one is needed any more. */
export interface Segment {
  number: number
  path: string
  file: number
  /** Bytes written whole. */
  bytes: number
  /** Requests admitted here whose rows are not in the database yet. */
  open: number
  /** Number of the last settled record in here. */
  lastSeq: number
}

export interface SettledRecord extends LedgerRecord {
  /** Where the request was admitted. */
  segment: Segment
}

/** Gives the number of bytes that were written. */
export type WriteBytes = (file: number, bytes: Buffer, offset: number) => number

export interface Journal {
  name: string
  admit(admitted: Admitted): JournalledAdmission
  /** Usage as it is known so far, with the account that gave it. */
  usage(id: string, attempt: { accountId: number; modelSent: string; reading: Reading }): void
  settle(admission: Segment, entry: LedgerEntry): SettledRecord
  /** Everything appended so far is with the operating system, unless it takes nothing: then it is kept and tried again. */
  flush(): void
  /** At most `limit` settled records from number `fromSeq` on, read back from the files: those that are on disk. */
  readSettled(fromSeq: number, limit: number): Promise<SettledRecord[]>
  /** The database holds everything up to record `seq`; `admittedIn`: where the requests of that step were admitted. */
  checkpointed(seq: number, admittedIn: ReadonlyMap<Segment, number>): void
  /** Why nothing can be written; null: it can. After a failure a try shows it, since nobody may send the next request. */
  problem(): string | null
  /** Bytes in segments that are still needed. */
  size(): number
  /** Requests admitted whose rows are not in the database. */
  open(): number
  /** Writes what waits, closes; `done` deletes the files too (everything is in the database). */
  close(done: boolean): void
}

const defaultSegmentBytes = 64 * 1024 * 1024
/** Blank lines: more than the rest of a disk's last block has room for. */
const trial = Buffer.alloc(64 * 1024, '\n')
const admission = '{"t":"a"'

/**
 * `directory` is made; `name` is unique for ever (it is registered in the database). `onError` hears of a failed write, once
 * until one succeeds again. A full disk: admissions of that turn are rejected and leave nothing behind, the rest waits in memory.
 */
export function openJournal(options: {
  directory: string
  name: string
  segmentBytes?: number
  onError: (error: unknown) => void
  /** How bytes are written; tests let it fail. */
  write?: WriteBytes | undefined
}): Journal {
  const { directory, name } = options
  const write = options.write ?? ((file, bytes, offset) => writeSync(file, bytes, offset))
  const segmentBytes = options.segmentBytes ?? defaultSegmentBytes
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const segments: Segment[] = []
  let current = startSegment(0)
  let seq = 0
  let settledSeq = 0
  /** Lines to be written. */
  let waiting: string[] = []
  let scheduled = false
  /** Why the last write failed; undefined when it did not. */
  let failing: unknown
  let torn = false
  let closed = false
  let admissions: Admissions | null = null
  let reading = { nextSeq: 0, segment: current, offset: 0 }

  function startSegment(number: number): Segment {
    const path = join(directory, segmentName(name, number))
    const segment = { number, path, file: openSync(path, 'a', 0o600), bytes: 0, open: 0, lastSeq: 0 }
    segments.push(segment)
    return segment
  }

  function append(line: string): void {
    waiting.push(line)
    if (scheduled) return
    scheduled = true
    setImmediate(flush)
  }

  function flush(): void {
    scheduled = false
    const waiters = admissions
    admissions = null
    const failure = closed ? new Error('the journal is closed') : writeWaiting()
    waiters?.resolve(failure)
  }

  /** Returns why nothing could be written, if so. */
  function writeWaiting(): unknown {
    if (waiting.length === 0) return undefined
    let failure: unknown
    try {
      // A torn line before them ends here.
      const bytes = Buffer.from(`${torn ? '\n' : ''}${waiting.join('\n')}\n`)
      let at = 0
      while (at < bytes.length) at += write(current.file, bytes, at)
      current.bytes += bytes.length
      torn = false
      failing = undefined
      waiting = []
    } catch (error) {
      cutBack()
      dropAdmissions()
      if (failing === undefined) options.onError(error)
      failing = error
      failure = error
    }
    if (current.bytes >= segmentBytes && waiting.length === 0) rotate()
    return failure
  }

  /** A rejected admission never reached an upstream. What was spent is kept, and written when there is space again. */
  function dropAdmissions(): void {
    const kept = waiting.filter((line) => !line.startsWith(admission))
    current.open -= waiting.length - kept.length
    waiting = kept
  }

  /** Half a write goes away. Where that fails, the next line starts on a fresh one, so that only the torn one is lost. */
  function cutBack(): void {
    try {
      ftruncateSync(current.file, current.bytes)
    } catch {
      torn = true
      current.bytes = fstatSync(current.file).size
    }
  }

  function problem(): string | null {
    if (failing === undefined || closed) return null
    if (waiting.length > 0) flush()
    else if (tryToWrite()) failing = undefined
    return failing === undefined ? null : `the journal in ${directory} cannot be written: ${diskProblem(failing)}`
  }

  function tryToWrite(): boolean {
    try {
      let at = 0
      while (at < trial.length) at += write(current.file, trial, at)
      return true
    } catch (error) {
      failing = error
      return false
    } finally {
      cutBack()
    }
  }

  function rotate(): void {
    try {
      current = startSegment(current.number + 1)
    } catch (error) {
      // No file left to open: this one grows on.
      options.onError(error)
    }
    removeDone()
  }

  /** Oldest first: a later segment has usage and ends of requests that an older one admitted. */
  function removeDone(): void {
    for (let first = segments[0]; first && first !== current; first = segments[0]) {
      if (first.open > 0 || first.lastSeq > settledSeq) return
      segments.shift()
      closeSync(first.file)
      unlinkSync(first.path)
    }
  }

  async function readSettled(fromSeq: number, limit: number): Promise<SettledRecord[]> {
    if (reading.nextSeq !== fromSeq || !segments.includes(reading.segment)) {
      const segment = segments.find((candidate) => candidate.lastSeq >= fromSeq)
      if (!segment) return []
      reading = { nextSeq: fromSeq, segment, offset: 0 }
    }
    const records: SettledRecord[] = []
    let { nextSeq, segment, offset } = reading
    for (;;) {
      for await (const line of journalLines(segment.path, offset, segment.bytes)) {
        if (records.length === limit) break
        offset = line.end
        if (line.record?.t !== 's' || line.record.n < nextSeq) continue
        const { n, g, l, a } = line.record
        records.push(recordOf(n, l, a, segments.find((candidate) => candidate.number === g) ?? segment))
        nextSeq = n + 1
      }
      const next = segments[segments.indexOf(segment) + 1]
      if (records.length === limit || !next) break
      segment = next
      offset = 0
    }
    reading = { nextSeq, segment, offset }
    return records
  }

  return {
    name,
    admit(admitted) {
      append(`${admission},"r":${JSON.stringify(admitted)}}`)
      current.open++
      admissions ??= newAdmissions()
      return { written: admissions.written, segment: current }
    },
    usage(id, attempt) {
      append(`{"t":"u","id":"${id}","r":${JSON.stringify(attempt)}}`)
    },
    settle(segment, entry) {
      const record = recordOf(++seq, logRow(entry), attemptRows(entry), segment)
      append(`{"t":"s","n":${seq},"g":${segment.number},"l":${record.logJson},"a":[${record.attemptsJson}]}`)
      current.lastSeq = seq
      return record
    },
    flush,
    readSettled,
    checkpointed(upToSeq, admittedIn) {
      for (const [segment, count] of admittedIn) segment.open -= count
      settledSeq = Math.max(settledSeq, upToSeq)
      removeDone()
    },
    problem,
    size: () => segments.reduce((sum, segment) => sum + segment.bytes, 0),
    open: () => segments.reduce((sum, segment) => sum + segment.open, 0),
    close(done) {
      flush()
      closed = true
      for (const segment of segments) {
        closeSync(segment.file)
        if (done) unlinkSync(segment.path)
      }
    },
  }
}

/** The admissions of one write. */
interface Admissions {
  written: Promise<unknown>
  resolve: (failure: unknown) => void
}

function newAdmissions(): Admissions {
  let resolve: Admissions['resolve']
  const written = new Promise((settle) => {
    resolve = settle
  })
  return { written, resolve: resolve! }
}

function recordOf(
  seq: number,
  log: SettledRecord['log'],
  attempts: SettledRecord['attempts'],
  segment: Segment,
): SettledRecord {
  return {
    seq,
    log,
    attempts,
    logJson: JSON.stringify(log),
    attemptsJson: JSON.stringify(attempts).slice(1, -1),
    segment,
  }
}
