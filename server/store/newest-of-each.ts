import type { Database } from './database.ts'

/** A page of one parent's rows, the newest first: those older than `before`. */
export interface Page {
  of: number
  limit: number
  before?: bigint | undefined
}

/** SQLite takes 500 parts of a UNION. */
const maxParts = 400

/** Ids of the newest rows of many parents, one list a page, in one statement for up to 400 pages. `only` is a condition. */
export async function newestOfEach(
  database: Pick<Database, 'select'>,
  { table, parent, only = '' }: { table: string; parent: string; only?: string },
  pages: readonly Page[],
): Promise<bigint[][]> {
  const found: bigint[][] = pages.map(() => [])
  for (let from = 0; from < pages.length; from += maxParts) {
    const part = pages.slice(from, from + maxParts)
    const rows = await database.select(
      part
        .map(
          ({ limit, before }, index) =>
            `SELECT ${from + index}, \`id\` FROM (SELECT \`id\` FROM \`${table}\` WHERE \`${parent}\` = ?${only && ` AND ${only}`}` +
            `${before === undefined ? '' : ' AND `id` < ?'} ORDER BY \`id\` DESC LIMIT ${Math.trunc(limit)}) AS \`p${index}\``,
        )
        .join(' UNION ALL '),
      part.flatMap(({ of, before }) => [of, ...(before === undefined ? [] : [before])]),
    )
    for (const [index, id] of rows) found[Number(index)]!.push(BigInt(String(id)))
  }
  return found
}
