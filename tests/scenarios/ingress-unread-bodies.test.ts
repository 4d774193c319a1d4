import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { type RelayApp, startRelayApp, testKey } from '../support/relay-app.ts'
import { openRaw, postHead, postOf, type RawConnection, smallBody } from './ingress-socket.ts'

const megabyte = 1024 * 1024
const piece = Buffer.alloc(64 * 1024, 0x20)
let upstream: FakeUpstream
let relay: RelayApp

beforeAll(async () => {
  upstream = await createFakeUpstream()
  // A machine with other work may take its time over 32 MB.
  relay = await startRelayApp({ accounts: [{ url: upstream.url }], timers: { firstByteJsonMs: 15_000 } })
})

afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const buffersNow = (): number => {
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}

/** Sends pieces, in chunks when asked, until `total` or until the server has had enough. Bytes handed to the system. */
async function pour(raw: RawConnection, total: number, chunked: boolean): Promise<number> {
  let sent = 0
  let isOver = false
  void raw.ended.then(() => {
    isOver = true
  })
  while (sent < total && !isOver) {
    if (chunked) raw.send(`${piece.length.toString(16)}\r\n`)
    raw.send(piece)
    if (chunked) raw.send('\r\n')
    sent += piece.length
    if (raw.socket.writableNeedDrain) await Promise.race([once(raw.socket, 'drain').catch(() => {}), raw.ended])
  }
  return raw.socket.bytesWritten - raw.socket.writableLength
}

test('fault 3: 33 MB announced by a known key are answered 413 before a byte of them is read, and closed', async () => {
  const raw = await openRaw(relay.base)
  raw.send(postHead([`Content-Length: ${33 * megabyte}`]))
  const answer = await raw.answer()
  expect(answer.status).toBe(413)
  expect(answer.json.error).toEqual({ type: 'request_too_large', message: 'The request body is larger than 32 MB.' })
  expect(answer.headers).toMatchObject({ connection: 'close', 'x-should-retry': 'false' })
  expect(await pour(raw, 33 * megabyte, false)).toBeLessThan(20 * megabyte)
  await raw.gone()
})

test('fault 3: 33 MB in chunks are answered 413 when the cap is passed, and their memory comes back', async () => {
  const before = buffersNow()
  for (let round = 0; round < 2; round++) {
    const raw = await openRaw(relay.base)
    raw.send(postHead(['Transfer-Encoding: chunked']))
    const answered = raw.answer()
    await pour(raw, 64 * megabyte, true)
    expect((await answered).status).toBe(413)
    await raw.gone()
  }
  await expect.poll(() => buffersNow() - before).toBeLessThan(2 * megabyte)
  expect(upstream.requests).toEqual([])
})

test.each([
  ['with a content-length', false],
  ['in chunks', true],
])(
  'fault 3: 33 MB %s of an unknown key are never held, and the connection is closed long before their end',
  async (_name, chunked) => {
    const before = buffersNow()
    const raw = await openRaw(relay.base)
    raw.send(
      postHead([chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${33 * megabyte}`], { key: 'sk-unknown' }),
    )
    // The answer does not wait for the body.
    const answer = await raw.answer()
    expect(answer.status).toBe(401)
    expect(answer.headers['connection']).toBe('close')
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }, 1)
    const sent = await pour(raw, 33 * megabyte, chunked)
    clearInterval(watch)
    // 4 MB are read and dropped so that the answer is seen; the rest is what two socket buffers hold.
    expect(sent).toBeLessThan(20 * megabyte)
    expect(most).toBeLessThan(12 * megabyte)
    await raw.gone()
    await expect.poll(() => buffersNow() - before).toBeLessThan(megabyte)
  },
)

test.each([
  ['/claude-code/v1/messages', 'sk-unknown', 401],
  ['/claude-code/api/event_logging/batch', testKey, 404],
  ['/elsewhere', testKey, 404],
])('fault 3: who sends 100 KB in chunks to %s sees the answer and not a reset', async (path, key, status) => {
  for (let round = 0; round < 10; round++) {
    const raw = await openRaw(relay.base)
    const errors: string[] = []
    raw.socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? ''))
    raw.send(postHead(['Transfer-Encoding: chunked'], { path, key }))
    // The answer does not wait for the body; whoever is still sending then is heard out.
    expect((await raw.answer()).status).toBe(status)
    await pour(raw, 100 * 1024, true)
    raw.send('0\r\n\r\n')
    await raw.ended
    expect(errors).toEqual([])
    raw.socket.destroy()
  }
})

test('fault 3: a client with a wrong key and an ordinary body gets its 401, again and again on one connection', async () => {
  const raw = await openRaw(relay.base)
  const body = 'x'.repeat(100 * 1024)
  for (let round = 0; round < 10; round++) {
    raw.send(postHead([`Content-Length: ${body.length}`], { key: 'sk-unknown' }) + body)
    const answer = await raw.answer()
    expect(answer.status).toBe(401)
    expect(answer.headers['connection']).not.toBe('close')
  }
  raw.send(postOf(smallBody()))
  expect((await raw.answer()).status).toBe(200)
  raw.socket.destroy()
})

test('fault 3: a client with a wrong key that asks before it sends is refused, and nothing it sends is taken for a request', async () => {
  const raw = await openRaw(relay.base)
  raw.send(postHead(['Content-Length: 500', 'Expect: 100-continue'], { key: 'sk-unknown' }))
  const answer = await raw.answer()
  expect(answer.status).toBe(401)
  expect(answer.headers['connection']).toBe('close')
  await raw.gone()
})

test('a client with a known key that asks before it sends is let in', async () => {
  const body = smallBody()
  const raw = await openRaw(relay.base)
  raw.send(postHead([`Content-Length: ${body.length}`, 'Expect: 100-continue']))
  expect((await raw.answer()).status).toBe(100)
  raw.send(body)
  expect((await raw.answer()).status).toBe(200)
  raw.socket.destroy()
})

test('a client that asks whether it may send 33 MB is told 413 at once', async () => {
  const raw = await openRaw(relay.base)
  raw.send(postHead([`Content-Length: ${33 * megabyte}`, 'Expect: 100-continue']))
  expect((await raw.answer()).status).toBe(413)
  await raw.gone()
})

test('the body of a GET is not read: it is answered and closed', async () => {
  for (const path of ['/health', '/claude-code', '/claude-code/v1/models']) {
    const raw = await openRaw(relay.base)
    raw.send(`GET ${path} HTTP/1.1\r\nHost: relay\r\nx-api-key: ${testKey}\r\nTransfer-Encoding: chunked\r\n\r\n`)
    const answer = await raw.answer()
    expect(answer.status).toBe(200)
    expect(answer.headers['connection']).toBe('close')
    await raw.gone()
  }
})

test('client point 14: a body of just under 32 MB goes up whole', async () => {
  const pad = 'x'.repeat(32 * megabyte - smallBody().length - 9)
  const body = smallBody({ pad })
  expect(body.length).toBe(32 * megabyte)
  const raw = await openRaw(relay.base)
  const { length } = upstream.requests
  raw.send(postOf(body))
  expect((await raw.answer()).status).toBe(200)
  expect(upstream.requests[length]?.body.equals(Buffer.from(body))).toBe(true)
  raw.socket.destroy()
})
