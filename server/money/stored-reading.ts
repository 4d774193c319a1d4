import { type PriceInputs, readPriceInputs } from './price-inputs.ts'
import { noReading, type Reading, type UsageSource } from './reading.ts'

/** What a row of `attempts` keeps of a reading. */
export interface StoredUse {
  modelBilled: string
  inputTokens: number | bigint
  outputTokens: number | bigint
  cacheWrite5mTokens: number | bigint
  cacheWrite1hTokens: number | bigint
  cacheReadTokens: number | bigint
  webSearches: number
  usageSource: string
  priceInputs: string
}

/** The reading of a row, as far as a price needs it. */
export function storedReading(row: StoredUse): { reading: Reading; inputs: PriceInputs } {
  const inputs = readPriceInputs(row.priceInputs)
  const reading: Reading = {
    ...noReading,
    model: row.modelBilled,
    tokens: {
      input: Number(row.inputTokens),
      output: Number(row.outputTokens),
      cacheWrite5m: Number(row.cacheWrite5mTokens),
      cacheWrite1h: Number(row.cacheWrite1hTokens),
      cacheRead: Number(row.cacheReadTokens),
      thinking: 0,
      webSearches: row.webSearches,
    },
    extras: (inputs.extras ?? []).map(({ model, tokens }) => ({ model, tokens })),
    source: row.usageSource as UsageSource,
    speed: inputs.speed ?? 'standard',
    geo: inputs.geo ?? '',
    serviceTier: inputs.serviceTier ?? '',
    flags: inputs.credit ? ['credit'] : [],
  }
  return { reading, inputs }
}
