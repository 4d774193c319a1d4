/** What a reading costs, in nano-USD. Every amount is an integer below 2^53. */
export interface Cost {
  totalNano: number
  inputNano: number
  outputNano: number
  cacheWriteNano: number
  cacheReadNano: number
  /** Web searches and other items that are sold per piece. */
  unitNano: number
  /** What all of the prompt would have cost at the input rate, less what it cost; negative where more was written than read. */
  cacheSavedNano: number
  /** Id of the card that priced the main model. */
  cardId: string
  source: 'exact' | 'dated' | 'glob' | 'fallback' | 'none'
  tierAbovePromptTokens: number
  /** Multiplier of the account on the card's rates in basis points; 10000: none. */
  multiplierBp: number
  /** What priced the reading's extras, in their order. */
  extraPrices: readonly { cardId: string; multiplierBp: number }[]
  /** geo_us, batch, fast */
  modifiers: readonly string[]
  /** derived_rate, fallback_price, priority_as_standard, … */
  flags: readonly string[]
}

export const noCost: Cost = Object.freeze({
  totalNano: 0,
  inputNano: 0,
  outputNano: 0,
  cacheWriteNano: 0,
  cacheReadNano: 0,
  unitNano: 0,
  cacheSavedNano: 0,
  cardId: '',
  source: 'none',
  tierAbovePromptTokens: 0,
  multiplierBp: 10_000,
  extraPrices: [],
  modifiers: [],
  flags: [],
})
