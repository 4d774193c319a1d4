import { type Cost, noCost } from '../money/cost.ts'
import type { Reading, Tokens } from '../money/reading.ts'
import type { Database } from '../store/database.ts'
import { costOf, estimatedCost } from './cost.ts'
import { addBuiltInCards, readPriceBook } from './price-store.ts'

export type Prices = Awaited<ReturnType<typeof openPrices>>

/** Keeps the price book in memory and computes prices from it. Cards of this version that are missing are added first. */
export async function openPrices(database: Database) {
  await addBuiltInCards(database)
  let book = await readPriceBook(database.client)
  return {
    book: () => book,
    /** Reads the whole book again. A request is priced with the book of the moment at which it ends. */
    async load(): Promise<void> {
      book = await readPriceBook(database.client)
    },
    price: (reading: Reading, atMs: number, accountId: number): Cost =>
      reading.source === 'none' ? noCost : costOf(reading, book, atMs, accountId),
    /** Nano-USD to reserve for tokens that a request is expected to use. */
    estimate: (model: string, tokens: Tokens, atMs: number): number => estimatedCost(model, tokens, book, atMs),
  }
}
