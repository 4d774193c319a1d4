import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { createSseGate } from '../../server/graphql/server/sse-gate.ts'
import type { LiveHub } from '../../server/live/hub.ts'
import { request, settled, wholeMessages } from '../live/live-stand.ts'
import { deferred } from '../support/deferred.ts'
import { listening } from '../support/listening.ts'
import { keptBytes } from '../support/memory.ts'
import { startRelayApp } from '../support/relay-app.ts'
import { postAt, signInAt } from './post-at.ts'
import { type GraphqlStand, password, startGraphqlStand } from './stand.ts'

/** Subscriptions over server-sent events, at the real door with its real schema: for programs without a WebSocket. */
const query = `subscription ($after: String) {
  feed: requestEvents(after: $after, filter: { kinds: [SETTLED] }) {
    cursor gap { from to dropped } events { ... on RequestSettled { request { requestId modelRequested cost durationMs } } }
  }
}`

interface Message {
  cursor: string
  gap: { dropped: number | null } | null
  events: { request: { requestId: string } }[]
}

interface Received {
  cursor: string
  gap?: Message['gap']
  requestId?: string
}

const receivedIn = ({ cursor, gap, events }: Message): Received[] => [
  ...(gap ? [{ cursor, gap }] : []),
  ...events.map(({ request }) => ({ cursor, requestId: request.requestId })),
]

/** Asks and gives the answer as it begins; nothing is read of it yet. */
async function open(
  stand: Pick<GraphqlStand, 'url'>,
  token: string,
  after?: string,
  accept = 'text/event-stream',
): Promise<IncomingMessage> {
  const asked = httpRequest(stand.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, authorization: `Bearer ${token}` },
  })
  asked.on('error', () => {})
  asked.end(JSON.stringify({ query, variables: { after } }))
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  answer.on('error', () => {})
  onTestFinished(() => void answer.destroy())
  return answer
}

/** The events of a response so far; `until` reads on. */
function read(answer: IncomingMessage) {
  const events: Received[] = []
  const wakers = new Set<() => void>()
  let text = ''
  let complete = false
  answer.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (text + chunk).split('\n\n')
    text = parts.pop() ?? ''
    for (const part of parts) {
      complete ||= part.startsWith('event: complete')
      const data = /^data: (\{.*)$/m.exec(part)?.[1]
      if (data) events.push(...receivedIn((JSON.parse(data) as { data: { feed: Message } }).data.feed))
    }
    for (const wake of wakers) wake()
    wakers.clear()
  })
  return {
    events,
    ids: () => events.flatMap(({ requestId }) => requestId ?? []),
    isComplete: () => complete,
    closed: once(answer, 'close'),
    async until(enough: () => boolean) {
      while (!enough()) await new Promise<void>((resolve) => wakers.add(resolve))
    },
  }
}

const readers = async (hub: LiveHub, count: number) => {
  while (hub.subscriberCount() !== count) await new Promise((resolve) => setImmediate(resolve))
}

async function load(hub: LiveHub, count: number, model = 'claude-opus-5-5'): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < count; i++) {
    const begun = request({ model })
    hub.settled(settled(begun))
    ids.push(begun.requestId)
    if (i % 100 === 99) {
      await hub.flushed()
      await new Promise((resolve) => setTimeout(resolve, 6))
    }
  }
  await hub.flushed()
  return ids
}

test('fault 47: a stream of server-sent events that breaks under load resumes behind its last event, without loss or double', async () => {
  const stand = await startGraphqlStand()
  const { token } = await stand.addUser('ada', 'admin')
  const first = await open(stand, token)
  const before = read(first)
  await readers(stand.live, 1)
  const sent = await load(stand.live, 20)
  await before.until(() => before.events.length > 0)
  sent.push(...(await load(stand.live, 80)))
  await before.until(() => before.events.length >= 40)
  const sending = load(stand.live, 3_000)
  first.destroy()
  await readers(stand.live, 0)
  const kept = wholeMessages(before.events, 37)
  expect(kept.length).toBeGreaterThan(0)
  sent.push(...(await sending))
  const after = read(await open(stand, token, kept.at(-1)?.cursor))
  sent.push(...(await load(stand.live, 100)))
  await after.until(() => kept.length + after.events.length >= sent.length)
  expect([...kept.flatMap(({ requestId }) => requestId ?? []), ...after.ids()]).toEqual(sent)
  expect(after.events.some((event) => event.gap)).toBe(false)
})

