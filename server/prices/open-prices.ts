import { type Cost, noCost } from '../money/cost.ts'
import type { Reading } from '../money/reading.ts'
import type { Database } from '../store/database.ts'
import { costOf, estimateReservation } from './cost.ts'
import { loadPriceBook } from './price-store.ts'

export type Prices = Awaited<ReturnType<typeof openPrices>>

/** Keeps the price book in memory and computes prices from it. */
export async function openPrices(database: Database) {
  const book = await loadPriceBook(database)
  return {
    book: () => book,
    price: (reading: Reading, atMs: number): Cost => (reading.source === 'none' ? noCost : costOf(reading, book, atMs)),
    /** Nano-USD to reserve for a request whose cost is not known yet. */
    estimateReservation: (model: string, bodyBytes: number, maxTokens: number | undefined, atMs: number): number =>
      estimateReservation(model, bodyBytes, maxTokens, book, atMs),
  }
}
