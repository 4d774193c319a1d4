import { type Cost, noCost } from '../money/cost.ts'
import type { Reading, Tokens } from '../money/reading.ts'
import type { Database } from '../store/database.ts'
import { costOf, estimatedCost } from './cost.ts'
import { loadPriceBook } from './price-store.ts'

export type Prices = Awaited<ReturnType<typeof openPrices>>

/** Keeps the price book in memory and computes prices from it. */
export async function openPrices(database: Database) {
  const book = await loadPriceBook(database)
  return {
    book: () => book,
    price: (reading: Reading, atMs: number): Cost => (reading.source === 'none' ? noCost : costOf(reading, book, atMs)),
    /** Nano-USD to reserve for tokens that a request is expected to use. */
    estimate: (model: string, tokens: Tokens, atMs: number): number => estimatedCost(model, tokens, book, atMs),
  }
}
