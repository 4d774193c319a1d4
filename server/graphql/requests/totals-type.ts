import type { TotalsRow } from '../../statistics/statistics.ts'
import { builder } from '../builder.ts'

export const Totals = builder.objectRef<TotalsRow>('Totals').implement({
  description: 'Sums over requests, as the rollups have them.',
  authScopes: { user: true },
  fields: (t) => ({
    requests: t.expose('requests', { description: 'That ended, however.', type: 'Count' }),
    failures: t.expose('failures', { type: 'Count', description: 'Requests of any outcome but COMPLETED.' }),
    tokens: t.field({
      type: 'Count',
      description: 'All classes together.',
      resolve: (row) => row.inputTokens + row.outputTokens + row.cacheWriteTokens + row.cacheReadTokens,
    }),
    inputTokens: t.expose('inputTokens', { description: 'Read anew: without cache reads and writes.', type: 'Count' }),
    outputTokens: t.expose('outputTokens', { description: 'Written, with thinking.', type: 'Count' }),
    cacheWriteTokens: t.expose('cacheWriteTokens', { description: 'Written into the cache.', type: 'Count' }),
    cacheReadTokens: t.expose('cacheReadTokens', { description: 'Read from the cache.', type: 'Count' }),
    cost: t.expose('costNano', { description: 'What the keys are charged.', type: 'NanoUsd' }),
    absorbed: t.field({
      type: 'NanoUsd',
      description: 'What the upstreams charged for attempts that no key pays.',
      resolve: (row) => row.absorbedNano,
    }),
  }),
})
