import type { Database } from '../store/database.ts'

/** Up to which record of each journal (by its row id) the ledger has everything. */
export type Checkpoints = ReadonlyMap<number, number>

/** What is read from the ledger afterwards holds at least all of these. */
export async function readCheckpoints(database: Pick<Database, 'select'>): Promise<Checkpoints> {
  const rows = await database.select('SELECT `id`, `settled_seq` FROM `journals`', [])
  return new Map(rows.map(([id, seq]) => [Number(id), Number(seq)]))
}

/** Whether the ledger has a record, by its checkpoints. */
export function storedBy(checkpoints: Checkpoints): (record: { journalId: number; seq: number }) => boolean {
  const newest = Math.max(0, ...checkpoints.keys())
  return ({ journalId, seq }) => {
    const checkpoint = checkpoints.get(journalId)
    // A journal without a checkpoint is either old and removed, or newer than what was read.
    return checkpoint === undefined ? journalId < newest : seq <= checkpoint
  }
}
