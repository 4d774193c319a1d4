import type { Database, Tx } from '../store/database.ts'
import type { AccountPrice, PriceCard } from './price-card.ts'
import { seedCards } from './price-seed.ts'
import { createPriceBook, type PriceBook } from './prices.ts'

/** Adds the cards of this version that are missing. What people added or took out of use stays as it is. */
export async function addBuiltInCards(database: Database): Promise<void> {
  await database.locked(['price-cards'], async (tx) => {
    const known = new Set((await tx.priceCard.findMany({ select: { id: true } })).map((row) => row.id))
    await insertCards(
      tx,
      seedCards.filter((card) => !known.has(card.id)),
    )
  })
}

export async function insertCards(tx: Tx, cards: readonly PriceCard[]): Promise<void> {
  if (cards.length === 0) return
  await tx.priceCard.createMany({
    data: cards.map(({ tiers: _tiers, ...card }) => ({
      ...card,
      effectiveFromMs: BigInt(card.effectiveFromMs),
      effectiveToMs: bigOrNull(card.effectiveToMs),
      retiredAtMs: bigOrNull(card.retiredAtMs),
      webSearchNano: BigInt(card.webSearchNano),
      peaks: JSON.stringify(card.peaks),
      createdAtMs: BigInt(card.createdAtMs),
    })),
  })
  await tx.priceTier.createMany({
    data: cards.flatMap((card) =>
      card.tiers.map((tier) => ({
        ...tier,
        cardId: card.id,
        inputPico: BigInt(tier.inputPico),
        outputPico: BigInt(tier.outputPico),
        cacheWrite5mPico: BigInt(tier.cacheWrite5mPico),
        cacheWrite1hPico: BigInt(tier.cacheWrite1hPico),
        cacheReadPico: BigInt(tier.cacheReadPico),
      })),
    ),
  })
}

export async function readPriceBook(client: Pick<Tx, 'priceCard' | 'accountPrice'>): Promise<PriceBook> {
  const [cards, accountPrices] = await Promise.all([readCards(client), readAccountPrices(client)])
  return createPriceBook(cards, { accountPrices })
}

export async function readCards(client: Pick<Tx, 'priceCard'>, where: object = {}): Promise<PriceCard[]> {
  const rows = await client.priceCard.findMany({ where, include: { tiers: true } })
  return rows.map((row) => ({
    ...row,
    matchKind: row.matchKind as PriceCard['matchKind'],
    origin: row.origin as PriceCard['origin'],
    effectiveFromMs: Number(row.effectiveFromMs),
    effectiveToMs: numberOrNull(row.effectiveToMs),
    retiredAtMs: numberOrNull(row.retiredAtMs),
    webSearchNano: Number(row.webSearchNano),
    peaks: JSON.parse(row.peaks),
    createdAtMs: Number(row.createdAtMs),
    tiers: row.tiers
      .map(({ cardId: _cardId, ...tier }) => ({
        ...tier,
        speed: tier.speed as 'standard' | 'fast',
        inputPico: Number(tier.inputPico),
        outputPico: Number(tier.outputPico),
        cacheWrite5mPico: Number(tier.cacheWrite5mPico),
        cacheWrite1hPico: Number(tier.cacheWrite1hPico),
        cacheReadPico: Number(tier.cacheReadPico),
      }))
      .sort(
        (a, b) => Number(a.speed === 'fast') - Number(b.speed === 'fast') || a.abovePromptTokens - b.abovePromptTokens,
      ),
  }))
}

export async function readAccountPrices(client: Pick<Tx, 'accountPrice'>, where: object = {}): Promise<AccountPrice[]> {
  const rows = await client.accountPrice.findMany({ where, orderBy: { id: 'asc' } })
  return rows.map((row) => ({
    ...row,
    effectiveFromMs: Number(row.effectiveFromMs),
    effectiveToMs: numberOrNull(row.effectiveToMs),
    retiredAtMs: numberOrNull(row.retiredAtMs),
    createdAtMs: Number(row.createdAtMs),
  }))
}

const numberOrNull = (value: bigint | null): number | null => (value === null ? null : Number(value))
const bigOrNull = (value: number | null): bigint | null => (value === null ? null : BigInt(value))
