import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRejections, type RejectedCaller, type RejectionCount } from '../../server/ledger/rejections.ts'
import { readRejections, rejectionCursor, sumRejections } from '../../server/statistics/rejections.ts'
import { type Database, OutcomeUnknown } from '../../server/store/database.ts'
import { createZoneDays } from '../../server/zone-days.ts'
import { openTestDatabase } from '../support/engines.ts'

const dayAt = createZoneDays('UTC')
const hour = Date.UTC(2026, 10, 23, 10)
let database: Database

beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())

function counting(batch: Database['batch'] = (writes) => database.batch(writes)) {
  const clock = { nowMs: hour + 5000 }
  const events: RejectionCount[] = []
  const errors: unknown[] = []
  const rejections = createRejections({
    database: { batch },
    dayAt,
    now: () => clock.nowMs,
    onCounted: (count) => void events.push(count),
    onError: (error) => void errors.push(error),
  })
  return { rejections, clock, events, errors }
}

let keys = 0
/** A key of its own for each test, so that tests share a database. */
const newCaller = (more: Partial<RejectedCaller> = {}): RejectedCaller => ({
  apiKeyId: ++keys,
  apiKeyName: 'key',
  userId: 7,
  groupId: 3,
  secretHash: '',
  ...more,
})
const rowsOf = async (caller: RejectedCaller) =>
  (await readRejections(database, { apiKeyIds: [caller.apiKeyId] }, 100))!

const totalsOf = async ({ apiKeyId }: RejectedCaller) =>
  (
    await database.select(
      'SELECT `day`, SUM(`requests`), SUM(`rejected`) FROM `daily_rollups` WHERE `api_key_id` = ? GROUP BY `day`',
      [apiKeyId],
    )
  ).map((row) => [row[0], Number(row[1]), Number(row[2])])

test('fault 60: a flood is one row an hour, one event a second, and one number in the totals', async () => {
  const { rejections, clock, events } = counting()
  const caller = newCaller()
  for (let i = 0; i < 100_000; i++) rejections.count(caller, 'limit_reached', `told ${i}`)
  await rejections.drained()
  clock.nowMs += 1000
  rejections.count(caller, 'limit_reached', 'told last')
  await rejections.drained()
  expect(events.map(({ requests, message }) => [requests, message])).toEqual([
    [100_000, 'told 99999'],
    [1, 'told last'],
  ])
  expect(await rowsOf(caller)).toEqual([
    {
      hourMs: hour,
      apiKeyId: caller.apiKeyId,
      secretHash: '',
      userId: 7,
      groupId: 3,
      reason: 'limit_reached',
      requests: 100_001,
      lastAtMs: hour + 6000,
      message: 'told last',
    },
  ])
  expect(await totalsOf(caller)).toEqual([['2026-11-23', 0, 100_001]])
  await rejections.close()
})

test('fault 60: ever new secrets make no more than a hundred rows an hour; the same secret is recognised', async () => {
  const { rejections } = counting()
  const caller = (secret: number): RejectedCaller => ({
    ...newCaller(),
    apiKeyId: 0,
    userId: 0,
    groupId: 0,
    secretHash: secret.toString(16).padStart(64, '0').split('').reverse().join(''),
  })
  for (let secret = 0; secret < 5000; secret++) rejections.count(caller(secret), 'key_unknown', 'unknown')
  for (let i = 0; i < 10; i++) rejections.count(caller(3), 'key_unknown', 'unknown')
  await rejections.drained()
  const rows = (await readRejections(database, { reasons: ['key_unknown'] }, 1000))!
  expect(rows).toHaveLength(101)
  expect(rows.find(({ secretHash }) => secretHash === '30000000')?.requests).toBe(11)
  expect(rows.find(({ secretHash }) => secretHash === '+')?.requests).toBe(4900)
  await rejections.close()
})

