import type { TotalsRow } from '../usage/statistics.ts'
import { builder } from './builder.ts'

export const Totals = builder.objectRef<TotalsRow>('Totals').implement({
  description: 'Sums over requests, as the rollups have them.',
  authScopes: { user: true },
  fields: (t) => ({
    requests: t.expose('requests', { type: 'Count' }),
    failures: t.expose('failures', { type: 'Count', description: 'Requests of any outcome but COMPLETED.' }),
    tokens: t.field({
      type: 'Count',
      description: 'All classes together.',
      resolve: (row) => row.inputTokens + row.outputTokens + row.cacheWriteTokens + row.cacheReadTokens,
    }),
    inputTokens: t.expose('inputTokens', { type: 'Count' }),
    outputTokens: t.expose('outputTokens', { type: 'Count' }),
    cacheWriteTokens: t.expose('cacheWriteTokens', { type: 'Count' }),
    cacheReadTokens: t.expose('cacheReadTokens', { type: 'Count' }),
    cost: t.expose('costNano', { type: 'NanoUsd' }),
    absorbed: t.field({
      type: 'NanoUsd',
      description: 'What the upstreams charged for attempts that no key pays.',
      resolve: (row) => row.absorbedNano,
    }),
  }),
})
