/** Compares the ledger of a relay that has ended with what the upstream reported. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import type { Totals, Turn } from './turns.ts'

/** One comparison: what the ledger holds and what it must hold. */
export interface Entry {
  what: string
  ledger: number
  expected: number
}

type Sums = Record<'rows' | 'final' | keyof Tokens, number>
type Tokens = Pick<
  Totals,
  'inputTokens' | 'outputTokens' | 'cacheWrite5mTokens' | 'cacheWrite1hTokens' | 'cacheReadTokens'
>

const logSums = `select count(*) as rows, total(usage_source = 'final' and outcome = 'completed') as final,
  total(input_tokens) as inputTokens, total(output_tokens) as outputTokens,
  total(cache_write_5m_tokens) as cacheWrite5mTokens, total(cache_write_1h_tokens) as cacheWrite1hTokens,
  total(cache_read_tokens) as cacheReadTokens from logs`

const rollupSums = (table: string) =>
  `select total(requests) as requests, total(input_tokens + output_tokens + cache_write_tokens + cache_read_tokens) as tokens from ${table}`

/** Reads the database in `dataDir` and compares it with the turns of the relay. */
export function reconcile(dataDir: string, turns: readonly Turn[]): Entry[] {
  const database = new Database(databaseFile(dataDir))
  // libsql's `readonly` option has no effect; this has.
  database.exec('pragma query_only = on')
  const ask = <Row>(sql: string) => database.prepare(sql).get() as Row
  const logs = ask<Sums>(logSums)
  const rollups = ['hourly_rollups', 'daily_rollups'].map((table) => ({
    table,
    ...ask<{ requests: number; tokens: number }>(rollupSums(table)),
  }))
  database.close()

  const finished = turns.reduce((sum, turn) => sum + turn.finished, 0)
  const expected = (name: keyof Tokens) => turns.reduce((sum, turn) => sum + turn.totals[name], 0)
  const classes = [
    'inputTokens',
    'outputTokens',
    'cacheWrite5mTokens',
    'cacheWrite1hTokens',
    'cacheReadTokens',
  ] as const
  const tokens = classes.reduce((sum, name) => sum + logs[name], 0)
  return [
    { what: 'rows = requests finished', ledger: logs.rows, expected: finished },
    { what: 'rows completed with final usage', ledger: logs.final, expected: finished },
    ...classes.map((name) => ({ what: `${name} = the upstream's`, ledger: logs[name], expected: expected(name) })),
    ...rollups.flatMap(({ table, requests, tokens: rolled }) => [
      { what: `${table}: requests = rows`, ledger: requests, expected: logs.rows },
      { what: `${table}: tokens = Σ rows`, ledger: rolled, expected: tokens },
    ]),
  ]
}

function databaseFile(dataDir: string): string {
  const files = readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
  const found = files.find((file) => file === 'relay.db') ?? files.find((file) => /\.(db|sqlite3?)$/.test(file))
  if (!found) throw new Error(`no database in ${dataDir}: ${files.join(', ') || 'it is empty'}`)
  return join(dataDir, found)
}
