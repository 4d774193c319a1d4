// Over 300 lines: the price rules side by side, one table of worked examples each.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Cost } from '../../server/money/cost.ts'
import { noTokens, type Reading, type Tokens } from '../../server/money/reading.ts'
import { costOf, estimatedCost } from '../../server/prices/cost.ts'
import { seedCards } from '../../server/prices/price-seed.ts'
import { createPriceBook } from '../../server/prices/prices.ts'

const today = Date.UTC(2026, 10, 23)
const book = createPriceBook(seedCards)

function reading(model: string, tokens: Partial<Tokens>, more: Partial<Reading> = {}): Reading {
  return {
    model,
    tokens: { ...noTokens, ...tokens },
    extras: [],
    source: 'final',
    speed: 'standard',
    geo: '',
    serviceTier: 'standard',
    stopReason: 'end_turn',
    flags: [],
    raw: '',
    ...more,
  }
}

function sumOfParts(cost: Cost): number {
  return cost.inputNano + cost.outputNano + cost.cacheWriteNano + cost.cacheReadNano + cost.unitNano
}

const thousands: Tokens = {
  ...noTokens,
  input: 1_000,
  output: 1_000,
  cacheWrite5m: 1_000,
  cacheWrite1h: 1_000,
  cacheRead: 1_000,
}

/** Model, in, out, 5 min, 1 h, read in dollars per million; US surcharge; fast rates. */
const rows: [
  string,
  number,
  number,
  number,
  number,
  number,
  'geo' | 'no geo',
  fast?: [number, number, number, number, number],
][] = [
  ['claude-fable-5-2', 8, 40, 10, 16, 0.2, 'geo'],
  ['claude-mythos-5-2', 8, 40, 10, 16, 0.2, 'geo'],
  ['claude-fable-5-1', 10, 50, 12.5, 20, 0.25, 'geo'],
  ['claude-mythos-5-1', 10, 50, 12.5, 20, 0.25, 'geo'],
  ['claude-fable-5', 10, 50, 12.5, 20, 1, 'geo'],
  ['claude-mythos-5', 10, 50, 12.5, 20, 1, 'geo'],
  ['claude-opus-5-5', 4, 20, 5, 8, 0.2, 'geo', [8, 40, 10, 16, 0.4]],
  ['claude-opus-5', 5, 25, 6.25, 10, 0.5, 'geo', [10, 50, 12.5, 20, 1]],
  ['claude-opus-4-8', 5, 25, 6.25, 10, 0.5, 'geo', [10, 50, 12.5, 20, 1]],
  ['claude-opus-4-7', 5, 25, 6.25, 10, 0.5, 'geo'],
  ['claude-opus-4-6', 5, 25, 6.25, 10, 0.5, 'geo'],
  ['claude-opus-4-5', 5, 25, 6.25, 10, 0.5, 'no geo'],
  ['claude-opus-4-1', 15, 75, 18.75, 30, 1.5, 'no geo'],
  ['claude-opus-4', 15, 75, 18.75, 30, 1.5, 'no geo'],
  ['claude-sonnet-5-5', 2, 10, 2.5, 4, 0.1, 'geo'],
  ['claude-sonnet-5', 2, 10, 2.5, 4, 0.2, 'geo'],
  ['claude-sonnet-4-6', 3, 15, 3.75, 6, 0.3, 'geo'],
  ['claude-sonnet-4-5', 3, 15, 3.75, 6, 0.3, 'no geo'],
  ['claude-sonnet-4', 3, 15, 3.75, 6, 0.3, 'no geo'],
  ['claude-haiku-5-5', 0.1, 0.5, 0.125, 0.2, 0.01, 'geo'],
  ['claude-haiku-4-5', 1, 5, 1.25, 2, 0.1, 'no geo'],
  ['claude-3-7-sonnet', 3, 15, 3.75, 6, 0.3, 'no geo'],
  ['claude-3-5-sonnet', 3, 15, 3.75, 6, 0.3, 'no geo'],
  ['claude-3-5-haiku', 0.8, 4, 1, 1.6, 0.08, 'no geo'],
]

