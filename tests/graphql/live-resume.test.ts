import { createClient } from 'graphql-ws'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { resumable } from '../../client/data/resume.ts'
import type { LiveHub } from '../../server/live/hub.ts'
import type { LiveMessage } from '../../server/live/live-events.ts'
import { memoryTransport, redisTransport, request, type Seen, seenIn, settled } from '../live/live-stand.ts'
import { hasServices } from '../store/twins.ts'
import { deferred } from '../support/deferred.ts'
import { redisUrl } from '../support/engines.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'
import { startSocketStand } from './live-stand.ts'

const liveQuery =
  'subscription ($after: String) { feed: live(after: $after) { cursor gap { dropped } events { settled { requestId } } } }'

/** What 100 requests a second make in the 30 seconds that a laptop was asleep. */
const requestsAway = 3_000

/** The dashboard's own way of listening: graphql-ws, and variables that remember what was seen. */
function listen(urls: { next: string }) {
  const events: Seen[] = []
  const wakers = new Set<() => void>()
  const back = deferred()
  const broken = deferred()
  const client = createClient({
    url: () => urls.next,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: 'Bearer 1' },
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    // The 30 seconds: as long as the test says.
    retryWait: () => {
      broken.resolve()
      return back.promise
    },
  })
  onTestFinished(() => client.dispose())
  const resume = resumable({})
  client.subscribe(
    { query: liveQuery, variables: resume.variables },
    {
      next: ({ data }) => {
        resume.onData(data)
        events.push(...seenIn((data as { feed: LiveMessage }).feed))
        for (const wake of wakers) wake()
        wakers.clear()
      },
      error: (error) => {
        throw error
      },
      complete: () => {},
    },
  )
  return {
    events,
    broken: broken.promise,
    comeBack: () => back.resolve(),
    async until(enough: () => boolean) {
      while (!enough()) await new Promise<void>((resolve) => wakers.add(resolve))
    },
  }
}

/** Settles so many requests, in turns of the hubs, and gives their ids. */
async function load(hubs: LiveHub[], count: number): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < count; i++) {
    const hub = hubs[i % hubs.length]!
    const begun = request()
    hub.started(begun)
    hub.progress(begun)
    hub.settled(settled(begun))
    ids.push(begun.requestId)
    if (i % 100 === 99) await Promise.all(hubs.map((each) => each.flushed()))
  }
  await Promise.all(hubs.map((hub) => hub.flushed()))
  return ids
}

const settledIn = (events: readonly Seen[]) => events.flatMap((event) => event.settled?.requestId ?? [])
const readers = async (hub: LiveHub, count: number) => {
  while (hub.subscriberCount() !== count) await new Promise((resolve) => setImmediate(resolve))
}

const transports = [['memory', memoryTransport] as const, ...(hasServices ? [['redis', redisTransport] as const] : [])]

describe.each(transports)('%s', (_name, openTransport) => {
  test('fault 47: a socket that breaks and is away for 30 s of load resumes, at another process too, without loss or double', async () => {
    const place = openTransport()
    const hubs = [await place.join(), await place.join()]
    const [here, there] = [await startSocketStand({ hub: hubs[0]! }), await startSocketStand({ hub: hubs[1]! })]
    const urls = { next: `ws://127.0.0.1:${here.port}/graphql` }
    const client = listen(urls)
    await readers(here.hub, 1)
    const sent = await load(hubs, 200)
    await client.until(() => settledIn(client.events).length >= 50)
    // In the middle of what is on its way.
    const more = load(hubs, requestsAway)
    await here.door.close()
    await client.broken
    sent.push(...(await more))
    urls.next = `ws://127.0.0.1:${there.port}/graphql`
    client.comeBack()
    sent.push(...(await load(hubs, 300)))
    await client.until(() => settledIn(client.events).length >= sent.length)
    expect(new Set(settledIn(client.events))).toEqual(new Set(sent))
    expect(settledIn(client.events)).toHaveLength(sent.length)
    expect(client.events.some((event) => event.gap)).toBe(false)
  })
})

describe.runIf(hasServices)('Redis breaks under a socket that listens', () => {
  async function startBehindProxy() {
    const proxy = await createFaultProxy({ target: redisUrl })
    onTestFinished(() => proxy.close())
    const failures: unknown[] = []
    const place = redisTransport()
    const hub = await place.join({
      url: `redis://127.0.0.1:${proxy.port}`,
      report: (error) => void failures.push(error),
    })
    const stand = await startSocketStand({ hub })
    const client = listen({ next: `ws://127.0.0.1:${stand.port}/graphql` })
    await readers(hub, 1)
    return { proxy, place, hub, client, failures }
  }

  test('what happens meanwhile, here and in other processes, comes when it is back: no loss, no double', async () => {
    const { proxy, place, hub, client, failures } = await startBehindProxy()
    const other = await place.join()
    const sent = await load([hub, other], 100)
    await client.until(() => settledIn(client.events).length === sent.length)
    const underWay = load([other], 400)
    for (let i = 0; i < 50; i++) hub.settled(settled(ownRequest(sent)))
    await proxy.down()
    for (let i = 0; i < 50; i++) hub.settled(settled(ownRequest(sent)))
    sent.push(...(await underWay))
    await proxy.up()
    await client.until(() => settledIn(client.events).length >= sent.length)
    sent.push(...(await load([hub, other], 100)))
    await client.until(() => settledIn(client.events).length >= sent.length)
    expect(settledIn(client.events)).toHaveLength(sent.length)
    expect(new Set(settledIn(client.events))).toEqual(new Set(sent))
    expect(client.events.some((event) => event.gap)).toBe(false)
    expect(failures.length).toBeGreaterThan(0)
  })

  test('what Redis itself has forgotten comes as a gap, and events go on behind it', async () => {
    const { proxy, place, hub, client } = await startBehindProxy()
    await load([hub], 10)
    await client.until(() => settledIn(client.events).length === 10)
    await proxy.down()
    await place.forget()
    await proxy.up()
    await client.until(() => client.events.some((event) => event.gap))
    const late = await load([hub], 5)
    await client.until(() => settledIn(client.events).includes(late.at(-1)!))
    expect(settledIn(client.events).slice(-5)).toEqual(late)
  })

  function ownRequest(sent: string[]) {
    const begun = request()
    sent.push(begun.requestId)
    return begun
  }
})
