import { expect, onTestFinished, test } from 'vitest'
import type { GaugeReading } from '../../server/accounts/gauges/gauge.ts'
import { createGauges } from '../../server/accounts/gauges/gauges.ts'
import type { Database } from '../../server/store/database.ts'
import type { Events } from '../../server/store/events.ts'
import { createMemoryEvents } from '../../server/store/memory/events.ts'
import { deferred } from '../support/deferred.ts'
import { openTestDatabase } from '../support/engines.ts'

const startMs = Date.parse('2026-11-23T10:00:20.000Z')
const minute = 60_000
const hour = 60 * minute
const reading = (more: Partial<GaugeReading> = {}): GaugeReading => ({
  window: '5h',
  status: 'allowed',
  usedPpm: 420_000,
  resetMs: startMs + 2 * hour,
  ...more,
})
const always = { fromMs: 0, toMs: startMs + 1000 * hour, max: 1000 }

async function place() {
  const database = await openTestDatabase()
  const events = createMemoryEvents((error) => {
    throw error
  })
  onTestFinished(async () => {
    await events.close()
    await database.close()
  })
  const groups = await database.client.group.create({ data: { name: 'g' } })
  const row = { platform: 'claude', url: 'https://x.test', authHeader: 'bearer', models: '["*"]', modelMapping: '{}' }
  for (const name of ['one', 'two'])
    await database.client.account.create({ data: { ...row, name, groups: { create: { groupId: groups.id } } } })
  const clock = { atMs: startMs }
  const [one, two] = await database.client.account.findMany({ orderBy: { id: 'asc' } })
  return { database, events, clock, one: one!.id, two: two!.id }
}

/** One process: `moved` resolves with the account that it told next. */
async function join(
  { database, events, clock }: { database: Database; events: Events; clock: { atMs: number } },
  failures: unknown[] = [],
) {
  let next = deferred<number>()
  let told = 0
  const gauges = createGauges({
    database,
    events,
    now: () => clock.atMs,
    onMoved(id) {
      told++
      next.resolve(id)
      next = deferred()
    },
    onError: (error) => void failures.push(error),
    publishMs: 0,
    writeMs: 0,
  })
  await events.subscribe('accounts.gauges', gauges.applyNoted)
  await gauges.load()
  return { gauges, moved: () => next.promise, told: () => told }
}

test('the last word of each window counts, whatever others are not spoken of, the shortest window first', async () => {
  const here = await place()
  const { gauges } = await join(here)
  gauges.note(here.one, [reading({ window: 'overage' }), reading({ window: '7d_sonnet' }), reading({ window: '7d' })])
  gauges.note(here.one, [reading({ status: 'allowed_warning', usedPpm: 910_000 })])
  here.clock.atMs += minute
  gauges.note(here.one, [reading({ window: '7d', usedPpm: 430_000 })])
  const all = gauges.of(here.one)
  expect(all.map(({ window }) => window)).toEqual(['5h', '7d', '7d_sonnet', 'overage'])
  expect(all[0]).toEqual({ ...reading({ status: 'allowed_warning', usedPpm: 910_000 }), atMs: startMs })
  expect(all[1]).toMatchObject({ usedPpm: 430_000, atMs: startMs + minute })
  expect(gauges.of(here.two)).toEqual([])
  await gauges.stop()
})

test('the history has a point where a percent, the status or the window changed, and one in ten minutes; not one an answer', async () => {
  const here = await place()
  const { gauges } = await join(here)
  const steps: [afterMs: number, Partial<GaugeReading>, isPoint: boolean][] = [
    [0, {}, true],
    [minute, {}, false],
    [minute, { usedPpm: 429_999 }, false],
    [minute, { usedPpm: 430_000 }, true],
    [minute, { usedPpm: 430_000, resetMs: startMs + 2 * hour + 59_000 }, false],
    [minute, { usedPpm: 431_000, status: 'allowed_warning' }, true],
    [9 * minute, { usedPpm: 431_000, status: 'allowed_warning' }, false],
    [minute, { usedPpm: 431_000, status: 'allowed_warning' }, true],
    [2 * hour, { usedPpm: 10_000, resetMs: startMs + 7 * hour }, true],
  ]
  const points: number[] = []
  for (const [afterMs, more, isPoint] of steps) {
    here.clock.atMs += afterMs
    gauges.note(here.one, [reading(more)])
    if (isPoint) points.push(here.clock.atMs - (here.clock.atMs % minute))
  }
  await gauges.stop()
  const history = await gauges.history(here.one, '5h', always)
  expect(history.map(({ atMs }) => atMs)).toEqual(points)
  expect(history.map(({ usedPpm }) => usedPpm)).toEqual([420_000, 430_000, 431_000, 431_000, 10_000])
  expect((await gauges.history(here.one, '5h', { ...always, max: 2 })).map(({ atMs }) => atMs)).toEqual(
    points.slice(-2),
  )
  expect(await gauges.history(here.two, '5h', always)).toEqual([])
})

