import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ConnectProxy, createConnectProxy } from '../support/connect-proxy.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { createSocksProxy, type SocksProxy } from '../support/socks-proxy.ts'
import { elsewhere } from '../support/test-ca.ts'
import { type Pools, startPools, usualBody } from './pools.ts'

/** `upstream.test` is a name that only the proxies can resolve. */
const caFile = fileURLToPath(new URL('../support/pem/ca.pem', import.meta.url))
/** The first failure already changes the account's state, and is told. */
const toldAtOnce = { failures: 1, windowMs: 60_000, firstCooldownMs: 1, maxCooldownMs: 1, halfOpenMs: 1 }
const credentials = { username: 'user', password: 'PROXY-CANARY:/@%é' }
let upstream: FakeUpstream
let impostor: FakeUpstream
let connectProxy: ConnectProxy
let socksProxy: SocksProxy
let relay: Pools

beforeAll(async () => {
  upstream = await createFakeUpstream({ tls: true })
  impostor = await createFakeUpstream({ tls: elsewhere })
  connectProxy = await createConnectProxy({ credentials })
  socksProxy = await createSocksProxy({ credentials })
  const url = `https://upstream.test:${upstream.port}`
  const wrong = (proxy: string) => proxy.replace(encodeURIComponent(credentials.password), 'WRONG-CANARY')
  relay = await startPools(
    {
      direct: [{ url: upstream.url }],
      connect: [{ url, proxy: connectProxy.url }],
      socks: [{ url, proxy: socksProxy.url }],
      wrongConnect: [{ url, proxy: wrong(connectProxy.url) }],
      wrongSocks: [{ url, proxy: wrong(socksProxy.url) }],
      impostor: [{ url: `https://upstream.test:${impostor.port}`, proxy: connectProxy.url }],
      failedOver: [
        { url, proxy: wrong(connectProxy.url), priority: 1 },
        { url, proxy: socksProxy.url, priority: 2 },
      ],
    },
    { env: { CA_FILE: caFile }, statePolicy: toldAtOnce },
  )
})
afterAll(async () => {
  await relay.stop()
  for (const server of [upstream, impostor, connectProxy, socksProxy]) await server.close()
})

test('an upstream whose certificate the CA of CA_FILE signed is reached', async () => {
  expect((await relay.ask('direct')).text).toMatch(/event: message_stop\n.*\n\n$/)
})

test.each(['connect', 'socks'] as const)(
  'through a %s proxy with a password the upstream is reached by its name, for streams and for JSON',
  async (kind) => {
    const { targets } = kind === 'connect' ? connectProxy : socksProxy
    for (const stream of [true, false]) {
      const answer = await relay.ask(kind, { body: { stream } })
      expect(answer.status).toBe(200)
      expect(answer.text).toContain(stream ? 'event: message_stop' : '"stop_reason":"end_turn"')
      expect(upstream.requests.at(-1)!.headers.host).toBe(`upstream.test:${upstream.port}`)
      expect(JSON.parse(upstream.requests.at(-1)!.body.toString())).toEqual({ ...usualBody, stream })
    }
    expect(targets).toContain(`upstream.test:${upstream.port}`)
  },
)

test.each(['wrongConnect', 'wrongSocks'])(
  'a proxy that refuses its password (%s) is a failure of the account, named in the log without the password',
  async (pool) => {
    const before = upstream.requests.length
    const answer = await relay.ask(pool)
    expect(answer.status).toBe(529)
    expect(upstream.requests.length).toBe(before)
    expect((await relay.attempts()).at(-1)).toMatchObject({ outcome: 'failing', error_type: 'UPSTREAM_PROXY_FAILED' })
    expect(relay.log.find((line) => line.includes(`"${pool} 1"`))).toMatch(
      /proxy 127\.0\.0\.1:\d+ refuses the login \(/,
    )
    for (const text of [answer.text, ...relay.log]) expect(text).not.toContain('CANARY')
  },
)

test('a proxy that does not work is followed by the next account', async () => {
  const answer = await relay.ask('failedOver')
  expect(answer.status).toBe(200)
  expect((await relay.rows()).at(-1)).toMatchObject({ attempts: 2, outcome: 'completed' })
})

test('fault 13: a certificate for another name is refused, also behind a proxy', async () => {
  expect((await relay.ask('impostor')).status).toBe(529)
  expect(impostor.requests.length).toBe(0)
  expect((await relay.attempts()).at(-1)).toMatchObject({ error_type: 'ERR_TLS_CERT_ALTNAME_INVALID' })
})

test('fault 13: a certificate of a CA that nobody named is refused', async () => {
  const distrusting = await startPools({ p: [{ url: upstream.url }] })
  const before = upstream.requests.length
  try {
    expect((await distrusting.ask('p')).status).toBe(529)
    expect(upstream.requests.length).toBe(before)
  } finally {
    await distrusting.stop()
  }
})

test('an address that the policy forbids: 503 for the client without a word of it, the remedy in the log', async () => {
  const plain = await createFakeUpstream()
  const strict = await startPools(
    { p: [{ url: plain.url }], q: [{ url: 'https://169.254.169.254' }] },
    { env: { UPSTREAM_ALLOW: '10.0.0.0/8' }, statePolicy: toldAtOnce },
  )
  try {
    for (const [pool, address] of [
      ['p', '127.0.0.1'],
      ['q', '169.254.169.254'],
    ] as const) {
      const answer = await strict.ask(pool)
      expect(answer.status).toBe(503)
      expect(answer.headers.get('x-should-retry')).toBe('false')
      expect(answer.text).not.toContain(address)
      const line = strict.log.find((text) => text.includes(`"${pool} 1"`)) ?? ''
      expect(line).toContain(address)
      expect(line).toContain('UPSTREAM_ALLOW')
    }
    expect(plain.requests.length).toBe(0)
  } finally {
    await strict.stop()
    await plain.close()
  }
})
