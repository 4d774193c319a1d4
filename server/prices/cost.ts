import { type Cost, noCost } from '../money/cost.ts'
import type { Reading, Tokens } from '../money/reading.ts'
import { type PriceTier, peakBpAt, tierOf } from './price-card.ts'
import type { FoundPrice, PriceBook } from './prices.ts'

/**
 * Amounts are exact until they are rounded once at the end: pico-USD × four factors in basis points. BigInt, because the
 * factors multiply by 10^16; a token count times a rate alone stays below 2^53.
 */
const factorUnit = 10_000n ** 4n
const exactPerNano = 1_000n * factorUnit
const largestNano = BigInt(Number.MAX_SAFE_INTEGER)

/** The index of each part in `exact`. When remainders are equal, the first part gets the rounding unit. */
const parts = { input: 0, output: 1, cacheWrite: 2, cacheRead: 3, unit: 4 } as const
type Part = (typeof parts)[keyof typeof parts]

const billed = ['input', 'output', 'cacheWrite5m', 'cacheWrite1h', 'cacheRead', 'webSearches'] as const
export type BilledClass = (typeof billed)[number]

/** Service tiers that a response may name and that have no rates here, with their flags. */
const unpricedTiers = new Map([
  ['priority', 'priority_as_standard'],
  ['flex', 'flex_as_standard'],
])

/** Tokens of one model with everything that prices them. A reading has one, and one for each of its extras. */
export interface PricedUse {
  model: string
  tokens: Tokens
  found: FoundPrice
  tier: PriceTier
  /** Factors on the rates of tokens that differ from 1, in basis points. */
  modifiers: { name: string; bp: number }[]
  /** Their product with the account's multiplier, in units of `factorUnit`. */
  factor: bigint
  /** Cache writes are billed as reads. */
  isCredited: boolean
}

type Lookup = Pick<PriceBook, 'find'>

/**
 * The price of a reading in nano-USD, rounded half-up once; the five parts add up to the total exactly. Extras are priced
 * under their own models and added; `cardId` is the main model's. Speed, geo and tier come from the response's usage, never
 * from the request. `accountId` decides about prices of the account's own; 0: list prices. Never negative, never above 2^53-1
 * (flag `capped`), never throws.
 *
 * Flags: fallback_price, derived_rate (an unpublished cache rate was used), clamped, capped, fast_as_standard,
 * batch_as_standard, priority_as_standard, flex_as_standard, unit_unpriced (searches on a card without a price for them).
 */
export function costOf(reading: Reading, book: Lookup, atMs: number, accountId = 0): Cost {
  return priceOf(reading, book, atMs, accountId).cost
}

/** The same with the uses that it is the sum of. */
export function priceOf(
  reading: Reading,
  book: Lookup,
  atMs: number,
  accountId: number,
): { cost: Cost; uses: PricedUse[] } {
  if (reading.source === 'none' && isEmpty(reading.tokens) && reading.extras.every((extra) => isEmpty(extra.tokens))) {
    return { cost: noCost, uses: [] }
  }
  const exact: bigint[] = [0n, 0n, 0n, 0n, 0n]
  const flags = new Set<string>()
  const modifiers = new Set<string>()
  const use = (model: string, given: Tokens, found: FoundPrice, speed: Reading['speed'], isCredited: boolean) => {
    const tokens = sanitised(given, flags)
    const priced = usePriced({ model, tokens, found, isCredited }, reading, speed, atMs, flags)
    for (const { name } of priced.modifiers) modifiers.add(name)
    forEachAmount(priced, (_name, part, _count, _pico, amount) => {
      exact[part]! += amount
    })
    return priced
  }

  const main = book.find(reading.model, atMs, accountId)
  const uses = [use(reading.model, reading.tokens, main, reading.speed, reading.flags.includes('credit'))]
  const extraPrices: Cost['extraPrices'][number][] = []
  for (const { model, tokens } of reading.extras) {
    const found = book.find(model, atMs, accountId)
    extraPrices.push({ cardId: found.card.id, multiplierBp: found.multiplierBp })
    // The upstream does not report the speed of an extra. On the main model (compaction) it is the main model's, on another
    // model (an advisor) the standard one.
    uses.push(use(model, tokens, found, found.card === main.card ? reading.speed : 'standard', false))
  }
  const unpriced = unpricedTiers.get(reading.serviceTier)
  if (unpriced) flags.add(unpriced)
  const { total, shares } = roundOnce(exact, flags)
  const uncached = uses.reduce(
    (sum, { tokens, tier, factor }) => sum + BigInt(promptOf(tokens)) * BigInt(tier.inputPico) * factor,
    0n,
  )
  const saved = (uncached - exact[parts.input]! - exact[parts.cacheWrite]! - exact[parts.cacheRead]!) / exactPerNano
  // Field by field, because on Node 20 a spread takes 4 µs here, four times the rest of this function.
  const cost: Cost = {
    totalNano: total,
    inputNano: shares[parts.input]!,
    outputNano: shares[parts.output]!,
    cacheWriteNano: shares[parts.cacheWrite]!,
    cacheReadNano: shares[parts.cacheRead]!,
    unitNano: shares[parts.unit]!,
    cacheSavedNano: Number(saved > largestNano ? largestNano : saved < -largestNano ? -largestNano : saved),
    cardId: main.card.id,
    source: main.source,
    tierAbovePromptTokens: uses[0]!.tier.abovePromptTokens,
    multiplierBp: main.multiplierBp,
    extraPrices,
    modifiers: [...modifiers],
    flags: [...flags],
  }
  return { cost, uses }
}

