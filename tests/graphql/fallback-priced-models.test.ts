import { expect, test } from 'vitest'
import { logColumns, logRow } from '../../server/ledger/rows.ts'
import { noCost } from '../../server/money/cost.ts'
import { firstKeyAt } from '../../server/request-ids.ts'
import { attemptWith, entryWith } from '../ledger/ledger-entries.ts'
import { startGraphqlStand } from './stand.ts'

const query = `query ($range: RangeInput!) { fallbackPricedModels(range: $range) {
  model requestCount inputTokens outputTokens cacheWriteTokens cacheReadTokens cost lastAt } }`

test('models that the fallback card priced are listed with their sums, the most expensive first, and users see their own', async () => {
  const stand = await startGraphqlStand()
  const admin = await stand.addUser('ada', 'admin')
  const user = await stand.addUser('bob', 'user')
  const beginMs = Date.UTC(2026, 10, 20, 10)
  const range = { from: new Date(beginMs), to: new Date(beginMs + 60_000) }
  let number = 0
  const row = (
    userId: number,
    model: string,
    atMs: number,
    costNano: number,
    source: 'fallback' | 'exact' = 'fallback',
  ) => {
    const startedAtMs = beginMs + atMs
    const attempt = attemptWith({
      model,
      tokens: { input: 10, output: 5, cacheWrite5m: 3, cacheWrite1h: 1, cacheRead: 2 },
    })
    return logRow(
      entryWith(number, {
        id: String(firstKeyAt(startedAtMs) + BigInt(++number)),
        startedAtMs,
        userId,
        attempts: [{ ...attempt, cost: { ...noCost, totalNano: costNano, source } }],
      }),
    )
  }
  const rows = [
    row(user.id, 'glm-9', 0, 100),
    row(user.id, 'glm-9', 59_999, 50),
    row(admin.id, 'glm-9', 1000, 1),
    row(admin.id, 'my-model', 2000, 9_000_000_000),
    // Not in the range, or with a card of its own.
    row(user.id, 'glm-9', -1, 7),
    row(user.id, 'glm-9', 60_000, 7),
    row(user.id, 'claude-opus-5-5', 3000, 500, 'exact'),
  ]
  await stand.database.batch([{ kind: 'insert', table: 'logs', columns: logColumns, rows }])
  const at = (ms: number) => new Date(beginMs + ms).toISOString()
  const tokens = (count: number) => ({
    requestCount: count,
    inputTokens: 10 * count,
    outputTokens: 5 * count,
    cacheWriteTokens: 4 * count,
    cacheReadTokens: 2 * count,
  })
  const ask = async (token: string, variables: object = { range }) => stand.ask(query, variables, { token })
  expect((await ask(admin.token)).data.fallbackPricedModels).toEqual([
    { model: 'my-model', ...tokens(1), cost: '9000000000', lastAt: at(2000) },
    { model: 'glm-9', ...tokens(3), cost: '151', lastAt: at(59_999) },
  ])
  expect((await ask(user.token)).data.fallbackPricedModels).toEqual([
    { model: 'glm-9', ...tokens(2), cost: '150', lastAt: at(59_999) },
  ])
  const empty = { from: new Date(beginMs + 120_000), to: new Date(beginMs + 180_000) }
  expect((await ask(admin.token, { range: empty })).data.fallbackPricedModels).toEqual([])
  const reversed = { range: { from: range.to, to: range.from } }
  expect((await ask(admin.token, reversed)).errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT')
})
