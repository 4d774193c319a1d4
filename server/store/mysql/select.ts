import type { FieldInfo, Pool } from 'mariadb'
import type { Scalar } from '../batch.ts'
import { withoutSql } from './connect.ts'

/** The rows of one SELECT in the same form as from SQLite: sums as integers, dates as milliseconds. */
export async function selectMysql(pool: Pool, sql: string, args: readonly Scalar[]): Promise<Scalar[][]> {
  const options = { sql, rowsAsArray: true, dateStrings: true, decimalAsNumber: false, bigIntAsNumber: false }
  const rows = await pool.query<unknown[][] & { meta: FieldInfo[] }>(options, [...args]).catch((error: unknown) => {
    throw withoutSql(error)
  })
  const types = rows.meta.map((field) => String(field.type))
  return rows.map((row) => row.map((value, index) => scalar(value, types[index] ?? '')))
}

function scalar(value: unknown, type: string): Scalar {
  if (typeof value === 'bigint') return exact(value)
  if (typeof value !== 'string') return value as Scalar
  // SUM of integers is a DECIMAL without decimals, AVG one with.
  if (type.includes('DECIMAL')) return /^-?\d+$/.test(value) ? exact(BigInt(value)) : Number(value)
  if (type.startsWith('DATETIME') || type.startsWith('TIMESTAMP')) return Date.parse(`${value.replace(' ', 'T')}Z`)
  return value
}

const exact = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value)
