import type { ArgBuilder, InputFieldBuilder, SchemaTypes } from '@pothos/core'
import { type builder, defaultPage, pageSize } from './builder.ts'
import { badInput } from './values.ts'

type Types = typeof builder extends PothosSchemaTypes.SchemaBuilder<infer T extends SchemaTypes> ? T : never

/** What lists, their edges and their counts are built from; a type has one connection, shared by every field that lists it. */
interface Counted {
  totalCount?: (() => number | Promise<number>) | number | undefined
}

/** The field of connections that can be counted at a fair price. */
export const totalCount = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, Counted>) => ({
  totalCount: t.field({
    type: 'Count',
    nullable: true,
    description: 'How many there are on all pages.',
    extensions: { pothosPrismaTotalCount: true },
    resolve: ({ totalCount: count }) => (typeof count === 'function' ? count() : (count ?? null)),
  }),
})

/** The times of a filter; either may stay away. */
export const spanFields = (t: InputFieldBuilder<Types, 'InputObject'>, at: string, rounding = '') => ({
  from: t.field({
    type: 'DateTime',
    description: `${at} at this moment or later.${rounding && ` ${rounding} begin of its hour.`}`,
  }),
  to: t.field({
    type: 'DateTime',
    description: `${at} before this moment.${rounding && ` ${rounding} end of its hour.`}`,
  }),
})

/** The times of a filter as milliseconds; refuses two between which nothing can lie. */
export function spanOf(filter: { from?: Date | null | undefined; to?: Date | null | undefined } | null | undefined) {
  const fromMs = filter?.from?.getTime()
  const toMs = filter?.to?.getTime()
  if (fromMs !== undefined && toMs !== undefined && toMs <= fromMs) throw badInput('`to` must be after `from`.')
  return { fromMs, toMs }
}

/** Arguments of lists that are read forwards only. */
export const forwardArgs = (arg: ArgBuilder<Types>) => ({
  first: arg.int(pageSize),
  after: arg.string({ description: 'The cursor of an edge: the list goes on behind it.' }),
})

/** One page of rows that are read by their cursor; `read` is asked for one row more, which shows whether there is a next page. */
export async function forwardPage<Row, Node>(
  { first, after }: { first?: number | null | undefined; after?: string | null | undefined },
  read: (limit: number) => Promise<readonly Row[]>,
  edgeOf: (row: Row) => { cursor: string; node: Node },
) {
  const size = first ?? defaultPage
  const rows = await read(size + 1)
  const edges = rows.slice(0, size).map(edgeOf)
  return {
    edges,
    pageInfo: {
      hasNextPage: rows.length > size,
      hasPreviousPage: typeof after === 'string',
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  }
}
