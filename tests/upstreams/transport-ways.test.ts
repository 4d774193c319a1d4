import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createTransport, type TransportOptions } from '../../server/upstreams/transport/transport.ts'
import { type ConnectProxyOptions, createConnectProxy } from '../support/connect-proxy.ts'
import { deferred } from '../support/deferred.ts'
import { exchangedOver as exchanged } from '../support/exchanged.ts'
import { redirect } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstreamOptions } from '../support/fake-upstream.ts'
import { goldenStreams } from '../support/golden-streams.ts'
import { listening } from '../support/listening.ts'
import { createSocksProxy, type SocksProxyOptions } from '../support/socks-proxy.ts'
import { elsewhere, leaf, strangerCa, testCa } from '../support/test-ca.ts'

const loopback = ['127.0.0.0/8', '::1']
const credentials = { username: 'ada@example', password: 'p:ss /%wörd' }
const message = { model: 'claude-sonnet-4-5-20250929', stream: true, max_tokens: 1, messages: [] }

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function open<T extends { close(): Promise<void> }>(thing: T): T {
  closers.push(() => thing.close())
  return thing
}
const upstreamOf = async (options?: FakeUpstreamOptions) => open(await createFakeUpstream(options))
const connectProxyOf = async (options?: ConnectProxyOptions) => open(await createConnectProxy(options))
const socksProxyOf = async (options?: SocksProxyOptions) => open(await createSocksProxy(options))
function transportOf(options: Partial<TransportOptions> = {}) {
  const transport = open(createTransport({ allow: [], connectTimeoutMs: 5_000, caPem: testCa, ...options }))
  return { ...transport, to: (origin: string, proxy: string | null) => ({ transport, origin, proxy }) }
}
const resolving =
  (...addresses: string[]): TransportOptions['lookup'] =>
  (_name, _how, done) => {
    const found: LookupAddress[] = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    process.nextTick(done, null, found)
  }

const proxies = [
  ['an HTTP CONNECT proxy', () => connectProxyOf()],
  ['an HTTP CONNECT proxy with credentials', () => connectProxyOf({ credentials })],
  ['an HTTPS CONNECT proxy with credentials', () => connectProxyOf({ credentials, tls: leaf })],
  ['a SOCKS5 proxy', () => socksProxyOf()],
  ['a SOCKS5 proxy with credentials', () => socksProxyOf({ credentials })],
] as const

test.each(proxies)('a TLS upstream known only to %s streams its answer byte for byte', async (_kind, createProxy) => {
  const upstream = await upstreamOf({ tls: true })
  const proxy = await createProxy()
  const golden = goldenStreams().emoji
  upstream.script((exchange) => exchange.sse(golden.events, { splitAt: [1, 700, 3] }))
  const pool = transportOf().to(`https://upstream.test:${upstream.port}`, proxy.url)

  const answer = await exchanged(pool, '/v1/messages', { body: message })

  expect(answer.body).toBe(golden.bytes.toString())
  expect(upstream.requests[0]?.headers.host).toBe(`upstream.test:${upstream.port}`)
  expect(proxy.targets).toEqual([`upstream.test:${upstream.port}`])
})

test.each(proxies)(
  '%s is asked once for two requests in a row, and hides a wrong certificate no better',
  async (_k, createProxy) => {
    const upstream = await upstreamOf({ tls: true })
    const proxy = await createProxy()
    const origin = `https://localhost:${upstream.port}`
    const pool = transportOf({ allow: loopback }).to(origin, proxy.url)
    await exchanged(pool, '/v1/models')
    await exchanged(pool, '/v1/models')
    expect(proxy.targets).toHaveLength(1)
    expect(upstream.requests[1]?.socket).toBe(upstream.requests[0]?.socket)

    const wrongName = await upstreamOf({ tls: elsewhere })
    const refusing = transportOf().to(`https://upstream.test:${wrongName.port}`, proxy.url)
    await expect(exchanged(refusing, '/')).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  },
)

test('plain http to an allowed literal goes through CONNECT and SOCKS5 too, to anything else not at all', async () => {
  const upstream = await upstreamOf()
  for (const proxy of [await connectProxyOf(), await socksProxyOf()]) {
    const allowed = transportOf({ allow: loopback })
    expect(await exchanged(allowed.to(upstream.url, proxy.url), '/v1/models')).toMatchObject({ status: 200 })
    const strict = transportOf()
    for (const origin of [
      upstream.url,
      'http://upstream.test',
      'https://127.0.0.1',
      'https://[::1]',
      'https://x.localhost',
    ]) {
      const refused = exchanged(strict.to(origin, proxy.url), '/')
      await expect(refused, origin).rejects.toMatchObject({ code: 'UPSTREAM_ADDRESS_REFUSED' })
    }
    expect(proxy.targets).toEqual([`127.0.0.1:${upstream.port}`])
  }
})

