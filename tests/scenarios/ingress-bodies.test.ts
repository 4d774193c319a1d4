import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { type RelayApp, startRelayApp, testKey } from '../support/relay-app.ts'
import { openRaw, postHead, smallBody } from './ingress-socket.ts'

const megabyte = 1024 * 1024
let upstream: FakeUpstream
let relay: RelayApp
/** Bodies have 400 ms and what they earn. */
let hasty: RelayApp
/** Bodies have 1 MB, all together 3 MB. */
let tight: RelayApp
const greedyKey = 'sk-greedy-0123456789abcdef'

beforeAll(async () => {
  upstream = await createFakeUpstream()
  relay = await startRelayApp({
    accounts: [{ url: upstream.url }],
    env: { BODY_MEMORY_MB: '32' },
    // 31 MB take their time on a busy machine, and a late answer would send them up twice.
    timers: { firstByteJsonMs: 20_000 },
  })
  hasty = await startRelayApp({ accounts: [{ url: upstream.url }], readLimits: { bodyMs: 400 } })
  tight = await startRelayApp({
    accounts: [{ url: upstream.url }],
    keys: [
      { name: 'greedy', secret: greedyKey, group: 'g' },
      { name: 'other', secret: testKey, group: 'g' },
    ],
    bodyMemoryBytes: 3 * megabyte,
    readLimits: { bodyBytes: megabyte },
    timers: { firstByteJsonMs: 20_000 },
  })
})

afterAll(async () => {
  await relay.stop()
  await hasty.stop()
  await tight.stop()
  await upstream.close()
})

beforeEach(() => {
  upstream.requests.length = 0
})

async function post(body: string | Buffer, headers: Record<string, string> = {}, app = relay) {
  const response = await fetch(`${app.base}/v1/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, error: JSON.parse(text)?.error }
}

const rowCount = async () => (await relay.rows()).length

test.each([
  ['an empty body', ''],
  ['no object', '[]'],
  ['a truncated object', smallBody().slice(0, -3)],
  ['an open string', '{"model":"claude-opus-5-5'],
  ['brackets that do not match', '{"model":"m","messages":[}'],
  ['text behind the object', '{"model":"m"} x'],
  ['a byte order mark', `\ufeff${smallBody()}`],
  ['no model', '{"messages":[]}'],
  ['a model inside a tool schema only', '{"tools":[{"model":"claude-opus-5-5"}]}'],
  ['a null model', '{"model":null}'],
  ['an empty model', '{"model":""}'],
  ['a model that is a number', '{"model":5}'],
  ['a model of megabytes', JSON.stringify({ model: 'm'.repeat(megabyte) })],
  ['a model over several lines', '{"model":"a\\nb"}'],
  ['a second model that is none', '{"model":"claude-opus-5-5","model":null}'],
  ['a stream that is text', '{"model":"claude-opus-5-5","stream":"true"}'],
  ['a stream that is a number', '{"model":"claude-opus-5-5","stream":1}'],
])('fault 1: %s is answered 400, goes nowhere and costs nothing', async (_name, body) => {
  const rows = await rowCount()
  const answer = await post(body)
  expect(answer.status).toBe(400)
  expect(JSON.parse(answer.text)).toEqual({
    type: 'error',
    error: { type: 'invalid_request_error', message: expect.any(String) },
    request_id: answer.headers.get('request-id'),
  })
  expect(answer.headers.get('x-should-retry')).toBe('false')
  expect(answer.text.length).toBeLessThan(400)
  expect(upstream.requests).toEqual([])
  expect(await rowCount()).toBe(rows)
})

test.each([
  ['other malformed JSON', '{"model":"claude-opus-5-5","max_tokens":01,"messages":[tru]}'],
  ['messages that are text', '{"model":"claude-opus-5-5","messages":"x"}'],
  ['negative max_tokens', '{"model":"claude-opus-5-5","max_tokens":-1,"messages":[]}'],
  ['boundless max_tokens', '{"model":"claude-opus-5-5","max_tokens":1e999,"messages":[]}'],
])('fault 1, fault 2: %s goes up byte for byte, and the answer of the upstream comes back', async (_name, body) => {
  upstream.script(refusal(400, 'invalid_request_error', 'messages: what the upstream says'))
  const answer = await post(body)
  expect(upstream.requests[0]?.body.toString()).toBe(body)
  expect(answer.status).toBe(400)
  expect(answer.error.message).toBe('messages: what the upstream says')
})

test('fault 2: ten thousand levels are answered 400, at depth 1 and inside messages, in arrays and objects', async () => {
  const arrays = '['.repeat(10_000) + ']'.repeat(10_000)
  const objects = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`
  for (const deep of [arrays, objects]) {
    for (const body of [`{"model":"claude-opus-5-5","messages":${deep}}`, `{"model":${deep}}`, deep]) {
      const answer = await post(body)
      expect(answer.status).toBe(400)
      expect(answer.error.type).toBe('invalid_request_error')
    }
  }
  expect(upstream.requests).toEqual([])
})

test('fault 4: gzip bombs of 10 GB stop at the cap or the budget, and their memory comes back', async () => {
  const member = gzipSync(Buffer.alloc(64 * megabyte, 0x20))
  const bomb = Buffer.concat(Array.from({ length: 160 }, () => member))
  expect(bomb.length).toBeLessThan(11 * megabyte)
  // Decoded to their end these would take minutes, and the test its deadline.
  for (let round = 0; round < 3; round++) {
    const answer = await post(bomb, { 'content-encoding': 'gzip' })
    expect([413, 529]).toContain(answer.status)
  }
  // The whole budget is free again, as soon as what was being unpacked has stopped.
  const whole = async () => (await post(padded(31 * megabyte))).status
  await expect.poll(whole, { timeout: 10_000 }).toBe(200)
  expect(upstream.requests.length).toBe(1)
})

