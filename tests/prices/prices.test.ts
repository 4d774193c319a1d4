import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type PriceCard, tierOf } from '../../server/prices/price-card.ts'
import { fallbackCard, seedCards } from '../../server/prices/price-seed.ts'
import { createPriceBook } from '../../server/prices/prices.ts'

interface ListRates {
  input: number
  output: number
  cache_write_5m: number
  cache_write_1h: number
  cache_read: number
}
interface ListModel extends ListRates {
  id: string
  first_party: string
  web_search: number
  long_prompt?: ListRates & { above_prompt_tokens: number }
}

const list = JSON.parse(readFileSync(new URL('./fixtures/claude-list-prices.json', import.meta.url), 'utf8')) as {
  models: ListModel[]
}
const today = Date.UTC(2026, 10, 23)
const book = createPriceBook(seedCards)

/** The rates of a card as in the list, in US dollars per million tokens. */
function ratesOf(card: PriceCard, promptTokens: number): ListRates {
  const tier = tierOf(card, promptTokens, 'standard')
  return {
    input: tier.inputPico / 1e6,
    output: tier.outputPico / 1e6,
    cache_write_5m: tier.cacheWrite5mPico / 1e6,
    cache_write_1h: tier.cacheWrite1hPico / 1e6,
    cache_read: tier.cacheReadPico / 1e6,
  }
}

function pick(rates: ListRates): ListRates {
  const { input, output, cache_write_5m, cache_write_1h, cache_read } = rates
  return { input, output, cache_write_5m, cache_write_1h, cache_read }
}

/** A card that costs `dollars` a million tokens of anything. */
function flat(id: string, dollars: number, more: Partial<PriceCard> = {}): PriceCard {
  const rate = dollars * 1_000_000
  const rates = {
    inputPico: rate,
    outputPico: rate,
    cacheWrite5mPico: rate,
    cacheWrite1hPico: rate,
    cacheReadPico: rate,
  }
  const tiers = [{ abovePromptTokens: 0, speed: 'standard' as const, ...rates, derived: false }]
  return { ...fallbackCard, id, pattern: id, tiers, ...more }
}

test('the list that Claude Code ships has models to compare with', () => {
  expect(list.models).toHaveLength(24)
})

test.each(list.models)(
  '$id costs today what Claude Code itself lists, long prompts and web search included',
  (model) => {
    for (const name of [model.id, model.first_party]) {
      const { card, source } = book.find(name, today)
      expect(source).toMatch(/^(exact|dated)$/)
      expect(ratesOf(card, 1_000)).toEqual(pick(model))
      expect(card.webSearchNano).toBe(Math.round(model.web_search * 1e9))
      const long = model.long_prompt
      if (long) {
        expect(ratesOf(card, long.above_prompt_tokens)).toEqual(pick(model))
        expect(ratesOf(card, long.above_prompt_tokens + 1)).toEqual(pick(long))
      }
      // On these three only the 1M beta allows prompts over 200k, and the short list does not have that tier.
      else if (!/sonnet-4-[05]$/.test(model.id)) expect(ratesOf(card, 900_000)).toEqual(pick(model))
    }
  },
)

test('every seeded card has an id of its own, a source and a day of checking', () => {
  expect(new Set(seedCards.map((card) => card.id)).size).toBe(seedCards.length)
  for (const card of seedCards) {
    expect(card.source).not.toBe('')
    expect(card.checkedAt).toMatch(/^\d{4}-\d\d-\d\d$/)
  }
})

test('no two seeded cards of one model hold at the same time, and no time is left out between them', () => {
  for (const name of book.knownModels()) {
    const cards = seedCards.filter((card) => card.pattern === name)
    cards.sort((a, b) => a.effectiveFromMs - b.effectiveFromMs)
    cards.forEach((card, index) => {
      expect(card.effectiveToMs).toBe(cards[index + 1]?.effectiveFromMs ?? null)
    })
  }
})