test('a certificate of an unknown authority is refused, directly, and whatever NODE_TLS_REJECT_UNAUTHORIZED says', async () => {
  const upstream = await upstreamOf({ tls: true })
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  closers.push(async () => {
    delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
  })
  for (const caPem of [strangerCa, undefined]) {
    const pool = transportOf({ allow: loopback, caPem }).to(upstream.url, null)
    await expect(exchanged(pool, '/')).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
  }
  expect(upstream.requests).toHaveLength(0)
  expect(await exchanged(transportOf({ allow: loopback }).to(upstream.url, null), '/v1/models')).toMatchObject({
    status: 200,
  })
})

test('a name that resolves to loopback is refused without UPSTREAM_ALLOW and served with it', async () => {
  const upstream = await upstreamOf({ tls: true })
  const origin = `https://upstream.test:${upstream.port}`
  const lookup = resolving('127.0.0.1')
  const refusal = await exchanged(transportOf({ lookup }).to(origin, null), '/').catch((error: unknown) => error)
  expect(refusal).toMatchObject({ code: 'UPSTREAM_ADDRESS_REFUSED' })
  expect((refusal as Error).message).toMatch(/upstream\.test.*127\.0\.0\.1.*UPSTREAM_ALLOW/)
  const pool = transportOf({ lookup, allow: loopback }).to(origin, null)
  expect(await exchanged(pool, '/v1/models')).toMatchObject({ status: 200 })
  expect(upstream.requests).toHaveLength(1)
})

test('of several addresses only the admitted ones are tried', async () => {
  const upstream = await upstreamOf()
  const lookup = resolving('10.255.255.1', '::ffff:10.0.0.1', '127.0.0.1')
  const pool = transportOf({ lookup, allow: ['127.0.0.1'] }).to(`http://upstream.test:${upstream.port}`, null)
  expect(await exchanged(pool, '/v1/models')).toMatchObject({ status: 200 })
})

test('a name is checked at every connection: an answer that changes to loopback is refused', async () => {
  const upstream = await upstreamOf()
  upstream.script((exchange) => exchange.respond(200, { connection: 'close' }, 'first'))
  const answers = ['127.0.0.1', '127.0.0.2']
  const lookup: TransportOptions['lookup'] = (name, how, done) => resolving(answers.shift() ?? '')?.(name, how, done)
  const pool = transportOf({ lookup, allow: ['127.0.0.1'] }).to(`http://upstream.test:${upstream.port}`, null)
  expect(await exchanged(pool, '/')).toMatchObject({ body: 'first' })
  await expect(exchanged(pool, '/')).rejects.toMatchObject({ code: 'UPSTREAM_ADDRESS_REFUSED' })
})

test.each([
  'https://127.0.0.1',
  'https://0x7f.1',
  'https://2130706433',
  'https://[::1]',
  'https://[::ffff:127.0.0.1]',
  'https://[::ffff:7f00:1]',
  'https://[64:ff9b::7f00:1]',
  'https://[2002:7f00:1::]',
  'https://[fe80::1]',
  'https://0.0.0.0',
  'https://169.254.169.254',
  'http://8.8.8.8',
])('%s is refused before a connection is opened', async (origin) => {
  const pool = transportOf({ lookup: () => expect.unreachable() }).to(origin, null)
  await expect(exchanged(pool, '/')).rejects.toMatchObject({ code: 'UPSTREAM_ADDRESS_REFUSED' })
})

test('a redirect is an answer like any other and is not followed', async () => {
  const [upstream, other] = [await upstreamOf(), await upstreamOf()]
  upstream.script(redirect(other.url))
  const answer = await exchanged(transportOf({ allow: loopback }).to(upstream.url, null), '/v1/messages', {
    body: message,
  })
  expect(answer).toMatchObject({ status: 302, headers: { location: other.url } })
  expect(other.requests).toHaveLength(0)
})

test('two requests in a row share a connection, two at once do not, nor does one through a proxy', async () => {
  const upstream = await upstreamOf()
  const proxy = await connectProxyOf()
  const transport = transportOf({ allow: loopback })
  const pool = transport.to(upstream.url, null)
  await exchanged(pool, '/v1/models')
  await exchanged(pool, '/v1/models')
  await Promise.all([exchanged(pool, '/v1/models'), exchanged(pool, '/v1/models')])
  expect(new Set(upstream.requests.slice(0, 2).map(({ socket }) => socket)).size).toBe(1)
  expect(new Set(upstream.requests.slice(2).map(({ socket }) => socket)).size).toBe(2)
  await exchanged(transport.to(upstream.url, proxy.url), '/v1/models')
  expect(proxy.targets).toHaveLength(1)
})

