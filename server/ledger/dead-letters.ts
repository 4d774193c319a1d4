import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LedgerRecord } from './rows.ts'

/** Keeps a record that the database refuses for good; throws when it cannot. */
export type DeadLetter = (record: LedgerRecord, error: unknown) => void

/** Keeps them in `NAME.refused.jsonl` beside the journal; people can bring them in once the reason is gone. */
export function createDeadLetters(options: {
  directory: string
  name: string
  now: () => number
  onRefused: (error: unknown, id: string) => void
}): DeadLetter {
  const path = join(options.directory, `${options.name}.refused.jsonl`)
  return ({ log, attempts }, error) => {
    const why = error instanceof Error ? error.message : String(error)
    appendFileSync(path, `${JSON.stringify({ atMs: options.now(), why, log, attempts })}\n`, { mode: 0o600 })
    options.onRefused(error, String(log[0]))
  }
}
