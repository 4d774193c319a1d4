import { type FallbackModel, readFallbackModels } from '../../statistics/fallback-models.ts'
import { builder } from '../builder.ts'
import { RangeInput, rangeArg, rangeOf } from '../statistics/range-input.ts'
import { visibleUse } from '../visible.ts'

const FallbackPricedModel = builder.objectRef<FallbackModel>('FallbackPricedModel').implement({
  description: 'Requests for a model that has no price card: the fallback card priced them.',
  authScopes: { user: true },
  fields: (t) => ({
    model: t.exposeString('model', { description: 'As it was billed: the name that a price card should have.' }),
    requestCount: t.expose('requests', { description: 'Requests in the range, however they ended.', type: 'Count' }),
    inputTokens: t.expose('inputTokens', { description: 'Read anew: without cache reads and writes.', type: 'Count' }),
    outputTokens: t.expose('outputTokens', { description: 'Written, with thinking.', type: 'Count' }),
    cacheWriteTokens: t.expose('cacheWriteTokens', { description: 'Written into the cache.', type: 'Count' }),
    cacheReadTokens: t.expose('cacheReadTokens', { description: 'Read from the cache.', type: 'Count' }),
    cost: t.expose('costNano', { description: 'What the keys were charged for them.', type: 'NanoUsd' }),
    lastAt: t.field({
      type: 'DateTime',
      description: 'When the newest of them began.',
      resolve: ({ lastAtMs }) => new Date(lastAtMs),
    }),
  }),
})

builder.queryField('fallbackPricedModels', (t) =>
  t.field({
    type: [FallbackPricedModel],
    nullable: true,
    description:
      'Models without a price card in a range, the most expensive first, a hundred at most; of people who are no administrators, in their own requests.',
    authScopes: { user: true },
    args: { range: t.arg({ type: RangeInput, required: true, description: rangeArg }) },
    resolve: (_parent, { range }, { parts, viewer }) =>
      readFallbackModels(parts.database, rangeOf(range), visibleUse(viewer).userId),
  }),
)