test('an idle connection is closed after a while, one with a stream is not', async () => {
  const upstream = await upstreamOf()
  const transport = transportOf({ allow: loopback, keepAliveMs: 20 })
  const release = deferred()
  upstream.script(async (exchange) => {
    await exchange.begin()
    await release.promise
    await exchange.end()
  })
  const streaming = exchanged(transport.to(upstream.url, null), '/v1/messages', { body: message })
  const { socket } = await upstream.arrived(0)
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(socket.destroyed).toBe(false)
  release.resolve()
  await streaming
  await new Promise((resolve) => socket.once('close', resolve))
})

test('a handshake that does not end is a connect timeout; a proxy that does not answer is a proxy failure', async () => {
  const mute = open(await listening(createServer(() => {})))
  const transport = transportOf({ allow: loopback, connectTimeoutMs: 50 })
  const silent = await connectProxyOf({ silent: true })
  const through = await connectProxyOf()
  const origin = `https://127.0.0.1:${mute.port}`
  const timedOut = { code: 'UPSTREAM_CONNECT_TIMEOUT' }
  await expect(exchanged(transport.to(origin, null), '/')).rejects.toMatchObject(timedOut)
  await expect(exchanged(transport.to(origin, through.url), '/')).rejects.toMatchObject(timedOut)
  for (const proxy of [silent.url, `socks5://127.0.0.1:${mute.port}`, `https://127.0.0.1:${mute.port}`]) {
    const failed = { code: 'UPSTREAM_PROXY_FAILED', message: expect.stringContaining('within 50 ms') }
    await expect(exchanged(transport.to(origin, proxy), '/'), proxy).rejects.toMatchObject(failed)
  }
})

test('proxy failures name the proxy, say whose fault it is, and never carry its credentials', async () => {
  const wrong = 'ada:hunter2@'
  const withLogin = (url: string) => url.replace(/\/\/([^/]*@)?/, `//${wrong}`)
  const closed = await connectProxyOf()
  await closed.close()
  closers.pop()
  const cases = [
    [withLogin((await connectProxyOf({ credentials })).url), 'login'],
    [withLogin((await connectProxyOf({ credentials, tls: leaf })).url), 'login'],
    [withLogin((await socksProxyOf({ credentials })).url), 'login'],
    [(await socksProxyOf({ credentials })).url.replace(/\/\/.*@/, '//'), 'login'],
    [withLogin(closed.url), 'proxy'],
    [withLogin((await connectProxyOf({ refuseWith: 403 })).url), 'proxy'],
    [withLogin((await connectProxyOf({ refuseWith: 502 })).url), 'target'],
    [(await socksProxyOf({ refuseWith: 2 })).url, 'proxy'],
    [(await socksProxyOf({ refuseWith: 4 })).url, 'target'],
    [(await socksProxyOf({ refuseWith: 5 })).url, 'target'],
  ] as const
  for (const [proxy, fault] of cases) {
    const error = await exchanged(transportOf().to('https://upstream.test', proxy), '/').catch(
      (thrown: unknown) => thrown,
    )
    expect(error, proxy).toMatchObject({ code: 'UPSTREAM_PROXY_FAILED', fault })
    const told = JSON.stringify(error, Object.getOwnPropertyNames(error))
    expect(told).toContain(new URL(proxy).host)
    expect(told).not.toMatch(/hunter2|ss \/|p%3Ass/)
  }
})

test('a proxy address that is none fails its connections without repeating what it was', async () => {
  for (const proxy of [
    'hunter2',
    'ftp://a:hunter2@h',
    'socks4://h:1',
    'http://%zz:hunter2@h',
    'http://a:hunter2@:80:80',
  ]) {
    const error = await exchanged(transportOf().to('https://upstream.test', proxy), '/').catch(
      (thrown: unknown) => thrown,
    )
    expect(error, proxy).toMatchObject({ code: 'UPSTREAM_PROXY_FAILED' })
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter2')
  }
})

test('closing breaks off requests and half-open connections and leaves no socket behind', async () => {
  const upstream = await upstreamOf()
  const dialled = deferred<Socket>()
  const mute = open(await listening(createServer((socket) => dialled.resolve(socket.resume()))))
  const transport = transportOf({ allow: loopback, connectTimeoutMs: 600_000 })
  upstream.script((exchange) => exchange.hang())
  const ending = (origin: string) => exchanged(transport.to(origin, null), '/').catch((error: unknown) => error)
  const endings = [ending(upstream.url), ending(`https://127.0.0.1:${mute.port}`)]
  const { closed } = await upstream.arrived(0)
  const halfOpen = once(await dialled.promise, 'close')
  await transport.close()
  for (const error of await Promise.all(endings)) expect(error).toMatchObject({ code: 'UPSTREAM_CLOSED' })
  expect(await closed).toBe('aborted')
  await halfOpen
})
