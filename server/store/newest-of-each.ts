import type { Database, Scalar } from './database.ts'

/** A page of one parent's rows, the newest first: those older than `before`, of times from `fromMs` up to `toMs`. */
export interface Page<Parent = number> {
  of: Parent
  limit: number
  before?: bigint | undefined
  fromMs?: number | undefined
  toMs?: number | undefined
}

interface Rows {
  table: string
  /** The column of the parent. */
  parent: string
  /** The column of the time, in milliseconds. */
  at: string
  /** One more condition. */
  only?: string
}

/** SQLite takes 500 parts of a UNION. */
const maxParts = 400

/** Ids of the newest rows of many parents, one list a page, in one statement for up to 400 pages. */
export async function newestOfEach(
  database: Pick<Database, 'select'>,
  rows: Rows,
  pages: readonly Page<number | string>[],
): Promise<bigint[][]> {
  const found: bigint[][] = pages.map(() => [])
  for (let from = 0; from < pages.length; from += maxParts) {
    const part = pages.slice(from, from + maxParts)
    const conditions = part.map((page) => conditionsOf(rows, page))
    const ids = await database.select(
      conditions
        .map(
          ({ sql }, index) =>
            `SELECT ${from + index}, \`id\` FROM (SELECT \`id\` FROM \`${rows.table}\` WHERE ${sql} ` +
            `ORDER BY \`id\` DESC LIMIT ${Math.trunc(part[index]!.limit)}) AS \`p${index}\``,
        )
        .join(' UNION ALL '),
      conditions.flatMap(({ args }) => args),
    )
    for (const [index, id] of ids) found[Number(index)]!.push(BigInt(String(id)))
  }
  return found
}

function conditionsOf({ parent, at, only }: Rows, { of, before, fromMs, toMs }: Page<number | string>) {
  const given = [
    [`\`${parent}\` = ?`, of],
    ['`id` < ?', before],
    [`\`${at}\` >= ?`, fromMs],
    [`\`${at}\` < ?`, toMs],
  ] as const
  const parts = given.filter(([, value]) => value !== undefined)
  const sql = [...parts.map(([text]) => text), ...(only ? [only] : [])].join(' AND ')
  return { sql, args: parts.map(([, value]) => value as Scalar) }
}