/** Parts in nano for a thousand tokens of each class; every figure is a whole number of nano-dollars. */
function partsOf(rates: readonly number[], percent: number) {
  const [input, output, write5m, write1h, read] = rates.map((rate) => Math.round(rate * 1e6 * percent) / 100)
  return { inputNano: input, outputNano: output, cacheWriteNano: write5m! + write1h!, cacheReadNano: read }
}

test.each(rows)('%s is priced class by class, plain, in the US, in a batch, both, and fast', (model, ...rest) => {
  const rates = rest.slice(0, 5) as number[]
  const [, , , , , geo, fast] = rest
  const us = geo === 'geo' ? 110 : 100
  const price = (more: Partial<Reading>) => costOf(reading(model, thousands, more), book, today)
  expect(price({})).toMatchObject({ ...partsOf(rates, 100), source: 'exact', modifiers: [], flags: [] })
  expect(price({ geo: 'us' })).toMatchObject({ ...partsOf(rates, us), modifiers: us === 110 ? ['geo_us'] : [] })
  expect(price({ geo: 'eu' })).toMatchObject(partsOf(rates, 100))
  expect(price({ serviceTier: 'batch' })).toMatchObject({ ...partsOf(rates, 50), modifiers: ['batch'] })
  expect(price({ geo: 'us', serviceTier: 'batch' })).toMatchObject(partsOf(rates, us / 2))
  const quick = price({ speed: 'fast' })
  if (fast) expect(quick).toMatchObject({ ...partsOf(fast, 100), modifiers: ['fast'], flags: ['derived_rate'] })
  else expect(quick).toMatchObject({ ...partsOf(rates, 100), modifiers: [], flags: ['fast_as_standard'] })
  if (fast) {
    // There is no batch discount on fast speed, but US inference costs more there too.
    expect(price({ speed: 'fast', serviceTier: 'batch' })).toMatchObject({ ...partsOf(fast, 100), modifiers: ['fast'] })
    expect(price({ speed: 'fast', geo: 'us' })).toMatchObject(partsOf(fast, 110))
  }
})

test('Haiku 5.5 prices the whole request higher from the 100 001st token of the prompt, whatever class it is in', () => {
  const at = (tokens: Partial<Tokens>) => costOf(reading('claude-haiku-5-5', { ...tokens, output: 1_000 }), book, today)
  expect(at({ input: 100_000 })).toMatchObject({ inputNano: 10_000_000, outputNano: 500_000, tierAbovePromptTokens: 0 })
  const long = at({ input: 100_001 })
  expect(long).toMatchObject({ inputNano: 50_000_500, outputNano: 2_500_000, tierAbovePromptTokens: 100_000 })
  const mixed = { input: 1, cacheWrite5m: 40_000, cacheWrite1h: 10_000, cacheRead: 50_000 }
  expect(at(mixed)).toMatchObject({
    cacheWriteNano: 35_000_000,
    cacheReadNano: 2_500_000,
    tierAbovePromptTokens: 100_000,
  })
  expect(at({ ...mixed, input: 0 })).toMatchObject({ cacheWriteNano: 7_000_000, cacheReadNano: 500_000 })
})

test('the tokens of the answer do not count towards the length of the prompt', () => {
  expect(
    costOf(reading('claude-haiku-5-5', { input: 100_000, output: 90_000 }), book, today).tierAbovePromptTokens,
  ).toBe(0)
})

test('the date of the request decides which card prices it', () => {
  const change = Date.UTC(2026, 9, 7)
  const read = reading('claude-sonnet-5-5', { cacheRead: 1_000_000 })
  expect(costOf(read, book, change - 1)).toMatchObject({ totalNano: 200_000_000, cardId: 'claude-sonnet-5-5' })
  expect(costOf(read, book, change)).toMatchObject({ totalNano: 100_000_000, cardId: 'claude-sonnet-5-5@2026-10-07' })
})

test('an unknown model is never free and says so', () => {
  const cost = costOf(reading('claude-mythos-preview', { input: 1_000, output: 1_000, cacheRead: 1_000 }), book, today)
  const flags = ['fallback_price', 'derived_rate']
  expect(cost).toMatchObject({ totalNano: 30_500_000, cardId: 'unknown', source: 'fallback', flags })
})

