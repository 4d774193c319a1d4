import { describe, expect, test } from 'vitest'
import { hasServices } from '../store/twins.ts'
import {
  admin,
  collect,
  memoryTransport,
  redisTransport,
  request,
  settled,
  settledIds,
  wholeMessages,
} from './live-stand.ts'

const transports = [['memory', memoryTransport] as const, ...(hasServices ? [['redis', redisTransport] as const] : [])]

describe.each(transports)('%s', (_name, openTransport) => {
  test('a subscriber that was away under load resumes, at another process too, without loss or double', async () => {
    const place = openTransport()
    const [here, there] = [await place.join(), await place.join()]
    const first = here.events({ ...admin, kinds: ['settled'] })
    const sent: string[] = []
    const send = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const begun = request()
        const hub = i % 3 === 0 ? there : here
        hub.started(begun)
        hub.progress(begun)
        hub.settled(settled(begun))
        sent.push(begun.requestId)
        if (i % 40 === 0) await Promise.all([here.flushed(), there.flushed()])
      }
      await Promise.all([here.flushed(), there.flushed()])
    }
    const reading = collect(first, (events) => events.length >= 60)
    await send(100)
    const before = await reading
    await first.return?.()
    // Somewhere in the middle of what it was given.
    const kept = wholeMessages(before, 50)
    expect(kept.length).toBeGreaterThan(0)
    const sending = send(3_000)
    await send(200)
    const second = there.events({ ...admin, kinds: ['settled'] }, kept.at(-1)?.cursor)
    await sending
    const after = await collect(second, (events) => kept.length + events.length >= sent.length)
    const got = settledIds([...kept, ...after])
    expect(got).toHaveLength(sent.length)
    expect(new Set(got)).toEqual(new Set(sent))
    expect(after.some((event) => event.gap)).toBe(false)
  })

  test('who comes back too late gets a gap first, and then goes on', async () => {
    const hub = await openTransport().join({ ringLimits: { slots: 50, bytes: 1e9 }, keep: 1 })
    const reader = hub.events(admin)
    const begun = request()
    hub.started(begun)
    const [first] = await collect(reader, (events) => events.length > 0)
    await reader.return?.()
    for (let i = 0; i < 400; i++) {
      hub.settled(settled(request()))
      await hub.flushed()
    }
    const resumed = hub.events(admin, first?.cursor)
    const [gap] = await collect(resumed, (events) => events.length > 0)
    expect(gap).toMatchObject({ gap: { dropped: null } })
    hub.settled(settled(begun))
    const late = await collect(resumed, (events) => settledIds(events).includes(begun.requestId))
    // What the gap says can be resumed from like any event.
    const again = await collect(hub.events(admin, gap?.gap?.to), (events) => events.length > 0)
    expect(settledIds(again)).toEqual(settledIds(late))
    const [nonsense] = await collect(hub.events(admin, 'now'), (events) => events.length > 0)
    expect(nonsense?.gap).toMatchObject({ from: 'now', dropped: null })
  })
})

test.runIf(hasServices)('what the ring has let go is read from the stream, from the middle of a batch', async () => {
  const place = redisTransport()
  const hub = await place.join({ ringLimits: { slots: 20, bytes: 1e9 } })
  const ids: string[] = []
  const watcher = (await place.join()).events(admin)
  const watching = collect(watcher, (events) => events.length >= 10)
  for (let i = 0; i < 100; i++) {
    for (let j = 0; j < 10; j++) {
      const begun = request()
      ids.push(begun.requestId)
      hub.settled(settled(begun))
    }
    await hub.flushed()
  }
  // The batch of the first ten; its fourth event is in the middle.
  const batchId = (await watching)[0]!.cursor.replace(/\.\d+$/, '')
  const reader = hub.events(admin, `${batchId}.3`)
  const rest = await collect(reader, (events) => events.length >= ids.length - 4)
  expect(settledIds(rest)).toEqual(ids.slice(4))
  // Back in the ring, it goes on from there.
  const last = request()
  hub.settled(settled(last))
  expect(settledIds(await collect(reader, (events) => events.length > 0))).toEqual([last.requestId])
})
