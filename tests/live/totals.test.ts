import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDayTotals, type Sums, type TotalsEvent, totalsSince } from '../../server/live/day-totals.ts'
import type { LiveMessage } from '../../server/live/live-events.ts'
import { createZoneDays } from '../../server/zone-days.ts'
import { admin, memoryTransport, request, settled } from './live-stand.ts'

const startMs = Date.UTC(2026, 10, 23, 23, 59)
const dayAt = createZoneDays('UTC')

const none: Sums = { requests: 0, failures: 0, cancelled: 0, rejected: 0, tokens: 0, costNano: 0 }

/** What a client does with a value of the subscription. */
function apply(view: Sums, value: TotalsEvent): Sums {
  const base = value.snapshot ? none : view
  return {
    requests: base.requests + value.requests,
    failures: base.failures + value.failures,
    cancelled: base.cancelled + value.cancelled,
    rejected: base.rejected + value.rejected,
    tokens: base.tokens + value.tokens,
    costNano: base.costNano + value.costNano,
  }
}

/** One step: a request settles, its row reaches the ledger, an event reaches us, the ledger is read, time passes. */
const step = fc.oneof(
  fc.record({
    do: fc.constant('settle' as const),
    cost: fc.nat(1e9),
    user: fc.nat(2),
    journal: fc.integer({ min: 1, max: 2 }),
  }),
  fc.record({ do: fc.constant('write' as const), journal: fc.integer({ min: 1, max: 2 }) }),
  fc.record({ do: fc.constant('hear' as const) }),
  fc.record({ do: fc.constant('readBegins' as const) }),
  fc.record({ do: fc.constant('readEnds' as const) }),
  fc.record({ do: fc.constant('read' as const) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.nat(20_000) }),
)

test('snapshot and deltas are what the ledger holds, whenever it is read and however late events come', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
      let nowMs = startMs
      const totals = createDayTotals({ dayAt, now: () => nowMs })
      const rows: ReturnType<typeof settled>[] = []
      const written = new Map([
        [1, 0],
        [2, 0],
      ])
      const unheard: ReturnType<typeof settled>[] = []
      let seed: { day: string; read: Parameters<typeof totals.reset>[1] } | null = null
      let before = totals.view(admin.viewer)
      let client = apply(none, totalsSince(null, before)!)
      totals.reset(totals.day(), { byUser: new Map(), checkpoints: new Map(written) })
      const readSql = (day: string) => {
        const byUser = new Map<number, Sums>()
        for (const row of rows) {
          if (dayAt(row.startedAtMs).day !== day || row.record!.seq > written.get(row.record!.journalId)!) continue
          const sums = byUser.get(row.userId) ?? { ...none }
          byUser.set(row.userId, sums)
          sums.requests++
          sums.tokens += 18
          sums.costNano += row.costNano
        }
        return { byUser, checkpoints: new Map(written) }
      }
      const read = () => {
        const view = totals.view(admin.viewer)
        const message = totalsSince(before, view)
        if (!message) return
        before = view
        client = apply(client, message)
      }
      for (const one of steps) {
        if (one.do === 'settle') {
          const seq = rows.filter((row) => row.record!.journalId === one.journal).length + 1
          const more = { costNano: one.cost, record: { journalId: one.journal, seq } }
          const row = settled(request({ startedAtMs: nowMs, userId: one.user }), more)
          rows.push(row)
          unheard.push(row)
        } else if (one.do === 'write') {
          written.set(one.journal, rows.filter((row) => row.record!.journalId === one.journal).length)
        } else if (one.do === 'hear') {
          const row = unheard.shift()
          if (row) totals.add(row)
        } else if (one.do === 'readBegins') {
          const day = totals.day()
          seed = { day, read: readSql(day) }
        } else if (one.do === 'readEnds') {
          if (seed) totals.reset(seed.day, seed.read)
          seed = null
        } else if (one.do === 'read') read()
        else nowMs += one.ms
      }
      for (const row of unheard) totals.add(row)
      for (const journal of written.keys()) written.set(journal, Infinity)
      read()
      const inSql = [...readSql(totals.day()).byUser.entries()]
      const sum = (field: keyof Sums) => inSql.reduce((total, [, sums]) => total + sums[field], 0)
      expect(client).toEqual({
        requests: sum('requests'),
        failures: 0,
        cancelled: 0,
        rejected: 0,
        tokens: sum('tokens'),
        costNano: sum('costNano'),
      })
      for (const [userId, sums] of inSql) if (userId !== 0) expect(totals.view({ userId }).sums).toEqual(sums)
    }),
    { numRuns: 500 },
  )
})

test('a subscriber gets a snapshot, then deltas in one piece however many, then a snapshot on a new day', async () => {
  let nowMs = startMs
  const hub = await memoryTransport().join({
    now: () => nowMs,
    seed: async () => ({
      byUser: new Map([[3, { requests: 2, failures: 1, cancelled: 0, rejected: 0, tokens: 30, costNano: 40 }]]),
      checkpoints: new Map(),
    }),
  })
  const [all, theirs] = [hub.costTotals(admin.viewer), hub.costTotals({ userId: 4 })]
  expect(await event(all)).toMatchObject({ snapshot: true, day: '2026-11-23', requests: 2, costNano: 40 })
  expect(await event(theirs)).toMatchObject({ snapshot: true, requests: 0 })
  for (let i = 0; i < 3; i++) hub.settled(settled(request({ startedAtMs: nowMs, userId: 3 }), { costNano: 10 }))
  await hub.flushed()
  expect(await event(all)).toMatchObject({ snapshot: false, requests: 3, tokens: 54, costNano: 30 })
  const next = event(theirs)
  nowMs += 120_000
  hub.settled(settled(request({ startedAtMs: nowMs, userId: 4 }), { costNano: 7, outcome: 'failed' }))
  expect(await next).toMatchObject({ snapshot: true, day: '2026-11-24', requests: 1, failures: 1, costNano: 7 })
  expect(await event(all)).toMatchObject({ snapshot: true, requests: 1, costNano: 7 })
})

/** The one event of the next message. */
async function event(reader: AsyncIterator<LiveMessage<TotalsEvent>>): Promise<TotalsEvent | undefined> {
  const { events, gap } = (await reader.next()).value as LiveMessage<TotalsEvent>
  expect([events.length, gap]).toEqual([1, null])
  return events[0]
}
