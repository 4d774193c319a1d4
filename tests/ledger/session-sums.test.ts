import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LedgerEntry } from '../../server/ledger/entry.ts'
import { attemptRows, logRow } from '../../server/ledger/rows.ts'
import { sessionWrites } from '../../server/ledger/session-sums.ts'
import type { Database } from '../../server/store/database.ts'
import { openTestDatabase } from '../support/engines.ts'
import { attemptWith, entryWith, someTime } from './ledger-entries.ts'

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())

const rowsOf = (entry: LedgerEntry) => ({ log: logRow(entry), attempts: attemptRows(entry) })
const put = (entries: readonly LedgerEntry[], sign?: 1 | -1) => database.batch(sessionWrites(entries.map(rowsOf), sign))

test('a session is the sum of its requests, by agent and model too, and keeps its first begin and its last end', async () => {
  const lost = attemptWith({ charged: false, costNano: 5, outcome: 'failing' })
  const main = { sessionId: 'a', durationMs: 100 }
  await put([
    entryWith(20, { ...main, attempts: [lost, attemptWith({ costNano: 20, model: 'big' })] }),
    entryWith(30, { ...main, agentId: 'helper', attempts: [attemptWith({ costNano: 30, model: 'small' })] }),
    entryWith(1, { sessionId: '' }),
  ])
  const last = entryWith(10, { ...main, outcome: 'aborted', attempts: [attemptWith({ costNano: 10, model: 'small' })] })
  await put([last])
  const session = { requests: 3n, failures: 1n, cancelled: 1n, failovers: 1n, costNano: 60n, absorbedNano: 5n }
  const [startedAtMs, endedAtMs] = [BigInt(someTime + 10), BigInt(someTime + 130)]
  expect(await database.reader.clientSession.findMany()).toMatchObject([
    { apiKeyId: 1, userId: 2, sessionId: 'a', ...session, startedAtMs, endedAtMs },
  ])
  const parts = await database.reader.clientSessionPart.findMany({ orderBy: [{ agentId: 'asc' }, { model: 'asc' }] })
  expect(parts.map(({ agentId, model, requests, costNano }) => [agentId, model, requests, costNano])).toEqual([
    ['', 'big', 1n, 20n],
    ['', 'small', 1n, 10n],
    ['helper', 'small', 1n, 30n],
  ])
  await put([last], -1)
  expect(await database.reader.clientSession.findMany()).toMatchObject([{ requests: 2n, costNano: 50n, cancelled: 0n }])
})
