import { type Cost, noCost } from '../money/cost.ts'
import type { Reading, Tokens } from '../money/reading.ts'
import { type PriceCard, type PriceTier, peakBpAt, tierOf } from './price-card.ts'
import type { PriceBook } from './prices.ts'

/**
 * Amounts are exact until they are rounded once at the end: pico-USD × three modifiers in basis points. BigInt, because the
 * modifiers multiply by 10^12; a token count times a rate alone stays below 2^53.
 */
const modifierUnit = 10_000n ** 3n
const exactPerNano = 1_000n * modifierUnit
const largestNano = BigInt(Number.MAX_SAFE_INTEGER)

/** The index of each part in `exact`. When remainders are equal, the first part gets the rounding unit. */
const parts = { input: 0, output: 1, cacheWrite: 2, cacheRead: 3, unit: 4 } as const

const billed = ['input', 'output', 'cacheWrite5m', 'cacheWrite1h', 'cacheRead', 'webSearches'] as const

/** Service tiers that a response may name and that have no rates here, with their flags. */
const unpricedTiers = new Map([
  ['priority', 'priority_as_standard'],
  ['flex', 'flex_as_standard'],
])

/**
 * The price of a reading in nano-USD, rounded half-up once; the five parts add up to the total exactly. Extras are priced
 * under their own models and added; `cardId` is the main model's. Speed, geo and tier come from the response's usage, never
 * from the request. Never negative, never above 2^53-1 (flag `capped`), never throws.
 *
 * Flags: fallback_price, derived_rate (an unpublished cache rate was used), clamped, capped, fast_as_standard,
 * batch_as_standard, priority_as_standard, flex_as_standard, unit_unpriced (searches on a card without a price for them).
 */
export function costOf(reading: Reading, book: PriceBook, atMs: number): Cost {
  if (reading.source === 'none' && isEmpty(reading.tokens) && reading.extras.every((extra) => isEmpty(extra.tokens))) {
    return noCost
  }
  const exact: bigint[] = [0n, 0n, 0n, 0n, 0n]
  const modifiers = new Set<string>()
  const flags = new Set<string>()
  const { card, source } = book.find(reading.model, atMs)

  const add = (entry: Tokens, entryCard: PriceCard, speed: Reading['speed'], credited: boolean): PriceTier => {
    const tokens = sanitised(entry, flags)
    const tier = tierOf(entryCard, promptOf(tokens), speed)
    if (tier.speed === 'fast') modifiers.add('fast')
    else if (speed === 'fast') flags.add('fast_as_standard')
    const factor = factorOf(reading, entryCard, tier, atMs, modifiers, flags)
    const price = (count: number, pico: number) => (count === 0 ? 0n : BigInt(count) * BigInt(pico) * factor)
    exact[parts.input]! += price(tokens.input, tier.inputPico)
    exact[parts.output]! += price(tokens.output, tier.outputPico)
    exact[parts.cacheWrite]! +=
      price(tokens.cacheWrite5m, credited ? tier.cacheReadPico : tier.cacheWrite5mPico) +
      price(tokens.cacheWrite1h, credited ? tier.cacheReadPico : tier.cacheWrite1hPico)
    exact[parts.cacheRead]! += price(tokens.cacheRead, tier.cacheReadPico)
    if (tokens.webSearches > 0) {
      exact[parts.unit]! += BigInt(tokens.webSearches) * BigInt(entryCard.webSearchNano) * exactPerNano
      if (entryCard.webSearchNano === 0) flags.add('unit_unpriced')
    }
    if (tier.derived && tokens.cacheWrite5m + tokens.cacheWrite1h + tokens.cacheRead > 0) flags.add('derived_rate')
    return tier
  }

  if (source === 'fallback') flags.add('fallback_price')
  const tier = add(reading.tokens, card, reading.speed, reading.flags.includes('credit'))
  for (const extra of reading.extras) {
    const found = book.find(extra.model, atMs)
    if (found.source === 'fallback') flags.add('fallback_price')
    // The upstream does not report the speed of an extra. On the main model (compaction) it is the main model's, on another
    // model (an advisor) the standard one.
    add(extra.tokens, found.card, found.card === card ? reading.speed : 'standard', false)
  }
  const unpriced = unpricedTiers.get(reading.serviceTier)
  if (unpriced) flags.add(unpriced)
  const { total, shares } = roundOnce(exact, flags)
  // Field by field, because on Node 20 a spread takes 4 µs here, four times the rest of this function.
  return {
    totalNano: total,
    inputNano: shares[parts.input]!,
    outputNano: shares[parts.output]!,
    cacheWriteNano: shares[parts.cacheWrite]!,
    cacheReadNano: shares[parts.cacheRead]!,
    unitNano: shares[parts.unit]!,
    cardId: card.id,
    source,
    tierAbovePromptTokens: tier.abovePromptTokens,
    modifiers: [...modifiers],
    flags: [...flags],
  }
}

