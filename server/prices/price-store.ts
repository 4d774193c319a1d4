import type { Database } from '../store/database.ts'
import type { PriceCard } from './price-card.ts'
import { seedCards } from './price-seed.ts'
import { createPriceBook, type PriceBook } from './prices.ts'

/**
 * The price book of the database. Cards of this version that are missing there are added first. Existing cards are never
 * changed, so the changes of administrators stay.
 */
export async function loadPriceBook(database: Database): Promise<PriceBook> {
  await database.locked(['price-cards'], async (tx) => {
    const known = new Set((await tx.priceCard.findMany({ select: { id: true } })).map((row) => row.id))
    const missing = seedCards.filter((card) => !known.has(card.id))
    if (missing.length === 0) return
    await tx.priceCard.createMany({
      data: missing.map((card) => ({
        id: card.id,
        provider: card.provider,
        pattern: card.pattern,
        matchKind: card.matchKind,
        effectiveFromMs: BigInt(card.effectiveFromMs),
        effectiveToMs: card.effectiveToMs === null ? null : BigInt(card.effectiveToMs),
        geoUsBp: card.geoUsBp,
        batchBp: card.batchBp,
        webSearchNano: BigInt(card.webSearchNano),
        peaks: JSON.stringify(card.peaks),
        source: card.source,
        checkedAt: card.checkedAt,
      })),
    })
    await tx.priceTier.createMany({
      data: missing.flatMap((card) =>
        card.tiers.map((tier) => ({
          cardId: card.id,
          abovePromptTokens: tier.abovePromptTokens,
          speed: tier.speed,
          inputPico: BigInt(tier.inputPico),
          outputPico: BigInt(tier.outputPico),
          cacheWrite5mPico: BigInt(tier.cacheWrite5mPico),
          cacheWrite1hPico: BigInt(tier.cacheWrite1hPico),
          cacheReadPico: BigInt(tier.cacheReadPico),
          derived: tier.derived,
        })),
      ),
    })
  })
  const rows = await database.client.priceCard.findMany({ include: { tiers: true } })
  return createPriceBook(
    rows.map(
      (row): PriceCard => ({
        id: row.id,
        provider: row.provider,
        pattern: row.pattern,
        matchKind: row.matchKind as PriceCard['matchKind'],
        effectiveFromMs: Number(row.effectiveFromMs),
        effectiveToMs: row.effectiveToMs === null ? null : Number(row.effectiveToMs),
        geoUsBp: row.geoUsBp,
        batchBp: row.batchBp,
        webSearchNano: Number(row.webSearchNano),
        peaks: JSON.parse(row.peaks),
        source: row.source,
        checkedAt: row.checkedAt,
        tiers: row.tiers.map((tier) => ({
          abovePromptTokens: tier.abovePromptTokens,
          speed: tier.speed as 'standard' | 'fast',
          inputPico: Number(tier.inputPico),
          outputPico: Number(tier.outputPico),
          cacheWrite5mPico: Number(tier.cacheWrite5mPico),
          cacheWrite1hPico: Number(tier.cacheWrite1hPico),
          cacheReadPico: Number(tier.cacheReadPico),
          derived: tier.derived,
        })),
      }),
    ),
  )
}
