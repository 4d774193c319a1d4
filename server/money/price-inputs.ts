import type { Cost } from './cost.ts'
import type { Reading, Tokens } from './reading.ts'

/** What decided a price beside model, tokens, card and time. Only what differs from an ordinary request is there. */
export interface PriceInputs {
  speed?: 'fast'
  geo?: 'us'
  serviceTier?: string
  /** Cache writes were billed as reads. */
  credit?: true
  extras?: readonly { model: string; tokens: Tokens; cardId: string; multiplierBp: number }[]
}

const ordinaryTiers = ['', 'standard']

/** As JSON for a row of the ledger; '' when nothing differs. */
export function priceInputsText(reading: Reading, cost: Cost): string {
  const { speed, geo, serviceTier, extras, flags } = reading
  const isOrdinary = speed === 'standard' && geo !== 'us' && ordinaryTiers.includes(serviceTier) && extras.length === 0
  const isCredited = flags.includes('credit')
  if (isOrdinary && !isCredited) return ''
  const inputs: PriceInputs = {
    ...(speed === 'fast' && { speed }),
    ...(geo === 'us' && { geo }),
    ...(!ordinaryTiers.includes(serviceTier) && { serviceTier: serviceTier.slice(0, 64) }),
    ...(isCredited && { credit: true as const }),
    ...(extras.length > 0 && {
      extras: extras.map(({ model, tokens }, index) => ({
        model,
        tokens,
        ...(cost.extraPrices[index] ?? { cardId: '', multiplierBp: 10_000 }),
      })),
    }),
  }
  return JSON.stringify(inputs)
}

export const readPriceInputs = (text: string): PriceInputs => (text === '' ? {} : (JSON.parse(text) as PriceInputs))