test('fault 4: a bomb within the budget is answered 413', async () => {
  const small = await startRelayApp({ accounts: [{ url: upstream.url }], readLimits: { bodyBytes: megabyte } })
  try {
    for (const size of [megabyte + 1, 64 * megabyte]) {
      const response = await fetch(`${small.base}/v1/messages`, {
        method: 'POST',
        headers: { 'x-api-key': testKey, 'content-encoding': 'gzip' },
        body: gzipSync(Buffer.alloc(size, 0x20)),
      })
      expect(response.status).toBe(413)
      expect(JSON.parse(await response.text()).error).toMatchObject({
        type: 'request_too_large',
        message: 'The request body is larger than 1 MB.',
      })
    }
  } finally {
    await small.stop()
  }
})

test('a compressed body goes up plain, without its content-encoding', async () => {
  const answer = await post(gzipSync(smallBody()), { 'content-encoding': 'gzip' })
  expect(answer.status).toBe(200)
  expect(upstream.requests[0]?.body.toString()).toBe(smallBody())
  expect(upstream.requests[0]?.headers['content-encoding']).toBeUndefined()
})

test.each(['zstd', 'gzip, br', 'constructor', '__proto__'])('content-encoding %s is answered 400', async (encoding) => {
  const answer = await post(gzipSync(smallBody()), { 'content-encoding': encoding })
  expect(answer.status).toBe(400)
  expect(answer.error.message).toContain('content-encoding')
})

test('a body that is not what its content-encoding says is answered 400', async () => {
  for (const body of [smallBody(), '', gzipSync(smallBody()).subarray(0, 20)]) {
    expect((await post(body, { 'content-encoding': 'gzip' })).status).toBe(400)
  }
})

test('fault 6: a slow body is answered 408 and closed, takes no place upstream, and a good request beside it is answered', async () => {
  const slow = await Promise.all(Array.from({ length: 20 }, () => openRaw(hasty.base)))
  for (const raw of slow) raw.send(postHead(['Content-Length: 1000']))
  const dribble = setInterval(() => {
    for (const raw of slow) if (!raw.socket.destroyed) raw.send('{')
  }, 50)
  try {
    const ends = slow.map((raw) => raw.answer())
    const good = post(smallBody(), {}, hasty).then((answer) => answer.status)
    expect(await Promise.race([good, ...ends])).toBe(200)
    for (const answer of await Promise.all(ends)) {
      expect(answer.status).toBe(408)
      expect(answer.json.error?.type).toBe('timeout_error')
      expect(answer.headers['connection']).toBe('close')
    }
    expect(upstream.requests.length).toBe(1)
  } finally {
    clearInterval(dribble)
    for (const raw of slow) raw.socket.destroy()
  }
})

test('fault 6: a slow body that keeps the pace it owes is not cut off', async () => {
  const text = padded(64 * 1024).toString()
  const raw = await openRaw(hasty.base)
  raw.send(postHead([`Content-Length: ${text.length}`]))
  // 60 KB earn almost four seconds more than the 400 ms that a body has anyway.
  raw.send(text.slice(0, 60 * 1024))
  await new Promise((resolve) => setTimeout(resolve, 800))
  raw.send(text.slice(60 * 1024))
  expect((await raw.answer()).status).toBe(200)
  raw.socket.destroy()
})

test('fault 49: 16 connections that announce whole bodies and send nothing keep nobody out', async () => {
  const silent = await Promise.all(Array.from({ length: 16 }, () => openRaw(tight.base)))
  for (const raw of silent) raw.send(postHead([`Content-Length: ${megabyte}`, 'Expect: 100-continue']))
  // "100 Continue" says that the relay waits for the body.
  for (const raw of silent) expect((await raw.answer()).status).toBe(100)
  expect((await post(padded(megabyte), {}, tight)).status).toBe(200)
  for (const raw of silent) raw.socket.destroy()
})

test.each([
  ['of announced length', (body: Buffer) => [postHead([`Content-Length: ${body.length}`], greedily), body]],
  ['in chunks', (body: Buffer) => [postHead(['Transfer-Encoding: chunked'], greedily), ...inOneChunk(body)]],
])(
  'fault 49: a key whose bodies %s hold its share is answered 529, and other keys are served',
  async (_name, parts) => {
    const body = padded(megabyte)
    const holders = [await holdBody(parts(body)), await holdBody(parts(body))]
    const more = () => post(body, { authorization: `Bearer ${greedyKey}` }, tight)
    const refused = await more()
    expect(refused.status).toBe(529)
    expect(refused.error.type).toBe('overloaded_error')
    expect(refused.headers.get('retry-after')).toBe('1')
    expect((await post(body, {}, tight)).status).toBe(200)
    for (const raw of holders) raw.socket.destroy()
    await expect.poll(async () => (await more()).status).toBe(200)
  },
)

const greedily = { key: greedyKey }
const inOneChunk = (body: Buffer) => [`${body.length.toString(16)}\r\n`, body, '\r\n0\r\n\r\n']

/** A request whose body has come, and whose upstream does not answer: the relay holds it until the client leaves. */
async function holdBody(parts: (string | Buffer)[]) {
  const held = new Promise<void>((resolve) => {
    upstream.script((exchange) => {
      resolve()
      return exchange.hang()
    })
  })
  const raw = await openRaw(tight.base)
  for (const part of parts) raw.send(part)
  await held
  return raw
}

/** A good body of so many bytes. */
const padded = (size: number): Buffer => Buffer.from(smallBody({ pad: 'x'.repeat(size - smallBody().length - 9) }))
