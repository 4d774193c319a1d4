import { expect, test } from 'vitest'
import type { LiveFilter, LiveMessage } from '../../server/live/live-events.ts'
import { progressEveryMs } from '../../server/live/outbox.ts'
import { admin, collect, memoryTransport, request, seenIn, settled, settledIds } from './live-stand.ts'

test('a reader that never reads costs nothing and gets a gap with how much it missed, then the latest', async () => {
  const hub = await memoryTransport().join({ ringLimits: { slots: 1_000, bytes: 1e9 } })
  const lazy = hub.events(admin)
  for (let i = 0; i < 10_000; i++) hub.settled(settled(request()))
  await hub.flushed()
  const [gap, ...rest] = await collect(lazy, (events) => events.length > 1_000)
  expect(gap?.gap).toMatchObject({ dropped: 9_000 })
  expect(rest).toHaveLength(1_000)
})

test('the ring keeps to its bytes, whatever the names', async () => {
  const hub = await memoryTransport().join({ ringLimits: { slots: 32_768, bytes: 100_000 } })
  const lazy = hub.events(admin)
  for (let i = 0; i < 1_000; i++) hub.settled(settled(request({ model: 'm'.repeat(1_000) })))
  await hub.flushed()
  const [gap] = await collect(lazy, (events) => events.length > 0)
  expect(gap?.gap?.dropped).toBeGreaterThan(950)
})

test('progress is sent at most once a second a request, and overtaken progress is not sent at all', async () => {
  let nowMs = Date.UTC(2026, 10, 23)
  const hub = await memoryTransport().join({ now: () => nowMs })
  const reader = hub.events(admin)
  const begun = request()
  hub.started(begun)
  const tell = async (outputTokens: number) => {
    begun.outputTokens = outputTokens
    hub.progress(begun)
    await hub.flushed()
  }
  await tell(1)
  nowMs += progressEveryMs
  await tell(2)
  await tell(3)
  nowMs += progressEveryMs
  await tell(4)
  begun.outputTokens = 5
  hub.progress(begun)
  hub.accountChanged({
    accountId: 7,
    name: 'a',
    groupIds: [1],
    userId: 0,
    enabled: true,
    state: { kind: 'ready', untilMs: null, reason: '', fault: null, sinceMs: 0, nextProbeAtMs: null, models: {} },
    steps: [],
  })
  const events = await collect(reader, (found) => found.some((event) => event.account))
  const progress = events.flatMap((event) => event.progress ?? [])
  expect(progress.map((event) => event.outputTokens)).toEqual([4])
  hub.settled(settled(begun))
  await hub.flushed()
  expect(hub.requests(admin.viewer)).toEqual([])
})

test('users see their own, filters are the server’s', async () => {
  const hub = await memoryTransport().join()
  const readers = {
    mine: hub.events({ viewer: { userId: 5 } }),
    nobody: hub.events({ viewer: { userId: 0 } }),
    group: hub.events({ ...admin, groupIds: [2] }),
    key: hub.events({ ...admin, apiKeyIds: [9], kinds: ['settled'] }),
    all: hub.events(admin),
  }
  const [theirs, ours] = [request({ groupId: 2 }), request({ userId: 5, apiKeyId: 9 })]
  hub.started(theirs)
  hub.started(ours)
  await hub.flushed()
  expect(hub.requests({ userId: 5 }).map(({ requestId }) => requestId)).toEqual([ours.requestId])
  expect(hub.requests(admin.viewer)).toHaveLength(2)
  hub.settled(settled(theirs))
  hub.settled(settled(ours))
  await hub.flushed()
  const idsOf = async (reader: AsyncIterator<LiveMessage>, count: number) =>
    (await collect(reader, (events) => events.length >= count)).map(
      (event) => (event.started ?? event.settled)?.requestId,
    )
  expect(await idsOf(readers.mine, 2)).toEqual([ours.requestId, ours.requestId])
  expect(await idsOf(readers.group, 2)).toEqual([theirs.requestId, theirs.requestId])
  expect(await idsOf(readers.key, 1)).toEqual([ours.requestId])
  expect(await idsOf(readers.all, 4)).toHaveLength(4)
  expect((await readers.nobody.next()).value).toMatchObject({ gap: null, events: [] })
  const nothing = readers.nobody.next()
  await readers.nobody.return?.()
  expect(await nothing).toEqual({ value: undefined, done: true })
})

test('a filter by group finds the changes of an account in each of its groups', async () => {
  const hub = await memoryTransport().join()
  const reader = hub.events({ ...admin, groupIds: [2] })
  const change = (accountId: number, groupIds: number[]) =>
    hub.accountChanged({
      accountId,
      name: 'a',
      groupIds,
      userId: 0,
      enabled: true,
      state: { kind: 'ready', untilMs: null, reason: '', fault: null, sinceMs: 0, nextProbeAtMs: null, models: {} },
      steps: [],
    })
  change(1, [1])
  change(2, [1, 2])
  change(3, [2])
  const events = await collect(reader, (found) => found.some((event) => event.account?.accountId === 3))
  expect(events.map((event) => event.account?.accountId)).toEqual([2, 3])
})

test('every subscriber gets the event, and none stays when it has left', async () => {
  const hub = await memoryTransport().join()
  const readers = Array.from({ length: 10 }, () => hub.events(admin))
  for (const reader of readers) expect((await reader.next()).value.events).toEqual([])
  const next = readers.map((reader) => reader.next())
  const begun = request()
  hub.settled(settled(begun))
  for (const result of next) expect(settledIds((await result).value.events)).toEqual([begun.requestId])
  expect(hub.subscriberCount()).toBe(10)
  const waiting = readers[0]?.next()
  for (const reader of readers) await reader.return?.()
  expect(await waiting).toMatchObject({ done: true })
  expect(hub.subscriberCount()).toBe(0)
})

