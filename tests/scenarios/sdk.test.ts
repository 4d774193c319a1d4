import Anthropic, {
  type APIError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  RateLimitError,
} from '@anthropic-ai/sdk'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream, type Recorded } from '../support/fake-upstream.ts'
import { type GoldenName, goldenStreams } from '../support/golden-streams.ts'
import { type RelayApp, startRelayApp, testKey } from '../support/relay-app.ts'

let upstream: FakeUpstream
let relay: RelayApp
let client: Anthropic
/** Requests and rows of earlier tests. */
let before = { requests: 0, rows: 0 }

beforeAll(async () => {
  upstream = await createFakeUpstream()
  relay = await startRelayApp({
    accounts: [{ url: upstream.url }],
    keys: [
      { name: 'test', secret: testKey, group: 'g' },
      { name: 'narrow', secret: 'sk-narrow-0123456789abcdef', group: 'g', models: ['claude-sonnet-*'] },
      { name: 'poor', secret: 'sk-poor-0123456789abcdef', group: 'g', dailyLimitUsd: '0' },
    ],
  })
  client = clientOf(testKey)
})
afterAll(async () => {
  await relay.stop()
  await upstream.close()
})
beforeEach(async () => {
  before = { requests: upstream.requests.length, rows: (await relay.rows()).length }
})

// Without retries: a test that asks twice could pass for the wrong reason.
const clientOf = (apiKey: string) => new Anthropic({ apiKey, baseURL: relay.base, maxRetries: 0 })
const requests = (): Recorded[] => upstream.requests.slice(before.requests)
const rows = async () => (await relay.rows()).slice(before.rows)
const hello = { model: 'claude-opus-5-5', max_tokens: 64, messages: [{ role: 'user' as const, content: 'hello' }] }

/** What a promise is rejected with. */
const failureOf = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => undefined,
    (error: unknown) => error,
  )

test('client point 18: create returns the message with the upstream id, and its usage is the row', async () => {
  const message = await client.messages.create(hello)
  const [request] = requests()
  expect(message.content).toEqual([{ type: 'text', text: 'word 0 你好 🙂 word 1 你好 🙂 word 2 你好 🙂 ' }])
  expect(message._request_id).toBe(request!.requestId)
  expect(await rows()).toEqual([
    expect.objectContaining({
      outcome: 'completed',
      stream: 0,
      input_tokens: message.usage.input_tokens,
      output_tokens: message.usage.output_tokens,
      cache_read_tokens: message.usage.cache_read_input_tokens,
    }),
  ])
})

test('its bearer key is replaced, its version and its other headers go up as they came', async () => {
  await client.messages.create(hello, {
    timeout: 77_000,
    headers: { 'anthropic-beta': 'a-2026-01-01', 'x-team': 'blue' },
  })
  const { headers, body, path } = requests()[0]!
  expect(path).toBe('/v1/messages')
  expect(JSON.parse(body.toString())).toEqual(hello)
  expect(headers).toMatchObject({
    authorization: 'Bearer sk-upstream-1-0123456789',
    'anthropic-version': '2026-10-21',
    'anthropic-beta': 'a-2026-01-01',
    'x-team': 'blue',
    'x-stainless-timeout': '77',
    'user-agent': 'Anthropic/JS 1.12.0',
  })
  expect(JSON.stringify(headers)).not.toContain(testKey)
})

test('the stream helper puts the whole message together', async () => {
  const texts: string[] = []
  const message = await client.messages
    .stream(hello)
    .on('text', (text) => texts.push(text))
    .finalMessage()
  expect(texts).toHaveLength(3)
  expect(message).toMatchObject({ stop_reason: 'end_turn', content: [{ type: 'text', text: texts.join('') }] })
  const [request] = requests()
  expect(message.usage.output_tokens).toBe(request!.usage?.tokens.output)
  expect(await rows()).toEqual([expect.objectContaining({ stream: 1, output_tokens: message.usage.output_tokens })])
})

