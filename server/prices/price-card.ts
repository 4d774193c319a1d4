/** The price of a model during a period, as the tables price_cards and price_tiers store it. */
export interface PriceCard {
  /** Never used again for another card, because ledger rows refer to it. */
  id: string
  provider: string
  /** Lower case; contains `*` only and always when matchKind is glob. */
  pattern: string
  matchKind: 'exact' | 'glob'
  /** The card is valid from this time … */
  effectiveFromMs: number
  /** … until just before this time; null: no known end. */
  effectiveToMs: number | null
  /** Factor for US inference in basis points; 10000: none. */
  geoUsBp: number
  /** Factor for batches in basis points; 10000: none. */
  batchBp: number
  webSearchNano: number
  /** Hours of the day when all token rates are multiplied; usually empty. */
  peaks: readonly PeakHours[]
  /** Where the figures come from. */
  source: string
  /** The day on which the figures were compared with the source, YYYY-MM-DD. */
  checkedAt: string
  tiers: readonly PriceTier[]
  /** 0: a list price. Else the rates of one account, which only its account prices lead to. */
  accountId: number
  /** Cards of people (imported, manual) come before built-in ones. */
  origin: 'built_in' | 'imported' | 'manual'
  /** False: nobody has confirmed yet that it begins as announced. It prices nothing. */
  confirmed: boolean
  /** It prices nothing from then on; null: it is in use. */
  retiredAtMs: number | null
  /** Who added it; 0: the program. */
  createdById: number
  createdAtMs: number
}

/** What an account charges in place of the list price: a multiplier on it, or a card of its own. */
export interface AccountPrice {
  id: number
  accountId: number
  /** Lower case, with `*` for anything; '*' alone: every model. */
  pattern: string
  /** In basis points; null: the card has the rates. */
  multiplierBp: number | null
  cardId: string | null
  effectiveFromMs: number
  /** null: no known end. */
  effectiveToMs: number | null
  retiredAtMs: number | null
  createdById: number
  createdAtMs: number
}

/** Whole hours, UTC: from `fromHour`:00 until just before `toHour`:00. */
export interface PeakHours {
  fromHour: number
  toHour: number
  bp: number
}

/** Rates in pico-USD a token (US dollars per million tokens × 10^6). */
export interface PriceTier {
  /** Valid for prompts (input + cache writes + cache reads) of more than this many tokens; 0: for all. */
  abovePromptTokens: number
  speed: 'standard' | 'fast'
  inputPico: number
  outputPico: number
  cacheWrite5mPico: number
  cacheWrite1hPico: number
  cacheReadPico: number
  /** True when a cache rate is not published but computed from other rates. */
  derived: boolean
}

/**
 * The tier that prices every token of a prompt of this length. A card without rates for `fast` gives its standard tier: check
 * the `speed` of the result.
 */
export function tierOf(card: PriceCard, promptTokens: number, speed: PriceTier['speed']): PriceTier {
  let chosen: PriceTier | undefined
  for (const tier of card.tiers) {
    if (tier.speed !== speed || (tier.abovePromptTokens > 0 && promptTokens <= tier.abovePromptTokens)) continue
    if (!chosen || tier.abovePromptTokens > chosen.abovePromptTokens) chosen = tier
  }
  if (chosen) return chosen
  if (speed === 'fast') return tierOf(card, promptTokens, 'standard')
  throw new Error(`price card ${card.id} has no standard rates from the first token`)
}

/** The factor of the peak hours at this time in basis points; 10000 outside of them. */
export function peakBpAt(card: PriceCard, atMs: number): number {
  if (card.peaks.length === 0) return 10_000
  const hour = new Date(atMs).getUTCHours()
  return card.peaks.find((peak) => hour >= peak.fromHour && hour < peak.toHour)?.bp ?? 10_000
}

/** Everything that is wrong with a card, as text; empty when it can be used. */
export function faultsOf(card: PriceCard): string[] {
  const faults: string[] = []
  const expect = (right: boolean, wrong: string) => right || faults.push(`price card ${card.id}: ${wrong}`)
  expect(card.id !== '', 'has no id')
  expect(card.pattern !== '' && card.pattern === card.pattern.toLowerCase(), 'the pattern must be lower case')
  expect(card.pattern.includes('*') === (card.matchKind === 'glob'), '`*` belongs to globs, and only to them')
  expect(Number.isSafeInteger(card.effectiveFromMs), 'effectiveFromMs must be an integer')
  expect(card.effectiveToMs === null || card.effectiveToMs > card.effectiveFromMs, 'it ends before it begins')
  const peaksBp = card.peaks.map((peak) => peak.bp)
  const amounts = [card.geoUsBp, card.batchBp, card.webSearchNano, ...peaksBp]
  expect(amounts.every(isAmount), 'modifiers and unit prices must be non-negative integers')
  expect(
    [card.geoUsBp, card.batchBp, ...peaksBp].every((bp) => bp > 0),
    'a modifier of 0 would make it free',
  )
  expect(
    card.peaks.every(({ fromHour, toHour }) => fromHour >= 0 && fromHour < toHour && toHour <= 24),
    'peak hours must lie within one day',
  )
  expect(
    card.tiers.some((tier) => tier.speed === 'standard' && tier.abovePromptTokens === 0),
    'it needs standard rates from the first token',
  )
  expect(
    new Set(card.tiers.map((tier) => `${tier.speed} ${tier.abovePromptTokens}`)).size === card.tiers.length,
    'two tiers begin at the same length',
  )
  for (const tier of card.tiers) {
    const rates = [tier.inputPico, tier.outputPico, tier.cacheWrite5mPico, tier.cacheWrite1hPico, tier.cacheReadPico]
    expect([tier.abovePromptTokens, ...rates].every(isAmount), 'rates and lengths must be non-negative integers')
  }
  return faults
}

function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
