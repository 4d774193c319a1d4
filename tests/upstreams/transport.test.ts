// Over 300 lines: every way in which one connection can go, over the same servers.
import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { codeOfError } from '../../server/upstreams/transport/failure-cause.ts'
import type { ResponseListener } from '../../server/upstreams/transport/response-listener.ts'
import { createTransport, type Transport, type TransportOptions } from '../../server/upstreams/transport/transport.ts'
import { createConnectProxy } from '../support/connect-proxy.ts'
import { deferred } from '../support/deferred.ts'
import { createFakeUpstream, type FakeUpstreamOptions } from '../support/fake-upstream.ts'
import { goldenStreams } from '../support/golden-streams.ts'
import { type Listening, listening } from '../support/listening.ts'
import { createSocksProxy } from '../support/socks-proxy.ts'
import { leaf, testCa } from '../support/test-ca.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function open<T extends { close(): Promise<void> }>(thing: T): T {
  closers.push(() => thing.close())
  return thing
}
const upstreamOf = async (options?: FakeUpstreamOptions) => open(await createFakeUpstream(options))
const transportOf = (options: Partial<TransportOptions> = {}) =>
  open(createTransport({ allow: ['127.0.0.0/8', '::1'], connectTimeoutMs: 5_000, caPem: testCa, ...options }))

interface Heard {
  status: number
  headers: string[]
  body: string
  error?: string
}

/** One request, sent as the relay sends it; `more` hears what the collector does not. */
function send(
  transport: Transport,
  origin: string,
  proxy: string | null = null,
  { body = Buffer.from('{"model":"m"}'), ...more }: Partial<ResponseListener> & { body?: Buffer } = {},
): Promise<Heard> {
  const heard: Heard = { status: 0, headers: [], body: '' }
  const end = deferred<Heard>()
  const headers = ['content-type', 'application/json']
  transport.send(
    { origin, proxy, originIsTrusted: true, proxyIsTrusted: true },
    { method: 'POST', path: '/v1/messages', headers, body: [body], bodyBytes: body.length },
    {
      onConnect: () => undefined,
      onHeaders(status, raw) {
        heard.status = status
        heard.headers = raw
      },
      onData(bytes) {
        heard.body += bytes.toString('latin1')
        return true
      },
      onComplete: () => end.resolve(heard),
      onError: (error) => end.resolve({ ...heard, error: codeOfError(error) }),
      ...more,
    },
  )
  return end.promise
}

/** A server that hands each request, once its head and body have come, to `respond`, with its number. */
async function serverOf(
  respond: (socket: Socket, number: number) => void,
  tls = false,
): Promise<Listening & { origin: string; requests: () => number }> {
  let requests = 0
  const onSocket = (socket: Socket) => {
    socket.on('error', () => undefined)
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (!text.endsWith('}')) return
      text = ''
      respond(socket, requests++)
    })
  }
  const server = open(await listening(tls ? createTlsServer(leaf, onSocket) : createServer(onSocket)))
  const origin = tls ? `https://localhost:${server.port}` : `http://127.0.0.1:${server.port}`
  return Object.assign(server, { origin, requests: () => requests })
}

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

const ways = [
  ['directly', false, async () => null],
  ['directly over TLS', true, async () => null],
  ['over TLS through an HTTP CONNECT proxy', true, async () => open(await createConnectProxy()).url],
  ['over TLS through a SOCKS5 proxy', true, async () => open(await createSocksProxy()).url],
  ['through a SOCKS5 proxy', false, async () => open(await createSocksProxy()).url],
] as const

test.each(ways)(
  '%s a response arrives byte for byte, and the connection serves the next request',
  async (_way, tls, proxyOf) => {
    const upstream = await upstreamOf({ tls })
    const golden = goldenStreams().emoji
    upstream.script((exchange) => exchange.sse(golden.events, { splitAt: [1, 700, 3] }))
    upstream.script((exchange) => exchange.sse(golden.events))
    const origin = tls ? `https://localhost:${upstream.port}` : `http://127.0.0.1:${upstream.port}`
    const proxy = await proxyOf()
    const transport = transportOf()
    for (let i = 0; i < 2; i++) {
      const { status, body, error } = await send(transport, origin, proxy)
      expect({ status, error }).toEqual({ status: 200, error: undefined })
      expect(Buffer.from(body, 'latin1').equals(golden.bytes)).toBe(true)
    }
    expect(upstream.requests[1]?.socket).toBe(upstream.requests[0]?.socket)
  },
)

