import type { PeakHours, PriceCard } from './price-card.ts'
import { type ListPrice, type ListTerms, listCards } from './price-list.ts'

/** The day on which the tables below were last compared with the vendors' price lists. */
const checkedAt = '2026-11-23'

/** For unknown models, which must never be free: the rates of the vendor's own gateway, without discounts. */
export const fallbackCard: PriceCard = listCards(
  ['unknown'],
  { input: '5', output: '25' },
  {
    provider: 'fallback',
    source: 'declared fallback for unknown models, cache rates derived',
    checkedAt,
    webSearchNano: 10_000_000,
  },
)[0]!

const official = 'Anthropic price list; claude-list-prices.json'
const listed = 'claude-list-prices.json'

/** Above this length the whole request costs 2 times input and caches, and 1.5 times output. */
const long272k = { above: 272_000, inputBp: 20_000, outputBp: 15_000 }
const long200k = { above: 200_000, inputBp: 20_000, outputBp: 15_000 }

/** Input, output, 5-minute write, 1-hour write, read. US inference costs more since 4.6. */
const claudeCards: readonly PriceCard[] = [
  ...claude(['claude-fable-5-2'], '8 40 10 16 0.20', {
    from: '2026-11-09',
    source: 'docs.laozhang.ai, archid21/rightsize v0.10.2; claude-list-prices.json',
  }),
  ...claude(['claude-mythos-5-2'], '8 40 10 16 0.20', { source: listed }),
  ...claude(['claude-fable-5-1', 'claude-mythos-5-1'], '10 50 12.5 20 0.25', { from: '2026-09-01', source: official }),
  ...claude(['claude-fable-5', 'claude-mythos-5'], '10 50 12.5 20 1.00', { source: official }),
  ...claude(['claude-opus-5-5'], '4 20 5 8 0.20', {
    from: '2026-09-22',
    fast: '8 40',
    source: 'Anthropic opus-5-5 overview; claude-list-prices.json; fast: PromptFuel v1.0.21',
  }),
  ...claude(['claude-opus-5', 'claude-opus-4-8'], '5 25 6.25 10 0.50', { fast: '10 50', source: official }),
  ...claude(['claude-opus-4-7', 'claude-opus-4-6'], '5 25 6.25 10 0.50', { source: official }),
  ...claude(['claude-opus-4-5'], '5 25 6.25 10 0.50', { geoUsBp: 10_000, source: official }),
  ...claude(['claude-opus-4-1', 'claude-opus-4-0', 'claude-opus-4'], '15 75 18.75 30 1.50', {
    geoUsBp: 10_000,
    source: official,
  }),
  ...claude(['claude-sonnet-5-5'], '2 10 2.5 4 0.20', { until: '2026-10-07', source: 'Anthropic launch card' }),
  ...claude(['claude-sonnet-5-5'], '2 10 2.5 4 0.10', {
    from: '2026-10-07',
    source: 'kurofune/claudit v1.9.2, PromptFuel v1.0.23; claude-list-prices.json',
  }),
  ...claude(['claude-sonnet-5'], '2 10 2.5 4 0.20', {
    source: `${official}; the rise of 2026-09-01 was cancelled (claudit v1.8.1)`,
  }),
  ...claude(['claude-sonnet-4-6'], '3 15 3.75 6 0.30', { source: official }),
  // Only the 1M beta allows prompts this long, so the vendor's short list does not have the tier.
  ...claude(['claude-sonnet-4-5', 'claude-sonnet-4-0', 'claude-sonnet-4'], '3 15 3.75 6 0.30', {
    geoUsBp: 10_000,
    longFactor: long200k,
    source: `${official}; over 200k: protocol.md §5.1`,
  }),
  ...claude(['claude-haiku-5-5'], '0.10 0.50 0.125 0.20 0.01', {
    from: '2026-10-07',
    longPrompt: { above: 100_000, price: claudePrice('0.50 2.50 0.625 1.00 0.05') },
    source: 'claudit v1.9.2 and five more repositories; claude-list-prices.json',
  }),
  ...claude(['claude-haiku-4-5'], '1 5 1.25 2 0.10', { geoUsBp: 10_000, source: official }),
  ...claude(['claude-3-7-sonnet', 'claude-3-5-sonnet'], '3 15 3.75 6 0.30', { geoUsBp: 10_000, source: listed }),
  ...claude(['claude-3-5-haiku'], '0.8 4 1 1.6 0.08', { geoUsBp: 10_000, source: official }),
]

