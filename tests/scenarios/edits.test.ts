import { afterAll, beforeAll, expect, test } from 'vitest'
import { errorBody } from '../support/fake-message.ts'
import { hangBeforeHeaders } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { goldenStreams } from '../support/golden-streams.ts'
import { keyOf, type Pools, secretOf, startPools, usualBody } from './pools.ts'

let upstream: FakeUpstream
let relay: Pools

beforeAll(async () => {
  upstream = await createFakeUpstream()
  const account = { url: upstream.url }
  relay = await startPools({
    plain: [account],
    mapped: [{ ...account, modelMapping: { 'claude-*': 'vendor/sent-model:1' }, authHeader: 'x-api-key' }],
    based: [{ url: `${upstream.url}/tenant/v1/messages` }],
    slow: [account],
  })
})
afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

/** Strange but valid: what a client meant by it is not ours to tidy up. */
const strange = (model: string, more = ''): Buffer =>
  Buffer.from(
    `{ "tools":[{"name":"x","input_schema":{"properties":{"model":{"type":"string"},"stream":{"const":false}}}}],\r\n` +
      `\t"model" : ${model} ,"stream":true, "max_tokens":1.0e2,"big":12345678901234567890,"tiny":1e-400,${more}` +
      `"metadata":{"user_id":"a\\u00e9\\/b"}, "messages":[{"role":"user","content":"🙂 \\ud83d\\ude42 \\u2028"},{"role":"user","role":"user","content":"{\\"model\\":\\"no\\"}"}],"system":[{"type":"text","text":"x-anthropic-billing-header: v"}]} \n`,
  )

test('a request body goes up byte for byte', async () => {
  const body = strange('"claude-sonnet-4-5-20250929"')
  expect((await relay.ask('plain', { body })).status).toBe(200)
  expect(upstream.requests.at(-1)!.body.equals(body)).toBe(true)
  expect(upstream.requests.at(-1)!.headers['content-length']).toBe(String(body.length))
})

test.each(['"claude-sonnet-4-5-20250929"', '"claude-sonnet\\u002d4-5"'])(
  'of a mapped request with the model %s only the name is another',
  async (model) => {
    expect((await relay.ask('mapped', { body: strange(model) })).status).toBe(200)
    const sent = upstream.requests.at(-1)!.body
    expect(sent.equals(strange(JSON.stringify('vendor/sent-model:1')))).toBe(true)
    const row = (await relay.rows()).at(-1)
    expect(row).toMatchObject({ model_requested: JSON.parse(model), model_sent: 'vendor/sent-model:1' })
  },
)

test.each([
  ['model', '{"model":"other","stream":true,"model":"claude-x","max_tokens":1,"messages":[]}'],
  ['stream', '{"stream":false,"model":"claude-x","stream":true,"max_tokens":1,"messages":[]}'],
])('a body that says %s twice is refused, for an upstream could read the other one', async (name, body) => {
  const asked = upstream.requests.length
  const answer = await relay.ask('mapped', { body })
  expect(answer.status).toBe(400)
  expect(JSON.parse(answer.text).error).toMatchObject({
    type: 'invalid_request_error',
    message: expect.stringContaining(name),
  })
  expect(upstream.requests.length).toBe(asked)
})

test('tags and their beta do not reach an upstream that is not the vendor; other betas do', async () => {
  const headers = { 'anthropic-beta': 'a-2025-01-01,experimental-claude-tag-2026-10-21,future-2030-01-01' }
  await relay.ask('plain', { body: strange('"m"', '"tags": {"name":"team"} ,'), headers })
  const sent = upstream.requests.at(-1)!
  expect(sent.body.equals(strange('"m"'))).toBe(true)
  expect(sent.headers['anthropic-beta']).toBe('a-2025-01-01,future-2030-01-01')
  await relay.ask('plain', { body: strange('"m"'), headers })
  // Without tags there is nothing to drop.
  expect(upstream.requests.at(-1)!.headers['anthropic-beta']).toBe(headers['anthropic-beta'])
})

test("the account's credential replaces the caller's, in the header that the account wants; path and query stay", async () => {
  await relay.ask('plain', { path: '/v1/messages?beta=true', headers: { 'x-api-key': keyOf('plain') } })
  let sent = upstream.requests.at(-1)!
  expect(sent.path).toBe('/v1/messages?beta=true')
  expect(sent.headers.authorization).toBe(`Bearer ${secretOf('plain', 0)}`)
  expect(sent.headers['x-api-key']).toBeUndefined()
  await relay.ask('mapped')
  sent = upstream.requests.at(-1)!
  expect(sent.headers['x-api-key']).toBe(secretOf('mapped', 0))
  expect(sent.headers.authorization).toBeUndefined()
  expect(sent.headers.host).toBe(new URL(upstream.url).host)
  await relay.ask('based')
  expect(upstream.requests.at(-1)!.path).toBe('/tenant/v1/messages')
})

/** With neither content nor usage it would be no success. */
const briefMessage = { type: 'message', model: 'm', content: [{ type: 'text', text: 'ok' }], usage: {} }

