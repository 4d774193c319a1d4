import { expect, test } from 'vitest'
import type { AttemptEntry, LedgerEntry } from '../../server/ledger/entry.ts'
import { rollupWrites } from '../../server/ledger/rollups.ts'
import { attemptColumns, attemptRows, logColumns, logRow } from '../../server/ledger/rows.ts'
import { noReading, noTokens, type Reading, type Tokens } from '../../server/money/reading.ts'
import { firstKeyAt, requestIdOf } from '../../server/request-ids.ts'
import { createZoneDays } from '../../server/zone-days.ts'
import { attemptWith, entryWith, someTime } from '../ledger/ledger-entries.ts'
import { type GraphqlStand, startGraphqlStand } from './stand.ts'

const explain = `query ($requestId: String!) { explainCost(requestId: $requestId) { cost absorbed billed groupChargeFactor userChargeFactor flags
  attempts { matches flags attempt { number charged cost } uses { model source aliasRules multiplier card { id } tier { abovePromptTokens speed }
    modifiers { name factor } lines { class count rate exactCost } } } } }`

const readingOf = (model: string, tokens: Partial<Tokens>, more: Partial<Reading> = {}): Reading => ({
  ...noReading,
  source: 'final',
  model,
  tokens: { ...noTokens, ...tokens },
  ...more,
})

async function startWith(entriesOf: (attempt: (reading: Reading, more?: object) => AttemptEntry) => LedgerEntry[]) {
  const stand = await startGraphqlStand()
  const ada = await stand.addUser('ada', 'admin')
  const entries = entriesOf((reading, more = {}) =>
    attemptWith({ reading, cost: stand.prices.price(reading, someTime, 4), ...more }),
  )
  await store(stand, entries)
  const ask = async (entry: LedgerEntry, as = ada) => {
    const { data, errors } = await stand.ask(explain, { requestId: requestIdOf(BigInt(entry.id)) }, as)
    expect(errors).toBeUndefined()
    return data.explainCost
  }
  return { stand, ada, entries, ask }
}

async function store({ database }: GraphqlStand, entries: readonly LedgerEntry[]): Promise<void> {
  const records = entries.map((entry) => ({ log: logRow(entry), attempts: attemptRows(entry) }))
  await database.batch([
    { kind: 'insert', table: 'logs', columns: logColumns, rows: JSON.stringify(records.map(({ log }) => log)) },
    {
      kind: 'insert',
      table: 'attempts',
      columns: attemptColumns,
      rows: JSON.stringify(records.flatMap(({ attempts }) => attempts)),
    },
    ...rollupWrites(records, createZoneDays('UTC')),
  ])
}

test('a cost is explained by card, alias rules, tier, modifiers and lines that add up to the row, and by what was absorbed and billed', async () => {
  const { entries, ask } = await startWith((attempt) => [
    entryWith(1, {
      groupChargeBp: 5_000,
      userChargeBp: 15_000,
      attempts: [
        attempt(readingOf('claude-opus-5-5', { input: 10, output: 1 }), { charged: false, outcome: 'failing' }),
        attempt(
          readingOf(
            'us.anthropic.claude-haiku-5-5-v1:0',
            { input: 100_001, output: 7, cacheRead: 3 },
            {
              geo: 'us',
              serviceTier: 'batch',
              extras: [{ model: 'claude-opus-5-5', tokens: { ...noTokens, output: 3 } }],
            },
          ),
        ),
      ],
    }),
  ])
  const found = await ask(entries[0]!)
  // 100 001 × 500 + 7 × 2 500 + 3 × 50 nano-dollars, and 3 × 20 000 of the other model, all × 1.1 × 0.5.
  const cost = Math.round(((100_001 * 500 + 7 * 2_500 + 3 * 50 + 3 * 20_000) * 55) / 100)
  expect(found).toMatchObject({
    cost: String(cost),
    absorbed: '60000',
    billed: String(Math.round(cost * 0.75)),
    groupChargeFactor: '0.5',
    userChargeFactor: '1.5',
  })
  expect(found.attempts.map(({ matches }: { matches: boolean }) => matches)).toEqual([true, true])
  expect(found.attempts[1].uses).toMatchObject([
    {
      source: 'DATED',
      aliasRules: ['REGION_PREFIX', 'VERSION_SUFFIX', 'VENDOR_PREFIX'],
      multiplier: '1',
      card: { id: 'claude-haiku-5-5@2026-10-07' },
      tier: { abovePromptTokens: 100_000, speed: 'STANDARD' },
      modifiers: [
        { name: 'geo_us', factor: '1.1' },
        { name: 'batch', factor: '0.5' },
      ],
      lines: [
        { class: 'INPUT', count: 100_001, rate: '0.5', exactCost: '27500275' },
        { class: 'OUTPUT', count: 7, rate: '2.5', exactCost: '9625' },
        { class: 'CACHE_READ', count: 3, rate: '0.05', exactCost: '82.5' },
      ],
    },
    { model: 'claude-opus-5-5', source: 'EXACT', lines: [{ class: 'OUTPUT', count: 3, exactCost: '33000' }] },
  ])
})

