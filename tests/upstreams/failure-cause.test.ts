import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { look } from '../../server/upstreams/probe.ts'
import {
  causeOfCode,
  codeOfError,
  explain,
  explainFailure,
  failureCauses,
} from '../../server/upstreams/transport/failure-cause.ts'
import { createTransport, type TransportOptions } from '../../server/upstreams/transport/transport.ts'
import { createConnectProxy } from '../support/connect-proxy.ts'
import { exchangedOver as exchanged } from '../support/exchanged.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { listening } from '../support/listening.ts'
import { createSocksProxy } from '../support/socks-proxy.ts'
import { elsewhere, leaf, testCa } from '../support/test-ca.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
function open<T extends { close(): Promise<void> }>(thing: T): T {
  closers.push(() => thing.close())
  return thing
}
async function closedPort(): Promise<number> {
  const server = await listening(createServer())
  await server.close()
  return server.port
}

/** What is told of a request that cannot come about. */
async function told(origin: string, proxy: string | null = null, options: Partial<TransportOptions> = {}) {
  const lookup: TransportOptions['lookup'] = (name, _how, done) =>
    name === 'known.test'
      ? done(null, [{ address: '127.0.0.1', family: 4 }])
      : done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), [])
  const transport = open(
    createTransport({ allow: ['127.0.0.0/8'], connectTimeoutMs: 200, caPem: testCa, lookup, ...options }),
  )
  const error = await exchanged({ transport, origin, proxy }, '/').catch((thrown: unknown) => thrown)
  return { ...explainFailure(error, { origin, proxy }), code: codeOfError(error) }
}

const userinfo = (url: string): string => url.replace(/\/\/([^/]*@)?/, '//ada:hunter2@')

test('what was tried without a proxy is named by host and port, with the cause and its code', async () => {
  const port = await closedPort()
  expect(await told(`http://127.0.0.1:${port}`)).toEqual({
    cause: 'connection_refused',
    reason: `connection refused by 127.0.0.1:${port} (ECONNREFUSED)`,
    place: `127.0.0.1:${port}`,
    code: 'ECONNREFUSED',
  })
  expect(await told('https://nowhere.test')).toMatchObject({
    cause: 'name_unresolved',
    reason: 'the name of nowhere.test:443 does not resolve (ENOTFOUND)',
  })
  const mute = open(await listening(createServer((socket) => void socket.resume())))
  expect(await told(`https://127.0.0.1:${mute.port}`)).toMatchObject({
    cause: 'connect_timeout',
    reason: `no connection to 127.0.0.1:${mute.port} within 0.2 s (UPSTREAM_CONNECT_TIMEOUT)`,
    place: `127.0.0.1:${mute.port} · 0.2 s`,
  })
})

