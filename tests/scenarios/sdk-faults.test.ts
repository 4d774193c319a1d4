import Anthropic, { APIError } from '@anthropic-ai/sdk'
import { expect, test } from 'vitest'
import {
  endWithoutStop,
  errorAfterEvents,
  hangAfterEvents,
  hangBeforeHeaders,
  resetAfterEvents,
} from '../support/fake-scripts.ts'
import { createFakeUpstream, type Script } from '../support/fake-upstream.ts'
import { type RelayApp, type RelayAppOptions, startRelayApp, testKey } from '../support/relay-app.ts'

const hello = { model: 'claude-opus-5-5', max_tokens: 64, messages: [{ role: 'user' as const, content: 'hello' }] }

/** A relay of its own: what breaks in the middle rests the account. `closed` is how the upstream call ended. */
async function withScript(
  script: Script,
  use: (client: Anthropic, relay: RelayApp, closed: () => Promise<string>) => Promise<void>,
  options: RelayAppOptions = {},
): Promise<void> {
  const upstream = await createFakeUpstream()
  const relay = await startRelayApp({ accounts: [{ url: upstream.url }], ...options })
  upstream.script(script)
  try {
    const client = new Anthropic({ apiKey: testKey, baseURL: relay.base, maxRetries: 0 })
    await use(client, relay, async () => (await upstream.arrived(0)).closed)
  } finally {
    await relay.stop()
    await upstream.close()
  }
}

/** What a promise is rejected with. */
const failureOf = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => undefined,
    (error: unknown) => error,
  )

test.each([
  ['an error event', errorAfterEvents(4), 'overloaded_error'],
  ['a reset', resetAfterEvents(4), 'api_error'],
  ['a clean end', endWithoutStop(), 'api_error'],
  ['a closed connection', endWithoutStop(true), 'api_error'],
])('client point 6: %s in the middle of a stream is an error, never half a message', (_, script, type) =>
  withScript(script, async (client, relay) => {
    const error = await failureOf(client.messages.stream(hello).finalMessage())
    expect(error).toBeInstanceOf(APIError)
    expect((error as APIError).error).toMatchObject({ error: { type } })
    expect(await relay.rows()).toEqual([expect.objectContaining({ outcome: 'failed', http_status: 200 })])
  }),
)

test('client point 16: an aborted stream ends the upstream call, and its row says so', () =>
  withScript(hangAfterEvents(4), async (client, relay, closed) => {
    const stream = client.messages.stream(hello)
    stream.once('text', () => stream.abort())
    expect(await failureOf(stream.finalMessage())).toBeInstanceOf(Anthropic.APIUserAbortError)
    expect(await closed()).toBe('aborted')
    expect(await relay.rows()).toEqual([expect.objectContaining({ outcome: 'aborted' })])
  }))

test('the timeout that the client names is how long a JSON answer may take', () =>
  withScript(
    hangBeforeHeaders,
    async (client, relay, closed) => {
      // The client's own timer is later than the one it tells, so that the relay's answer is seen.
      const options = { timeout: 15_000, headers: { 'x-stainless-timeout': '0.1' } }
      const error = await failureOf(client.messages.create(hello, options))
      expect(error).toBeInstanceOf(APIError)
      expect(error).toMatchObject({ status: 529 })
      expect(await closed()).toBe('aborted')
      expect((await relay.attempts()).map((attempt) => attempt['error_type'])).toEqual(['first_byte_timeout'])
    },
    { timers: { firstByteJsonMs: 30_000 } },
  ))

test('without a timeout named, a JSON answer has the time that is set', () =>
  withScript(hangBeforeHeaders, async (client, relay) => {
    const options = { timeout: 15_000, headers: { 'x-stainless-timeout': null } }
    expect(await failureOf(client.messages.create(hello, options))).toMatchObject({ status: 529 })
    expect((await relay.attempts()).map((attempt) => attempt['error_type'])).toEqual(['first_byte_timeout'])
  }))