test('requests at the same time have connections of their own', async () => {
  const upstream = await upstreamOf()
  const transport = transportOf()
  const both = deferred()
  for (let i = 0; i < 2; i++)
    upstream.script(async (exchange) => {
      if (i === 1) both.resolve()
      await both.promise
      await exchange.sse(goldenStreams().text.events)
    })
  const responses = await Promise.all([1, 2].map(() => send(transport, upstream.url)))
  expect(responses.map(({ status }) => status)).toEqual([200, 200])
  expect(new Set(upstream.requests.map(({ socket }) => socket)).size).toBe(2)
})

test('a certificate of another name, an address that is not admitted and a port that nobody listens on are errors', async () => {
  const upstream = await upstreamOf({ tls: true })
  const trusting = transportOf({ caPem: undefined })
  expect((await send(trusting, `https://localhost:${upstream.port}`)).error).toMatch(/CERT|VERIFY|SIGNATURE/)
  const careful = transportOf({ allow: [] })
  expect((await send(careful, 'http://127.0.0.1:9')).error).toBe('UPSTREAM_ADDRESS_REFUSED')
  expect((await send(transportOf(), 'http://127.0.0.1:9')).error).toBe('ECONNREFUSED')
})

test('other networks end idle connections, and a stop breaks off what runs, also on connections of before', async () => {
  const upstream = await upstreamOf()
  const transport = transportOf()
  expect((await send(transport, upstream.url)).status).toBe(200)
  transport.allow([])
  expect((await send(transport, upstream.url)).error).toBe('UPSTREAM_ADDRESS_REFUSED')
  transport.allow(['127.0.0.0/8'])
  const begun = deferred()
  const never = deferred()
  upstream.script(async (exchange) => {
    await exchange.begin()
    await exchange.write(goldenStreams().text.bytes.subarray(0, 40))
    await never.promise
  })
  const response = send(transport, upstream.url, null, {
    onData() {
      begun.resolve()
      return true
    },
  })
  await begun.promise
  transport.allow([])
  await transport.close()
  expect((await response).error).toBe('UPSTREAM_CLOSED')
  expect((await send(transport, upstream.url)).error).toBe('UPSTREAM_CLOSED')
  never.resolve()
})

test('an abort reaches the upstream at once, and nothing more is heard', async () => {
  const upstream = await upstreamOf()
  upstream.script((exchange) => exchange.hang())
  let abort = (): void => undefined
  let isOver = false
  void send(transportOf(), upstream.url, null, {
    onConnect(given) {
      abort = given
    },
    onComplete: () => {
      isOver = true
    },
    onError: () => {
      isOver = true
    },
  })
  const { closed } = await upstream.arrived(0)
  const startedMs = performance.now()
  abort()
  expect(await closed).toBe('aborted')
  expect(performance.now() - startedMs).toBeLessThan(250)
  expect(isOver).toBe(false)
})

test('a listener that says no gets nothing more until it wants to', async () => {
  const server = await serverOf((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n')
    socket.write(Buffer.alloc(3_000_000, 'x'))
  })
  let bytes = 0
  let resume = (): void => undefined
  const first = deferred()
  const response = send(transportOf(), server.origin, null, {
    onHeaders(_status, _headers, given) {
      resume = given
    },
    onData(chunk) {
      bytes += chunk.length
      first.resolve()
      return bytes > 1_000_000
    },
  })
  await first.promise
  const before = bytes
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(bytes).toBe(before)
  const pump = setInterval(() => resume(), 1)
  expect((await response).error).toBeUndefined()
  clearInterval(pump)
  expect(bytes).toBe(3_000_000)
})

