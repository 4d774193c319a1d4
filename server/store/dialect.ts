export type Engine = 'sqlite' | 'mysql'

/** Backticks: MySQL's own quoting, which SQLite accepts. Names come from our code, never from a caller. */
const quoteName = (name: string): string => `\`${name.replaceAll('`', '``')}\``

/** An `INSERT` of `rows` rows, with `?` for every value in row order. */
export function insertSql(table: string, columns: readonly string[], rows: number): string {
  const tuple = `(${columns.map(() => '?').join(', ')})`
  return `INSERT INTO ${quoteName(table)} (${columns.map(quoteName).join(', ')}) VALUES ${Array(rows).fill(tuple).join(', ')}`
}

/** Inserts a row, or adds the sums to the row with the same keys. MySQL's VALUES() is deprecated, but MariaDB has nothing else. */
export function addSql(
  engine: Engine,
  table: string,
  keys: readonly string[],
  sums: readonly string[],
  rows: number,
): string {
  const insert = insertSql(table, [...keys, ...sums], rows)
  const names = sums.map(quoteName)
  if (engine === 'mysql') {
    return `${insert} ON DUPLICATE KEY UPDATE ${names.map((name) => `${name} = ${name} + VALUES(${name})`).join(', ')}`
  }
  const updates = names.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')
  return `${insert} ON CONFLICT (${keys.map(quoteName).join(', ')}) DO UPDATE SET ${updates}`
}