/** What the SDK makes of each golden stream's content. */
const contents: Partial<Record<GoldenName, unknown[]>> = {
  text: [{ type: 'text', text: 'Hello, world' }],
  emoji: [{ type: 'text', text: '👩‍👩‍👧‍👦 你好，世界 🇨🇳é\u2028' }],
  crlf: [{ type: 'text', text: 'line ends' }],
  thinking: [
    { type: 'thinking', thinking: 'Let me see. Yes.', signature: 'RXFRQ0NrWUlBeEFDR0FJaVFBPT0=' },
    { type: 'text', text: 'Yes.' },
  ],
  tools: [
    { type: 'text', text: 'Two calls.' },
    { type: 'tool_use', id: 'toolu_golden_1', name: 'Read', input: { file_path: '/tmp/a.txt' } },
    { type: 'tool_use', id: 'toolu_golden_2', name: 'Bash', input: { command: 'echo "model": "x"' } },
  ],
  serverTools: [
    { type: 'server_tool_use', id: 'srvtoolu_golden', name: 'web_search', input: { query: 'relay' } },
    { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_golden', content: [] },
    { type: 'text', text: 'Found.' },
  ],
  refusal: [{ type: 'text', text: 'I' }],
}

test.each(Object.entries(contents) as [GoldenName, unknown[]][])(
  'client point 5: the golden stream %s arrives whole, for no event lost its name',
  async (name, content) => {
    const { bytes, stopReason, tokens } = goldenStreams()[name]
    upstream.script((exchange) => exchange.respond(200, { 'content-type': 'text/event-stream' }, bytes))
    const message = await client.messages.stream(hello).finalMessage()
    expect(message).toMatchObject({ content, stop_reason: stopReason, usage: { output_tokens: tokens.output } })
    expect(await rows()).toEqual([
      expect.objectContaining({
        input_tokens: tokens.input,
        output_tokens: tokens.output,
        cache_write_5m_tokens: tokens.cacheWrite5m,
        cache_write_1h_tokens: tokens.cacheWrite1h,
        cache_read_tokens: tokens.cacheRead,
      }),
    ])
  },
)

test('count tokens answers what the upstream counts, and is no row', async () => {
  const counted = await client.messages.countTokens({ model: hello.model, messages: hello.messages })
  expect(counted.input_tokens).toBeGreaterThan(0)
  expect(requests().map(({ path }) => path)).toEqual(['/v1/messages/count_tokens'])
  expect(await rows()).toEqual([])
})

test('the list of models is what the key may use, page by page', async () => {
  const all: string[] = []
  for await (const model of client.models.list({ limit: 2 })) all.push(model.id)
  expect(all.length).toBeGreaterThan(10)
  expect(new Set(all).size).toBe(all.length)
  const narrow: string[] = []
  for await (const model of clientOf('sk-narrow-0123456789abcdef').models.list()) narrow.push(model.id)
  expect(narrow).toEqual(all.filter((id) => id.startsWith('claude-sonnet-')))
  expect(await client.models.retrieve('claude-opus-5-5')).toMatchObject({ type: 'model', id: 'claude-opus-5-5' })
  expect(await failureOf(client.models.retrieve('gpt-of-nobody'))).toBeInstanceOf(NotFoundError)
  expect(requests()).toEqual([])
})

test.each([
  ['an unknown key', 'sk-nobody-0123456789abcdef', AuthenticationError, 401, 'authentication_error'],
  ['a model that the key may not use', 'sk-narrow-0123456789abcdef', BadRequestError, 400, 'invalid_request_error'],
  ['a daily limit', 'sk-poor-0123456789abcdef', RateLimitError, 429, 'billing_error'],
])('%s is a typed error, at once although two retries are allowed', async (_, apiKey, type, status, errorType) => {
  const eager = new Anthropic({ apiKey, baseURL: relay.base, maxRetries: 2 })
  const error = await failureOf(eager.messages.create(hello))
  expect(error).toBeInstanceOf(type)
  expect(error).toMatchObject({ status, type: errorType, requestID: expect.stringMatching(/^req_/) })
  expect(requests()).toEqual([])
})

test("the upstream's 400 is a typed error with the upstream's words", async () => {
  upstream.script(refusal(400, 'invalid_request_error', 'messages.0: too odd'))
  const error = await failureOf(client.messages.create(hello))
  expect(error).toBeInstanceOf(BadRequestError)
  expect((error as APIError).message).toContain('messages.0: too odd')
})