test('a thousand answers of one minute are one point and one row, whatever they say', async () => {
  const here = await place()
  const { gauges } = await join(here)
  for (let i = 0; i < 1000; i++) gauges.note(here.one, [reading({ usedPpm: (i % 2) * 900_000 })])
  await gauges.stop()
  expect(await here.database.select('SELECT COUNT(*) FROM `account_gauge_points`')).toEqual([[1]])
  expect(await here.database.select('SELECT `utilization_ppm` FROM `account_gauges`')).toEqual([[900_000]])
})

test('what moved is told once, also to other processes, where the newer word counts; what did not move is told as fresh once a minute', async () => {
  const here = await place()
  const [one, other] = [await join(here), await join(here)]
  const first = one.moved()
  for (let i = 0; i < 50; i++) one.gauges.note(here.one, [reading(), reading({ window: '7d' })])
  expect(await first).toBe(here.one)
  expect(one.told()).toBe(1)
  expect(other.told()).toBe(0)
  expect(other.gauges.of(here.one)).toEqual(one.gauges.of(here.one))
  here.clock.atMs += minute / 2
  one.gauges.note(here.one, [reading()])
  here.clock.atMs += minute / 2
  const fresh = one.moved()
  one.gauges.note(here.one, [reading()])
  await fresh
  expect(one.told()).toBe(2)
  expect(other.gauges.of(here.one)[0]).toMatchObject({ atMs: startMs + minute })
  // A late word from elsewhere changes nothing.
  here.events.publish('accounts.gauges', { from: 'x', id: here.one, gauges: [{ ...reading({ usedPpm: 1 }), atMs: 5 }] })
  await Promise.resolve()
  expect(other.gauges.of(here.one)[0]).toMatchObject({ usedPpm: 420_000 })
  await Promise.all([one.gauges.stop(), other.gauges.stop()])
  // Both have seen it; the history has it once.
  expect(await one.gauges.history(here.one, '5h', always)).toHaveLength(1)
})

test('a restart goes on with the last word, to the second', async () => {
  const here = await place()
  const before = await join(here)
  before.gauges.note(here.one, [reading(), reading({ window: 'overage', usedPpm: null, resetMs: null, status: '' })])
  here.clock.atMs += 30_000
  before.gauges.note(here.one, [reading()])
  const known = before.gauges.of(here.one)
  await before.gauges.stop()
  const after = await join(here)
  expect(after.gauges.of(here.one)).toEqual(known)
  expect(known[0]).toMatchObject({ atMs: startMs + 30_000 })
  await here.database.client.account.update({ where: { id: here.one }, data: { deletedMark: here.one } })
  expect((await join(here)).gauges.of(here.one)).toEqual([])
})

test('while the database is away gauges go on in memory, and are written when it is back', async () => {
  const here = await place()
  const failures: unknown[] = []
  const lost = deferred<undefined>()
  let isAway = true
  const database: Database = {
    ...here.database,
    async batch(writes) {
      if (!isAway) return here.database.batch(writes)
      lost.resolve(undefined)
      throw new Error('away')
    },
  }
  const { gauges } = await join({ ...here, database }, failures)
  gauges.note(here.one, [reading()])
  await lost.promise
  expect(gauges.of(here.one)).toHaveLength(1)
  isAway = false
  await gauges.stop()
  expect(failures).toHaveLength(1)
  expect(await gauges.history(here.one, '5h', always)).toHaveLength(1)
})

test('windows are bounded, and those that are long over are not shown', async () => {
  const here = await place()
  const { gauges } = await join(here)
  gauges.note(here.one, [reading()])
  for (let i = 0; i < 100; i++) {
    here.clock.atMs++
    gauges.note(here.one, [reading({ window: `w${i}`, resetMs: null })])
  }
  expect(gauges.of(here.one)).toHaveLength(32)
  here.clock.atMs = startMs + 27 * hour
  gauges.note(here.two, [reading(), reading({ window: '7d', resetMs: startMs + 100 * hour })])
  expect(gauges.of(here.two).map(({ window }) => window)).toEqual(['7d'])
  await gauges.stop()
})

test('pruning takes what is older than a moment, the last words of windows too', async () => {
  const here = await place()
  const { gauges } = await join(here)
  gauges.note(here.one, [reading(), reading({ window: '7d' })])
  here.clock.atMs += hour
  gauges.note(here.one, [reading({ usedPpm: 990_000 })])
  await gauges.stop()
  expect(await gauges.prune(startMs + minute)).toBe(2)
  expect(await here.database.select('SELECT `window_name` FROM `account_gauges`')).toEqual([['5h']])
  expect(await gauges.history(here.one, '5h', always)).toHaveLength(1)
  expect(await gauges.prune(startMs + minute)).toBe(0)
})
