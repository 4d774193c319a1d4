import { once } from 'node:events'
import { expect, test } from 'vitest'
import { sessionsEnded } from '../../server/identity/sessions.ts'
import type { LiveMessage } from '../../server/live/live-events.ts'
import { request, seenIn, settled } from '../live/live-stand.ts'
import { deferred } from '../support/deferred.ts'
import { keptBytes } from '../support/memory.ts'
import { liveQuery, type Message, openSocket, startSocketStand } from './live-stand.ts'

const acked = (messages: Message[]) => messages.find(({ type }) => type === 'connection_ack')
const eventsOf = (messages: Message[]) =>
  messages
    .filter(({ type }) => type === 'next')
    .flatMap(({ payload }) => seenIn((payload as { data: { live: LiveMessage } }).data.live))

/** Resolves when the hub has so many readers. */
async function readers(hub: { subscriberCount(): number }, count: number): Promise<void> {
  while (hub.subscriberCount() !== count) await new Promise((resolve) => setImmediate(resolve))
}

test('events reach a socket in order, and its end takes the reader with it', async () => {
  const { hub, port, door } = await startSocketStand()
  const client = openSocket(port)
  await client.signIn()
  await client.until(acked)
  client.subscribe(liveQuery)
  await readers(hub, 1)
  const ids = Array.from({ length: 5 }, () => {
    const begun = request()
    hub.settled(settled(begun))
    return begun.requestId
  })
  const events = await client.until((messages) => eventsOf(messages).length === 5 && eventsOf(messages))
  expect(events.map((event) => event.settled?.requestId)).toEqual(ids)
  client.socket.terminate()
  await readers(hub, 0)
  expect(door.socketCount()).toBe(0)
})

test('a hundred sockets that come and go leave nothing', async () => {
  const { hub, port, door } = await startSocketStand({ limits: { socketsPerUser: 100 } })
  const clients = Array.from({ length: 100 }, () => openSocket(port))
  await Promise.all(clients.map((client) => client.signIn()))
  await Promise.all(clients.map((client) => client.until(acked)))
  for (const client of clients) client.subscribe(liveQuery)
  await readers(hub, 100)
  clients.forEach((client, index) => {
    if (index % 2 === 0) client.socket.terminate()
    else if (index % 3 === 0) client.send({ id: '1', type: 'complete' })
    else client.socket.close()
  })
  await readers(hub, 0)
  for (const client of clients) client.socket.terminate()
  while (door.socketCount() > 0) await new Promise((resolve) => setImmediate(resolve))
})

test.each([
  ['a page of another origin', { origin: 'https://evil.example' }, 403],
  ['a page without an address', { origin: 'null' }, 403],
  ['another subprotocol', { protocol: 'graphql-ws' }, 400],
])('fault 48: %s is refused before the upgrade', async (_name, options, status) => {
  const { port } = await startSocketStand()
  expect(await openSocket(port, options).refused).toBe(status)
})

test('pages of the declared origin and of the same host may connect', async () => {
  const { port } = await startSocketStand()
  for (const origin of ['https://relay.example', `http://127.0.0.1:${port}`]) {
    const client = openSocket(port, { origin })
    await client.signIn()
    await client.until(acked)
  }
})

test('fault 48: a thousand idle sockets without connection_init are each closed with 4408, and nothing of them stays', async () => {
  const { port, door } = await startSocketStand({ limits: { initMs: 500, unauthenticatedPerAddress: 1000 } })
  const idle = Array.from({ length: 1000 }, () => openSocket(port))
  expect(new Set(await Promise.all(idle.map(({ closed }) => closed)))).toEqual(new Set([4408]))
  while (door.socketCount() > 0) await new Promise((resolve) => setImmediate(resolve))
  const client = openSocket(port)
  await client.signIn()
  await client.until(acked)
})