test.each([
  // Model, prompt, day, in, out, read, write.
  ['gpt-6.1-sol', 1, '2026-11-23', 2, 10, 0.1, 2.5],
  ['gpt-6.1-terra', 1, '2026-11-23', 1, 5, 0.05, 1.25],
  ['gpt-6-astra', 272_000, '2026-11-23', 10, 50, 1, 12.5],
  ['gpt-6-astra', 272_001, '2026-11-23', 20, 75, 2, 25],
  ['gpt-6-sol', 272_001, '2026-11-23', 4, 15, 0.4, 5],
  ['gpt-6-luna', 272_001, '2026-11-23', 0.2, 0.75, 0.02, 0.25],
  ['gpt-5.6-sol', 1, '2026-08-20', 5, 30, 0.5, 6.25],
  ['gpt-5.6-sol', 1, '2026-08-21', 4, 20, 0.4, 5],
  ['gpt-5.6-terra', 1, '2026-07-29', 2.5, 15, 0.25, 3.125],
  ['gpt-5.6-terra', 1, '2026-07-30', 2, 12, 0.2, 2.5],
  ['gpt-5.6-luna', 1, '2026-07-29', 1, 6, 0.1, 1.25],
  ['gpt-5.6-luna', 1, '2026-07-30', 0.2, 1.2, 0.02, 0.25],
  ['gpt-5.5', 272_001, '2026-11-23', 10, 45, 1, 12.5],
  ['gpt-5.5-pro', 1, '2026-11-23', 30, 180, 3, 37.5],
  ['gpt-5.4', 272_001, '2026-11-23', 5, 22.5, 0.5, 6.25],
  ['gpt-5.4-mini', 300_000, '2026-11-23', 0.75, 4.5, 0.075, 0.9375],
  ['gpt-5.4-nano', 1, '2026-11-23', 0.2, 1.25, 0.02, 0.25],
  ['gpt-5.3-codex', 1, '2026-11-23', 1.75, 14, 0.175, 2.1875],
  ['gpt-5.2', 1, '2026-11-23', 1.75, 14, 0.175, 2.1875],
  ['gpt-5.1-codex-max', 1, '2026-11-23', 1.25, 10, 0.125, 1.5625],
  ['gpt-5-mini', 1, '2026-11-23', 0.25, 2, 0.025, 0.3125],
  ['gpt-5-nano', 1, '2026-11-23', 0.05, 0.4, 0.005, 0.0625],
  ['codex-mini-latest', 1, '2026-11-23', 1.5, 6, 0.375, 1.875],
  ['GLM-5.3', 1, '2026-11-23', 1.4, 4.4, 0.26, 1.75],
  ['glm-5.3-flash', 1, '2026-11-23', 0.075, 0.25, 0.015, 0.09375],
  ['glm-5.1', 1, '2026-11-23', 0.828, 3.31, 0.179, 1.035],
  ['glm-5', 1, '2026-11-23', 0.552, 2.483, 0.138, 0.69],
  ['glm-4.7', 1, '2026-11-23', 0.276, 1.103, 0.055, 0.345],
  ['glm-4.5-air', 1, '2026-11-23', 0.11, 0.276, 0.022, 0.1375],
  ['kimi-k3', 1, '2026-11-23', 3, 15, 0.3, 3.75],
  ['kimi-k2.7-code', 1, '2026-11-23', 0.95, 4, 0.19, 1.1875],
  ['kimi-k2.7-code-highspeed', 1, '2026-11-23', 1.9, 8, 0.38, 2.375],
  ['kimi-k2.6', 1, '2026-11-23', 0.95, 4, 0.16, 1.1875],
  ['kimi-k2.5', 1, '2026-11-23', 0.6, 3, 0.1, 0.75],
  ['deepseek-v4-flash', 1, '2026-08-16', 0.14, 0.28, 0.0028, 0.175],
  ['deepseek-v4-flash', 1, '2026-08-17', 0.22, 0.66, 0.007, 0.275],
  ['deepseek-v4-pro', 1, '2026-08-16', 0.435, 0.87, 0.003625, 0.54375],
  ['deepseek-v4-pro', 1, '2026-08-17', 0.66, 1.98, 0.022, 0.825],
  ['qwen3-coder-plus', 1, '2026-11-23', 0.65, 3.25, 0.13, 0.8125],
  ['qwen3-coder-flash', 1, '2026-11-23', 0.195, 0.975, 0.039, 0.244],
  ['qwen3-coder-next', 1, '2026-11-23', 0.11, 0.8, 0.07, 0.1375],
  ['qwen3-coder', 1, '2026-11-23', 0.22, 1.8, 0.022, 0.275],
  ['MiniMax-M3', 512_000, '2026-11-23', 0.3, 1.2, 0.06, 0.375],
  ['MiniMax-M3', 512_001, '2026-11-23', 0.6, 2.4, 0.12, 0.75],
  ['MiniMax-M2.7', 1, '2026-11-23', 0.3, 1.2, 0.06, 0.375],
])('%s with a prompt of %i tokens on %s costs %f in, %f out, %f read, %f written', (model, prompt, day, ...rates) => {
  const { card, source } = book.find(model, Date.parse(`${day}T12:00:00Z`))
  const { input, output, cache_read, cache_write_5m } = ratesOf(card, prompt)
  expect([input, output, cache_read, cache_write_5m]).toEqual(rates)
  expect(source).toBe('exact')
})

