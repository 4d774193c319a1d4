import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { noTokens } from '../../server/money/reading.ts'
import { deferred } from '../support/deferred.ts'
import { engines, newDatabaseAddress, redisUrl } from '../support/engines.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream, type Script } from '../support/fake-upstream.ts'
import {
  deltaUsage,
  encodeEvents,
  messageDelta,
  messageStart,
  messageStop,
  ping,
  textBlock,
} from '../support/sse-fixtures.ts'
import { keyOf, type Pools, startPools, usualBody } from './pools.ts'

/** $4 a million tokens in, $20 out. */
const model = 'claude-opus-5-5'
const tokens = { ...noTokens, input: 1000, output: 500 }
const costNano = 1000 * 4_000 + 500 * 20_000
const blockedMs = 500
const drainMs = 2000

let upstream: FakeUpstream
let relay: Pools

beforeAll(async () => {
  upstream = await createFakeUpstream()
  const one = { url: upstream.url }
  relay = await startPools(
    { p: [one], two: [one, one], limited: [one] },
    {
      env: { CLIENT_DISCONNECT: 'drain', STREAM_EVENT_MB: '1' },
      keyFields: { limited: { totalLimitUsd: '0.01' } },
      // Nobody waits until a limit has room again.
      queue: { waitMs: 0, length: 0 },
      // Only what a test is about ends a request here.
      timers: {
        firstByteStreamMs: 60_000,
        firstByteJsonMs: 60_000,
        idleMs: 60_000,
        pingMs: 60_000,
        blockedMs,
        drainMs,
      },
    },
  )
})
afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

const before = [messageStart(model, tokens), ...textBlock(0, ['a', 'b']).slice(0, 2)]
const after = [...textBlock(0, ['a', 'b']).slice(2), messageDelta('end_turn', deltaUsage(tokens)), messageStop]

/** An answer that goes on when `wait` says so. */
const streamed =
  (wait: Promise<unknown>): Script =>
  async (exchange) => {
    await exchange.sse(before, { end: false })
    await wait
    await exchange.sse(after)
  }

/** Asks; resolves with the connection once the upstream has the question. */
async function ask(pool: string, more: { stream?: boolean; path?: string; base?: string } = {}): Promise<Socket> {
  const index = upstream.requests.length
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(more.base ?? relay.base).port) })
  const body = JSON.stringify({ ...usualBody, model, max_tokens: 1000, stream: more.stream ?? true })
  const path = `/claude-code${more.path ?? '/v1/messages'}`
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${keyOf(pool)}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  await upstream.arrived(index)
  return socket
}

/** Resolves when the relay knows that the client has gone. */
async function leave(socket: Socket, base = relay.base): Promise<void> {
  socket.destroy()
  await once(socket, 'close')
  // The end of that connection was on its way before this question.
  await fetch(base)
}

const lastRow = async () => (await relay.rows()).at(-1)
const lastEnd = () => upstream.requests.at(-1)!.closed
const left = { outcome: 'aborted', error_type: 'client_left' }
const billed = { usage_source: 'final', input_tokens: 1000, output_tokens: 500, cost_nano: costNano }

test.each([true, false])(
  'fault 32, drain: a client that leaves before headers: the answer is read to its usage and billed exactly (stream: %s)',
  async (stream) => {
    const go = deferred()
    upstream.script(async (exchange) => {
      await go.promise
      if (stream) return exchange.sse([...before, ...after])
      const usage = { input_tokens: 1000, output_tokens: 500 }
      await exchange.respond(200, {}, { type: 'message', model, content: [], usage })
    })
    await leave(await ask('p', { stream }))
    go.resolve()
    expect(await lastEnd()).toBe('finished')
    expect(await lastRow()).toMatchObject({ ...left, ...billed, http_status: 0, first_byte_ms: -1, attempts: 1 })
    expect((await relay.attempts()).at(-1)).toMatchObject({ outcome: 'answer', charged: 1, cost_nano: costNano })
  },
)

test('fault 32, drain: a client that leaves in mid-stream: the rest is read to its usage and billed exactly', async () => {
  const go = deferred()
  upstream.script(streamed(go.promise))
  const client = await ask('p')
  await once(client, 'data')
  await leave(client)
  go.resolve()
  expect(await lastEnd()).toBe('finished')
  expect(await lastRow()).toMatchObject({ ...left, ...billed, http_status: 200 })
})

test('fault 33, drain: a client that stops reading is cut off, and the rest is read to its usage', async () => {
  const delta = encodeEvents(textBlock(0, ['x'.repeat(65_000)]).slice(1, 2))
  upstream.script(async (exchange) => {
    await exchange.sse(before, { end: false })
    for (let sent = 0; sent < 24 * 1024 * 1024; sent += delta.length) await exchange.write(delta)
    await exchange.sse(after)
  })
  const client = await ask('p')
  client.pause()
  expect(await lastEnd()).toBe('finished')
  expect(await lastRow()).toMatchObject({ ...left, ...billed, http_status: 200 })
  client.destroy()
})

