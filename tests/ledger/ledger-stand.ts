import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDeadLetters } from '../../server/ledger/dead-letters.ts'
import type { LedgerEntry } from '../../server/ledger/entry.ts'
import { type Journal, openJournal } from '../../server/ledger/journal.ts'
import { replayJournals } from '../../server/ledger/replay.ts'
import { attemptRows, logRow } from '../../server/ledger/rows.ts'
import { createSettler, type Settler } from '../../server/ledger/settler.ts'
import type { Database } from '../../server/store/database.ts'
import { createZoneDays } from '../../server/zone-days.ts'
import { admittedWith, someTime } from './ledger-entries.ts'

/** A journal and a settler on a database, with the clock of the settler so slow that tests decide when it writes. */
export interface LedgerStand {
  directory: string
  journal: Journal
  settler: Settler
  journalId: number
  /** What the settler and the journal complained about. */
  errors: unknown[]
  /** Ids of dead letters. */
  refused: string[]
  /** Admits and settles at once. */
  put(entry: LedgerEntry): void
  /** As SIGKILL would leave it: what was flushed is on disk, nothing is told to the database. */
  drop(): void
  /** A replay of what the folder holds. */
  replay(more?: Partial<Parameters<typeof replayJournals>[0]>): ReturnType<typeof replayJournals>
}

const dayAt = createZoneDays('UTC')
const folders: string[] = []
let count = 0

export const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'relay-journal-'))
  folders.push(folder)
  return folder
}

export const removeFolders = (): Promise<unknown> =>
  Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })))

export async function ledgerStand(
  database: Database,
  options: {
    segmentBytes?: number
    batchRows?: number
    memoryRecords?: number
    write?: Parameters<typeof openJournal>[0]['write']
  } = {},
): Promise<LedgerStand> {
  const directory = newFolder()
  const name = `stand-${process.pid}-${++count}`
  const { id: journalId } = await database.client.journal.create({ data: { name } })
  const errors: unknown[] = []
  const refused: string[] = []
  const journal = openJournal({ directory, name, onError: (error) => errors.push(error), ...options })
  const onRefused = (_: unknown, id: string): void => void refused.push(id)
  const settler = createSettler({
    database,
    journal,
    journalId,
    dayAt,
    intervalMs: 3_600_000,
    deadLetter: createDeadLetters({ directory, name, now: () => someTime, onRefused }),
    onError: (error) => errors.push(error),
    ...options,
  })
  return {
    directory,
    journal,
    settler,
    journalId,
    errors,
    refused,
    put(entry) {
      const { segment } = journal.admit(admittedWith(0, entry))
      settler.add(journal.settle(segment, entry))
    },
    drop() {
      journal.flush()
      settler.stop()
      journal.close(false)
    },
    replay: (more = {}) =>
      replayJournals({
        directory,
        database,
        dayAt,
        now: () => someTime,
        onRefused,
        close({ admitted }) {
          const entry: LedgerEntry = {
            ...admitted,
            outcome: 'interrupted',
            httpStatus: 0,
            errorType: 'interrupted',
            firstByteMs: -1,
            durationMs: 1,
            attempts: [],
          }
          return { log: logRow(entry), attempts: attemptRows(entry) }
        },
        ...more,
      }),
  }
}