test('the examples of the documentation come out to the nano-dollar', () => {
  const plain = reading('claude-opus-4-7', { input: 50_000, output: 15_000 })
  expect(costOf(plain, book, today).totalNano).toBe(625_000_000)
  const cached = reading('claude-opus-4-7', { input: 10_000, cacheRead: 40_000, output: 15_000 })
  expect(costOf(cached, book, today).totalNano).toBe(445_000_000)
})

test('a million rows sum exactly where floats drift', () => {
  const rowNano = costOf(reading('claude-haiku-5-5', { input: 123 }), book, today).totalNano
  let exact = 0n
  let floating = 0
  for (let row = 0; row < 1_000_000; row++) {
    exact += BigInt(rowNano)
    floating += (123 * 0.1) / 1e6
  }
  expect(exact).toBe(12_300_000_000n)
  expect(floating).not.toBe(12.3)
})

test('halves of a nano-dollar round up, once, on the total', () => {
  const before = Date.UTC(2026, 7, 1)
  const nano = (cacheRead: number, input = 0) =>
    costOf(reading('deepseek-v4-pro', { cacheRead, input }), book, before).totalNano
  // 3.625 nano-dollars a token read.
  expect([1, 2, 3, 4, 8].map((count) => nano(count))).toEqual([4, 7, 11, 15, 29])
})

test('parts that are no whole nano-dollars still sum to the total', () => {
  const luna = createPriceBook([
    {
      ...book.find('glm-5', today).card,
      tiers: [
        {
          abovePromptTokens: 0,
          speed: 'standard',
          inputPico: 600,
          outputPico: 600,
          cacheWrite5mPico: 300,
          cacheWrite1hPico: 300,
          cacheReadPico: 300,
          derived: false,
        },
      ],
    },
  ])
  const tokens = { input: 1, output: 1, cacheWrite5m: 1, cacheRead: 1 }
  const cost = costOf(reading('glm-5', tokens), luna, today)
  // 1.8 is rounded to 2: one each for the two largest remainders, none for the others.
  expect(cost).toMatchObject({ totalNano: 2, inputNano: 1, outputNano: 1, cacheWriteNano: 0, cacheReadNano: 0 })
})

test('searches cost a cent each, untouched by modifiers', () => {
  const cost = costOf(reading('claude-opus-5-5', { webSearches: 3, input: 1_000 }, { geo: 'us' }), book, today)
  expect(cost).toMatchObject({ unitNano: 30_000_000, inputNano: 4_400_000, totalNano: 34_400_000 })
  expect(costOf(reading('kimi-k3', { webSearches: 1 }), book, today).flags).toEqual(['unit_unpriced'])
})

test('priority is priced as standard and flagged', () => {
  const cost = costOf(reading('claude-opus-5', { input: 1_000 }, { serviceTier: 'priority' }), book, today)
  expect(cost).toMatchObject({ totalNano: 5_000_000, modifiers: [], flags: ['priority_as_standard'] })
})

test('a redeemed fallback credit bills cache writes as reads', () => {
  const tokens = { cacheWrite5m: 1_000, cacheWrite1h: 1_000, input: 1_000 }
  const cost = costOf(reading('claude-opus-5', tokens, { flags: ['credit'] }), book, today)
  expect(cost).toMatchObject({ cacheWriteNano: 1_000_000, inputNano: 5_000_000 })
})

test('what ran beside the answer is priced under its own model and its own prompt length', () => {
  const extras = [
    { model: 'claude-haiku-5-5', tokens: { ...noTokens, input: 100_001 } },
    { model: 'claude-fable-5-1', tokens: { ...noTokens, output: 1_000 } },
    { model: 'nobody-knows', tokens: { ...noTokens, input: 1_000 } },
  ]
  const cost = costOf(reading('claude-haiku-5-5', { input: 50_000 }, { extras }), book, today)
  expect(cost).toMatchObject({
    inputNano: 5_000_000 + 50_000_500 + 5_000_000,
    outputNano: 50_000_000,
    cardId: 'claude-haiku-5-5@2026-10-07',
    tierAbovePromptTokens: 0,
    flags: ['fallback_price'],
  })
})