test('fault 32, drain: the limit of the key holds meanwhile, and counts what came after the client', async () => {
  const go = deferred()
  upstream.script(streamed(go.promise))
  const client = await ask('limited')
  await once(client, 'data')
  await leave(client)
  // It reserved 1000 tokens at most, twice the limit: all that the limit had.
  const refused = await relay.ask('limited', { body: { model } })
  expect([refused.status, JSON.parse(refused.text).error.type]).toEqual([429, 'rate_limit_error'])
  go.resolve()
  expect(await lastEnd()).toBe('finished')
  expect(await lastRow()).toMatchObject({ ...left, ...billed })
  const over = await relay.ask('limited', { body: { model } })
  expect([over.status, JSON.parse(over.text).error.type]).toEqual([429, 'billing_error'])
})

test('fault 32, drain: nothing is asked anew for a client that has left', async () => {
  const go = deferred()
  const index = upstream.requests.length
  upstream.script(async (exchange) => {
    await go.promise
    await refusal(500, 'api_error')(exchange)
  })
  await leave(await ask('two'))
  go.resolve()
  expect(await lastRow()).toMatchObject({ ...left, attempts: 1, cost_nano: 0 })
  expect(upstream.requests.length).toBe(index + 1)
})

test('fault 32, drain: a request that the upstream refuses after its client has left is told as left', async () => {
  const go = deferred()
  upstream.script(async (exchange) => {
    await go.promise
    await refusal(400, 'invalid_request_error')(exchange)
  })
  await leave(await ask('two'))
  go.resolve()
  expect(await lastRow()).toMatchObject({ ...left, attempts: 1, cost_nano: 0 })
})

test('fault 32, drain: an answer that does not end is read for a bounded time, and what was read is billed', async () => {
  upstream.script(async (exchange) => {
    await exchange.sse(before, { end: false })
    // Alive all the while.
    while (!exchange.request.socket.destroyed) {
      await exchange.sse([ping], { end: false })
      await new Promise((resolve) => setTimeout(resolve, drainMs / 20))
    }
  })
  const client = await ask('p')
  await once(client, 'data')
  const at = performance.now()
  await leave(client)
  expect(await lastEnd()).toBe('aborted')
  expect(performance.now() - at).toBeGreaterThanOrEqual(drainMs - 50)
  expect(await lastRow()).toMatchObject({ ...left, input_tokens: 1000, usage_source: 'estimated' })
})

test('fault 32, drain: an event that is too large ends the reading', async () => {
  const go = deferred()
  upstream.script(async (exchange) => {
    await exchange.sse(before, { end: false })
    await go.promise
    await exchange.write(encodeEvents(textBlock(0, ['x'.repeat(3 * 1024 * 1024)]).slice(1, 2)).subarray(0, -1))
    await exchange.hang()
  })
  const client = await ask('p')
  await once(client, 'data')
  await leave(client)
  go.resolve()
  expect(await lastEnd()).toBe('aborted')
  expect(await lastRow()).toMatchObject({ ...left, input_tokens: 1000, usage_source: 'estimated' })
  expect((await relay.attempts()).at(-1)).toMatchObject({ outcome: 'failing', error_type: 'event_too_large' })
})

test('fault 32, drain: an answer that breaks off after its client is billed as far as it came', async () => {
  const go = deferred()
  upstream.script(async (exchange) => {
    await exchange.sse(before, { end: false })
    await go.promise
    await exchange.reset()
  })
  const client = await ask('p')
  await once(client, 'data')
  await leave(client)
  go.resolve()
  expect(await lastRow()).toMatchObject({ ...left, input_tokens: 1000, usage_source: 'estimated' })
  expect((await relay.attempts()).at(-1)).toMatchObject({
    outcome: 'failing',
    error_type: 'broken_response',
    charged: 1,
  })
})

test('fault 32, drain: a count of tokens is broken off all the same', async () => {
  upstream.script((exchange) => exchange.hang())
  await leave(await ask('p', { path: '/v1/messages/count_tokens' }))
  expect(await lastEnd()).toBe('aborted')
})

test('fault 32, drain: a stop waits for such an answer no longer than for others, and what was read is billed', async () => {
  const { url, drop } = await newDatabaseAddress()
  const env = { CLIENT_DISCONNECT: 'drain', DATABASE_URL: url, ...(engines === 'services' && { REDIS_URL: redisUrl }) }
  const start = (dataDir?: string) =>
    startPools(
      { p: [{ url: upstream.url }] },
      { env, keepData: true, drainMs: 200, timers: { idleMs: 60_000, pingMs: 60_000 }, ...(dataDir && { dataDir }) },
    )
  let app = await start()
  try {
    upstream.script(async (exchange) => {
      await exchange.sse(before, { end: false })
      await exchange.hang()
    })
    const client = await ask('p', { base: app.base })
    await once(client, 'data')
    await leave(client, app.base)
    await app.stop()
    expect(await lastEnd()).toBe('aborted')
    app = await start(app.dataDir)
    expect(await app.rows()).toEqual([expect.objectContaining({ ...left, input_tokens: 1000, attempts: 1 })])
    expect(await app.attempts()).toEqual([expect.objectContaining({ outcome: 'failing', charged: 1 })])
  } finally {
    await app.stop()
    await drop()
    await rm(app.dataDir, { recursive: true, force: true })
  }
}, 60_000)
