import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import type { AnswerListener } from '../../server/upstreams/transport/connection.ts'
import {
  createDispatchers,
  type DispatcherOptions,
  type Dispatchers,
} from '../../server/upstreams/transport/dispatchers.ts'
import { createConnectProxy } from '../support/connect-proxy.ts'
import { deferred } from '../support/deferred.ts'
import { createFakeUpstream, type FakeUpstreamOptions } from '../support/fake-upstream.ts'
import { goldenStreams } from '../support/golden-streams.ts'
import { createSocksProxy } from '../support/socks-proxy.ts'
import { testCa } from '../support/test-ca.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function open<T extends { close(): Promise<void> }>(thing: T): T {
  closers.push(() => thing.close())
  return thing
}
const upstreamOf = async (options?: FakeUpstreamOptions) => open(await createFakeUpstream(options))
const dispatchersOf = (options: Partial<DispatcherOptions> = {}) =>
  open(createDispatchers({ allow: ['127.0.0.0/8', '::1'], connectTimeoutMs: 5_000, caPem: testCa, ...options }))

interface Heard {
  status: number
  body: string
  error?: string
}

/** One request, asked as the relay asks. */
function ask(dispatchers: Dispatchers, origin: string, proxy: string | null, onData?: () => void): Promise<Heard> {
  const heard: Heard = { status: 0, body: '' }
  const end = deferred<Heard>()
  const listener: AnswerListener = {
    onConnect: () => undefined,
    onHeaders(status) {
      heard.status = status
    },
    onData(bytes) {
      heard.body += bytes.toString('latin1')
      onData?.()
      return true
    },
    onRead: () => undefined,
    onComplete: () => end.resolve(heard),
    onError: (error) => end.resolve({ ...heard, error: String((error as NodeJS.ErrnoException).code) }),
  }
  const body = Buffer.from(JSON.stringify({ model: 'claude-sonnet-4-5', stream: true, max_tokens: 1, messages: [] }))
  const { host } = new URL(origin)
  const head = `POST /v1/messages HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n`
  dispatchers.ask(origin, proxy, { head, body: [body], bodyBytes: body.length }, listener)
  return end.promise
}

const ways = [
  ['directly', false, async () => null],
  ['directly over TLS', true, async () => null],
  ['over TLS through an HTTP CONNECT proxy', true, async () => open(await createConnectProxy()).url],
  ['over TLS through a SOCKS5 proxy', true, async () => open(await createSocksProxy()).url],
  ['through a SOCKS5 proxy', false, async () => open(await createSocksProxy()).url],
] as const

test.each(ways)(
  '%s an answer arrives byte for byte, and the connection serves the next request',
  async (_way, tls, proxyOf) => {
    const upstream = await upstreamOf({ tls })
    const golden = goldenStreams().emoji
    upstream.script((exchange) => exchange.sse(golden.events, { splitAt: [1, 700, 3] }))
    upstream.script((exchange) => exchange.sse(golden.events))
    const origin = tls ? `https://localhost:${upstream.port}` : `http://127.0.0.1:${upstream.port}`
    const proxy = await proxyOf()
    const dispatchers = dispatchersOf()
    for (let i = 0; i < 2; i++) {
      const { status, body, error } = await ask(dispatchers, origin, proxy)
      expect({ status, error }).toEqual({ status: 200, error: undefined })
      expect(Buffer.from(body, 'latin1').equals(golden.bytes)).toBe(true)
      await turn()
    }
    expect(upstream.requests[1]?.socket).toBe(upstream.requests[0]?.socket)
  },
)

test('requests at the same time have connections of their own', async () => {
  const upstream = await upstreamOf()
  const dispatchers = dispatchersOf()
  const both = deferred()
  for (let i = 0; i < 2; i++)
    upstream.script(async (exchange) => {
      if (i === 1) both.resolve()
      await both.promise
      await exchange.sse(goldenStreams().text.events)
    })
  const answers = await Promise.all([1, 2].map(() => ask(dispatchers, `http://127.0.0.1:${upstream.port}`, null)))
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
  expect(new Set(upstream.requests.map(({ socket }) => socket)).size).toBe(2)
})

test('a certificate of another name, an address that is not admitted and a port that nobody listens on are told', async () => {
  const upstream = await upstreamOf({ tls: true })
  const trusting = dispatchersOf({ caPem: undefined })
  expect((await ask(trusting, `https://localhost:${upstream.port}`, null)).error).toMatch(/CERT|VERIFY|SIGNATURE/)
  const careful = dispatchersOf({ allow: [] })
  expect((await ask(careful, 'http://127.0.0.1:9', null)).error).toBe('UPSTREAM_ADDRESS_REFUSED')
  expect((await ask(dispatchersOf(), 'http://127.0.0.1:9', null)).error).toBe('ECONNREFUSED')
})

test('other networks end idle connections, and a stop breaks off what runs', async () => {
  const upstream = await upstreamOf()
  const origin = `http://127.0.0.1:${upstream.port}`
  const dispatchers = dispatchersOf()
  expect((await ask(dispatchers, origin, null)).status).toBe(200)
  dispatchers.allow([])
  expect((await ask(dispatchers, origin, null)).error).toBe('UPSTREAM_ADDRESS_REFUSED')
  dispatchers.allow(['127.0.0.0/8'])
  const begun = deferred()
  const never = deferred()
  upstream.script(async (exchange) => {
    await exchange.begin()
    await exchange.write(goldenStreams().text.bytes.subarray(0, 40))
    await never.promise
  })
  const answer = ask(dispatchers, origin, null, () => begun.resolve())
  await begun.promise
  await dispatchers.close()
  expect((await answer).error).toBe('UPSTREAM_CLOSED')
  never.resolve()
})