test('an explanation keeps the card of its time when the price is edited; only re-rating changes the row', async () => {
  const { stand, ada, entries, ask } = await startWith((attempt) => [
    entryWith(1, {
      id: String(firstKeyAt(someTime)),
      attempts: [attempt(readingOf('nobody-knows', { input: 1_000 }))],
    }),
  ])
  const [entry] = entries
  expect(await ask(entry!)).toMatchObject({ cost: '5000000', flags: ['fallback_price'], attempts: [{ matches: true }] })
  const add = `mutation ($input: AddPriceCardInput!) { addPriceCard(input: $input) { __typename } }`
  const tiers = [{ input: '1', output: '2' }]
  const card = { model: 'nobody-knows', vendor: 'house', tiers, source: 'ours' }
  const { data } = await stand.ask(add, { input: { ...card, from: '2026-01-01T00:00:00Z' } }, ada)
  expect(data.addPriceCard.__typename).toBe('AddPriceCardSuccess')
  expect(await ask(entry!)).toMatchObject({
    cost: '5000000',
    attempts: [{ matches: true, uses: [{ source: 'FALLBACK' }] }],
  })

  const range = { from: new Date(someTime - 1).toISOString(), to: new Date(someTime + 9_000).toISOString() }
  const sums = '... on RerateSums { rows changed costBefore costAfter billedAfter }'
  const preview = `mutation ($input: RerateInput!) { result: previewRerating(input: $input) { __typename ${sums} ... on InputFailure { fields { path code } } } }`
  const input = { ...range, onlyFallback: true }
  expect((await stand.ask(preview, { input }, ada)).data.result).toEqual({
    __typename: 'PreviewReratingSuccess',
    rows: 1,
    changed: 1,
    costBefore: '5000000',
    costAfter: '1000000',
    billedAfter: '1000000',
  })
  const start = `mutation ($input: RerateInput!) { result: startRerating(input: $input) { __typename ... on StartReratingSuccess { rerating { changed finishedAt startedBy { username } } } } }`
  const { rerating } = (await stand.ask(start, { input }, ada)).data.result
  expect(rerating).toMatchObject({ changed: 1, finishedAt: expect.any(String), startedBy: { username: 'ada' } })
  expect(await ask(entry!)).toMatchObject({
    cost: '1000000',
    flags: [],
    attempts: [{ matches: true, uses: [{ source: 'EXACT' }] }],
  })
  expect((await stand.ask(preview, { input: { ...range, to: range.from } }, ada)).data.result.fields).toEqual([
    { path: 'to', code: 'ENDS_BEFORE_BEGIN' },
  ])
  const audit = await stand.client.apiLog.findMany({ where: { objectType: 'Rerating' } })
  expect(audit.map(({ action }) => action)).toEqual(['startRerating'])
})

test('nobody reads why the request of somebody else costs what it costs', async () => {
  const { stand, entries, ask } = await startWith((attempt) => [
    entryWith(1, { attempts: [attempt(readingOf('claude-opus-5-5', { input: 1 }))], userId: 77 }),
  ])
  const bob = await stand.addUser('bob', 'user')
  expect(await ask(entries[0]!, bob)).toBeNull()
})