test('an extra on the main model ran as fast as it; one on another model at standard speed', () => {
  const tokens = { ...noTokens, input: 1_000 }
  const extras = ['claude-opus-5', 'claude-opus-4-8'].map((model) => ({ model, tokens }))
  const cost = costOf(reading('claude-opus-5', tokens, { speed: 'fast', extras }), book, today)
  expect(cost.inputNano).toBe(10_000_000 + 10_000_000 + 5_000_000)
})

test('DeepSeek doubles at the peaks of its day, from the full hour to the full hour', () => {
  const at = (time: string) =>
    costOf(reading('deepseek-v4-pro', { input: 1_000 }), book, Date.parse(`2026-11-23T${time}Z`))
  const times = ['00:59:59.999', '01:00:00', '03:59:59.999', '04:00:00', '06:00:00', '09:59:59', '10:00:00']
  const [low, high] = [660_000, 1_320_000]
  expect(times.map((time) => at(time).totalNano)).toEqual([low, high, high, low, high, high, low])
  expect([at('01:00:00').modifiers, at('00:00:00').modifiers]).toEqual([['peak'], []])
})

test('derived rates are flagged where they were used', () => {
  const flags = (tokens: Partial<Tokens>) => costOf(reading('gpt-5.5-pro', tokens), book, today).flags
  expect([flags({ input: 5, output: 5 }), flags({ cacheRead: 1 })]).toEqual([[], ['derived_rate']])
})

test('no usage at all has no price and no card', () => {
  const nothing = costOf(reading('claude-opus-5', {}, { source: 'none' }), book, today)
  expect(nothing).toMatchObject({ totalNano: 0, cardId: '', source: 'none', flags: [] })
  expect(costOf(reading('claude-opus-5', {}), book, today)).toMatchObject({ totalNano: 0, cardId: 'claude-opus-5' })
})

test('counts that are none are clamped and flagged, and never cost less than nothing', () => {
  const wild = { input: -5, output: Number.NaN, cacheRead: 10.7, cacheWrite5m: Number.NEGATIVE_INFINITY }
  expect(costOf(reading('claude-opus-5', wild), book, today)).toMatchObject({ totalNano: 5_000, flags: ['clamped'] })
})

test('a sum beyond exact numbers is capped, flagged, and still the sum of its parts', () => {
  const cost = costOf(reading('claude-opus-5', { input: Infinity, output: 2 ** 52, webSearches: 7 }), book, today)
  expect(cost.totalNano).toBe(Number.MAX_SAFE_INTEGER)
  expect(cost.flags).toEqual(['clamped', 'capped'])
  expect(sumOfParts(cost)).toBe(cost.totalNano)
})

const count = fc.oneof(fc.nat(200_000), fc.nat({ max: 5 }), fc.maxSafeNat(), fc.double())
const sane = fc.nat(5_000_000)
const classes = ['input', 'output', 'cacheWrite5m', 'cacheWrite1h', 'cacheRead', 'webSearches'] as const
const tokensOf = (each: fc.Arbitrary<number>): fc.Arbitrary<Tokens> =>
  fc.record({
    input: each,
    output: each,
    cacheWrite5m: each,
    cacheWrite1h: each,
    cacheRead: each,
    webSearches: each,
    thinking: fc.constant(0),
  })
const model = fc.constantFrom(...book.knownModels(), 'nobody-knows', '')
const time = fc.integer({ min: Date.UTC(2026, 6, 1), max: Date.UTC(2026, 11, 1) })

test('whatever an upstream reports, the cost is whole, not negative, below 2^53 and the sum of its parts', () => {
  const any = fc.record({
    model,
    tokens: tokensOf(count),
    extras: fc.array(fc.record({ model, tokens: tokensOf(count) }), { maxLength: 3 }),
    speed: fc.constantFrom('standard' as const, 'fast' as const),
    geo: fc.constantFrom('', 'us', 'global'),
    serviceTier: fc.constantFrom('', 'standard', 'batch', 'priority', 'flex'),
    flags: fc.constantFrom([], ['credit']),
  })
  fc.assert(
    fc.property(any, time, (parts, atMs) => {
      const cost = costOf(reading(parts.model, {}, parts), book, atMs)
      const amounts = [
        cost.totalNano,
        cost.inputNano,
        cost.outputNano,
        cost.cacheWriteNano,
        cost.cacheReadNano,
        cost.unitNano,
      ]
      expect(amounts.every((nano) => Number.isSafeInteger(nano) && nano >= 0)).toBe(true)
      expect(sumOfParts(cost)).toBe(cost.totalNano)
    }),
    { numRuns: 500 },
  )
})