test('a prompt of more than 200 000 tokens costs double in and half as much again out on Sonnet 4 and 4.5', () => {
  for (const name of ['claude-sonnet-4-20250514', 'claude-sonnet-4-5']) {
    const { card } = book.find(name, today)
    expect(ratesOf(card, 200_000).input).toBe(3)
    const long = { input: 6, output: 22.5, cache_write_5m: 7.5, cache_write_1h: 12, cache_read: 0.6 }
    expect(ratesOf(card, 200_001)).toEqual(long)
  }
})

test('fast speed keeps the ratio of the caches to the input of the same model', () => {
  const rates = ['claude-opus-5-5', 'claude-opus-5', 'claude-opus-4-8'].map((name) => {
    const tier = tierOf(book.find(name, today).card, 1, 'fast')
    expect([tier.speed, tier.derived]).toEqual(['fast', true])
    const { inputPico, outputPico, cacheWrite5mPico, cacheWrite1hPico, cacheReadPico } = tier
    return [inputPico, outputPico, cacheWrite5mPico, cacheWrite1hPico, cacheReadPico].map((pico) => pico / 1e6)
  })
  expect(rates).toEqual([
    [8, 40, 10, 16, 0.4],
    [10, 50, 12.5, 20, 1],
    [10, 50, 12.5, 20, 1],
  ])
})

test('the read price of Sonnet 5.5 halves with the first millisecond of 2026-10-07, back and forth', () => {
  const change = Date.UTC(2026, 9, 7)
  const seen = [change - 1, change, change - 1, change + 1].map((atMs) => {
    const { card } = book.find('claude-sonnet-5-5', atMs)
    return [card.id, tierOf(card, 1, 'standard').cacheReadPico]
  })
  const before = ['claude-sonnet-5-5', 200_000]
  const after = ['claude-sonnet-5-5@2026-10-07', 100_000]
  expect(seen).toEqual([before, after, before, after])
})

test('a model has no price before the day it was launched at', () => {
  const launch = Date.UTC(2026, 10, 9)
  expect(book.find('claude-fable-5-2', launch - 1).source).toBe('fallback')
  expect(book.find('claude-fable-5-2', launch).source).toBe('exact')
})

test.each([
  ['claude-haiku-4-5-20251001', 'claude-haiku-4-5'],
  ['claude-haiku-4-5@20251001', 'claude-haiku-4-5'],
  ['claude-3-7-sonnet-latest', 'claude-3-7-sonnet'],
  ['gpt-5-2025-08-07', 'gpt-5'],
  ['CLAUDE-Opus-4-20250514', 'claude-opus-4'],
])('%s shares the card of %s', (name, pattern) => {
  const { card, source } = book.find(name, today)
  expect([card.pattern, source]).toEqual([pattern, 'dated'])
})

