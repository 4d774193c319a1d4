import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { type RelayApp, startRelayApp, testKey } from '../support/relay-app.ts'
import { messagesPath, openRaw, postHead, postOf, smallBody } from './ingress-socket.ts'

let upstream: FakeUpstream
let relay: RelayApp

beforeAll(async () => {
  upstream = await createFakeUpstream()
  relay = await startRelayApp({
    accounts: [{ url: upstream.url }],
    httpLimits: { headersMs: 600, checkMs: 100, headerBytes: 16 * 1024, headerCount: 150 },
  })
})

afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

/** Sends bytes on a connection of their own; the answer, once the server has also closed its side. */
async function refused(bytes: string) {
  const raw = await openRaw(relay.base)
  raw.send(bytes)
  const answer = await raw.answer()
  await raw.ended
  raw.socket.destroy()
  return answer
}

test('fault 5: five hundred slow-loris sockets are told 408 and closed, and a good request beside them is answered', async () => {
  const lorises = await Promise.all(Array.from({ length: 500 }, () => openRaw(relay.base)))
  for (const loris of lorises) loris.send(`POST ${messagesPath} HTTP/1.1\r\nHost: relay\r\nX-Slow: `)
  const dribble = setInterval(() => {
    for (const loris of lorises) if (!loris.socket.destroyed) loris.send('a')
  }, 100)
  try {
    const ends = lorises.map(async (loris) => (await loris.answer()).status)
    const good = await openRaw(relay.base)
    good.send(postOf(smallBody()))
    const first = await Promise.race([good.answer().then((answer) => answer.status), ...ends])
    expect(first).toBe(200)
    good.socket.destroy()
    expect(new Set(await Promise.all(ends))).toEqual(new Set([408]))
    await Promise.all(lorises.map((loris) => loris.gone()))
  } finally {
    clearInterval(dribble)
  }
})

test('fault 5: a connection that never says a word is closed too', async () => {
  const silent = await openRaw(relay.base)
  expect((await silent.answer()).status).toBe(408)
  await silent.gone()
})

test('fault 7: a header of 17 KB is answered 431 and the connection is closed', async () => {
  const answer = await refused(postHead([`X-Big: ${'a'.repeat(17 * 1024)}`, 'Content-Length: 2']))
  expect(answer.status).toBe(431)
  expect(answer.json.error?.type).toBe('invalid_request_error')
  expect(answer.headers['x-should-retry']).toBe('false')
})

test('fault 7: two hundred headers are answered 431, a hundred pass', async () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => `X-Many-${index}: 1`)
  for (const count of [200, 3000]) {
    const answer = await refused(postOf(smallBody(), many(count)))
    expect(answer.status).toBe(431)
    expect(answer.json.error?.type).toBe('invalid_request_error')
  }
  const raw = await openRaw(relay.base)
  raw.send(postOf(smallBody(), many(100)))
  expect((await raw.answer()).status).toBe(200)
  raw.socket.destroy()
})

test.each([
  ['NUL', 'sk-bad\0key'],
  ['a bare CR', 'sk-bad\rkey'],
  ['a bare LF', 'sk-bad\nkey'],
  ['CRLF and a status line', 'sk-bad\r\nHTTP/1.1 200 OK'],
])('fault 7: %s in the key is answered 400 and closed, and no log line carries it', async (_name, key) => {
  const logged = relay.log.length
  const calls = upstream.requests.length
  const answer = await refused(`${postHead(['Content-Length: 2'], { key })}{}`)
  expect(answer.status).toBe(400)
  expect(answer.json.error?.type).toBe('invalid_request_error')
  expect(answer.body).not.toContain('sk-bad')
  expect(relay.log.slice(logged)).toEqual([])
  expect(upstream.requests.length).toBe(calls)
})

test('fault 7: a header line injected behind the key is a header, not another answer', async () => {
  const raw = await openRaw(relay.base)
  raw.send(`${postHead(['Content-Length: 2'], { key: 'sk-bad\r\nX-Injected: yes' })}{}`)
  const answer = await raw.answer()
  expect(answer.status).toBe(401)
  expect(JSON.stringify(answer)).not.toContain('njected')
  raw.socket.destroy()
})

