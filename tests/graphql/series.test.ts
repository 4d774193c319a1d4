import { expect, test } from 'vitest'
import { rollupDimensions, rollupSums } from '../../server/usage/rollups.ts'
import { startGraphqlStand } from './stand.ts'

test('a series of too many points is refused, not cut', async () => {
  const stand = await startGraphqlStand()
  const { token } = await stand.addUser('ada', 'admin')
  const columns = ['day', ...rollupDimensions, ...rollupSums]
  // 201 keys on each of 100 days.
  await stand.database.batch([
    {
      kind: 'run',
      sql: `INSERT INTO daily_rollups (${columns.join(', ')}) WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 20099)
        SELECT date('2026-01-01', '+' || (i / 201) || ' days'), i % 201 + 1, 1, 1, 1, 'console', 'm', 1${', 0'.repeat(rollupSums.length - 1)} FROM n`,
      args: [],
    },
  ])
  const query = 'query ($range: RangeInput!) { series(interval: DAY, by: KEY, range: $range) { key } }'
  const ask = (to: string) => stand.ask(query, { range: { from: '2026-01-01T00:00:00Z', to } }, { token })
  expect((await ask('2026-01-06T00:00:00Z')).data.series).toHaveLength(5 * 201)
  expect((await ask('2026-04-11T00:00:00Z')).errors?.[0]?.extensions?.code).toBe('QUERY_TOO_COMPLEX')
}, 60_000)
