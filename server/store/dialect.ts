import { addedColumns, type Write } from './batch.ts'

export type Engine = 'sqlite' | 'mysql'

/** Backticks: MySQL's own quoting, which SQLite accepts. Names come from our code, never from a caller. */
const quoteName = (name: string): string => `\`${name.replaceAll('`', '``')}\``

/** An `INSERT` of `rows` rows, with `?` for every value in row order. */
export function insertSql(table: string, columns: readonly string[], rows: number): string {
  const tuple = `(${columns.map(() => '?').join(', ')})`
  return `INSERT INTO ${quoteName(table)} (${columns.map(quoteName).join(', ')}) VALUES ${Array(rows).fill(tuple).join(', ')}`
}

/** The statement of an `add` (batch.ts). MySQL's VALUES() is deprecated, but MariaDB has nothing else. */
export function addSql(engine: Engine, write: Extract<Write, { kind: 'add' }>, rows: number): string {
  const insert = insertSql(write.table, addedColumns(write), rows)
  const isMysql = engine === 'mysql'
  const given = (name: string): string => (isMysql ? `VALUES(${quoteName(name)})` : `excluded.${quoteName(name)}`)
  const set = (names: readonly string[], value: (old: string, added: string) => string): string[] =>
    names.map((name) => `${quoteName(name)} = ${value(quoteName(name), given(name))}`)
  const [smaller, larger] = isMysql ? ['LEAST', 'GREATEST'] : ['MIN', 'MAX']
  const updates = [
    ...set(write.sums, (old, added) => `${old} + ${added}`),
    ...set(write.least ?? [], (old, added) => `${smaller}(${old}, ${added})`),
    ...set(write.greatest ?? [], (old, added) => `${larger}(${old}, ${added})`),
  ].join(', ')
  if (isMysql) return `${insert} ON DUPLICATE KEY UPDATE ${updates}`
  return `${insert} ON CONFLICT (${write.keys.map(quoteName).join(', ')}) DO UPDATE SET ${updates}`
}
