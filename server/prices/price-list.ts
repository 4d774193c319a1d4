import { parseRate } from '../money/usd.ts'
import type { PeakHours, PriceCard, PriceTier } from './price-card.ts'

/** The terms of a price list beside its rates. Days are YYYY-MM-DD and begin at 00:00 UTC. */
export interface ListTerms {
  provider: string
  /** First day on which the price is valid; absent: always. */
  from?: string
  /** First day on which it is no longer valid. */
  until?: string
  source: string
  checkedAt: string
  /** Input and output at fast speed; cache rates have the same ratio to input as the standard ones. */
  fast?: string
  /** Rates of the whole request when the prompt is longer than `above` … */
  longPrompt?: { above: number; price: ListPrice }
  /** … or factors for them: `inputBp` for input and caches, `outputBp` for output. */
  longFactor?: { above: number; inputBp: number; outputBp: number }
  geoUsBp?: number
  batchBp?: number
  webSearchNano?: number
  peaks?: readonly PeakHours[]
}

/** US dollars per million tokens as decimal text; an absent cache rate is not published. */
export interface ListPrice {
  input: string
  output: string
  write5m?: string
  write1h?: string
  read?: string
}

const builtIn = {
  accountId: 0,
  origin: 'built_in',
  confirmed: true,
  retiredAtMs: null,
  createdById: 0,
  createdAtMs: 0,
} as const

/** The same price for several models: one card each. */
export function listCards(patterns: readonly string[], price: ListPrice, terms: ListTerms): PriceCard[] {
  return patterns.map((pattern) => ({
    id: terms.from === undefined ? pattern : `${pattern}@${terms.from}`,
    provider: terms.provider,
    pattern,
    matchKind: 'exact',
    effectiveFromMs: terms.from === undefined ? 0 : Date.parse(`${terms.from}T00:00:00Z`),
    effectiveToMs: terms.until === undefined ? null : Date.parse(`${terms.until}T00:00:00Z`),
    geoUsBp: terms.geoUsBp ?? 10_000,
    batchBp: terms.batchBp ?? 10_000,
    webSearchNano: terms.webSearchNano ?? 0,
    peaks: terms.peaks ?? [],
    source: terms.source,
    checkedAt: terms.checkedAt,
    tiers: tiersOf(price, terms),
    ...builtIn,
  }))
}

function tiersOf(price: ListPrice, terms: ListTerms): PriceTier[] {
  const standard = tierFrom(price, 0)
  const tiers = [standard]
  if (terms.longPrompt) tiers.push(tierFrom(terms.longPrompt.price, terms.longPrompt.above))
  if (terms.longFactor) {
    const { above, inputBp, outputBp } = terms.longFactor
    tiers.push({
      ...scaleInput(standard, inputBp, 10_000),
      abovePromptTokens: above,
      outputPico: scale(standard.outputPico, outputBp, 10_000),
    })
  }
  if (terms.fast) {
    const [input = '', output = ''] = terms.fast.split(' ')
    tiers.push({
      ...scaleInput(standard, parseRate(input), standard.inputPico),
      speed: 'fast',
      outputPico: parseRate(output),
      derived: true,
    })
  }
  return tiers
}

/** Missing cache rates are computed as Anthropic does: writes cost 1.25 and 2 times the input rate, reads a tenth of it. */
function tierFrom(price: ListPrice, abovePromptTokens: number): PriceTier {
  const inputPico = parseRate(price.input)
  const rate = (listed: string | undefined, bp: number) =>
    listed === undefined ? scale(inputPico, bp, 10_000) : parseRate(listed)
  return {
    abovePromptTokens,
    speed: 'standard',
    inputPico,
    outputPico: parseRate(price.output),
    cacheWrite5mPico: rate(price.write5m, 12_500),
    cacheWrite1hPico: rate(price.write1h, 20_000),
    cacheReadPico: rate(price.read, 1_000),
    derived: price.write5m === undefined || price.write1h === undefined || price.read === undefined,
  }
}

function scaleInput(tier: PriceTier, numerator: number, denominator: number): PriceTier {
  return {
    ...tier,
    inputPico: scale(tier.inputPico, numerator, denominator),
    cacheWrite5mPico: scale(tier.cacheWrite5mPico, numerator, denominator),
    cacheWrite1hPico: scale(tier.cacheWrite1hPico, numerator, denominator),
    cacheReadPico: scale(tier.cacheReadPico, numerator, denominator),
  }
}

/** Throws when the result is not exact: then the rate must be written out in the list. */
function scale(pico: number, numerator: number, denominator: number): number {
  const product = BigInt(pico) * BigInt(numerator)
  if (product % BigInt(denominator) !== 0n) throw new RangeError(`${pico} × ${numerator}/${denominator} is no integer`)
  return Number(product / BigInt(denominator))
}
