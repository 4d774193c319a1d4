import { expect, test } from 'vitest'
import { priceInputsText, readPriceInputs } from '../../server/money/price-inputs.ts'
import { noReading, noTokens, type Reading } from '../../server/money/reading.ts'
import { formatRate } from '../../server/money/usd.ts'
import { linesOf, priceOf } from '../../server/prices/cost.ts'
import { aliasRules, aliasSteps } from '../../server/prices/model-aliases.ts'
import { seedCards } from '../../server/prices/price-seed.ts'
import { createPriceBook } from '../../server/prices/prices.ts'

const atMs = Date.UTC(2026, 10, 23)
const book = createPriceBook(seedCards)
const reading: Reading = {
  ...noReading,
  source: 'final',
  model: 'claude-opus-5-5',
  tokens: {
    ...noTokens,
    input: 1_001,
    output: 333,
    cacheWrite5m: 77,
    cacheWrite1h: 11,
    cacheRead: 12_345,
    webSearches: 2,
  },
  geo: 'us',
  serviceTier: 'batch',
}

test('the lines of a price, each a count times its rate with all factors, add up to it before it is rounded', () => {
  const { cost, uses } = priceOf(reading, book, atMs, 0)
  const lines = uses.flatMap(linesOf)
  expect(lines.map(({ tokenClass, count, ratePico }) => [tokenClass, count, formatRate(ratePico)])).toEqual([
    ['input', 1_001, '4'],
    ['output', 333, '20'],
    ['cacheWrite5m', 77, '5'],
    ['cacheWrite1h', 11, '8'],
    ['cacheRead', 12_345, '0.2'],
    ['webSearches', 2, '10000'],
  ])
  // 1 001 × 4 000 nano-dollars × 1.1 × 0.5; searches have no discount.
  expect([lines[0]?.exactNano, lines.at(-1)?.exactNano]).toEqual(['2202200', '20000000'])
  const sum = lines.reduce((whole, { exactNano }) => whole + Number(exactNano), 0)
  expect(Math.round(sum)).toBe(cost.totalNano)
})

test('what decided a price beside tokens and card is kept as text, and nothing is kept of an ordinary request', () => {
  const { cost } = priceOf(reading, book, atMs, 0)
  expect(readPriceInputs(priceInputsText(reading, cost))).toEqual({ geo: 'us', serviceTier: 'batch' })
  const ordinary = { ...reading, geo: 'global', serviceTier: 'standard' }
  expect(priceInputsText(ordinary, cost)).toBe('')
  expect(readPriceInputs('')).toEqual({})
  const extras = [{ model: 'claude-haiku-4-5', tokens: { ...noTokens, input: 5 } }]
  const advised: Reading = { ...ordinary, extras, speed: 'fast', flags: ['credit'] }
  expect(readPriceInputs(priceInputsText(advised, priceOf(advised, book, atMs, 0).cost))).toEqual({
    speed: 'fast',
    credit: true,
    extras: [{ ...extras[0], cardId: 'claude-haiku-4-5', multiplierBp: 10_000 }],
  })
})

test('each alias of a name says by which rule it was found', () => {
  expect(aliasSteps('us.anthropic.claude-haiku-4-5-20251001-v1:0')).toEqual([
    { rule: 'region_prefix', name: 'anthropic.claude-haiku-4-5-20251001-v1:0' },
    { rule: 'version_suffix', name: 'anthropic.claude-haiku-4-5-20251001' },
    { rule: 'vendor_prefix', name: 'claude-haiku-4-5-20251001' },
    { rule: 'snapshot_date', name: 'claude-haiku-4-5' },
  ])
  expect(aliasRules).toContain('snapshot_date')
})