test('a certificate says what is wrong with it', async () => {
  const impostor = open(await createFakeUpstream({ tls: elsewhere }))
  expect(await told(`https://known.test:${impostor.port}`)).toMatchObject({
    cause: 'certificate_wrong_name',
    reason: `the certificate of known.test:${impostor.port} is not for this name (ERR_TLS_CERT_ALTNAME_INVALID)`,
  })
  const proper = open(await createFakeUpstream({ tls: leaf }))
  const { caPem: _, ...nobody } = { caPem: '' }
  const stranger = open(createTransport({ allow: ['127.0.0.0/8'], connectTimeoutMs: 2000, ...nobody }))
  const error = await exchanged({ transport: stranger, origin: proper.url, proxy: null }, '/').catch(
    (thrown: unknown) => thrown,
  )
  expect(explainFailure(error, { origin: proper.url, proxy: null })).toMatchObject({
    cause: 'certificate_untrusted',
    reason: expect.stringMatching(
      /^the certificate of 127\.0\.0\.1:\d+ is of an authority that is not trusted here \(/,
    ),
  })
  const plain = open(await createFakeUpstream())
  expect(await told(plain.url.replace('http:', 'https:'))).toMatchObject({ cause: 'tls_failed' })
})

test('a proxy that is at fault is named, its password and user are not', async () => {
  const target = 'https://upstream.test:8443'
  const port = await closedPort()
  const credentials = { username: 'u', password: 'p' }
  const mute = open(await listening(createServer((socket) => void socket.resume())))
  const cases: [string, string, RegExp][] = [
    [
      `socks5://ada:hunter2@127.0.0.1:${port}`,
      'proxy_connection_refused',
      /^connection refused by proxy 127\.0\.0\.1:\d+ \(ECONNREFUSED\)$/,
    ],
    [
      `http://ada:hunter2@127.0.0.1:${port}`,
      'proxy_connection_refused',
      /^connection refused by proxy 127\.0\.0\.1:\d+ \(ECONNREFUSED\)$/,
    ],
    [
      userinfo(open(await createConnectProxy({ credentials })).url),
      'proxy_login_refused',
      /^proxy 127\.0\.0\.1:\d+ refuses the login \(407\)$/,
    ],
    [
      userinfo(open(await createSocksProxy({ credentials })).url),
      'proxy_login_refused',
      /^proxy 127\.0\.0\.1:\d+ refuses the login \(/,
    ],
    [
      userinfo(open(await createConnectProxy({ refuseWith: 502 })).url),
      'proxy_cannot_reach',
      /^proxy 127\.0\.0\.1:\d+ cannot reach upstream\.test:8443 \(502\)$/,
    ],
    [
      open(await createSocksProxy({ refuseWith: 5 })).url,
      'proxy_cannot_reach',
      /^proxy 127\.0\.0\.1:\d+ cannot reach upstream\.test:8443 \(ConnectionRefused\)$/,
    ],
    [
      userinfo(open(await createConnectProxy({ refuseWith: 403 })).url),
      'proxy_failed',
      /127\.0\.0\.1:\d+ answered 403 to CONNECT upstream\.test:8443/,
    ],
    [
      `http://ada:hunter2@127.0.0.1:${mute.port}`,
      'proxy_connect_timeout',
      /^no connection to proxy 127\.0\.0\.1:\d+ within 0\.2 s \(UPSTREAM_CONNECT_TIMEOUT\)$/,
    ],
    [`http://ada:hunter2@nowhere.invalid.:1`, 'proxy_', /^(the name of|no connection to) proxy nowhere\.invalid\.:1/],
    ['ftp://ada:hunter2@127.0.0.1', 'proxy_failed', /not usable/],
  ]
  for (const [proxy, cause, reason] of cases) {
    const said = await told(target, proxy)
    expect(said.cause.startsWith(cause), `${proxy}: ${said.cause}`).toBe(true)
    expect(said.reason).toMatch(reason)
    expect(said.place).toMatch(/^\S+ → upstream\.test:8443/)
    expect(failureCauses).toContain(said.cause)
    for (const text of [said.reason, said.place]) expect(text).not.toMatch(/hunter2|ada/)
  }
}, 30_000)

test('behind a proxy that works, the fault of the upstream says which way it was tried', async () => {
  const impostor = open(await createFakeUpstream({ tls: elsewhere }))
  const proxy = open(await createConnectProxy())
  const { host } = new URL(proxy.url)
  expect(await told(`https://upstream.test:${impostor.port}`, proxy.url)).toEqual({
    cause: 'certificate_wrong_name',
    reason: `the certificate of upstream.test:${impostor.port} is not for this name, through proxy ${host} (ERR_TLS_CERT_ALTNAME_INVALID)`,
    place: `${host} → upstream.test:${impostor.port}`,
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  })
})

test('an address that may not be reached names both remedies', async () => {
  const said = await told('https://127.0.0.1:1', null, { allow: [] })
  expect(said.cause).toBe('address_refused')
  expect(said.reason).toContain('UPSTREAM_ALLOW')
})

test('a probe that nobody answers says so with the time it waited', async () => {
  const upstream = open(await createFakeUpstream())
  upstream.script((exchange) => exchange.hang())
  const transport = open(createTransport({ allow: ['127.0.0.0/8'], connectTimeoutMs: 1000 }))
  const request = { method: 'GET' as const, path: '/', headers: {}, body: null }
  const answer = await look(
    transport,
    { origin: upstream.url, proxy: null, originIsTrusted: true, proxyIsTrusted: true, request },
    100,
  )
  expect(answer).toMatchObject({ status: 0 })
  expect(answer.problem).toMatch(/^no response from 127\.0\.0\.1:\d+ within 0\.1 s \(/)
})

test('rows of attempts keep the code alone, and it leads to the same cause', () => {
  for (const [code, cause] of [
    ['ECONNREFUSED', 'connection_refused'],
    ['EAI_AGAIN', 'name_unresolved'],
    ['UND_ERR_SOCKET', 'connection_broken'],
    ['CERT_HAS_EXPIRED', 'certificate_expired'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate_untrusted'],
    ['HPE_INVALID_CONSTANT', 'not_http'],
    ['first_byte_timeout', 'no_answer'],
    ['idle_timeout', 'silent'],
    ['wrong_content_type', 'wrong_content_type'],
    ['UPSTREAM_PROXY_FAILED', 'proxy_failed'],
    ['rate_limit_error', null],
    ['', null],
  ])
    expect(causeOfCode(code as string)).toBe(cause)
  const tried = { origin: 'https://a.test', proxy: null }
  expect(explain('silent', 'idle_timeout', tried, 240_000).reason).toBe(
    'a.test:443 stopped in the middle of its response: nothing came within 240 s (idle_timeout)',
  )
  expect(explainFailure(new Error('CANARY of something else'), tried).reason).toBe(
    'the connection to a.test:443 failed (failed)',
  )
})
