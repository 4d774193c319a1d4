import { setTimeout } from 'node:timers/promises'
import type { Client } from 'graphql-ws'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { Message } from '../../docs/examples/request-events.ts'
import { openSocket } from '../../docs/examples/socket.ts'
import { createApolloClient, follow as followWithApollo } from '../../docs/examples/with-apollo.ts'
import { follow as followWithGraphqlWs } from '../../docs/examples/with-graphql-ws.ts'
import { follow as followWithEvents } from '../../docs/examples/with-server-sent-events.ts'
import { createUrqlClient, follow as followWithUrql } from '../../docs/examples/with-urql.ts'
import { engines, newDatabaseAddress, redisUrl } from '../support/engines.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'
import { type RelayApp, startRelayApp, testKey } from '../support/relay-app.ts'
import { runsWhole } from '../support/sample.ts'
import { postAt, signInAt } from './post-at.ts'
import { password } from './stand.ts'

/** In CI 2 s; in `npm run test:long` the 30 s after which most people have lost patience. */
const cutMs = runsWhole ? 30_000 : 2_000
const perSecond = 50

type Follow = (socket: Client, url: string, token: string, after: string, handle: (message: Message) => void) => unknown

/** Every client set up as docs/graphql-subscriptions.md says. */
const clients: Record<string, Follow> = {
  'graphql-ws': (socket, _url, _token, after, handle) => followWithGraphqlWs(socket, after, handle),
  urql: (socket, url, token, after, handle) =>
    followWithUrql(
      createUrqlClient(url, () => token, socket),
      after,
      handle,
    ),
  'Apollo Client': (socket, url, token, after, handle) =>
    followWithApollo(
      createApolloClient(url, async () => token, socket),
      after,
      handle,
    ),
  'server-sent events': (_socket, url, token, after, handle) => {
    const stop = new AbortController()
    onTestFinished(() => stop.abort())
    return followWithEvents(url, async () => token, after, handle, stop.signal)
  },
}

/** One process; on MySQL and Redis two that share them. */
async function startProcesses(upstream: string): Promise<RelayApp[]> {
  let env: Record<string, string> = { DEFAULT_ADMIN_PASSWORD: password }
  if (engines === 'services') {
    const address = await newDatabaseAddress()
    onTestFinished(() => address.drop())
    const MASTER_SECRET = 'a secret of thirty-two characters'
    env = { ...env, DATABASE_URL: address.url, REDIS_URL: redisUrl, MASTER_SECRET }
  }
  const processes: RelayApp[] = []
  for (let count = engines === 'services' ? 2 : 1; count > 0; count--) {
    const relay = await startRelayApp({ accounts: [{ url: upstream }], env })
    onTestFinished(() => relay.stop())
    processes.push(relay)
  }
  return processes
}

/** Keeps asking, `perSecond` times a second and each process in turn, until it is stopped. */
function startLoad(processes: RelayApp[]) {
  const body = JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] })
  const headers = { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' }
  const running: Promise<string>[] = []
  const timer = setInterval(() => {
    const { base } = processes[running.length % processes.length]!
    running.push(fetch(`${base}/v1/messages`, { method: 'POST', headers, body }).then((response) => response.text()))
  }, 1000 / perSecond)
  return {
    asked: () => running.length,
    stop() {
      clearInterval(timer)
      return Promise.all(running)
    },
  }
}

test(`clients set up as the documents say, cut for ${cutMs / 1000} s under ${perSecond} requests a second, have every row once, and the sum of the ledger`, {
  timeout: cutMs + 90_000,
}, async () => {
  // Node 20 has no WebSocket of its own; graphql-ws takes the one of the platform.
  vi.stubGlobal('WebSocket', WebSocket)
  onTestFinished(() => void vi.unstubAllGlobals())
  const complaints = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => complaints.mockRestore())
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  const processes = await startProcesses(upstream.url)
  const [first, last] = [processes[0]!, processes.at(-1)!]
  const balancer = await createFaultProxy({ target: first.app.url })
  onTestFinished(() => balancer.close())
  const url = `${balancer.url}/graphql`
  const token = await signInAt(url, 'admin')
  const { liveRequests } = await postAt(url, '{ liveRequests { cursor } }', {}, token)

  const load = startLoad(processes)
  onTestFinished(() => void load.stop())
  // Some settle between the query and the subscription.
  await expect.poll(load.asked).toBeGreaterThan(10)
  const received = Object.entries(clients).map(([name, follow]) => {
    const socket = openSocket(url.replace('http', 'ws'), async () => token)
    onTestFinished(() => socket.dispose())
    const requests: Message['events'][number]['request'][] = []
    follow(socket, url, token, liveRequests.cursor, ({ gap, events }) => {
      expect(gap).toBeNull()
      requests.push(...events.map(({ request }) => request))
    })
    return { name, requests }
  })
  await expect.poll(() => Math.min(...received.map(({ requests }) => requests.length))).toBeGreaterThan(30)

  await balancer.down()
  const before = received.map(({ requests }) => requests.length)
  await setTimeout(cutMs)
  expect(received.map(({ requests }) => requests.length)).toEqual(before)
  // The balancer sends whoever comes back to the other process.
  await balancer.up(last.app.url)

  await expect
    .poll(() => received.every(({ requests }, index) => requests.length > before[index]!), { timeout: 60_000 })
    .toBe(true)
  await load.stop()
  for (const { app } of processes) await app.settled()
  const rows = (await first.rows()).map((row) => ({ requestId: row.requestId, cost: BigInt(row['cost_nano']!) }))
  const sumOf = (list: { cost: string | bigint }[]) => list.reduce((sum, { cost }) => sum + BigInt(cost), 0n)
  for (const { name, requests } of received) {
    await expect.poll(() => requests.length, { message: name }).toBeGreaterThanOrEqual(rows.length)
    expect(requests.map(({ requestId }) => requestId).sort(), name).toEqual(
      rows.map(({ requestId }) => requestId).sort(),
    )
    expect(sumOf(requests), name).toBe(sumOf(rows))
  }
  console.info(
    `${rows.length} rows, ${received.map(({ name, requests }, index) => `${name} ${before[index]} + ${requests.length - before[index]!}`).join(', ')}`,
  )
})
