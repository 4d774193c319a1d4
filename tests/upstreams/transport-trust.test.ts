import { afterEach, expect, test } from 'vitest'
import type { Target } from '../../server/upstreams/transport/target.ts'
import { createTransport, type TransportOptions } from '../../server/upstreams/transport/transport.ts'
import { createConnectProxy } from '../support/connect-proxy.ts'
import { exchangedOver as exchanged } from '../support/exchanged.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
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

/** Every name leads to loopback, which administrators granted. */
const lookup: TransportOptions['lookup'] = (_name, _how, done) =>
  process.nextTick(done, null, [{ address: '127.0.0.1', family: 4 }])

function start() {
  const transport = open(createTransport({ allow: ['127.0.0.0/8'], connectTimeoutMs: 5_000, caPem: testCa, lookup }))
  return (target: Partial<Target> & { origin: string }) =>
    exchanged({ proxy: null, originIsTrusted: false, proxyIsTrusted: false, transport, ...target }, '/v1/models').then(
      ({ status }) => String(status),
      (error: Error) => error.message,
    )
}

test('fault 51: a name that leads into a private network is refused without saying where it leads', async () => {
  const upstream = open(await createFakeUpstream({ tls: true }))
  const ask = start()
  const origin = `https://upstream.test:${upstream.port}`
  const said = await ask({ origin })
  expect(said).toBe(
    `upstream.test:${upstream.port} is not a public address; an administrator may approve the account for the networks that administrators granted`,
  )
  expect(upstream.connections()).toBe(0)
  expect(await ask({ origin, originIsTrusted: true })).toBe('200')
})

test('fault 51: a connection that a trusted account opened is not used by another account', async () => {
  const upstream = open(await createFakeUpstream())
  const ask = start()
  expect(await ask({ origin: upstream.url, originIsTrusted: true })).toBe('200')
  expect(upstream.connections()).toBe(1)
  expect(await ask({ origin: upstream.url })).toMatch(/may not be reached over plain http; an administrator/)
  expect(upstream.requests).toHaveLength(1)
})

test.each([
  ['an HTTP CONNECT', () => createConnectProxy()],
  ['a SOCKS5', () => createSocksProxy()],
] as const)(
  'fault 51: %s proxy that no administrator chose is not reached in a private network, by address or by name',
  async (_kind, create) => {
    const upstream = open(await createFakeUpstream({ tls: true }))
    const proxy = open(await create())
    const ask = start()
    const origin = `https://upstream.test:${upstream.port}`
    for (const url of [proxy.url, proxy.url.replace('127.0.0.1', 'proxy.test')])
      expect(await ask({ origin, proxy: url })).toMatch(
        /^(127\.0\.0\.1|proxy\.test):\d+ is not a public address; an admin/,
      )
    expect(proxy.targets).toEqual([])
    expect(await ask({ origin, proxy: proxy.url, proxyIsTrusted: true })).toBe('200')
  },
)