/** Chooses the tier and the modifiers of a use, and adds its flags. */
function usePriced(
  use: Pick<PricedUse, 'model' | 'tokens' | 'found' | 'isCredited'>,
  reading: Reading,
  speed: Reading['speed'],
  atMs: number,
  flags: Set<string>,
): PricedUse {
  const { tokens, found } = use
  const { card } = found
  if (found.source === 'fallback') flags.add('fallback_price')
  const tier = tierOf(card, promptOf(tokens), speed)
  const modifiers: PricedUse['modifiers'] = []
  let factor = BigInt(found.multiplierBp)
  const apply = (name: string, bp: number) => {
    if (bp !== 10_000) modifiers.push({ name, bp })
    factor *= BigInt(bp)
  }
  // Its rates stand in the tier; the name alone is noted.
  if (tier.speed === 'fast') modifiers.push({ name: 'fast', bp: 10_000 })
  else if (speed === 'fast') flags.add('fast_as_standard')
  apply('geo_us', reading.geo === 'us' ? card.geoUsBp : 10_000)
  // There is no batch discount on fast speed.
  const inBatch = reading.serviceTier === 'batch' && tier.speed !== 'fast'
  if (inBatch && card.batchBp === 10_000) flags.add('batch_as_standard')
  apply('batch', inBatch ? card.batchBp : 10_000)
  apply('peak', peakBpAt(card, atMs))
  if (tokens.webSearches > 0 && card.webSearchNano === 0) flags.add('unit_unpriced')
  if (tier.derived && tokens.cacheWrite5m + tokens.cacheWrite1h + tokens.cacheRead > 0) flags.add('derived_rate')
  return { ...use, tier, modifiers, factor }
}

/** What each class of a use costs: how many, at which rate (pico-USD), and the exact amount in units of `exactPerNano`. */
function forEachAmount(
  { tokens, found, tier, factor, isCredited }: PricedUse,
  visit: (name: BilledClass, part: Part, count: number, pico: number, amount: bigint) => void,
): void {
  const tell = (name: BilledClass, part: Part, pico: number) => {
    const count = tokens[name]
    if (count > 0) visit(name, part, count, pico, BigInt(count) * BigInt(pico) * factor)
  }
  tell('input', parts.input, tier.inputPico)
  tell('output', parts.output, tier.outputPico)
  tell('cacheWrite5m', parts.cacheWrite, isCredited ? tier.cacheReadPico : tier.cacheWrite5mPico)
  tell('cacheWrite1h', parts.cacheWrite, isCredited ? tier.cacheReadPico : tier.cacheWrite1hPico)
  tell('cacheRead', parts.cacheRead, tier.cacheReadPico)
  const { webSearches } = tokens
  if (webSearches > 0) {
    // Modifiers are on tokens. The account's multiplier is on everything.
    const pico = found.card.webSearchNano * 1_000
    const amount = BigInt(webSearches) * BigInt(pico) * BigInt(found.multiplierBp) * 10_000n ** 3n
    visit('webSearches', parts.unit, webSearches, pico, amount)
  }
}

/** One line of a bill: a count, its rate in pico-USD, and the exact amount in nano-USD as decimal text. */
export interface AmountLine {
  tokenClass: BilledClass
  count: number
  ratePico: number
  exactNano: string
}

/** The lines that the cost of a use is the sum of, before it is rounded. */
export function linesOf(use: PricedUse): AmountLine[] {
  const lines: AmountLine[] = []
  forEachAmount(use, (tokenClass, _part, count, ratePico, amount) => {
    const digits = amount.toString().padStart(20, '0')
    const fraction = digits.slice(-19).replace(/0+$/, '')
    lines.push({ tokenClass, count, ratePico, exactNano: `${digits.slice(0, -19)}${fraction && `.${fraction}`}` })
  })
  return lines
}

/** What tokens of a model would cost at list prices, in nano-USD, rounded up: to reserve it before anything is known. */
export function estimatedCost(model: string, tokens: Tokens, book: Lookup, atMs: number): number {
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
