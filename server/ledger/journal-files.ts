import { readdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Reading } from '../money/reading.ts'
import type { Admitted } from './entry.ts'
import type { Cell } from './rows.ts'

/** A line of a journal: admitted, usage so far, settled (`n` its number, `g` the segment that admitted it, `l` and `a` its rows). */
export type JournalLine =
  | { t: 'a'; r: Admitted }
  | { t: 'u'; id: string; r: { accountId: number; modelSent: string; reading: Reading } }
  | { t: 's'; n: number; g: number; l: Cell[]; a: Cell[][] }

const chunkBytes = 256 * 1024
const newline = 10

export function segmentName(journal: string, number: number): string {
  return `${journal}.${String(number).padStart(6, '0')}.jsonl`
}

/** The folder's segment files by journal, in the order they were written. */
export function journalsIn(directory: string): Map<string, string[]> {
  const journals = new Map<string, { number: number; path: string }[]>()
  for (const file of filesIn(directory)) {
    const match = /^(.+)\.(\d{6,})\.jsonl$/.exec(file)
    if (!match) continue
    const segment = { number: Number(match[2]), path: join(directory, file) }
    journals.set(match[1]!, [...(journals.get(match[1]!) ?? []), segment])
  }
  // By number: the millionth segment has a digit more, and would sort in front.
  return new Map(
    [...journals].map(([name, list]) => [
      name,
      list.sort((one, other) => one.number - other.number).map(({ path }) => path),
    ]),
  )
}

/**
 * The whole lines of a segment between two bytes, and where each ends. `record` is null for a torn one: a write that the end of
 * the process or of the disk cut short.
 */
export async function* journalLines(
  path: string,
  fromByte = 0,
  toByte = Number.POSITIVE_INFINITY,
): AsyncGenerator<{ record: JournalLine | null; end: number }> {
  const file = await open(path, 'r')
  try {
    let rest: Buffer[] = []
    let at = fromByte
    while (at < toByte) {
      const size = Math.min(chunkBytes, toByte - at)
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(size), 0, size, at)
      if (bytesRead === 0) return
      let start = 0
      for (let end = buffer.indexOf(newline); end >= 0 && end < bytesRead; end = buffer.indexOf(newline, start)) {
        const line = Buffer.concat([...rest, buffer.subarray(start, end)])
        rest = []
        start = end + 1
        yield { record: parsed(line), end: at + start }
      }
      rest.push(buffer.subarray(start, bytesRead))
      at += bytesRead
    }
  } finally {
    await file.close()
  }
}

function parsed(line: Buffer): JournalLine | null {
  try {
    const value = JSON.parse(line.toString()) as JournalLine | null
    return value !== null && (value.t === 'a' || value.t === 'u' || value.t === 's') ? value : null
  } catch {
    return null
  }
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