/** What tokens of a model would cost, in nano-USD, rounded up: to reserve it before anything is known. */
export function estimatedCost(model: string, tokens: Tokens, book: PriceBook, atMs: number): number {
  const { card } = book.find(model, atMs)
  const tier = tierOf(card, promptOf(tokens), 'standard')
  const price = (count: number, rate: number): bigint => BigInt(countOf(Math.ceil(count))) * BigInt(rate)
  const pico =
    price(tokens.input, tier.inputPico) +
    price(tokens.output, tier.outputPico) +
    price(tokens.cacheWrite5m, tier.cacheWrite5mPico) +
    price(tokens.cacheWrite1h, tier.cacheWrite1hPico) +
    price(tokens.cacheRead, tier.cacheReadPico)
  const nano = (pico * BigInt(peakBpAt(card, atMs)) + 9_999_999n) / 10_000_000n
  return Number(nano < largestNano ? nano : largestNano)
}

/** The product of all modifiers, in units of `modifierUnit`. */
function factorOf(
  reading: Reading,
  card: PriceCard,
  tier: PriceTier,
  atMs: number,
  modifiers: Set<string>,
  flags: Set<string>,
): bigint {
  const apply = (name: string, bp: number) => {
    if (bp !== 10_000) modifiers.add(name)
    return BigInt(bp)
  }
  const geo = apply('geo_us', reading.geo === 'us' ? card.geoUsBp : 10_000)
  // There is no batch discount on fast speed.
  const inBatch = reading.serviceTier === 'batch' && tier.speed !== 'fast'
  if (inBatch && card.batchBp === 10_000) flags.add('batch_as_standard')
  const batch = apply('batch', inBatch ? card.batchBp : 10_000)
  return geo * batch * apply('peak', peakBpAt(card, atMs))
}

/** The largest remainder method: each part is rounded down, and the missing units go to the parts with the largest remainders. */
function roundOnce(exact: readonly bigint[], flags: Set<string>): { total: number; shares: number[] } {
  const sum = exact.reduce((whole, part) => whole + part, 0n)
  let total = (sum + exactPerNano / 2n) / exactPerNano
  let fitting = exact
  if (total > largestNano) {
    flags.add('capped')
    total = largestNano
    fitting = exact.map((part) => (part * largestNano * exactPerNano) / sum)
  }
  const shares = fitting.map((part) => part / exactPerNano)
  const missing = Number(total - shares.reduce((whole, part) => whole + part, 0n))
  if (missing > 0) {
    const rests = fitting.map((part, index) => ({ index, rest: part % exactPerNano }))
    rests.sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1))
    for (const { index } of rests.slice(0, missing)) shares[index]! += 1n
  }
  return { total: Number(total), shares: shares.map(Number) }
}

function promptOf(tokens: Tokens): number {
  return tokens.input + tokens.cacheWrite5m + tokens.cacheWrite1h + tokens.cacheRead
}

function isEmpty(tokens: Tokens): boolean {
  return promptOf(tokens) === 0 && tokens.output === 0 && tokens.webSearches === 0
}

/** Upstreams may report anything: a value that is no count becomes the nearest count. */
function sanitised(tokens: Tokens, flags: Set<string>): Tokens {
  if (billed.every((name) => countOf(tokens[name]) === tokens[name])) return tokens
  flags.add('clamped')
  const clean = { ...tokens }
  for (const name of billed) clean[name] = countOf(tokens[name])
  return clean
}

function countOf(value: number): number {
  return value > 0 ? Math.min(Math.floor(value), Number.MAX_SAFE_INTEGER) : 0
}
