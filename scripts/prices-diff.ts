/** Prints where the built-in price cards differ from @pydantic/genai-prices, for models that both know by the very name. */
import process from 'node:process'
import { calcPrice } from '@pydantic/genai-prices'
import { seedCards } from '../server/prices/price-seed.ts'
import { createPriceBook } from '../server/prices/prices.ts'
import { priceDifferences } from './price-differences.ts'

/** Their names of the vendors. */
const providers: Readonly<Record<string, readonly string[]>> = {
  anthropic: ['anthropic'],
  openai: ['openai'],
  zai: ['zai', 'zhipuai'],
  moonshot: ['moonshotai'],
  deepseek: ['deepseek'],
  alibaba: ['alibaba', 'openrouter'],
  minimax: ['minimax', 'openrouter'],
}

const now = new Date()
const book = createPriceBook(seedCards)
let compared = 0
let differing = 0
const unknown: string[] = []
for (const model of book.knownModels()) {
  const { card, source } = book.find(model, now.getTime())
  if (source !== 'exact') continue
  // Their search finds models by the begin of a name, too.
  const found = (providers[card.provider] ?? [])
    .map((providerId) => calcPrice({ input_tokens: 1 }, model, { providerId, timestamp: now }))
    .find((price) => price?.model.id.toLowerCase() === model)
  if (!found) {
    unknown.push(model)
    continue
  }
  compared++
  const differences = priceDifferences(card, found.model_price)
  if (differences.length > 0) differing++
  for (const { what, ours, theirs } of differences) {
    process.stdout.write(
      `${model}  ${what}: ours ${ours}, theirs ${theirs}  (${found.provider.id}; ours: ${card.source})\n`,
    )
  }
}
process.stdout.write(`\n${compared} models compared, ${differing} differ. Known to us only: ${unknown.join(', ')}\n`)
