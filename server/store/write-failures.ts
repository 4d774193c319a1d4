/** The connection was lost during the commit, which may or may not have happened. Look before writing again. */
export class OutcomeUnknown extends Error {
  override name = 'OutcomeUnknown'
}

/** True when a write may or may not have been committed. */
export function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof OutcomeUnknown
}

/** True for a batch that failed because a row with the same unique key exists. Nothing of it was written. */
export function isDuplicate(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { rawCode, errno } = error as { rawCode?: unknown; errno?: unknown }
  return rawCode === 1555 || rawCode === 2067 || errno === 1062
}

/** SQLite's result codes TOOBIG, CONSTRAINT, MISMATCH, RANGE: https://www.sqlite.org/rescode.html */
const sqliteRefusals = new Set([18, 19, 20, 25])
/** MySQL's errors of values with SQL state HY000: a field without a default, text outside its character set, a packet too large. */
const mysqlRefusals = new Set([1364, 1366, 1153])

/** True when the values are wrong: the same batch would fail every time. Other failures are temporary. */
export function isRefusal(error: unknown): boolean {
  const { rawCode, code, errno, sqlState } = error as {
    rawCode?: number
    code?: unknown
    errno?: number
    sqlState?: unknown
  }
  if (error instanceof RangeError || code === 'SQLITE_CLIENT') return true
  if (rawCode !== undefined) return sqliteRefusals.has(rawCode & 0xff)
  // Classes 22 and 23: data exception, integrity constraint violation.
  return (typeof sqlState === 'string' && /^2[23]/.test(sqlState)) || mysqlRefusals.has(errno ?? 0)
}
