import type { ModelPrice } from '@pydantic/genai-prices'
import { formatRate } from '../server/money/usd.ts'
import { type PriceCard, tierOf } from '../server/prices/price-card.ts'

/** Their fields by ours. Absent ones are unknown to them and not compared. */
const fields = {
  input_mtok: 'inputPico',
  output_mtok: 'outputPico',
  cache_write_mtok: 'cacheWrite5mPico',
  cache_write_1h_mtok: 'cacheWrite1hPico',
  cache_read_mtok: 'cacheReadPico',
} as const

export interface PriceDifference {
  what: string
  /** US dollars per million. */
  ours: string
  theirs: string
}

/** Where the rates of a card differ from those of a price of @pydantic/genai-prices, for every length of prompt that either knows. */
export function priceDifferences(card: PriceCard, theirs: ModelPrice): PriceDifference[] {
  const lengths = new Set(card.tiers.filter(({ speed }) => speed === 'standard').map((tier) => tier.abovePromptTokens))
  for (const price of Object.values(theirs)) {
    if (typeof price === 'object') for (const { start } of price.tiers) lengths.add(start)
  }
  const found: PriceDifference[] = []
  for (const above of [...lengths].sort((a, b) => a - b)) {
    const tier = tierOf(card, above + 1, 'standard')
    for (const [name, field] of Object.entries(fields) as [
      keyof typeof fields,
      (typeof fields)[keyof typeof fields],
    ][]) {
      const price = theirs[name]
      if (price === undefined) continue
      const dollars =
        typeof price === 'number' ? price : (price.tiers.findLast(({ start }) => start <= above)?.price ?? price.base)
      const pico = Math.round(dollars * 1e6)
      if (pico === tier[field]) continue
      const what = above === 0 ? name : `${name} above ${above}`
      found.push({ what, ours: formatRate(tier[field]), theirs: formatRate(pico) })
    }
  }
  return found
}