/** Input, output, cache read, cache write; `-` = not published. */
const openaiCards: readonly PriceCard[] = [
  ...family('openai', ['gpt-6.1-sol'], '2 10 0.10 2.5', { from: '2026-09-29', source: 'PromptFuel v1.0.22' }),
  ...family('openai', ['gpt-6.1-terra'], '1 5 0.05 1.25', { from: '2026-10-26', source: 'PromptFuel v1.0.24' }),
  ...family('openai', ['gpt-6-astra'], '10 50 1 12.5', { longFactor: long272k }),
  ...family('openai', ['gpt-6-sol'], '2 10 0.2 2.5', { longFactor: long272k }),
  ...family('openai', ['gpt-6-luna'], '0.10 0.50 0.01 0.125', { longFactor: long272k }),
  ...family('openai', ['gpt-5.6-sol'], '5 30 - -', { until: '2026-08-21', longFactor: long272k }),
  ...family('openai', ['gpt-5.6-sol'], '4 20 0.4 5', { from: '2026-08-21', longFactor: long272k }),
  ...family('openai', ['gpt-5.6-terra'], '2.5 15 - -', { until: '2026-07-30', longFactor: long272k }),
  ...family('openai', ['gpt-5.6-terra'], '2 12 0.2 2.5', { from: '2026-07-30', longFactor: long272k }),
  ...family('openai', ['gpt-5.6-luna'], '1 6 - -', { until: '2026-07-30', longFactor: long272k }),
  ...family('openai', ['gpt-5.6-luna'], '0.2 1.2 0.02 0.25', { from: '2026-07-30', longFactor: long272k }),
  ...family('openai', ['gpt-5.5'], '5 30 0.5 -', { longFactor: long272k }),
  ...family('openai', ['gpt-5.5-pro'], '30 180 - -', { longFactor: long272k }),
  ...family('openai', ['gpt-5.4'], '2.5 15 0.25 -', { longFactor: long272k }),
  ...family('openai', ['gpt-5.4-mini'], '0.75 4.5 0.075 -'),
  ...family('openai', ['gpt-5.4-nano'], '0.2 1.25 0.02 -'),
  ...family('openai', ['gpt-5.3-codex', 'gpt-5.3', 'gpt-5.2', 'gpt-5.2-codex'], '1.75 14 0.175 -'),
  ...family('openai', ['gpt-5.1', 'gpt-5.1-codex', 'gpt-5.1-codex-max', 'gpt-5', 'gpt-5-codex'], '1.25 10 0.125 -'),
  ...family('openai', ['gpt-5.1-codex-mini', 'gpt-5-mini'], '0.25 2 0.025 -'),
  ...family('openai', ['gpt-5-nano'], '0.05 0.4 0.005 -'),
  ...family('openai', ['codex-mini-latest'], '1.5 6 0.375 -'),
]

const cnyList = 'genai-prices 0.1.8, from the list in CNY; its tiers by input length are not modelled'
const openRouter = 'genai-prices 0.1.8, OpenRouter rates; the own list is tiered and in CNY'
/** 01-04 and 06-10 UTC are 09-12 and 14-18 in Beijing. */
const deepseekPeaks: readonly PeakHours[] = [
  { fromHour: 1, toHour: 4, bp: 20_000 },
  { fromHour: 6, toHour: 10, bp: 20_000 },
]

const otherCards: readonly PriceCard[] = [
  ...family('zai', ['glm-5.3', 'glm-5.2'], '1.4 4.4 0.26 -'),
  ...family('zai', ['glm-5.3-flash'], '0.075 0.25 0.015 -'),
  ...family('zai', ['glm-5.1'], '0.828 3.31 0.179 -', { source: cnyList }),
  ...family('zai', ['glm-5'], '0.552 2.483 0.138 -', { source: cnyList }),
  ...family('zai', ['glm-4.7'], '0.276 1.103 0.055 -', { source: cnyList }),
  ...family('zai', ['glm-4.5-air'], '0.11 0.276 0.022 -', { source: cnyList }),
  ...family('moonshot', ['kimi-k3'], '3 15 0.3 -'),
  ...family('moonshot', ['kimi-k2.7-code'], '0.95 4 0.19 -'),
  ...family('moonshot', ['kimi-k2.7-code-highspeed'], '1.9 8 0.38 -'),
  ...family('moonshot', ['kimi-k2.6'], '0.95 4 0.16 -'),
  ...family('moonshot', ['kimi-k2.5'], '0.6 3 0.1 -'),
  ...family('deepseek', ['deepseek-v4-flash'], '0.14 0.28 0.0028 -', { until: '2026-08-17' }),
  ...family('deepseek', ['deepseek-v4-flash'], '0.22 0.66 0.007 -', { from: '2026-08-17', peaks: deepseekPeaks }),
  ...family('deepseek', ['deepseek-v4-pro'], '0.435 0.87 0.003625 -', { until: '2026-08-17' }),
  ...family('deepseek', ['deepseek-v4-pro'], '0.66 1.98 0.022 -', { from: '2026-08-17', peaks: deepseekPeaks }),
  ...family('alibaba', ['qwen3-coder-plus'], '0.65 3.25 0.13 0.8125', { source: openRouter }),
  ...family('alibaba', ['qwen3-coder-flash'], '0.195 0.975 0.039 0.244', { source: openRouter }),
  ...family('alibaba', ['qwen3-coder-next'], '0.11 0.8 0.07 -', { source: openRouter }),
  ...family('alibaba', ['qwen3-coder'], '0.22 1.8 - -', { source: openRouter }),
  ...family('minimax', ['minimax-m3'], '0.3 1.2 0.06 -', {
    longFactor: { above: 512_000, inputBp: 20_000, outputBp: 20_000 },
  }),
  ...family('minimax', ['minimax-m2.7'], '0.3 1.2 0.06 0.375'),
]

/** The cards that come with the program. No globs, because others sell prefixed ids at prices of their own. */
export const seedCards: readonly PriceCard[] = Object.freeze([...claudeCards, ...openaiCards, ...otherCards])

function claude(
  patterns: readonly string[],
  rates: string,
  terms: Partial<ListTerms> & Pick<ListTerms, 'source'>,
): PriceCard[] {
  const always = { provider: 'anthropic', checkedAt, geoUsBp: 11_000, batchBp: 5_000, webSearchNano: 10_000_000 }
  return listCards(patterns, claudePrice(rates), { ...always, ...terms })
}

function claudePrice(rates: string): ListPrice {
  const [input = '', output = '', write5m, write1h, read] = rates.split(' ')
  return { input, output, write5m, write1h, read }
}

function family(
  provider: string,
  patterns: readonly string[],
  rates: string,
  terms: Partial<ListTerms> = {},
): PriceCard[] {
  const [input = '', output = '', read, write] = rates.split(' ').map((rate) => (rate === '-' ? undefined : rate))
  const price = { input, output, read, write5m: write }
  return listCards(patterns, price, { provider, checkedAt, source: 'genai-prices 0.1.8', ...terms })
}