test('the end of the hub ends its readers', async () => {
  const hub = await memoryTransport().join()
  const reader = hub.events(admin)
  await reader.next()
  const waiting = reader.next()
  const last = request()
  hub.settled(settled(last))
  await hub.close()
  expect(settledIds((await waiting).value.events)).toEqual([last.requestId])
  expect(await hub.events(admin).next()).toMatchObject({ done: true })
})

test('while nobody reads, totals go on, and who comes back gets a gap of what was not made', async () => {
  let nowMs = Date.UTC(2026, 10, 23)
  const hub = await memoryTransport().join({ now: () => nowMs, keepMs: 0 })
  const early = hub.events(admin)
  const first = request({ startedAtMs: nowMs })
  await early.next()
  hub.settled(settled(first))
  const seen = seenIn((await early.next()).value)
  expect(settledIds(seen)).toEqual([first.requestId])
  await early.return?.()

  const long = request({ startedAtMs: nowMs })
  hub.started(long)
  hub.settled(settled(request({ startedAtMs: nowMs })))
  await hub.flushed()
  expect(hub.totals(admin.viewer).requests).toBe(2)
  expect(hub.requests(admin.viewer)).toEqual([long])

  const back = hub.events(admin, seen.at(-1)?.cursor)
  nowMs += progressEveryMs
  long.outputTokens = 9
  hub.progress(long)
  await hub.flushed()
  hub.settled(settled(long))
  const events = await collect(back, (found) => found.some((event) => event.settled))
  expect(events[0]?.gap).toMatchObject({ from: seen.at(-1)?.cursor, dropped: 2 })
  expect(events.flatMap((event) => event.progress?.outputTokens ?? [])).toEqual([9])
  expect(settledIds(events)).toEqual([long.requestId])
  expect(hub.totals(admin.viewer).requests).toBe(3)
})

test('while somebody reads, and two minutes after, who comes back with another filter misses nothing', async () => {
  let nowMs = Date.UTC(2026, 10, 23)
  const ofKey = (apiKeyId: number): LiveFilter => ({ ...admin, kinds: ['settled'], apiKeyIds: [apiKeyId] })
  const hub = await memoryTransport().join({ now: () => nowMs })
  const first = hub.events(ofKey(1))
  const one = request({ apiKeyId: 1 })
  await first.next()
  hub.settled(settled(one))
  const seen = seenIn((await first.next()).value)
  await first.return?.()
  nowMs += 119_000
  const other = request({ apiKeyId: 2 })
  hub.settled(settled(other))
  await hub.flushed()
  const back = hub.events(ofKey(2), seen.at(-1)?.cursor)
  const events = await collect(back, (found) => found.length > 0)
  expect(events.map(({ gap, settled }) => gap ?? settled?.requestId)).toEqual([other.requestId])

  await back.return?.()
  nowMs += 120_001
  hub.settled(settled(request({ apiKeyId: 2 })))
  const [gap] = await collect(hub.events(ofKey(2), events[0]?.cursor), (found) => found.length > 0)
  expect(gap?.gap).toMatchObject({ dropped: 1 })
})

test('who reads a list and subscribes with its cursor gets every event since, although nobody subscribed before', async () => {
  let nowMs = Date.UTC(2026, 10, 23)
  const hub = await memoryTransport().join({ now: () => nowMs })
  hub.settled(settled(request({ startedAtMs: nowMs })))
  const cursor = hub.cursor()
  expect(hub.totals(admin.viewer).requests).toBe(1)
  const since = request({ startedAtMs: nowMs })
  hub.started(since)
  hub.settled(settled(since))
  await hub.flushed()
  nowMs += 100_000
  const events = await collect(hub.events(admin, cursor), (found) => settledIds(found).length > 0)
  expect(events.map(({ gap, started, settled }) => gap ?? (started ?? settled)?.requestId)).toEqual([
    since.requestId,
    since.requestId,
  ])
})

test('the cursor of the ledger stands before what its checkpoints do not have yet', async () => {
  const hub = await memoryTransport().join()
  hub.cursor()
  const [one, two] = [request(), request()]
  const at = (seq: number) => ({ record: { journalId: 1, seq } })
  hub.settled(settled(one, at(1)))
  await hub.flushed()
  hub.settled(settled(two, at(2)))
  await hub.flushed()
  const cursor = hub.ledgerCursor(({ seq }) => seq <= 1)
  const events = await collect(hub.events(admin, cursor), (found) => found.length > 0)
  expect(settledIds(events)).toEqual([two.requestId])
  expect(hub.ledgerCursor(() => true)).toBe(hub.cursor())
})

test('a cursor of an earlier process gives a gap, also when it had no events', async () => {
  const earlier = (await memoryTransport().join({ now: () => 1_000 })).cursor()
  const hub = await memoryTransport().join({ now: () => 2_000 })
  const [gap] = await collect(hub.events(admin, earlier), (events) => events.length > 0)
  expect(gap?.gap).toMatchObject({ from: earlier, dropped: null })
})

test('a subscriber whose filter leaves everything out gets a newer cursor before the ring forgets its own', async () => {
  const hub = await memoryTransport().join()
  const reader = hub.events({ ...admin, apiKeyIds: [99] })
  const first = (await reader.next()).value as LiveMessage
  const next = reader.next()
  for (let i = 0; i < 5_000; i++) hub.settled(settled(request()))
  await hub.flushed()
  const message = (await next).value as LiveMessage
  expect(message).toMatchObject({ gap: null, events: [] })
  expect(message.cursor).not.toBe(first.cursor)
})