test.each([
  'claude-opus-5-50',
  'claude-sonnet-5-',
  'claude-sonnet',
  'claude-opus-5-5-99999999',
  'claude-opus-5-5-20251301',
  'claude-haiku-4-5-20251001-20251001',
  'claude-opus-5 ',
  'claude-mythos-preview',
  'gpt-6-latest',
  'unknown',
  '',
  'constructor',
  '__proto__',
])('"%s" is nobody we know: the fallback prices it', (name) => {
  expect(book.find(name, today)).toEqual({ card: fallbackCard, source: 'fallback', multiplierBp: 10_000 })
})

test('the fallback costs 5 and 25 dollars with derived cache rates', () => {
  const rates = { input: 5, output: 25, cache_write_5m: 6.25, cache_write_1h: 10, cache_read: 0.5 }
  expect(ratesOf(fallbackCard, 1)).toEqual(rates)
  expect(tierOf(fallbackCard, 1, 'standard').derived).toBe(true)
})

test('globs are tried after exact and dated names, the longest first', () => {
  const glob = { matchKind: 'glob' as const }
  const small = createPriceBook([
    flat('any', 1, { ...glob, pattern: 'house-*' }),
    flat('fast', 2, { ...glob, pattern: 'house-*-fast' }),
    flat('house-one-fast', 3),
    flat('gone', 4, { ...glob, pattern: 'house-two-*-fast', effectiveToMs: today }),
  ])
  const seen = ['House-one-fast', 'house-one-fast-20260101', 'house-two-x-fast', 'house-two', 'my-house-two']
  expect(seen.map((name) => [small.find(name, today).card.id, small.find(name, today).source])).toEqual([
    ['house-one-fast', 'exact'],
    ['house-one-fast', 'dated'],
    ['fast', 'glob'],
    ['any', 'glob'],
    [fallbackCard.id, 'fallback'],
  ])
  expect(small.find('house-two-x-fast', today - 1).card.id).toBe('gone')
})

test('a dot in a glob is a dot', () => {
  const small = createPriceBook([flat('dotted', 1, { matchKind: 'glob', pattern: 'm1.5-*' })])
  expect([small.find('m1.5-a', today).source, small.find('m1x5-a', today).source]).toEqual(['glob', 'fallback'])
})

test('of two cards in force the one that began later counts', () => {
  const small = createPriceBook([flat('m', 1), flat('m2', 2, { pattern: 'm', effectiveFromMs: today })])
  expect([today - 1, today].map((atMs) => small.find('m', atMs).card.id)).toEqual(['m', 'm2'])
})

test('a flood of invented names changes no answer', () => {
  for (let number = 0; number < 5_000; number++) {
    expect(book.find(`invented-${number}`, today).source).toBe('fallback')
    expect(book.find('x'.repeat(300) + number, today).source).toBe('fallback')
  }
  expect(book.find('claude-opus-5-5', today).card.id).toBe('claude-opus-5-5@2026-09-22')
})

test('a book lists its models once each', () => {
  expect(book.knownModels()).toContain('claude-sonnet-5-5')
  expect(new Set(book.knownModels()).size).toBe(book.knownModels().length)
})

test('a book with wrong cards is refused with everything that is wrong', () => {
  const noTier = flat('no-tier', 1, { tiers: [] })
  const half = flat('half', 1, { tiers: [{ ...fallbackCard.tiers[0]!, inputPico: 0.5 }] })
  const cards = [noTier, half, flat('Upper', 1), flat('glob*', 1), flat('twice', 1), flat('twice', 1)]
  const build = () => createPriceBook([...cards, flat('back', 1, { effectiveFromMs: 5, effectiveToMs: 5 })])
  const wrongs = [
    /no-tier: it needs/,
    /half: rates/,
    /Upper: .*lower case/,
    /glob\*: `\*`/,
    /twice is there twice/,
    /back: .*ends/,
  ]
  for (const wrong of wrongs) expect(build).toThrow(wrong)
})
