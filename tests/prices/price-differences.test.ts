import { TieredPrices } from '@pydantic/genai-prices'
import { expect, test } from 'vitest'
import { priceDifferences } from '../../scripts/price-differences.ts'
import { seedCards } from '../../server/prices/price-seed.ts'

const card = (id: string) => seedCards.find((one) => one.id === id)!

test('a card that agrees with the other source has no differences, and what that does not know is not compared', () => {
  const theirs = { input_mtok: 5, output_mtok: 25, cache_read_mtok: 0.5, requests_kcount: 1 }
  expect(priceDifferences(card('claude-opus-5'), theirs)).toEqual([])
})

test('each rate that differs is told with both values, for longer prompts too', () => {
  const theirs = {
    input_mtok: new TieredPrices({ base: 3, tiers: [{ start: 200_000, price: 6 }] }),
    output_mtok: new TieredPrices({ base: 15, tiers: [{ start: 200_000, price: 20 }] }),
    cache_read_mtok: 0.25,
  }
  expect(priceDifferences(card('claude-sonnet-4-5'), theirs)).toEqual([
    { what: 'cache_read_mtok', ours: '0.3', theirs: '0.25' },
    { what: 'output_mtok above 200000', ours: '22.5', theirs: '20' },
    { what: 'cache_read_mtok above 200000', ours: '0.6', theirs: '0.25' },
  ])
})
