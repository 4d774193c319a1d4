import type { ReadableStream } from 'node:stream/web'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { noTokens } from '../../server/money/reading.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { createFaultProxy, type FaultProxy } from '../support/fault-proxy.ts'
import { encodeEvents, messageDelta, messageStart, messageStop, textBlock } from '../support/sse-fixtures.ts'
import { heldMemory } from './collected.ts'
import { keyOf, usualBody } from './pools.ts'
import { startWatched, type Watched } from './watched.ts'

/** Many at once: no deadline but those that a test is about. */
const patient = { firstByteStreamMs: 60_000, firstByteJsonMs: 60_000, idleMs: 60_000, commitMs: 60_000, pingMs: 60_000 }

let bad: FakeUpstream
let good: FakeUpstream
let slow: FaultProxy
let relay: Watched

beforeAll(async () => {
  bad = await createFakeUpstream()
  good = await createFakeUpstream()
  slow = await createFaultProxy({ target: bad.url })
  relay = await startWatched(
    {
      slow: [{ url: slow.url }],
      other: [{ url: good.url }],
    },
    { timers: patient },
  )
})
afterEach(() => relay.holds())
afterAll(async () => {
  await relay.stop()
  await vi.waitFor(() => expect(bad.connections() + good.connections()).toBe(0))
  await slow.close()
  await bad.close()
  await good.close()
})

test('fault 31: two hundred streams at 1 KB/s take no memory and hold nobody up', async () => {
  const streams = 200
  const text = textBlock(
    0,
    Array.from({ length: 40 }, (_, index) => `${index} ${'x'.repeat(200)}`),
  )
  const bytes = encodeEvents([
    messageStart(usualBody.model, { ...noTokens, input: 7 }),
    ...text,
    messageDelta('end_turn', { output_tokens: 9 }),
    messageStop,
  ])
  const forget = bad.scriptWhen(
    () => true,
    async (exchange) => {
      await exchange.begin()
      await exchange.write(bytes)
      await exchange.end()
    },
  )
  const before = bad.requests.length
  slow.set('toClient', { bytesPerSecond: 1024 })
  let answered = 0
  relay.admitted(streams)
  const asked = Array.from({ length: streams }, async () => {
    const last = await lastOf('slow')
    answered++
    return last
  })
  await bad.arrived(before + streams - 1)
  await vi.waitFor(() => expect(slow.connections()).toBe(streams))
  // Three seconds of trickle, a look every half second.
  const held: number[] = []
  for (let look = 0; look < 6; look++) {
    const { heap, buffers } = heldMemory()
    held.push((heap + buffers) / 1024 / 1024)
    await new Promise((resolve) => setTimeout(resolve, 500))
    const startedMs = performance.now()
    expect((await relay.ask('other', { body: { stream: look % 2 === 0 } })).status).toBe(200)
    // Not one of the slow ones has ended: nobody waited for them.
    expect(answered).toBe(0)
    console.info(`beside ${streams} slow streams: ${(performance.now() - startedMs).toFixed(0)} ms`)
  }
  console.info(`held: ${held.map((mb) => mb.toFixed(1)).join(', ')} MB`)
  // Some 25 000 pieces came meanwhile: if anything of each were kept it would show. At the first look the streams have just begun.
  expect(held.at(-1)! - held[1]!).toBeLessThan(3)
  slow.clear()
  for (const last of await Promise.all(asked)) expect(last).toMatch(/^200 (.|\n)*event: message_stop\n.*\n\n$/)
  forget()
}, 60_000)

/** Status and last bytes of an answer: a client that keeps nothing. */
async function lastOf(pool: string): Promise<string> {
  const response = await fetch(`${relay.base}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': keyOf(pool) },
    body: JSON.stringify(usualBody),
  })
  let last = ''
  for await (const chunk of response.body as unknown as ReadableStream<Uint8Array>)
    last = (last + Buffer.from(chunk).toString('latin1')).slice(-100)
  return `${response.status} ${last}`
}
