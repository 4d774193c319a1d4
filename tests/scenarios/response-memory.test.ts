import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'
import { smallBody } from './ingress-socket.ts'

const megabyte = 1024 * 1024

/** A message of almost a megabyte: as gzip a thousandth of it. */
const message = Buffer.from(
  JSON.stringify({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-5-5',
    content: [{ type: 'text', text: 'x'.repeat(megabyte - 400) }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  }),
)

test.each([
  ['plain', {}, message],
  ['as small gzip', { 'content-encoding': 'gzip' }, gzipSync(message)],
])(
  'fault 52: 24 large JSON responses at once, %s, share a budget; beyond it clients are told 529, and all memory comes back',
  async (_name, headers, bytes) => {
    const upstream = await createFakeUpstream()
    const relay = await startRelayApp({
      accounts: [{ url: upstream.url }],
      responseMemoryBytes: 3 * megabyte,
      timers: { firstByteJsonMs: 60_000, idleMs: 60_000 },
    })
    onTestFinished(async () => {
      await relay.stop()
      await upstream.close()
    })
    const gate = deferred()
    // All but the end comes at once: what was compressed is unpacked and kept, and the response is not over.
    const stopWhen = upstream.scriptWhen(
      () => true,
      async (exchange) => {
        await exchange.begin(200, { 'content-type': 'application/json', ...headers })
        await exchange.write(bytes.subarray(0, -8))
        await gate.promise
        await exchange.write(bytes.subarray(-8))
        await exchange.end()
      },
    )
    const refused = deferred()
    const ask = async () => {
      const response = await fetch(`${relay.base}/v1/messages`, {
        method: 'POST',
        headers: { authorization: `Bearer ${testKey}` },
        body: smallBody(),
      })
      const text = await response.text()
      if (response.status === 529) refused.resolve()
      return { status: response.status, text }
    }
    const burst = Array.from({ length: 24 }, ask)
    await refused.promise
    gate.resolve()
    const answers = await Promise.all(burst)
    for (const { status, text } of answers) {
      if (status === 529) expect(JSON.parse(text).error.type).toBe('overloaded_error')
      else expect([status, text.length]).toEqual([200, message.length])
    }
    // One after the other each finds room: nothing is held for the others any more, and the account is well.
    for (let i = 0; i < 5; i++) expect((await ask()).status).toBe(200)
    stopWhen()
    expect(relay.log.filter((line) => line.includes('account'))).toEqual([])
  },
)

test.each([
  [
    'an event that does not end',
    'text/event-stream',
    'event: content_block_delta\ndata: {"type":"content_block_delta","x":"',
  ],
  ['a message where a stream was asked for', 'application/json', '{"type":"message","x":"'],
])('fault 52: %s counts in the same budget, and all of it comes back', async (_name, type, begin) => {
  const upstream = await createFakeUpstream()
  const relay = await startRelayApp({
    accounts: [{ url: upstream.url }],
    responseMemoryBytes: 2 * megabyte,
    timers: { firstByteStreamMs: 60_000, idleMs: 60_000, commitMs: 60_000 },
    statePolicy: { failures: 1e9, windowMs: 60_000, firstCooldownMs: 1, maxCooldownMs: 1, halfOpenMs: 1 },
  })
  onTestFinished(async () => {
    await relay.stop()
    await upstream.close()
  })
  const begun = deferred()
  const gate = deferred()
  let count = 0
  const stopWhen = upstream.scriptWhen(
    () => true,
    async (exchange) => {
      await exchange.begin(200, { 'content-type': type })
      await exchange.write(`${begin}${'x'.repeat(0.9 * megabyte)}`)
      if (++count === 8) begun.resolve()
      await gate.promise
      await exchange.end()
    },
  )
  const ask = async () => {
    const response = await fetch(`${relay.base}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${testKey}` },
      body: JSON.stringify({ model: 'claude-opus-5-5', stream: true, max_tokens: 9, messages: [] }),
    })
    const text = await response.text()
    if (text.includes('as many responses as it may')) full.resolve()
    return text
  }
  const full = deferred()
  const burst = Array.from({ length: 8 }, ask)
  await Promise.all([begun.promise, full.promise])
  gate.resolve()
  const told = await Promise.all(burst)
  expect(told.filter((text) => text.includes('as many responses as it may')).length).toBeGreaterThan(0)
  stopWhen()
  // Nothing is held for them any more: one after the other finds room.
  for (let i = 0; i < 5; i++) expect(await ask()).toContain('message_stop')
})
