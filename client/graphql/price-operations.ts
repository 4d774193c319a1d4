import { graphql, type ResultOf } from './tada.ts'

/** Models without a price card of their own: the fallback card priced their requests. */
export const fallbackPricedQuery = graphql(`
  query FallbackPricedModels($range: RangeInput!) {
    fallbackPricedModels(range: $range) {
      model requestCount inputTokens cacheReadTokens cacheWriteTokens outputTokens cost lastAt
    }
  }
`)

export type FallbackPricedModel = NonNullable<ResultOf<typeof fallbackPricedQuery>['fallbackPricedModels']>[number]
