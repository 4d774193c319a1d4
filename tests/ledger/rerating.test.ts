import { afterAll, expect, test } from 'vitest'
import { ledgerDrift } from '../../server/ledger/drift.ts'
import { createReratings } from '../../server/ledger/reratings.ts'
import { noReading, noTokens, type Reading, type Tokens } from '../../server/money/reading.ts'
import { costOf } from '../../server/prices/cost.ts'
import { fallbackCard, seedCards } from '../../server/prices/price-seed.ts'
import { createPriceBook } from '../../server/prices/prices.ts'
import { firstKeyAt } from '../../server/request-ids.ts'
import { createZoneDays } from '../../server/zone-days.ts'
import { openTestDatabase } from '../support/engines.ts'
import { attemptWith, entryWith, someTime } from './ledger-entries.ts'
import { ledgerStand, removeFolders } from './ledger-stand.ts'
import { countOf, ledgerSums, misfits } from './ledger-sums.ts'

afterAll(removeFolders)

const before = createPriceBook(seedCards)
const house = {
  ...fallbackCard,
  id: 'house-1',
  pattern: 'house-1',
  provider: 'house',
  batchBp: 5_000,
  tiers: [{ ...fallbackCard.tiers[0]!, inputPico: 1_000_000, outputPico: 2_000_001 }],
}
const after = createPriceBook([...seedCards, house])
const dayAt = createZoneDays('UTC')
const range = { fromMs: someTime - 1, toMs: someTime + 3_600_000 }

/** Ids of the ledger begin with their time. */
const entryOf = (number: number, more: Parameters<typeof entryWith>[1]) =>
  entryWith(number, { ...more, id: String(firstKeyAt(someTime) + BigInt(number)) })

const readingOf = (model: string, tokens: Partial<Tokens>, more: Partial<Reading> = {}): Reading => ({
  ...noReading,
  source: 'final',
  model,
  tokens: { ...noTokens, ...tokens },
  ...more,
})

const attemptOf = (reading: Reading, more = {}) =>
  attemptWith({ reading, cost: costOf(reading, before, someTime), ...more })

/** Eleven requests: known and unknown models, an absorbed attempt, extras, a batch, charge factors. */
async function rows() {
  const database = await openTestDatabase()
  const stand = await ledgerStand(database)
  for (let number = 1; number <= 7; number++) {
    const attempts = [attemptOf(readingOf('house-1', { input: 1_000 + number, output: number }))]
    stand.put(entryOf(number, { attempts, apiKeyId: number % 3, groupChargeBp: 5_000 }))
  }
  stand.put(entryOf(8, { attempts: [attemptOf(readingOf('claude-opus-5-5', { input: 10 }))] }))
  const extras = [{ model: 'house-1', tokens: { ...noTokens, input: 77 } }]
  const mixed = readingOf('claude-opus-5-5', { output: 5, webSearches: 1 }, { extras, flags: ['split_missing'] })
  const lost = attemptOf(readingOf('house-1', { input: 9 }), { charged: false, accountId: 9, outcome: 'failing' })
  stand.put(entryOf(9, { attempts: [lost, attemptOf(mixed)] }))
  const batch = readingOf('house-1', { input: 11 }, { serviceTier: 'batch' })
  stand.put(entryOf(10, { attempts: [attemptOf(batch)], userChargeBp: 30_000 }))
  stand.put(entryOf(11, { attempts: [] }))
  await stand.settler.drained()
  stand.settler.stop()
  const price = (reading: Reading, atMs: number) => costOf(reading, after, atMs)
  const reratings = createReratings({ database, price, dayAt, now: () => someTime })
  const start = () => database.locked(['price-cards'], (tx) => reratings.start(tx, range, 1))
  return { database, reratings, start, mixed, batch }
}

test('settled requests get the prices of the new book with their rollups, exactly once, and nothing drifts', async () => {
  const { database, reratings, start, mixed, batch } = await rows()
  const preview = await reratings.preview(range)
  expect(preview).toMatchObject({ rows: 11, changed: 9, isComplete: true })
  const sumOf = (column: string) => countOf(database, `SELECT SUM(\`${column}\`) FROM \`logs\``)
  expect([await sumOf('cost_nano'), await sumOf('billed_nano')]).toEqual([
    Number(preview.costBeforeNano),
    Number(preview.billedBeforeNano),
  ])
  await start()
  await expect(start()).rejects.toMatchObject({ code: 'RERATING_RUNS' })
  const { isComplete: _, ...sums } = preview
  expect(await reratings.run()).toEqual(sums)
  expect([await sumOf('cost_nano'), await sumOf('billed_nano')]).toEqual([
    Number(preview.costAfterNano),
    Number(preview.billedAfterNano),
  ])
  const log = (number: number) =>
    database.client.log.findFirstOrThrow({ where: { startedAtMs: BigInt(someTime + number) } })
  // 1 001 tokens in and 1 out: 1 001 000 + 2 000.001 nano-dollars, of which half is billed.
  expect(await log(1)).toMatchObject({
    costNano: 1_003_000n,
    billedNano: 501_500n,
    priceCardId: 'house-1',
    priceSource: 'exact',
  })
  expect(await log(9)).toMatchObject({
    costNano: BigInt(costOf(mixed, after, someTime).totalNano),
    flags: 'split_missing',
  })
  const batchNano = costOf(batch, after, someTime).totalNano
  expect([batchNano, (await log(10)).billedNano]).toEqual([5_500, 16_500n])
  const agreed = await ledgerSums(database)
  for (const lines of Object.values(agreed)) expect(lines).toEqual(agreed.logs)
  expect([await ledgerDrift(database), await misfits(database)]).toEqual([0, 0])
  expect(await countOf(database, 'SELECT SUM(`absorbed_nano`) FROM `hourly_rollups`')).toBe(9_000)
  // Again nothing changes.
  await start()
  expect(await reratings.run()).toMatchObject({ rows: 11, changed: 0 })
  expect(await ledgerSums(database)).toEqual(agreed)
  expect(await reratings.run()).toBeNull()
  await database.close()
})

test('only the rows of a filter are priced anew', async () => {
  const { database, reratings } = await rows()
  const changed = async (filter: object) => (await reratings.preview({ ...range, ...filter })).changed
  expect(await changed({ models: ['claude-opus-5-5'] })).toBe(1)
  expect(await changed({ onlyFallback: true })).toBe(8)
  expect(await changed({ accountIds: [5] })).toBe(0)
  expect(await changed({ fromMs: someTime + 7, toMs: someTime + 10 })).toBe(2)
  await database.close()
})
