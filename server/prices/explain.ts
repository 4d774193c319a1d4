import { type StoredUse, storedReading } from '../money/stored-reading.ts'
import { type PricedUse, priceOf } from './cost.ts'
import { type AliasRule, aliasSteps } from './model-aliases.ts'
import type { FoundPrice, PriceBook } from './prices.ts'

/** A row of `attempts` with what priced it. */
export interface PricedRow extends StoredUse {
  startedAtMs: number | bigint
  costNano: bigint
  priceCardId: string
  priceSource: string
  priceMultiplierBp: number
}

export interface ExplainedPrice {
  uses: PricedUse[]
  flags: readonly string[]
  /** What the uses come to; null: a card of them is not in the book any more. */
  costNano: bigint | null
}

/** The price of a row again, from the cards that priced it then. Later cards change nothing. */
export function explainPrice(row: PricedRow, book: PriceBook): ExplainedPrice {
  const { reading, inputs } = storedReading(row)
  if (row.priceSource === 'none') return { uses: [], flags: [], costNano: 0n }
  const main = {
    cardId: row.priceCardId,
    source: row.priceSource as FoundPrice['source'],
    multiplierBp: row.priceMultiplierBp,
  }
  // Asked in this order: the model itself, then its extras.
  const stored = [
    main,
    ...(inputs.extras ?? []).map(({ model, cardId, multiplierBp }) => {
      const { card, source } = book.find(model, Number(row.startedAtMs))
      return { cardId, multiplierBp, source: card.id === cardId ? source : ('exact' as const) }
    }),
  ]
  const found = stored.flatMap(({ cardId, source, multiplierBp }) => {
    const card = book.card(cardId)
    return card ? [{ card, source, multiplierBp }] : []
  })
  if (found.length < stored.length) return { uses: [], flags: [], costNano: null }
  let next = 0
  const { cost, uses } = priceOf(reading, { find: () => found[next++]! }, Number(row.startedAtMs), 0)
  return { uses, flags: cost.flags, costNano: BigInt(cost.totalNano) }
}

/** The rules that led from the name of a model to its card, in their order; none where the card has the very name. */
export function aliasRulesOf({ model, found: { card } }: PricedUse): AliasRule[] {
  const steps = aliasSteps(model.toLowerCase())
  return steps.slice(0, steps.findIndex(({ name }) => name === card.pattern) + 1).map(({ rule }) => rule)
}