const telling = {
  'anthropic-ratelimit-unified-status': 'allowed',
  'anthropic-ratelimit-requests-remaining': '1',
  'anthropic-priority-input-tokens-limit': '1',
  'anthropic-fast-input-tokens-limit': '1',
  'anthropic-organization-id': 'org-1',
  'anthropic-workspace-id': 'wrkspc-1',
  'retry-after': '9',
  'set-cookie': 'a=b',
  server: 'cloudflare',
  via: '1.1 x',
  'cf-ray': '1',
  'x-envoy-upstream-service-time': '1',
  'strict-transport-security': 'max-age=1',
}

test.each([
  ['stream', 200],
  ['JSON', 200],
  ['error', 400],
])(
  'client point 3: no header of the upstream that tells of its account passes with a %s answer',
  async (kind, status) => {
    upstream.script(async (exchange) => {
      if (kind === 'error')
        return exchange.respond(
          400,
          { ...telling, 'content-type': 'application/json' },
          errorBody('invalid_request_error', 'no'),
        )
      if (kind === 'JSON') return exchange.respond(200, telling, briefMessage)
      await exchange.begin(200, telling)
      await exchange.sse(goldenStreams().text.events)
    })
    const answer = await relay.ask('plain', { body: { stream: kind === 'stream' } })
    expect(answer.status).toBe(status)
    const names = [...answer.headers.keys()].sort()
    const framing = ['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding']
    const ours = ['cache-control', 'content-type', 'request-id', 'x-accel-buffering', 'x-request-id', 'x-should-retry']
    // Beside a success: the model that served it.
    const served = kind === 'error' ? [] : ['x-relay-model']
    // An error that is the caller's own keeps its retry-after (protocol.md §1.10).
    const allowed = [...framing, ...ours, ...served, ...(kind === 'error' ? ['retry-after'] : [])]
    expect(names.filter((name) => !allowed.includes(name))).toEqual([])
    expect(answer.headers.get('request-id')).toBe(upstream.requests.at(-1)!.requestId)
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
  },
)

/** By these Claude Code would take the relay for another gateway. */
const ofGateways = ['x-litellm-', 'helicone-', 'x-portkey-', 'cf-aig-', 'x-kong-', 'x-bt-', 'x-bifrost-']

test.each([true, false])(
  'client point 18: an answer to which the upstream gives no id has ours (stream: %s)',
  async (stream) => {
    const gateways = Object.fromEntries(ofGateways.map((prefix) => [`${prefix}version`, '1']))
    const headers = { ...gateways, 'request-id': '' }
    upstream.script((exchange) =>
      stream
        ? exchange.respond(200, { ...headers, 'content-type': 'text/event-stream' }, goldenStreams().text.bytes)
        : exchange.respond(200, headers, briefMessage),
    )
    const answer = await relay.ask('plain', { body: { stream } })
    expect(answer.status).toBe(200)
    const own = answer.headers.get('x-request-id')
    expect(own).toMatch(/^req_/)
    expect(answer.headers.get('request-id')).toBe(own)
    expect((await relay.rows()).at(-1)?.requestId).toBe(own)
    const names = [...answer.headers.keys()]
    expect(names.filter((name) => ofGateways.some((prefix) => name.startsWith(prefix)))).toEqual([])
  },
)

test('client point 7: both modes answer: JSON byte for byte with its length, also where stream is absent', async () => {
  const { stream: _, ...withoutStream } = usualBody
  for (const body of [JSON.stringify({ ...usualBody, stream: false }), JSON.stringify(withoutStream)]) {
    const text =
      '{"type":"message",  "id":"1","model":"m","content":[{"type":"text","text":"é\\u00e9"}],"usage":{"input_tokens":3,"output_tokens":4}}\n'
    upstream.script((exchange) => exchange.respond(200, { 'content-type': 'application/json' }, text))
    const answer = await relay.ask('plain', { body })
    expect(answer.text).toBe(text)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(answer.headers.get('content-length')).toBe(String(Buffer.byteLength(text)))
    expect((await relay.rows()).at(-1)).toMatchObject({
      stream: 0,
      input_tokens: 3,
      output_tokens: 4,
      usage_source: 'final',
    })
  }
})

test("a JSON request waits as long as the client's x-stainless-timeout says, less or more than usual", async () => {
  // Usual here: 600 ms.
  upstream.script(hangBeforeHeaders)
  const at = performance.now()
  const short = await relay.ask('slow', { body: { stream: false }, headers: { 'x-stainless-timeout': '0.1' } })
  expect(short.status).toBe(529)
  expect(performance.now() - at).toBeLessThan(550)
  expect((await relay.attempts()).at(-1)).toMatchObject({ error_type: 'first_byte_timeout' })
  upstream.script(async (exchange) => {
    await new Promise((resolve) => setTimeout(resolve, 1000))
    await exchange.respond(200, {}, briefMessage)
  })
  expect((await relay.ask('slow', { body: { stream: false }, headers: { 'x-stainless-timeout': '3' } })).status).toBe(
    200,
  )
})
