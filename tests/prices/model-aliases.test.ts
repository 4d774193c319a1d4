import { expect, test } from 'vitest'
import { seedCards } from '../../server/prices/price-seed.ts'
import { createPriceBook } from '../../server/prices/prices.ts'

test.each([
  ['claude-sonnet-4-5', 'claude-sonnet-4-5'],
  ['claude-sonnet-4-5-20250929', 'claude-sonnet-4-5'],
  ['claude-sonnet-4-5[1m]', 'claude-sonnet-4-5'],
  ['claude-sonnet-4-5-20250929[1m]', 'claude-sonnet-4-5'],
  ['claude-sonnet-4-5-latest', 'claude-sonnet-4-5'],
  ['anthropic/claude-sonnet-4-5', 'claude-sonnet-4-5'],
  ['anthropic/claude-sonnet-4.5', 'claude-sonnet-4-5'],
  ['openrouter/anthropic/claude-sonnet-4.5:beta', 'claude-sonnet-4-5'],
  ['anthropic.claude-sonnet-4-5-20250929-v1:0', 'claude-sonnet-4-5'],
  ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'claude-sonnet-4-5'],
  ['global.anthropic.claude-sonnet-4-5-20250929-v1:0[1m]', 'claude-sonnet-4-5'],
  ['bedrock/eu.anthropic.claude-sonnet-4-5-20250929-v1:0', 'claude-sonnet-4-5'],
  [
    'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0',
    'claude-sonnet-4-5',
  ],
  ['claude-sonnet-4-5@20250929', 'claude-sonnet-4-5'],
  ['claude-sonnet-4-5@default', 'claude-sonnet-4-5'],
  ['publishers/anthropic/models/claude-sonnet-4-5@20250929', 'claude-sonnet-4-5'],
  ['vertex_ai/claude-sonnet-4-5@20250929', 'claude-sonnet-4-5'],
])('%s is sold under the card of %s', (model, pattern) => {
  const { card, source } = createPriceBook(seedCards).find(model, Date.UTC(2026, 10, 23))
  expect([card.pattern, source === 'fallback']).toEqual([pattern, false])
})

test.each(['claude-sonnet-4-5x', 'xanthropic/claude-sonnet-4-5', 'claude-sonnet-4-5-pro', 'us.claude-sonnet-4-5'])(
  '%s is nobody’s alias',
  (model) => {
    expect(createPriceBook(seedCards).find(model, Date.UTC(2026, 10, 23)).source).toBe('fallback')
  },
)