const chunked = `2\r\n{}\r\n0\r\n\r\n`
test.each([
  ['content-length beside transfer-encoding', ['Content-Length: 2', 'Transfer-Encoding: chunked'], chunked],
  ['transfer-encoding beside content-length', ['Transfer-Encoding: chunked', 'Content-Length: 2'], chunked],
  ['two content-lengths that differ', ['Content-Length: 2', 'Content-Length: 3'], '{}'],
  ['two content-lengths that agree', ['Content-Length: 2', 'Content-Length: 2'], '{}'],
  ['a list of content-lengths', ['Content-Length: 2, 2'], '{}'],
  ['a signed content-length', ['Content-Length: +2'], '{}'],
  ['a hexadecimal content-length', ['Content-Length: 0x2'], '{}'],
  ['a folded header', ['X-Folded: one', ' two', 'Content-Length: 2'], '{}'],
  ['a folded transfer-encoding', ['Transfer-Encoding:', ' chunked'], chunked],
  ['a coding behind chunked', ['Transfer-Encoding: chunked, identity'], chunked],
  ['an unknown transfer-encoding', ['Transfer-Encoding: xchunked'], chunked],
  ['a blank before the colon', ['Content-Length : 2'], '{}'],
  ['a chunk size that is none', ['Transfer-Encoding: chunked'], 'zz\r\n{}\r\n0\r\n\r\n'],
  ['a chunk longer than it says', ['Transfer-Encoding: chunked'], '1\r\n{}\r\n0\r\n\r\n'],
])('fault 8: %s is answered 400 and closed', async (_name, lines, body) => {
  const calls = upstream.requests.length
  // What a smuggler would hide behind it must not be answered: there is one answer, then the end.
  const raw = await openRaw(relay.base)
  raw.send(`${postHead(lines) + body}GET /health HTTP/1.1\r\nHost: relay\r\n\r\n`)
  const answer = await raw.answer()
  expect(answer.status).toBe(400)
  expect(answer.json.error?.type).toBe('invalid_request_error')
  expect(answer.headers['connection']).toBe('close')
  await expect(raw.answer()).rejects.toThrow('ended')
  raw.socket.destroy()
  expect(upstream.requests.length).toBe(calls)
})

test('fault 8: a client that stays behind its 400 is cut off', async () => {
  const raw = await openRaw(relay.base)
  raw.send(postHead(['Content-Length: 2', 'Content-Length: 3']))
  expect((await raw.answer()).status).toBe(400)
  await raw.gone()
})

test('fault 8: line ends without CR do not make a request', async () => {
  const answer = await refused(`POST ${messagesPath} HTTP/1.1\nHost: relay\nContent-Length: 2\n\n{}`)
  expect(answer.status).toBe(400)
})

test('fault 12: pipelined requests are answered one by one in their order', async () => {
  const raw = await openRaw(relay.base)
  const texts = [smallBody({ stream: true }), '{"no":"model"}', smallBody(), smallBody({ stream: true })]
  raw.send(`${texts.map((text) => postOf(text)).join('')}GET /nowhere HTTP/1.1\r\nHost: relay\r\n\r\n`)
  const answers = [await raw.answer(), await raw.answer(), await raw.answer(), await raw.answer(), await raw.answer()]
  expect(answers.map((answer) => answer.status)).toEqual([200, 400, 200, 200, 404])
  expect(answers.map((answer) => answer.headers['content-type'])).toEqual([
    expect.stringContaining('text/event-stream'),
    'application/json',
    'application/json',
    expect.stringContaining('text/event-stream'),
    'application/json',
  ])
  raw.socket.destroy()
})

test('fault 12: nonsense behind a whole request does not take its answer away', async () => {
  const raw = await openRaw(relay.base)
  raw.send(`${postOf(smallBody({ stream: true }))}\0nonsense\r\n\r\n`)
  const answer = await raw.answer()
  expect(answer.status).toBe(200)
  expect(answer.body).toContain('message_stop')
  await raw.gone()
})

