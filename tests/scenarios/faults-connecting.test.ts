import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { htmlPage, redirect } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { type Listening, listening } from '../support/listening.ts'
import { elsewhere } from '../support/test-ca.ts'
import { startWatched, type Watched } from './watched.ts'

/** Only a connect deadline of half a second can end a connection that hangs: all others are minutes. */
const patient = { firstByteStreamMs: 60_000, firstByteJsonMs: 60_000, idleMs: 60_000 }
const connectTimeoutMs = 500
const caFile = fileURLToPath(new URL('../support/pem/ca.pem', import.meta.url))

let good: FakeUpstream
let other: FakeUpstream
let impostor: FakeUpstream
let mute: Listening
let relay: Watched

/** Ways not to get a connection, and what the attempt's row calls them. */
const ways = {
  'refuses connections': 'ECONNREFUSED',
  'has a name that does not resolve': 'ENOTFOUND',
  'has a name that nobody answers for': 'UPSTREAM_CONNECT_TIMEOUT',
  'has a certificate for another name': 'ERR_TLS_CERT_ALTNAME_INVALID',
  'speaks no TLS': 'ERR_SSL_WRONG_VERSION_NUMBER',
  'never ends its handshake': 'UPSTREAM_CONNECT_TIMEOUT',
} as const
type Way = keyof typeof ways
const names = Object.keys(ways) as Way[]
const poolOf = (way: Way): string => way.replaceAll(' ', '-')

beforeAll(async () => {
  good = await createFakeUpstream()
  other = await createFakeUpstream()
  impostor = await createFakeUpstream({ tls: elsewhere })
  mute = await listening(createServer((socket) => void socket.resume()))
  const closed = await listening(createServer())
  await closed.close()
  const urls: Record<Way, string> = {
    'refuses connections': `http://127.0.0.1:${closed.port}`,
    'has a name that does not resolve': 'https://nowhere.test',
    'has a name that nobody answers for': 'https://silence.test',
    'has a certificate for another name': impostor.url,
    'speaks no TLS': good.url.replace('http:', 'https:'),
    'never ends its handshake': `https://127.0.0.1:${mute.port}`,
  }
  relay = await startWatched(
    {
      ...Object.fromEntries(
        names.flatMap((way) => [
          [
            poolOf(way),
            [
              { url: urls[way], priority: 1 },
              { url: good.url, priority: 2 },
            ],
          ],
          [`alone-${poolOf(way)}`, [{ url: urls[way] }]],
        ]),
      ),
      alone: [{ url: good.url }],
    },
    {
      connectTimeoutMs,
      timers: patient,
      env: { CA_FILE: caFile },
      lookup(name, _how, done) {
        if (name === 'silence.test') return
        done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), [])
      },
    },
  )
})
afterEach(() => relay.holds())
afterAll(async () => {
  await relay.stop()
  for (const one of [good, other, impostor]) {
    await vi.waitFor(() => expect(one.connections()).toBe(0))
    await one.close()
  }
  await mute.close()
})

const lastAttempts = async () => {
  const row = (await relay.rows()).at(-1)!
  return (await relay.attempts()).filter((attempt) => attempt['log_id'] === row['id'])
}

test.each(names)('fault 13: behind an account that %s the next one answers, streams and JSON', async (way) => {
  for (const stream of [true, false]) {
    const answer = await relay.ask(poolOf(way), { body: { stream } })
    expect(answer.status).toBe(200)
    expect(answer.text).toContain(stream ? 'event: message_stop' : '"stop_reason":"end_turn"')
    const attempts = await lastAttempts()
    expect(attempts).toMatchObject([
      { outcome: 'failing', http_status: 0, error_type: ways[way], charged: 0 },
      { outcome: 'answer', charged: 1 },
    ])
  }
})

test.each(names)('fault 13: a single account that %s is a 529 in the shape of errors, not a page', async (way) => {
  for (const stream of [true, false]) {
    const answer = await relay.ask(`alone-${poolOf(way)}`, { body: { stream } })
    expect(answer.status).toBe(529)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(JSON.parse(answer.text)).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } })
    // Why, is for administrators; clients learn no upstream.
    expect(answer.text).not.toMatch(/127\.0\.0\.1|\.test|ECONN|ENOTFOUND|TLS/)
  }
})

test.each([301, 302, 303, 307, 308])('fault 30: a %s is not followed, neither to us nor to anybody', async (status) => {
  for (const location of [`${other.url}/v1/messages`, 'http://169.254.169.254/latest/meta-data']) {
    good.script(redirect(location, status))
    const before = good.requests.length
    const answer = await relay.ask('alone')
    expect(answer.status).toBe(503)
    expect(answer.headers.get('location')).toBeNull()
    expect(answer.text).not.toContain(location)
    expect(good.requests.length).toBe(before + 1)
    expect(await lastAttempts()).toMatchObject([{ outcome: 'failing', http_status: status, error_type: 'redirect' }])
  }
  expect(other.requests).toEqual([])
})

test.each([true, false])(
  'fault 28: a captive portal with a page and status 200 is no answer (stream: %s)',
  async (stream) => {
    good.script(htmlPage)
    const answer = await relay.ask('alone', { body: { stream } })
    expect(answer.status).toBe(529)
    expect(answer.text).not.toContain('Wi-Fi')
    expect(await lastAttempts()).toMatchObject([{ outcome: 'failing', error_type: 'wrong_content_type' }])
    // A page with an error's status is no answer of the API either.
    good.script((exchange) => exchange.respond(511, { 'content-type': 'text/html' }, '<h1>Sign in</h1>'))
    expect((await relay.ask('alone', { body: { stream } })).status).toBe(529)
    expect(await lastAttempts()).toMatchObject([{ outcome: 'failing', http_status: 511 }])
  },
)
