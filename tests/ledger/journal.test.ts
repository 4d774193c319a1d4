import { appendFileSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Journal, openJournal, type SettledRecord } from '../../server/ledger/journal.ts'
import { journalLines, journalsIn, segmentName } from '../../server/ledger/journal-files.ts'
import { noReading } from '../../server/money/reading.ts'
import { admittedWith, entryWith } from './ledger-entries.ts'
import { newFolder, removeFolders } from './ledger-stand.ts'

afterAll(removeFolders)

function opened(more: Partial<Parameters<typeof openJournal>[0]> = {}): {
  directory: string
  journal: Journal
  errors: unknown[]
} {
  const directory = newFolder()
  const errors: unknown[] = []
  return {
    directory,
    errors,
    journal: openJournal({ directory, name: 'j', onError: (error) => errors.push(error), ...more }),
  }
}

async function kinds(directory: string): Promise<string[]> {
  const seen: string[] = []
  for (const path of journalsIn(directory).get('j') ?? []) {
    for await (const { record } of journalLines(path))
      seen.push(record ? `${record.t}${record.t === 's' ? record.n : ''}` : 'torn')
  }
  return seen
}

function checkpoint(journal: Journal, records: readonly SettledRecord[]): void {
  for (const { seq, segment } of records) journal.checkpointed(seq, new Map([[segment, 1]]))
}

test('what one turn appends is one write, and an admission says when its record is out', async () => {
  let writes = 0
  const { journal, directory } = opened({
    write: (file, bytes, offset) => {
      writes++
      return writeSync(file, bytes, offset)
    },
  })
  const lines = () => readFileSync(join(directory, segmentName('j', 0)), 'utf8').split('\n').length - 1
  const first = journal.admit(admittedWith(1))
  const second = journal.admit(admittedWith(2))
  expect(lines()).toBe(0)
  expect(await first.written).toBeUndefined()
  expect(lines()).toBe(2)
  expect(await second.written).toBeUndefined()
  expect(writes).toBe(1)
  journal.settle(first.segment, entryWith(1))
  const third = journal.admit(admittedWith(3))
  expect(await third.written).toBeUndefined()
  expect(lines()).toBe(4)
  expect(writes).toBe(2)
  journal.close(false)
})

test('a segment goes only when it and every older one are needed no more, and they all go in a long run', () => {
  const { journal, directory } = opened({ segmentBytes: 2_000 })
  const slow = journal.admit(admittedWith(0))
  journal.flush()
  const files = () => readdirSync(directory).length
  const run = (from: number, count: number) => {
    for (let number = from; number < from + count; number++) {
      const { segment } = journal.admit(admittedWith(number))
      checkpoint(journal, [journal.settle(segment, entryWith(number))])
      journal.flush()
    }
  }
  run(1, 20)
  const before = files()
  expect(before).toBeGreaterThan(5)
  journal.usage(admittedWith(0).id, { accountId: 1, modelSent: '', reading: noReading })
  const end = journal.settle(slow.segment, entryWith(0))
  journal.flush()
  expect(files()).toBeGreaterThanOrEqual(before)
  checkpoint(journal, [end])
  expect(files()).toBe(1)
  expect(journal.open()).toBe(0)
  for (let round = 0; round < 20; round++) {
    run(100 + round * 10, 10)
    expect(files()).toBeLessThanOrEqual(2)
  }
  journal.close(true)
  expect(files()).toBe(0)
})

test('a full disk rejects admissions without a trace, keeps what was spent, and nothing is broken when there is space again', async () => {
  let isFull = false
  const { journal, directory, errors } = opened({
    write: (file, bytes, offset) => {
      if (!isFull) return writeSync(file, bytes, offset)
      // Some bytes still fit; then the disk says no.
      if (offset === 0) return writeSync(file, bytes.subarray(0, 25), 0)
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    },
  })
  const first = journal.admit(admittedWith(1))
  expect(await first.written).toBeUndefined()
  isFull = true
  journal.usage(admittedWith(1).id, { accountId: 1, modelSent: '', reading: noReading })
  for (const number of [2, 3]) {
    expect(await journal.admit(admittedWith(number)).written).toMatchObject({ code: 'ENOSPC' })
  }
  const settled = journal.settle(first.segment, entryWith(1))
  journal.flush()
  expect(await kinds(directory)).toEqual(['a'])
  expect(journal.open()).toBe(1)
  expect(errors).toHaveLength(1)
  isFull = false
  expect(await journal.admit(admittedWith(4)).written).toBeUndefined()
  expect(await kinds(directory)).toEqual(['a', 'u', 's1', 'a'])
  checkpoint(journal, [settled])
  expect(journal.open()).toBe(1)
  journal.close(false)
})

test('settled records are read back in order across segments, with the segment that admitted them', async () => {
  const { journal } = opened({ segmentBytes: 3_000 })
  const segments: number[] = []
  for (let number = 1; number <= 30; number++) {
    const { segment } = journal.admit(admittedWith(number))
    segments.push(segment.number)
    if (number % 2 === 0) journal.flush()
    journal.settle(segment, entryWith(number))
    journal.flush()
  }
  const records = [
    ...(await journal.readSettled(5, 7)),
    ...(await journal.readSettled(12, 10)),
    ...(await journal.readSettled(22, 100)),
  ]
  expect(records.map((record) => record.seq)).toEqual(Array.from({ length: 26 }, (_, index) => index + 5))
  expect(records.map((record) => record.segment.number)).toEqual(segments.slice(4))
  expect(new Set(segments).size).toBeGreaterThan(3)
  expect(records[3]?.logJson).toBe(JSON.stringify(records[3]?.log))
  expect((await journal.readSettled(2, 1)).map((record) => record.seq)).toEqual([2])
  journal.close(true)
})

test('reading back goes on behind segments that were deleted meanwhile', async () => {
  const { journal, directory } = opened({ segmentBytes: 1 })
  for (let number = 1; number <= 10; number++) {
    const { segment } = journal.admit(admittedWith(number))
    journal.settle(segment, entryWith(number))
    journal.flush()
  }
  for (let number = 1; number <= 10; number++) {
    const records = await journal.readSettled(number, 1)
    expect(records.map((record) => record.seq)).toEqual([number])
    checkpoint(journal, records)
    expect(readdirSync(directory)).toHaveLength(11 - number)
  }
  journal.close(true)
})

test('a torn line and lines of nonsense are passed over, wherever the reading buffer ends', async () => {
  const { journal, directory } = opened()
  journal.admit(admittedWith(1, { userAgent: 'é'.repeat(200_000) }))
  journal.flush()
  appendFileSync(join(directory, segmentName('j', 0)), 'null\n{"t":"x"}\n{"t":"s","n":1,"l":[\n')
  journal.admit(admittedWith(2))
  journal.close(false)
  appendFileSync(join(directory, segmentName('j', 0)), '{"t":"a","r":{"id":"3')
  expect(await kinds(directory)).toEqual(['a', 'torn', 'torn', 'torn', 'a'])
})

test('segments are read in the order of their numbers, also past a million', () => {
  const directory = newFolder()
  for (const number of [1_000_000, 999_999, 2]) appendFileSync(join(directory, segmentName('j', number)), '')
  appendFileSync(join(directory, 'j.refused.jsonl'), '')
  expect(journalsIn(directory)).toEqual(
    new Map([['j', [2, 999_999, 1_000_000].map((number) => join(directory, segmentName('j', number)))]]),
  )
})