test('who does not introduce itself in time, speaks before, or says nonsense is closed with its code', async () => {
  const { port } = await startSocketStand({ limits: { initMs: 100 } })
  const idle = openSocket(port)
  expect(await idle.closed).toBe(4408)
  const cases: [(client: ReturnType<typeof openSocket>) => void, number][] = [
    [(client) => client.subscribe(liveQuery), 4401],
    [(client) => client.socket.send('{'), 4400],
    [(client) => client.send({ type: 'connection_ack' }), 4400],
    [(client) => client.socket.send(Buffer.from([1])), 1003],
    [(client) => client.send({ type: 'connection_init', payload: { authorization: 'Bearer nonsense' } }), 4403],
    [(client) => client.send({ type: 'connection_init' }), 4403],
    [(client) => client.socket.send(`"${'x'.repeat(70_000)}"`), 1009],
  ]
  for (const [act, code] of cases) {
    const client = openSocket(port)
    await once(client.socket, 'open')
    act(client)
    expect(await client.closed).toBe(code)
  }
})

test('fault 54: an address that holds silent sockets is refused further ones, and others connect', async () => {
  const { port } = await startSocketStand({ limits: { initMs: 60_000 } })
  const from = '198.51.100.7'
  const silent = Array.from({ length: 32 }, () => openSocket(port, { from }))
  await Promise.all(silent.map(({ socket }) => once(socket, 'open')))
  expect(await openSocket(port, { from }).refused).toBe(429)
  const other = openSocket(port, { from: '203.0.113.9' })
  await other.signIn()
  await other.until(acked)
  // Who signs in there makes room for the next.
  silent[0]!.send({ type: 'connection_init', payload: { authorization: 'Bearer 1' } })
  await silent[0]!.until(acked)
  await once(openSocket(port, { from }).socket, 'open')
})

test('strangers beyond the limit wait outside, and a user has so many sockets', async () => {
  const { port } = await startSocketStand({ limits: { unauthenticated: 2, socketsPerUser: 1 } })
  const [first, second] = [openSocket(port), openSocket(port)]
  await Promise.all([once(first.socket, 'open'), once(second.socket, 'open')])
  expect(await openSocket(port).refused).toBe(503)
  first.send({ type: 'connection_init', payload: { authorization: 'Bearer 1' } })
  await first.until(acked)
  second.send({ type: 'connection_init', payload: { authorization: 'Bearer 1' } })
  expect(await second.closed).toBe(4429)
})

test('a socket ends with 4403 when its token does, its session or its user; others stay', async () => {
  const { port, events, lifetimes, hub } = await startSocketStand()
  lifetimes.set('1:1', 150)
  const tokens = ['1:1', '2:2', '3:3', '4:4']
  const clients = tokens.map(() => openSocket(port))
  await Promise.all(clients.map((client, index) => client.signIn(tokens[index])))
  await Promise.all(clients.map((client) => client.until(acked)))
  for (const client of clients) client.subscribe(liveQuery)
  await readers(hub, 4)
  const [expired, revoked, disabled, stays] = clients
  expect(await expired?.closed).toBe(4403)
  events.publish(sessionsEnded, { sessionId: 2 })
  events.publish(sessionsEnded, { userId: 3 })
  expect(await revoked?.closed).toBe(4403)
  expect(await disabled?.closed).toBe(4403)
  expect(disabled?.messages.some(({ type }) => type === 'complete')).toBe(false)
  await readers(hub, 1)
  hub.settled(settled(request()))
  await stays?.until((messages) => eventsOf(messages).length === 1)
})