test('a database that is away delays the counts, and events come all the same; each request is counted once', async () => {
  let isAway = true
  const { rejections, events, errors } = counting(async (writes) => {
    if (isAway) throw new Error('away')
    return database.batch(writes)
  })
  const caller = newCaller()
  rejections.count(caller, 'accounts_busy', 'first', 'req_1')
  await expect(rejections.drained()).rejects.toThrow()
  rejections.count(caller, 'accounts_busy', 'second')
  await expect(rejections.drained()).rejects.toThrow()
  expect(events.map(({ requests, requestIds }) => [requests, requestIds])).toEqual([
    [1, ['req_1']],
    [1, []],
  ])
  expect(rejections.pending('2026-11-23')).toEqual(new Map([[7, 2]]))
  isAway = false
  await rejections.drained()
  expect((await rowsOf(caller)).map(({ requests, message }) => [requests, message])).toEqual([[2, 'second']])
  expect(rejections.pending('2026-11-23')).toEqual(new Map())
  expect(errors.length).toBeGreaterThan(0)
  await rejections.close()
})

test('counts whose write was committed and not acknowledged are not written twice', async () => {
  let isLost = true
  const { rejections } = counting(async (writes) => {
    const result = await database.batch(writes)
    if (!isLost) return result
    isLost = false
    throw new OutcomeUnknown('the acknowledgement was lost')
  })
  const caller = newCaller()
  rejections.count(caller, 'model_not_allowed', 'not this one')
  await expect(rejections.drained()).rejects.toThrow()
  await rejections.drained()
  expect((await rowsOf(caller)).map(({ requests }) => requests)).toEqual([1])
  await rejections.close()
})

test('sums by reason name the last time and sentence; pages go on behind a cursor', async () => {
  const { rejections, clock } = counting()
  const caller = newCaller()
  for (let i = 0; i < 3; i++) {
    rejections.count(caller, 'key_expired', `expired ${i}`)
    if (i > 0) rejections.count(caller, 'request_invalid', `invalid ${i}`)
    await rejections.drained()
    clock.nowMs += 3_600_000
  }
  const filter = { apiKeyIds: [caller.apiKeyId] }
  expect(await sumRejections(database, filter)).toEqual([
    { reason: 'key_expired', requests: 3, lastAtMs: hour + 2 * 3_600_000 + 5000, message: 'expired 2' },
    { reason: 'request_invalid', requests: 2, lastAtMs: hour + 2 * 3_600_000 + 5000, message: 'invalid 2' },
  ])
  expect(await sumRejections(database, { ...filter, toMs: hour + 3_600_000 })).toMatchObject([{ requests: 1 }])
  const all = (await readRejections(database, filter, 100))!
  expect(all.map(({ hourMs, reason }) => [(hourMs - hour) / 3_600_000, reason])).toEqual([
    [2, 'request_invalid'],
    [2, 'key_expired'],
    [1, 'request_invalid'],
    [1, 'key_expired'],
    [0, 'key_expired'],
  ])
  const pages = []
  for (let after: string | undefined; ; ) {
    const page = (await readRejections(database, filter, 2, after))!
    pages.push(...page)
    if (page.length < 2) break
    after = rejectionCursor(page.at(-1)!)
  }
  expect(pages).toEqual(all)
  expect(await readRejections(database, filter, 2, 'no cursor')).toBeNull()
  await rejections.close()
})

test('fault 60: a flood of a million wrong keys is some rows, one write a second, and no row of a request', async () => {
  let writes = 0
  const { rejections, events } = counting((some) => {
    writes++
    return database.batch(some)
  })
  const callers = Array.from({ length: 1000 }, (_, index) =>
    newCaller({ apiKeyId: 0, userId: 4242, groupId: 0, secretHash: `${index}`.padStart(8, 'f') }),
  )
  const requests = async () => Number((await database.select('SELECT COUNT(*) FROM `logs`'))[0]![0])
  const before = await requests()
  const startedMs = performance.now()
  for (let round = 0; round < 1000; round++)
    for (const caller of callers) rejections.count(caller, 'key_expired', 'told')
  const tookMs = performance.now() - startedMs
  await rejections.drained()
  console.log(`fault 60: ${(tookMs / 1000).toFixed(2)} µs for each rejection that is counted`)
  const rows = await database.select('SELECT SUM(`requests`), COUNT(*) FROM `rejections` WHERE `user_id` = 4242')
  expect(rows[0]!.map(Number)).toEqual([1_000_000, 101])
  expect(events.reduce((sum, event) => sum + event.requests, 0)).toBe(1_000_000)
  expect([writes, events.length, await requests()]).toEqual([1, 101, before])
})
