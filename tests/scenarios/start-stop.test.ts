import { expect, onTestFinished, test } from 'vitest'
import { gate } from '../support/deferred.ts'
import { messageEvents, usageOf } from '../support/fake-message.ts'
import { hangAfterEvents } from '../support/fake-scripts.ts'
import { createFakeUpstream, type Script } from '../support/fake-upstream.ts'
import { type RelayApp, type RelayAppOptions, startRelayApp, testKey } from '../support/relay-app.ts'

async function open(options: RelayAppOptions = {}) {
  const upstream = await createFakeUpstream()
  const relay = await startRelayApp({ accounts: [{ url: upstream.url }], timers: { idleMs: 10_000 }, ...options })
  onTestFinished(() => upstream.close())
  return { upstream, relay }
}

const ask = (relay: RelayApp): Promise<Response> =>
  fetch(`${relay.base}/v1/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'claude-opus-5-5', stream: true, messages: [{ role: 'user', content: 'hello' }] }),
  })

/** Half of a correct answer, then the rest when the gate opens. */
const inTwoHalves =
  (passed: Promise<void>): Script =>
  async (exchange) => {
    const events = messageEvents('claude-opus-5-5', usageOf(exchange.request.body.length, 0), 0, 3)
    await exchange.sse(events.slice(0, 4), { end: false })
    await passed
    await exchange.sse(events.slice(4))
  }

test('fault 45: a stop is told to who asks at once, new requests go elsewhere, answers under way finish', async () => {
  const { upstream, relay } = await open({ drainMs: 10_000 })
  const finish = gate()
  upstream.script(inTwoHalves(finish.passed))
  const running = await ask(relay)
  const stopped = relay.stop()

  const ready = await fetch(`${relay.app.url}/ready`)
  expect([ready.status, await ready.text()]).toEqual([503, 'stopping\n'])
  expect((await fetch(`${relay.app.url}/health`)).status).toBe(200)
  const refused = await ask(relay)
  expect(refused.status).toBe(529)
  expect(refused.headers.get('connection')).toBe('close')
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(await refused.json()).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } })

  finish.open()
  expect(await running.text()).toContain('event: message_stop')
  await stopped
  expect(upstream.requests.length).toBe(1)
  await expect(fetch(`${relay.app.url}/health`)).rejects.toThrow('fetch failed')
})

test('fault 45: an answer that is stuck ends with one error event when the patience of the stop is over', async () => {
  const { upstream, relay } = await open({ drainMs: 100, keepData: true })
  upstream.script(hangAfterEvents(4))
  const stuck = await ask(relay)
  const stopped = relay.stop()
  const text = await stuck.text()
  expect(text.match(/^event: error$/gm)).toEqual(['event: error'])
  expect(text.endsWith('\n\n')).toBe(true)
  await stopped
  expect(await upstream.requests[0]?.closed).toBe('aborted')
})

test('stopping twice is stopping once', async () => {
  const { relay } = await open()
  await Promise.all([relay.app.stop(), relay.app.stop()])
  await relay.stop()
})