test('fault 47: a reader of server-sent events that stops reading costs under 5 MB for 10 000 events, and gets its gap', async () => {
  const stand = await startGraphqlStand({ ringSlots: 2_000 })
  const { token } = await stand.addUser('ada', 'admin')
  const answer = await open(stand, token)
  await readers(stand.live, 1)
  const longName = `model-${'m'.repeat(300)}`
  // The ring and the kernel's buffers fill first.
  await load(stand.live, 14_000, longName)
  const before = keptBytes()
  await load(stand.live, 10_000, longName)
  expect((keptBytes() - before) / 2 ** 20).toBeLessThan(5)
  const received = read(answer)
  const [last] = await load(stand.live, 1)
  await received.until(() => received.ids().includes(last!))
  expect(received.events.some((event) => (event.gap?.dropped ?? 0) > 0)).toBe(true)
}, 60_000)

test('fault 47: the stream ends when its session does', async () => {
  const env = { DEFAULT_ADMIN_PASSWORD: password }
  const relay = await startRelayApp({ env })
  onTestFinished(() => relay.stop())
  const url = `${relay.app.url}/graphql`
  const ends = read(await open({ url }, await signInAt(url, 'admin')))
  const other = await signInAt(url, 'admin')
  const change = 'mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { __typename } }'
  const input = { currentPassword: password, newPassword: 'another battery staple' }
  const changed = await postAt(url, change, { input }, other)
  expect(changed.changePassword.__typename).toBe('ChangePasswordSuccess')
  await ends.closed
  expect(ends.isComplete()).toBe(true)
})

test('a reader that does not read is cut off when its token has ended', async () => {
  const gate = createSseGate({ now: Date.now })
  const viewer = {
    userId: 1,
    sessionId: 1,
    username: 'u',
    role: 'admin' as const,
    mustChangePassword: false,
    expiresAtMs: Date.now() - 1_900,
  }
  const cut = deferred()
  const server = createServer((req, res) => {
    expect(gate.admit(req, res, viewer, query)).toBe(true)
    res.write(Buffer.alloc(32 * 2 ** 20))
    res.once('close', () => cut.resolve())
  })
  const { port, close } = await listening(server)
  onTestFinished(close)
  const deaf = await open({ url: `http://127.0.0.1:${port}` }, 'token')
  expect(deaf.statusCode).toBe(200)
  await cut.promise
})

test('proxies are told not to hold events back, and who accepts neither JSON nor events reads why it is refused', async () => {
  const stand = await startGraphqlStand()
  const { token } = await stand.addUser('ada', 'admin')
  expect((await open(stand, token)).headers['x-accel-buffering']).toBe('no')
  for (const accept of ['application/json', 'text/html, image/png']) {
    const refused = await open(stand, token, undefined, accept)
    expect(refused.statusCode).toBe(406)
    expect((await refused.toArray()).join('')).toContain('text/event-stream')
  }
  await readers(stand.live, 1)
})

test('a user has so many streams at once, as of sockets; strangers have none', async () => {
  const stand = await startGraphqlStand()
  const { token } = await stand.addUser('ada', 'admin')
  const streams = []
  // Whatever they accept: many words end in a stream.
  const accepts = ['text/event-stream', 'TEXT/Event-Stream', '*/*', 'text/*', '']
  for (let i = 0; i < 20; i++) streams.push(await open(stand, token, undefined, accepts[i % accepts.length]))
  for (const accept of accepts) expect((await open(stand, token, undefined, accept)).statusCode).toBe(429)
  expect((await stand.ask('{ viewer { user { username } } }', {}, { token })).data.viewer.user.username).toBe('ada')
  await readers(stand.live, 20)
  streams[0]?.destroy()
  await readers(stand.live, 19)
  expect((await open(stand, token)).statusCode).toBe(200)
  const stranger = await open(stand, 'nonsense')
  expect((await stranger.toArray()).join('')).toContain('UNAUTHENTICATED')
  await readers(stand.live, 20)
})
