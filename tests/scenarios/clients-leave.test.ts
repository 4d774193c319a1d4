import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { ReadableStream } from 'node:stream/web'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hangAfterEvents, hangBeforeHeaders, refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream, type Recorded, type Script } from '../support/fake-upstream.ts'
import { goldenStreams } from '../support/golden-streams.ts'
import { encodeEvents, textBlock } from '../support/sse-fixtures.ts'
import { heldMemory } from './collected.ts'
import { keyOf, type Pools, startPools, usualBody } from './pools.ts'

let upstream: FakeUpstream
let relay: Pools
const blockedMs = 1000

beforeAll(async () => {
  upstream = await createFakeUpstream()
  const one = { url: upstream.url }
  // Patient: only the client's leaving ends a request here.
  relay = await startPools(
    { p: [one], three: [one, one, one] },
    { timers: { firstByteStreamMs: 60_000, firstByteJsonMs: 60_000, idleMs: 60_000, pingMs: 60_000, blockedMs } },
  )
})
afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

/**
 * What comes first: the end of the upstream call, or the answer to a question that is asked only now and goes the same way. At once
 * is an order here: the bench has the clock.
 */
async function firstOf(request: Recorded): Promise<string> {
  const next = relay.ask('p', { path: '/v1/messages/count_tokens' })
  const first = await Promise.race([request.closed, next.then(() => 'the next answer')])
  expect((await next).status).toBe(200)
  return first
}

/** Leaves when the upstream has the request `index`. */
async function leave(pool: string, index: number, stream = true): Promise<string> {
  const left = new AbortController()
  const asked = relay.ask(pool, { signal: left.signal, body: { stream } }).catch(() => null)
  const request = await upstream.arrived(index)
  left.abort()
  const first = await firstOf(request)
  await asked
  return first
}

test.each([true, false])(
  'fault 32: a client that leaves before headers: upstream closed at once, row aborted, nothing charged (stream: %s)',
  async (stream) => {
    upstream.script(hangBeforeHeaders)
    expect(await leave('p', upstream.requests.length, stream)).toBe('aborted')
    expect((await relay.rows()).at(-1)).toMatchObject({
      outcome: 'aborted',
      error_type: 'client_left',
      cost_nano: 0,
      attempts: 1,
    })
  },
)