test('a session that ends without a word, by another program, ends its sockets and readers; a database that is away ends nobody', async () => {
  const { port, hub, database, failures } = await startSocketStand({ limits: { checkMs: 20 } })
  const [stays, ended] = [openSocket(port), openSocket(port)]
  await Promise.all([stays.signIn('1:1'), ended.signIn('2:2')])
  for (const client of [stays, ended]) {
    await client.until(acked)
    client.subscribe(liveQuery)
  }
  const session = { userId: 2, sessionId: 2, expiresAtMs: Date.now() + 60_000 }
  const stream = hub.events({ viewer: { userId: 2 } }, undefined, session)
  await readers(hub, 3)
  database.over = null
  while (failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await readers(hub, 3)
  database.over = new Set([2])
  expect(await ended.closed).toBe(4403)
  expect((await stream.next()).done).toBe(true)
  await readers(hub, 1)
  hub.settled(settled(request()))
  await stays.until((messages) => eventsOf(messages).length === 1)
  // Once a break, not once a look.
  expect(failures.splice(0)).toHaveLength(1)
})

test('a socket that asks without end is closed', async () => {
  const { port } = await startSocketStand({ limits: { messagesPerSecond: 20 } })
  const client = openSocket(port)
  await client.signIn()
  await client.until(acked)
  for (let i = 0; i < 200; i++) client.subscribe('{ ok }', String(i))
  expect(await client.closed).toBe(4429)
  expect(client.messages.length).toBeLessThan(45)
})

test('only subscriptions go over a socket, so many at once; failures come without their cause', async () => {
  const { port, hub } = await startSocketStand({ limits: { operationsPerSocket: 2 } })
  const client = openSocket(port)
  await client.signIn()
  await client.until(acked)
  const of = (id: string) => client.until((messages) => messages.find((message) => message.id === id))
  const texts: string[] = []
  for (const query of [
    '{ ok }',
    'mutation { change }',
    'subscription { nothing }',
    'subscription {',
    'subscription { fails }',
  ]) {
    client.subscribe(query, query)
    texts.push(JSON.stringify(await of(query)))
  }
  expect(texts[0]).toContain('SUBSCRIPTIONS_ONLY')
  // Yoga refuses mutations outside of POST even earlier.
  expect(texts[1]).toContain('mutation operation from a POST request')
  expect(texts[2]).toContain('nothing')
  expect(texts[3]).toContain('Syntax Error')
  expect(texts[4]).toContain('error')
  expect(texts.join()).not.toContain('secret')
  client.subscribe(liveQuery, 'a')
  client.subscribe(liveQuery, 'b')
  await readers(hub, 2)
  client.subscribe(liveQuery, 'c')
  expect(JSON.stringify(await of('c'))).toContain('TOO_MANY_OPERATIONS')
})

test('fault 47: a subscriber that never reads costs under 5 MB for 10 000 events, and gets its gap when it does', async () => {
  const { hub, port } = await startSocketStand({ ringSlots: 2_000 })
  const client = openSocket(port)
  await client.signIn()
  await client.until(acked)
  client.subscribe(liveQuery)
  await readers(hub, 1)
  client.socket.pause()
  const say = async (count: number) => {
    for (let i = 0; i < count; i++) {
      hub.settled(settled(request({ model: `model-${'m'.repeat(300)}` })))
      if (i % 100 === 99) {
        await hub.flushed()
        await new Promise((resolve) => setTimeout(resolve, 6))
      }
    }
  }
  // The ring and the kernel's buffers fill first.
  await say(14_000)
  const before = keptBytes()
  await say(10_000)
  const grownMb = (keptBytes() - before) / 2 ** 20
  expect(grownMb).toBeLessThan(5)
  client.socket.resume()
  const last = request()
  hub.settled(settled(last))
  const events = await client.until((messages) => {
    const found = eventsOf(messages)
    return found.at(-1)?.settled?.requestId === last.requestId && found
  })
  expect(events.some((event) => event.gap)).toBe(true)
}, 60_000)

test('a client that asks and never reads the answers is cut off', async () => {
  const { port, door } = await startSocketStand({ limits: { unsentBytes: 100_000, messagesPerSecond: 1e6 } })
  const client = openSocket(port)
  await once(client.socket, 'open')
  client.socket.pause()
  const ping = JSON.stringify({ type: 'ping', payload: { text: 'x'.repeat(60_000) } })
  const gone = deferred()
  const pump = () => {
    if (door.socketCount() === 0) return gone.resolve()
    client.socket.send(ping, () => setImmediate(pump))
  }
  pump()
  await gone.promise
  client.socket.terminate()
})
