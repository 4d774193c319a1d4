import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Ledger, openLedger } from '../../server/ledger/ledger.ts'
import { journalDone } from '../../server/ledger/ledger-writer.ts'
import { noReading, noTokens } from '../../server/money/reading.ts'
import { openPrices, type Prices } from '../../server/prices/open-prices.ts'
import type { Database } from '../../server/store/database.ts'
import { createZoneDays } from '../../server/zone-days.ts'
import { openTestDatabase } from '../support/engines.ts'
import { admittedWith, entryWith, someTime } from './ledger-entries.ts'
import { newFolder, removeFolders } from './ledger-stand.ts'

let database: Database
let prices: Prices
beforeAll(async () => {
  database = await openTestDatabase()
  prices = await openPrices(database)
})
afterAll(async () => {
  await database.close()
  await removeFolders()
})

const dayAt = createZoneDays('UTC')
const opened = (dataDir: string, more: Partial<Parameters<typeof openLedger>[0]> = {}): Promise<Ledger> =>
  openLedger({
    price: prices.price,
    database,
    dataDir,
    dayAt,
    now: () => someTime,
    settleIntervalMs: 1,
    onError: () => undefined,
    ...more,
  })

const dayOf = (day: string) => {
  const fromMs = Date.parse(`${day}T00:00:00Z`)
  return { fromMs, toMs: fromMs + 86_400_000 }
}

test('what a key spent is exact at every moment, while batches land', async () => {
  const ledger = await opened(newFolder())
  let spent = 0
  for (let number = 1; number <= 150; number++) {
    const entry = entryWith(number, { apiKeyId: 50 })
    const admission = ledger.admit(entry)
    expect(await admission.written).toBeUndefined()
    spent += ledger.settle(admission, entry).spentNano
    expect(await ledger.spentNano({ subject: 'key', id: 50, window: null })).toBe(spent)
    expect(
      await ledger.spentNano({ subject: 'key', id: 50, window: dayOf(number % 2 === 0 ? '2026-11-23' : '2026-11-24') }),
    ).toBe(number % 2 === 0 ? spent : 0)
  }
  expect(ledger.backlog().journalBytes).toBeGreaterThan(0)
  await ledger.close()
})

test('a request still under way at the stop is closed by the next start, at the price of what its upstream had said', async () => {
  const dataDir = newFolder()
  const first = await opened(dataDir)
  const open = admittedWith(1001, { apiKeyId: 51, id: '8000000000000001001' })
  expect(await first.admit(open).written).toBeUndefined()
  const reading = { ...noReading, source: 'partial' as const, tokens: { ...noTokens, input: 1000, output: 1 } }
  first.usage(open.id, { accountId: 9, modelSent: 'claude-opus-5-5', reading })
  await first.close()
  expect(readdirSync(join(dataDir, 'journal'))).toHaveLength(1)
  const second = await opened(dataDir)
  expect(second.replayed).toMatchObject({ settled: 0, interrupted: 1 })
  const rows = await database.select(
    'SELECT `outcome`, `account_id`, `usage_source`, `cost_nano`, `price_source` FROM `logs` WHERE `api_key_id` = 51',
  )
  expect(rows).toEqual([['interrupted', 9, 'partial', 1000 * 4000 + 20_000, 'exact']])
  await second.close()
  expect(readdirSync(join(dataDir, 'journal'))).toEqual([])
})

test('closed journals are forgotten after thirty days, open ones never', async () => {
  const days = (count: number) => new Date(someTime - count * 24 * 3_600_000)
  const rows = [
    { name: 'closed long ago', settledSeq: journalDone, createdAt: days(31) },
    { name: 'closed', settledSeq: journalDone, createdAt: days(29) },
    { name: 'open', settledSeq: 7, createdAt: days(400) },
  ]
  await database.client.journal.createMany({ data: rows })
  await (await opened(newFolder())).close()
  const left = await database.client.journal.findMany({ where: { name: { in: rows.map(({ name }) => name) } } })
  expect(left.map(({ name }) => name).sort()).toEqual(['closed', 'open'])
})