test('fault 32, client point 16: a client that leaves in mid-stream: upstream closed at once, row aborted, billed for what was read', async () => {
  upstream.script(hangAfterEvents(5))
  const index = upstream.requests.length
  const left = new AbortController()
  const response = await fetch(`${relay.base}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': keyOf('p') },
    body: JSON.stringify(usualBody),
    signal: left.signal,
  })
  let text = ''
  const reader = response.body!.getReader()
  while (!text.includes('word 1')) text += Buffer.from((await reader.read()).value!).toString()
  left.abort()
  expect(await firstOf(await upstream.arrived(index))).toBe('aborted')
  const row = (await relay.rows()).at(-1)
  expect(row).toMatchObject({ outcome: 'aborted', http_status: 200, usage_source: 'estimated' })
  expect(row?.['input_tokens']).toBeGreaterThan(0)
  // Two deltas of "word 0 你好 🙂 " were read: 22 other characters, 4 a token, and 4 of Chinese, 1.5 a token.
  expect(row?.['output_tokens']).toBe(Math.ceil(22 / 4 + 4 / 1.5))
  expect(row?.['cost_nano']).toBeGreaterThan(0)
  // The next request of its conversation finds everything as it was.
  expect((await relay.ask('p')).text).toContain('event: message_stop')
  expect((await relay.rows()).at(-1)).toMatchObject({ outcome: 'completed', account_id: row?.['account_id'] })
})

test('fault 32: a client that leaves while the next account is asked: that one is closed, no third is asked', async () => {
  const index = upstream.requests.length
  upstream.script(refusal(500, 'api_error'), hangBeforeHeaders)
  expect(await leave('three', index + 1)).toBe('aborted')
  expect(await (await upstream.arrived(index)).closed).toBe('finished')
  expect((await relay.rows()).at(-1)).toMatchObject({ outcome: 'aborted', attempts: 2, cost_nano: 0 })
  // The third is the question of `firstOf`.
  expect(upstream.requests.slice(index + 2).map(({ path }) => path)).toEqual(['/v1/messages/count_tokens'])
})

/** Sends a request over a bare socket and never reads the answer. */
async function askAndNeverRead(base: string, stream: boolean, framing = 'content-length'): Promise<Socket> {
  const { port } = new URL(base)
  const socket = connect({ host: '127.0.0.1', port: Number(port) })
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.pause()
  const body = JSON.stringify({ ...usualBody, stream })
  const head = `POST /claude-code/v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: ${keyOf('p')}\r\n`
  if (framing === 'content-length') socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`)
  else socket.write(`${head}transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)
  return socket
}

const wholeBytes = 96 * 1024 * 1024
const { text: golden } = goldenStreams()
const opening = encodeEvents(golden.events.slice(0, 2))
/** An event of 64 KB. */
const delta = encodeEvents(textBlock(0, ['x'.repeat(65_000)]).slice(1, 2))

const closing = encodeEvents(golden.events.slice(-3))

type Encoding = 'identity' | 'gzip'
/** Members of a gzip file may follow each other; stored, so that as many bytes travel as come out. */
const encoded = (bytes: Buffer, encoding: Encoding) => (encoding === 'gzip' ? gzipSync(bytes, { level: 0 }) : bytes)

/** Deltas of `size` bytes together, then the end of the answer. */
const flood =
  (encoding: Encoding, size: number, wrote: (bytes: number) => void = () => {}): Script =>
  async (exchange) => {
    const next = encoded(delta, encoding)
    await exchange.begin(200, encoding === 'gzip' ? { 'content-encoding': 'gzip' } : {})
    await exchange.write(encoded(opening, encoding))
    for (let sent = 0; sent < size && !exchange.request.socket.destroyed; sent += next.length) {
      await exchange.write(next)
      wrote(next.length)
    }
    await exchange.write(encoded(closing, encoding))
    await exchange.end()
  }

test.each(['identity', 'gzip'] as const)(
  'fault 33: a client that stops reading: the upstream (%s) is paused, memory stays, then both are closed',
  async (encoding) => {
    let sent = 0
    const index = upstream.requests.length
    upstream.script(
      flood(encoding, wholeBytes, (bytes) => {
        sent += bytes
      }),
    )
    const before = heldMemory().buffers
    let held = Number.POSITIVE_INFINITY
    let sentBefore = 0
    const look = () => {
      // Measured while nothing moves any more. Freed buffers are swept in the background: the least is what is held.
      if (sent > 0 && sent === sentBefore) held = Math.min(held, heldMemory().buffers - before)
      sentBefore = sent
      // No interval: where a collection takes longer than one, each turn would collect, and bring the stream one piece further.
      watch = setTimeout(look, 100)
    }
    let watch = setTimeout(look, 100)
    const client = await askAndNeverRead(relay.base, true)
    const request = await upstream.arrived(index)
    expect(await request.closed).toBe('aborted')
    clearTimeout(watch)
    // The systems' socket buffers took the rest.
    expect(sent).toBeLessThan(wholeBytes / 2)
    expect(held).toBeLessThan(1024 * 1024)
    expect((await relay.rows()).at(-1)).toMatchObject({ outcome: 'aborted', error_type: 'client_left' })
    client.destroy()
  },
)

// A body with a length comes on a connection of our own, one in chunks over node:http.
test.each(['content-length', 'chunked'])(
  'fault 33: a client that never reads an answer that is complete does not keep its connection, whatever it says meanwhile (%s)',
  async (framing) => {
    const text = 'x'.repeat(24 * 1024 * 1024)
    upstream.script((exchange) =>
      exchange.respond(
        200,
        {},
        { type: 'message', model: 'm', content: [{ text }], usage: { input_tokens: 1, output_tokens: 1 } },
      ),
    )
    const index = upstream.requests.length
    const client = await askAndNeverRead(relay.base, false, framing)
    await upstream.arrived(index)
    expect((await relay.rows()).at(-1)).toMatchObject({ outcome: 'completed' })
    const closed = new Promise((resolve) => client.once('close', resolve))
    // What could become its next request.
    const head = 'GET / HTTP/1.1\r\nx: '
    let said = 0
    const talk = setInterval(() => client.write(head[said++] ?? 'y'), blockedMs / 10)
    await closed
    clearInterval(talk)
    expect(client.bytesRead).toBeLessThan(text.length)
  },
)

test.each(['identity', 'gzip'] as const)(
  'fault 33: a client that reads slowly gets everything (%s)',
  async (encoding) => {
    const size = 12 * 1024 * 1024
    upstream.script(flood(encoding, size))
    const response = await fetch(`${relay.base}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': keyOf('p') },
      body: JSON.stringify(usualBody),
    })
    let received = 0
    let last = ''
    for await (const chunk of response.body as unknown as ReadableStream<Uint8Array>) {
      const stop = Math.floor(received / 4e6) !== Math.floor((received + chunk.length) / 4e6)
      received += chunk.length
      last = (last + Buffer.from(chunk).toString('latin1')).slice(-200)
      // Shorter than blockedMs, longer than a buffer holds out.
      if (stop) await new Promise((resolve) => setTimeout(resolve, 200))
    }
    expect(received).toBeGreaterThan(size)
    expect(last).toMatch(/event: message_stop\n.*\n\n$/)
    expect((await relay.rows()).at(-1)).toMatchObject({ outcome: 'completed', usage_source: 'final' })
  },
)
