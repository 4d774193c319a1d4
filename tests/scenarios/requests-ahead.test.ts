// Requests that a client sends on one connection before it has the responses to those before.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hangAfterEvents } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { type RelayApp, startRelayApp } from '../support/relay-app.ts'
import { openRaw, postOf, smallBody } from './ingress-socket.ts'

let upstream: FakeUpstream
let relay: RelayApp

beforeAll(async () => {
  upstream = await createFakeUpstream()
  // Patient: only the client ends a request here.
  const firstByte = { firstByteStreamMs: 60_000, firstByteJsonMs: 60_000 }
  relay = await startRelayApp({
    accounts: [{ url: upstream.url }],
    timers: { ...firstByte, idleMs: 60_000, pingMs: 60_000 },
  })
})

afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

const streamed = postOf(smallBody({ stream: true }))

test('a client that sends requests ahead and leaves: the first is aborted, the others never reach an upstream', async () => {
  const index = upstream.requests.length
  upstream.script(hangAfterEvents(3))
  const raw = await openRaw(relay.base)
  raw.send(streamed + streamed + streamed)
  const first = await upstream.arrived(index)
  raw.socket.destroy()
  expect(await first.closed).toBe('aborted')
  const next = await openRaw(relay.base)
  next.send(postOf(smallBody()))
  expect((await next.answer()).status).toBe(200)
  next.socket.destroy()
  expect(upstream.requests.length).toBe(index + 2)
  expect((await relay.rows()).slice(index).map(({ outcome }) => outcome)).toEqual(['aborted', 'completed'])
})

test('a client that sends too many requests ahead is cut off', async () => {
  upstream.script(hangAfterEvents(3))
  const raw = await openRaw(relay.base)
  const index = upstream.requests.length
  raw.send(streamed)
  const first = await upstream.arrived(index)
  raw.send('GET /health HTTP/1.1\r\nHost: relay\r\n\r\n'.repeat(200))
  await raw.ended
  expect(await first.closed).toBe('aborted')
})
