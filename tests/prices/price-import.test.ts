import { expect, test } from 'vitest'
import { compareWithBook, readPriceFile } from '../../server/prices/price-import.ts'
import { seedCards } from '../../server/prices/price-seed.ts'
import { createPriceBook } from '../../server/prices/prices.ts'

const atMs = Date.UTC(2026, 10, 23)
const book = createPriceBook(seedCards)

function linesOf(file: object) {
  const entries = readPriceFile(JSON.stringify(file))
  if (typeof entries === 'string') throw new Error(entries)
  return new Map(compareWithBook(entries, book, atMs).map((line) => [line.model, line]))
}

test('a file of LiteLLM gives caches, longer prompts and web searches, in pico-dollars a token', () => {
  const line = linesOf({
    'house/Large': {
      litellm_provider: 'house ai',
      mode: 'chat',
      input_cost_per_token: 3e-6,
      output_cost_per_token: 0.000015,
      cache_creation_input_token_cost: 3.75e-6,
      cache_creation_input_token_cost_above_1hr: 6e-6,
      cache_read_input_token_cost: 3e-7,
      input_cost_per_token_above_200k_tokens: 6e-6,
      output_cost_per_token_above_200k_tokens: 2.25e-5,
      search_context_cost_per_query: { search_context_size_medium: 0.01 },
    },
  }).get('house/large')
  expect(line).toMatchObject({ status: 'new', vendor: 'house-ai' })
  expect(line?.terms).toMatchObject({
    webSearchNano: 10_000_000,
    tiers: [
      {
        abovePromptTokens: 0,
        inputPico: 3e6,
        outputPico: 15e6,
        cacheWrite5mPico: 3.75e6,
        cacheWrite1hPico: 6e6,
        cacheReadPico: 3e5,
        derived: false,
      },
      // Cache rates that the file does not name for longer prompts keep their ratio to the input.
      {
        abovePromptTokens: 200_000,
        inputPico: 6e6,
        outputPico: 22.5e6,
        cacheWrite5mPico: 7.5e6,
        cacheWrite1hPico: 12e6,
        cacheReadPico: 6e5,
      },
    ],
  })
})

test('a file of models.dev gives a model once, at the price of its maker', () => {
  const cost = { input: 0.3, output: 1.2, cache_read: 0.06 }
  const lines = linesOf({
    reseller: { id: 'reseller', models: { 'minimax-m3': { cost: { input: 9, output: 9 } } } },
    minimax: {
      id: 'minimax',
      models: { 'minimax-m3': { cost }, 'minimax-m2.7': { cost: { ...cost, cache_write: 0.375 } }, empty: {} },
    },
  })
  expect(lines.get('minimax-m2.7')?.status).toBe('same')
  // The book has a price for longer prompts that the file does not have.
  expect(lines.get('minimax-m3')).toMatchObject({ status: 'skipped', reason: 'twice' })
  expect(lines.get('empty')).toMatchObject({ status: 'skipped', reason: 'no_rates' })
})

test.each([
  ['free', { input_cost_per_token: 0, output_cost_per_token: 0 }],
  ['negative', { input_cost_per_token: -1e-6, output_cost_per_token: 1e-6 }],
  ['too_precise', { input_cost_per_token: 1.23456e-14, output_cost_per_token: 1e-6 }],
  ['no_rates', { input_cost_per_token: 1e-6 }],
  ['not_text', { mode: 'embedding', input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 }],
] as const)('an entry that is %s is skipped, and says so', (reason, fields) => {
  expect(linesOf({ m: { litellm_provider: 'house', ...fields } }).get('m')).toMatchObject({ status: 'skipped', reason })
})

test('what a file does not name of a known model stays as it is', () => {
  const line = linesOf({
    'claude-opus-5-5': { litellm_provider: 'anthropic', input_cost_per_token: 3e-6, output_cost_per_token: 2e-5 },
  }).get('claude-opus-5-5')
  expect(line).toMatchObject({
    status: 'changed',
    terms: { geoUsBp: 11_000, batchBp: 5_000, webSearchNano: 10_000_000 },
  })
  expect(line?.terms?.tiers.map(({ speed }) => speed)).toEqual(['standard', 'fast'])
})

test('other files are no price files', () => {
  expect(readPriceFile('{')).toBe('not_json')
  for (const file of [[], 5, null, {}, { a: 1 }, { a: { models: [] } }])
    expect(readPriceFile(JSON.stringify(file))).toBe('foreign')
})