test('an HTTP/1.0 client gets its whole answer, and the connection is closed behind it', async () => {
  const body = smallBody({ stream: true })
  const raw = await openRaw(relay.base)
  const chunks: Buffer[] = []
  raw.socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  raw.send(
    `POST ${messagesPath} HTTP/1.0\r\nx-api-key: ${testKey}\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  await raw.ended
  const text = Buffer.concat(chunks).toString()
  expect(text.startsWith('HTTP/1.1 200 OK\r\n')).toBe(true)
  expect(text.toLowerCase()).not.toContain('transfer-encoding')
  expect(text).toMatch(/event: message_stop\ndata: .*\n\n$/)
  raw.socket.destroy()
})

test('a request of HTTP/1.1 without a host is answered 400 in the shape of all errors, and closed', async () => {
  const answer = await refused(`GET /claude-code/v1/models HTTP/1.1\r\nx-api-key: ${testKey}\r\n\r\n`)
  expect(answer.status).toBe(400)
  expect(answer.json.error?.message).toContain('host')
})

test.each(['/responses', '/claude-code/responses', '/claude-code/v1/messages', '/graphql/other', '/'])(
  'client point 9: an upgrade of %s is answered 426 and closed at once, also for a client that stays',
  async (path) => {
    const raw = await openRaw(relay.base)
    raw.send(
      `GET ${path} HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    )
    const answer = await raw.answer()
    expect(answer.status).toBe(426)
    expect(answer.headers['x-should-retry']).toBe('false')
    expect(answer.json.type).toBe('error')
    await raw.gone()
  },
)

test('a client that offers HTTP/2 on plain HTTP, as Java does, is served in HTTP/1.1', async () => {
  const body = smallBody({ text: 'x'.repeat(200_000) })
  const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAEAAEAAAAIAAAAB']
  const request = postOf(body, offer)
  const raw = await openRaw(relay.base)
  // The body in two pieces, the second after the head was read.
  raw.send(request.slice(0, -100_000))
  await new Promise((resolve) => setTimeout(resolve, 50))
  raw.send(request.slice(-100_000) + postOf(body))
  expect((await raw.answer()).status).toBe(200)
  expect((await raw.answer()).status).toBe(200)
  const [first, second] = upstream.requests.slice(-2)
  expect(first!.body.toString()).toBe(body)
  expect(second!.body.toString()).toBe(body)
  expect(first!.rawHeaders.join(' ').toLowerCase()).not.toMatch(/upgrade|http2-settings/)
  raw.socket.destroy()
})

test('a request that names the whole URL is answered like one that names the path', async () => {
  const raw = await openRaw(relay.base)
  const body = smallBody()
  raw.send(postHead([`Content-Length: ${body.length}`], { path: `http://relay${messagesPath}?beta=true` }) + body)
  expect((await raw.answer()).status).toBe(200)
  expect(upstream.requests.at(-1)!.path).toBe('/v1/messages?beta=true')
  raw.send('GET http://relay/health HTTP/1.1\r\nHost: relay\r\n\r\n')
  expect((await raw.answer()).body).toBe('ok\n')
  raw.socket.destroy()
})

test('an expectation that nobody knows is ignored', async () => {
  const raw = await openRaw(relay.base)
  raw.send(postOf(smallBody(), ['Expect: 200-ok']))
  expect((await raw.answer()).status).toBe(100)
  expect((await raw.answer()).status).toBe(200)
  raw.socket.destroy()
})

test('a client that opens a connection and leaves disturbs nobody', async () => {
  const raw = await openRaw(relay.base)
  raw.send(`POST ${messagesPath} HTTP/1.1\r\nHost: relay\r\n`)
  raw.socket.resetAndDestroy()
  await once(raw.socket, 'close')
  expect((await fetch(`${relay.app.url}/health`)).status).toBe(200)
})
