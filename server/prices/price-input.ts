import { z } from 'zod'
import { says } from '../failure-codes.ts'
import { decimalText, factorText, modelPattern, wholeNumber } from '../field-values.ts'
import { parseRate } from '../money/usd.ts'
import type { PeakHours, PriceCard, PriceTier } from './price-card.ts'

/** US dollars per million tokens as decimal text, as pico-USD a token. */
const rate = decimalText
  .refine((text) => !text.startsWith('-'), { error: says('NEGATIVE'), abort: true })
  .regex(/^(?:0|[1-9]\d{0,5})(?:\.\d{1,6})?$/, { error: says('RATE_MALFORMED'), abort: true })
  .transform(parseRate)

/** A factor of 0 would make what it is on free. */
const positiveFactor = factorText.refine((bp) => bp > 0, says('FACTOR_ZERO'))

const orDerived = rate.nullish().transform((pico) => pico ?? undefined)

const tier = z.object({
  abovePromptTokens: wholeNumber(0, 100_000_000),
  speed: z.enum(['standard', 'fast']),
  input: rate,
  output: rate,
  cacheWrite5m: orDerived,
  cacheWrite1h: orDerived,
  cacheRead: orDerived,
})

export type TierDraft = z.output<typeof tier>

/** Standard tiers, then fast ones; of each speed the first is for all prompts, and every next one for longer ones. */
const tiers = z
  .array(tier)
  .min(1, says('MISSING'))
  .max(20, says('TOO_MANY_ENTRIES'))
  .superRefine((list, check) => {
    const refuse = (index: number, message: string, params = {}) =>
      check.addIssue({ code: 'custom', path: [index, 'abovePromptTokens'], message, params })
    for (const speed of ['standard', 'fast'] as const) {
      let above = -1
      for (const [index, one] of list.entries()) {
        if (one.speed !== speed) continue
        if (above === -1 && one.abovePromptTokens !== 0) refuse(index, says('TIER_FIRST'))
        else if (one.abovePromptTokens <= above) refuse(index, says('TIER_ORDER'), { above })
        above = one.abovePromptTokens
      }
    }
    if (!list.some(({ speed }) => speed === 'standard')) refuse(0, says('TIER_STANDARD_MISSING'))
  })

const hour = wholeNumber(0, 24)
const peaks = z
  .array(
    z
      .object({ fromHour: hour, toHour: hour, factor: positiveFactor })
      .refine(({ fromHour, toHour }) => fromHour < toHour, { error: says('ENDS_BEFORE_BEGIN'), path: ['toHour'] }),
  )
  .max(12, says('TOO_MANY_ENTRIES'))
  .transform((list): PeakHours[] => list.map(({ fromHour, toHour, factor }) => ({ fromHour, toHour, bp: factor })))

/** The fields of a price card as people give them. */
export const cardFields = {
  model: modelPattern.transform((text) => text.toLowerCase()),
  vendor: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,59}$/, says('VENDOR_MALFORMED')),
  source: z.string().trim().min(1, says('EMPTY')).max(300, says('TOO_LONG')),
  tiers,
  geoUsFactor: positiveFactor,
  batchFactor: positiveFactor,
  peakHours: peaks,
  /** Nano-USD each; at most 1 000 USD. */
  webSearch: z.bigint().max(1_000_000_000_000n, says('AMOUNT_TOO_LARGE')).transform(Number),
  multiplier: positiveFactor,
}

/** What a card is made of beside its dates. */
export type CardTerms = Pick<
  PriceCard,
  'provider' | 'pattern' | 'source' | 'geoUsBp' | 'batchBp' | 'webSearchNano' | 'peaks' | 'tiers'
>

/** Cache rates that are not given are computed as Anthropic does: writes cost 1.25 and 2 times the input rate, reads a tenth. */
export function tierFrom(draft: TierDraft): PriceTier {
  const { input, cacheWrite5m, cacheWrite1h, cacheRead } = draft
  return {
    abovePromptTokens: draft.abovePromptTokens,
    speed: draft.speed,
    inputPico: input,
    outputPico: draft.output,
    cacheWrite5mPico: cacheWrite5m ?? Math.round((input * 5) / 4),
    cacheWrite1hPico: cacheWrite1h ?? input * 2,
    cacheReadPico: cacheRead ?? Math.round(input / 10),
    derived: cacheWrite5m === undefined || cacheWrite1h === undefined || cacheRead === undefined,
  }
}