test.each([
  ['no status line', 'hello\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
  ['a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n'],
  ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'],
  ['a length with a no-break space', 'HTTP/1.1 200 OK\r\ncontent-length: \xa01\r\n\r\na'],
  ['broken chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
  ['a head without an end', `HTTP/1.1 200 OK\r\n${'x-a: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n'.repeat(3000)}`],
])('%s is an error, and asked once', async (_what, text) => {
  const server = await serverOf((socket) => socket.end(text, 'latin1'))
  expect((await send(transportOf(), server.origin)).error).toMatch(/^(HPE_|HTTPParserError|UND_ERR_)/)
  expect(server.requests()).toBe(1)
})

test.each([
  ['before a response', '', ''],
  ['in a length', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nWiki', 'Wiki'],
  ['in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nWiki\r\n', 'Wiki'],
])('an end %s on a fresh connection is an error, with what had come, and asked once', async (_when, text, body) => {
  const server = await serverOf((socket) => socket.end(text))
  expect(await send(transportOf(), server.origin)).toMatchObject({ error: 'UND_ERR_SOCKET', body })
  expect(server.requests()).toBe(1)
})

test('a connection on which the upstream talks on unasked serves nobody', async () => {
  const server = await serverOf((socket, number) => socket.write(number === 0 ? `${ok}more` : ok))
  const transport = transportOf()
  expect((await send(transport, server.origin)).status).toBe(200)
  expect(await send(transport, server.origin)).toMatchObject({ status: 200, body: 'ok' })
  expect(server.requests()).toBe(2)
})

test('a connection that still holds bytes of a request answered early is not used again', async () => {
  let connections = 0
  const server = open(
    await listening(
      createServer((socket) => {
        connections++
        socket.on('error', () => undefined)
        // Answers a large request after its head, and reads no more of it.
        socket.once('data', () => {
          socket.pause()
          socket.write(ok)
        })
      }),
    ),
  )
  const transport = transportOf()
  const origin = `http://127.0.0.1:${server.port}`
  expect((await send(transport, origin, null, { body: Buffer.alloc(20_000_000, 'x') })).body).toBe('ok')
  expect((await send(transport, origin)).body).toBe('ok')
  expect(connections).toBe(2)
})

const ends = [
  ['closed', (socket: Socket) => socket.end()],
  ['reset', (socket: Socket) => ('encrypted' in socket ? socket.destroy() : socket.resetAndDestroy())],
] as const

for (const tls of [false, true]) {
  test.each(ends)(
    `fault 50: a kept ${tls ? 'TLS ' : ''}connection that is %s as the request arrives is asked once more`,
    async (_how, end) => {
      // Ten connections are kept; each ends with its second request.
      const served = new Set<Socket>()
      const all = deferred()
      const held: Socket[] = []
      const server = await serverOf((socket, number) => {
        if (served.has(socket)) return void end(socket)
        served.add(socket)
        if (number >= 10) return void socket.write(ok)
        held.push(socket)
        if (held.length === 10) all.resolve()
      }, tls)
      const transport = transportOf()
      const first = Array.from({ length: 10 }, () => send(transport, server.origin))
      await all.promise
      for (const socket of held) socket.write(ok)
      expect((await Promise.all(first)).map(({ body }) => body)).toEqual(Array.from({ length: 10 }, () => 'ok'))
      const second = await Promise.all(Array.from({ length: 10 }, () => send(transport, server.origin)))
      expect(second.map(({ body, error }) => error ?? body)).toEqual(Array.from({ length: 10 }, () => 'ok'))
      expect(server.requests()).toBe(30)
    },
  )
}

test('a request asked once more that breaks again is an error, and so is one that had part of a response', async () => {
  let isKept = true
  const half = await serverOf((socket, number) => (number === 0 ? socket.write(ok) : socket.end('HTTP/1.1 200 O')))
  const twice = await serverOf((socket) => {
    if (isKept) socket.write(ok)
    else socket.end()
    isKept = false
  })
  const transport = transportOf()
  for (const [server, requests] of [
    [twice, 3],
    [half, 2],
  ] as const) {
    expect((await send(transport, server.origin)).body).toBe('ok')
    expect((await send(transport, server.origin)).error).toBeDefined()
    expect(server.requests()).toBe(requests)
  }
})
