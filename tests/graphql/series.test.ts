import { expect, test } from 'vitest'
import { rollupDimensions, rollupSums } from '../../server/ledger/rollups.ts'
import { startGraphqlStand } from './stand.ts'

test('a series of too many points is refused, not cut', async () => {
  const stand = await startGraphqlStand()
  const { token } = await stand.addUser('ada', 'admin')
  const sums = rollupSums.map((name) => (name === 'requests' ? 1 : 0))
  const keys = ['day', ...rollupDimensions]
  // 201 keys on each of 100 days.
  for (let day = 0; day < 100; day++) {
    const name = new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10)
    const rows = Array.from({ length: 201 }, (_, key) => [name, key + 1, 1, 1, 1, 'console', 'm', '', ...sums])
    await stand.database.batch([{ kind: 'add', table: 'daily_rollups', keys, sums: rollupSums, rows }])
  }
  const query = 'query ($range: RangeInput!) { series(interval: DAY, by: KEY, range: $range) { key } }'
  const ask = (to: string) => stand.ask(query, { range: { from: '2026-01-01T00:00:00Z', to } }, { token })
  expect((await ask('2026-01-06T00:00:00Z')).data.series).toHaveLength(5 * 201)
  expect((await ask('2026-04-11T00:00:00Z')).errors?.[0]?.extensions?.code).toBe('QUERY_TOO_COMPLEX')
}, 60_000)
