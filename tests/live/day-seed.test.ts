import { expect, onTestFinished, test } from 'vitest'
import { rollupSums } from '../../server/ledger/rollups.ts'
import { readDaySeed } from '../../server/live/day-seed.ts'
import { openTestDatabase } from '../support/engines.ts'

const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase())

test('the seed of a day has its sums by owner, and every journal’s checkpoint', async () => {
  const database = await openTestDatabase()
  onTestFinished(() => database.close())
  const empty = Object.fromEntries(rollupSums.map((name) => [camel(name), 0n]))
  const add = (day: string, userId: number, model: string, sums: Record<string, bigint>) =>
    database.client.dailyRollup.create({
      data: {
        ...empty,
        day,
        userId,
        model,
        apiKeyId: 1,
        accountId: 1,
        groupId: 1,
        platform: 'console',
        tag: '',
        ...sums,
      } as never,
    })
  await add('2026-11-23', 0, 'a', { requests: 2n, failures: 1n, inputTokens: 5n, costNano: 3_000_000_000_000n })
  await add('2026-11-23', 0, 'b', { requests: 1n, outputTokens: 4n, cacheReadTokens: 2n, costNano: 1n })
  await add('2026-11-23', 7, 'a', { requests: 1n, cacheWriteTokens: 9n })
  await add('2026-11-22', 7, 'a', { requests: 50n })
  const { id } = await database.client.journal.create({ data: { name: 'j', settledSeq: 12n } })
  const seed = await readDaySeed(database, '2026-11-23')
  expect(seed.byUser).toEqual(
    new Map([
      [0, { requests: 3, failures: 1, cancelled: 0, rejected: 0, tokens: 11, costNano: 3_000_000_000_001 }],
      [7, { requests: 1, failures: 0, cancelled: 0, rejected: 0, tokens: 9, costNano: 0 }],
    ]),
  )
  expect(seed.checkpoints).toEqual(new Map([[id, 12]]))
})