/** The same formula written as one fraction, for a card with one tier. */
function oracle(tokens: Tokens, name: string, bpGeo: bigint, bpBatch: bigint): number {
  const { card } = book.find(name, today)
  const tier = card.tiers[0]!
  const pairs: [number, number][] = [
    [tokens.input, tier.inputPico],
    [tokens.output, tier.outputPico],
    [tokens.cacheWrite5m, tier.cacheWrite5mPico],
    [tokens.cacheWrite1h, tier.cacheWrite1hPico],
    [tokens.cacheRead, tier.cacheReadPico],
  ]
  const pico = pairs.reduce((sum, [number, rate]) => sum + BigInt(number) * BigInt(rate), 0n)
  const numerator = pico * bpGeo * bpBatch + BigInt(tokens.webSearches) * BigInt(card.webSearchNano) * 10n ** 11n
  return Number((2n * numerator + 10n ** 11n) / (2n * 10n ** 11n))
}

test('the total is the exact fraction rounded half-up', () => {
  fc.assert(
    fc.property(tokensOf(sane), fc.boolean(), fc.boolean(), (tokens, us, batch) => {
      const more = { geo: us ? 'us' : '', serviceTier: batch ? 'batch' : '' }
      const cost = costOf(reading('claude-sonnet-5-5', tokens, more), book, today)
      expect(cost.totalNano).toBe(oracle(tokens, 'claude-sonnet-5-5', us ? 11_000n : 10_000n, batch ? 5_000n : 10_000n))
    }),
  )
})

test('two requests cost what one of their sum costs, to the nano-dollar that rounding may move', () => {
  fc.assert(
    fc.property(
      tokensOf(sane),
      tokensOf(sane),
      fc.constantFrom('glm-5', 'claude-opus-5', 'qwen3-coder-flash'),
      (a, b, name) => {
        const sum = { ...a }
        for (const key of classes) sum[key] += b[key]
        const [one, two, both] = [a, b, sum].map((tokens) => costOf(reading(name, tokens), book, today).totalNano)
        expect(Math.abs(one! + two! - both!)).toBeLessThanOrEqual(1)
      },
    ),
  )
})

test('one more token never costs less, across tiers too', () => {
  fc.assert(
    fc.property(
      tokensOf(fc.nat(300_000)),
      fc.constantFrom(...classes),
      fc.nat(300_000),
      model,
      (tokens, key, extra, name) => {
        const more = { ...tokens, [key]: tokens[key] + extra }
        const [less, greater] = [tokens, more].map((each) => costOf(reading(name, each), book, today).totalNano)
        expect(greater!).toBeGreaterThanOrEqual(less!)
      },
    ),
  )
})

test('a hold is rounded up: no request is let in for nothing', () => {
  const { card } = book.find('glm-5', today)
  const cheap = createPriceBook([{ ...card, tiers: [{ ...card.tiers[0]!, inputPico: 1, outputPico: 1 }] }])
  expect(estimatedCost('glm-5', { ...noTokens, input: 1 }, cheap, today)).toBe(1)
})

test('a hold follows the tier and the hour that the request will be billed at', () => {
  expect(estimatedCost('claude-haiku-5-5', { ...noTokens, input: 100_000 }, book, today)).toBe(10_000_000)
  expect(estimatedCost('claude-haiku-5-5', { ...noTokens, input: 100_001 }, book, today)).toBe(50_000_500)
  expect(estimatedCost('deepseek-v4-pro', { ...noTokens, input: 1_000 }, book, Date.UTC(2026, 10, 23, 1))).toBe(
    1_320_000,
  )
  expect(estimatedCost('deepseek-v4-flash', { ...noTokens, input: 1 }, book, Date.UTC(2026, 7, 1))).toBe(140)
})
