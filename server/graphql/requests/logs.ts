import { ledgerKey, requestIdOf } from '../../request-ids.ts'
import { builder, defaultPage, maxPage } from '../builder.ts'
import { badInput } from '../values.ts'
import { visibleUse } from '../visible.ts'
import { Log, Outcome } from './log-types.ts'
import { useFilter } from './totals.ts'

const LogFilter = builder.inputType('LogFilter', {
  description: 'All that is given must hold.',
  fields: (t) => ({
    accountId: t.id({ description: 'The last account tried.' }),
    apiKeyId: t.id({ description: 'The key that the request came with.' }),
    userId: t.id({ description: 'Who owned the key then. Of people who are no administrators, only themselves.' }),
    groupId: t.id({ description: 'The group of the key then.' }),
    model: t.string({ description: 'As requested or as billed.' }),
    stream: t.boolean({ description: 'Whether the client asked for a stream.' }),
    outcome: t.field({ description: 'How it ended.', type: Outcome }),
    httpStatus: t.int({ description: 'What the client was answered.' }),
    from: t.field({ type: 'DateTime', description: 'Begin of the request. Included.' }),
    to: t.field({ type: 'DateTime', description: 'Not included.' }),
    minCost: t.field({ description: 'Included.', type: 'NanoUsd' }),
    maxCost: t.field({ description: 'Included.', type: 'NanoUsd' }),
    requestId: t.string({ description: 'The whole of it: req_….' }),
  }),
})

builder.queryField('logs', (t) =>
  t.connection({
    type: Log,
    description: 'The newest first. Only forwards (`first`, `after`), and no counts: they would read everything.',
    authScopes: { user: true },
    args: { filter: t.arg({ type: LogFilter, description: 'Absent: all that you may see.' }) },
    async resolve(_parent, { first, after, last, before, filter }, context) {
      if (last || before) throw badInput('Logs are read forwards: use first and after.')
      const size = Math.min(Math.max(first ?? defaultPage, 0), maxPage)
      const cursor = after ? ledgerKey(after) : undefined
      if (cursor === null) throw badInput('`after` is not a cursor.')
      // One more shows whether there is a next page.
      const rows = await context.parts.statistics.logs(
        {
          ...useFilter(filter, context),
          stream: filter?.stream ?? undefined,
          outcome: filter?.outcome ?? undefined,
          httpStatus: filter?.httpStatus ?? undefined,
          fromMs: filter?.from?.getTime(),
          toMs: filter?.to?.getTime(),
          minCostNano: filter?.minCost ?? undefined,
          maxCostNano: filter?.maxCost ?? undefined,
          requestId: filter?.requestId ?? undefined,
        },
        size + 1,
        cursor === undefined ? undefined : BigInt(cursor),
      )
      const edges = rows.slice(0, size).map((node) => ({ cursor: requestIdOf(node.id), node }))
      return {
        edges,
        pageInfo: {
          hasNextPage: rows.length > size,
          hasPreviousPage: after !== null && after !== undefined,
          startCursor: edges[0]?.cursor ?? null,
          endCursor: edges.at(-1)?.cursor ?? null,
        },
      }
    },
  }),
)

builder.queryField('log', (t) =>
  t.field({
    type: Log,
    nullable: true,
    description:
      'One request by the id that its client got; null while it runs, and for requests that are not yours to see.',
    authScopes: { user: true },
    args: { requestId: t.arg.string({ required: true, description: 'The whole of it: req_….' }) },
    resolve: async (_parent, { requestId }, { parts, viewer }) =>
      (await parts.statistics.logs({ ...visibleUse(viewer), requestId }, 1))[0] ?? null,
  }),
)
