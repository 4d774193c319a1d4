import { Client, subscriptionExchange } from '@urql/core'
import { createClient } from 'graphql-ws'
import { expect, onTestFinished, test } from 'vitest'
import { pipe, subscribe } from 'wonka'
import { WebSocket } from 'ws'
import { deferred } from '../support/deferred.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'
import { postAt, signInAt } from './post-at.ts'
import { password } from './stand.ts'

/** The clients set up as docs/graphql-subscriptions.md says. */

const query = `subscription ($after: String) { requestEvents(after: $after, filter: { kinds: [SETTLED] }) {
  cursor gap { dropped } events { ... on RequestSettled { request { requestId cost } } } } }`

interface Message {
  cursor: string
  gap: object | null
  events: { request: { requestId: string; cost: string } }[]
}
type Listen = (socket: ReturnType<typeof createClient>, after: string, onMessage: (message: Message) => void) => void
const messageOf = (data: unknown) => (data as { requestEvents: Message }).requestEvents

const graphqlWs: Listen = (socket, after, onMessage) => {
  let cursor = after
  const variables = {
    get after() {
      return cursor
    },
  }
  const next = ({ data }: { data?: unknown }) => {
    onMessage(messageOf(data))
    cursor = messageOf(data).cursor
  }
  socket.subscribe({ query, variables }, { next, error: () => {}, complete: () => {} })
}

const urql: Listen = (socket, after, onMessage) => {
  const exchange = subscriptionExchange({
    forwardSubscription: ({ query: text, variables }) => ({
      subscribe(sink) {
        let cursor: unknown = variables?.['after']
        const resumed = {
          ...variables,
          get after() {
            return cursor
          },
        }
        const next = (result: { data?: Record<string, { cursor?: string }> | null }) => {
          sink.next(result as Parameters<typeof sink.next>[0])
          cursor = Object.values(result.data ?? {})[0]?.cursor ?? cursor
        }
        const unsubscribe = socket.subscribe({ query: text ?? '', variables: resumed }, { ...sink, next } as never)
        return { unsubscribe }
      },
    }),
  })
  const client = new Client({ url: 'http://127.0.0.1/', preferGetMethod: false, exchanges: [exchange] })
  pipe(
    client.subscription(query, { after }),
    subscribe(({ data }) => void (data && onMessage(messageOf(data)))),
  )
}

test.each([
  ['graphql-ws', graphqlWs],
  ['urql', urql],
] as const)('%s, cut while requests go on, has every row once, and the sum of the ledger', async (_name, listen) => {
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  const relay = await startRelayApp({ accounts: [{ url: upstream.url }], env: { DEFAULT_ADMIN_PASSWORD: password } })
  onTestFinished(() => relay.stop())
  const url = `${relay.app.url}/graphql`
  const token = await signInAt(url, 'admin')
  const body = JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] })
  const headers = { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' }
  const ask = (count: number) =>
    Promise.all(
      Array.from({ length: count }, async () =>
        (await fetch(`${relay.base}/v1/messages`, { method: 'POST', headers, body })).text(),
      ),
    )
  const [broken, back] = [deferred(), deferred()]
  const socket = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait() {
      broken.resolve()
      return back.promise
    },
  })
  onTestFinished(() => socket.dispose())
  const { liveRequests } = await postAt(url, '{ liveRequests { cursor } }', {}, token)
  // Between the query and the subscription.
  await ask(3)
  const got: Message['events'] = []
  listen(socket, liveRequests.cursor, ({ gap, events }) => {
    expect(gap).toBeNull()
    got.push(...events)
  })
  await expect.poll(() => got.length).toBe(3)
  const during = ask(10)
  socket.terminate()
  await broken.promise
  await during
  await ask(10)
  back.resolve()
  await ask(5)
  await expect.poll(() => got.length).toBeGreaterThanOrEqual(28)
  const rows = await relay.rows()
  expect(got.map(({ request }) => request.requestId).sort()).toEqual(rows.map(({ requestId }) => requestId).sort())
  const sum = got.reduce((total, { request }) => total + BigInt(request.cost), 0n)
  expect(sum).toBe(rows.reduce((total, row) => total + BigInt(row['cost_nano'] as number), 0n))
})
