import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { printedKeyHolderSchema } from '../../server/graphql/key-holder/schema.ts'
import { noTokens } from '../../server/money/reading.ts'
import { deferred } from '../support/deferred.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { type RelayApp, startRelayApp } from '../support/relay-app.ts'
import { deltaUsage, messageDelta, messageStart, messageStop, textBlock } from '../support/sse-fixtures.ts'

const limited = 'sk-limited-0123456789abcdef'
const plain = 'sk-plain-0123456789abcdef'
const off = 'sk-off-0123456789abcdef'
let upstream: FakeUpstream
let relay: RelayApp
let offsetMs = 0
const now = () => Date.now() + offsetMs

/** A stream of 1000 output tokens. */
const used = { ...noTokens, input: 10, output: 1000 }

beforeAll(async () => {
  upstream = await createFakeUpstream()
  upstream.script((exchange) =>
    exchange.sse([
      messageStart('claude-opus-5-5', used),
      ...textBlock(0, ['hi']),
      messageDelta('end_turn', deltaUsage(used)),
      messageStop,
    ]),
  )
  relay = await startRelayApp({
    now,
    env: { PUBLIC_URL: 'https://relay.example' },
    accounts: [{ name: 'secret-account', url: upstream.url }],
    keys: [
      {
        name: 'of Ann',
        secret: limited,
        group: 'g',
        dailyLimitUsd: '1',
        totalLimitUsd: '0.5',
        requestsPerMinute: 1000,
        models: ['claude-*'],
      },
      { name: 'plain', secret: plain, group: 'g' },
      { name: 'off', secret: off, group: 'g', expiresAt: '2020-01-01T00:00:00Z' },
    ],
  })
})
afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

interface Asked {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they asked for
  body: any
}

async function ask(query: string, headers: Record<string, string>, variables = {}): Promise<Asked> {
  const response = await fetch(`${relay.app.url}/graphql/key`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

const send = (secret: string, model = 'claude-opus-5-5', stream = true) =>
  fetch(`${relay.base}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': secret },
    body: JSON.stringify({ model, stream, max_tokens: 100, messages: [{ role: 'user', content: 'hello' }] }),
  })

/** All of time. */
const range = { from: '2020-01-01T00:00:00Z', to: '2022-01-01T00:00:00Z' }
const rangeNow = () => ({
  from: new Date(now() - 86_400_000).toISOString(),
  to: new Date(now() + 86_400_000).toISOString(),
})

test('key.graphql is printed from the schema (after a change: npm run schema)', async () => {
  await expect(printedKeyHolderSchema()).toMatchFileSnapshot('../../server/graphql/key-holder/key.graphql')
})

test('the holder of a key reads its limits, with what is spent, reserved and left, and its requests', async () => {
  await (await send(limited)).text()
  await relay.app.settled()
  const { body } = await ask(
    `query ($range: RangeInput!) { myKey {
      name state expiresAt models lastUsedAt requestsPerMinute statusLine
      limits { kind subject limit spent reserved remaining resetsAt }
      pool { ready nextReturnAt }
      usage(range: $range) { requests completed failed cancelled rejected outputTokens cost }
      requests(first: 1) { nodes { requestId model outcome httpStatus cost outputTokens } hasNextPage endCursor }
      rejections(range: $range) { reason requests message }
    } }`,
    { 'x-api-key': limited },
    { range: rangeNow() },
  )
  const { limits, requests, ...key } = body.data.myKey
  expect(key).toMatchObject({
    name: 'of Ann',
    state: 'ACTIVE',
    expiresAt: null,
    models: ['claude-*'],
    requestsPerMinute: 1000,
    statusLine: expect.stringMatching(/^\$0\.\d\d of \$0\.50 left in all$/),
    pool: { ready: true, nextReturnAt: null },
    usage: { requests: 1, completed: 1, failed: 0, cancelled: 0, rejected: 0, outputTokens: 1000 },
    rejections: [],
  })
  const { cost } = key.usage
  expect(BigInt(cost)).toBeGreaterThan(0n)
  const [daily, total] = limits
  expect(daily).toMatchObject({ kind: 'DAILY', subject: 'KEY', limit: '1000000000', spent: cost, reserved: '0' })
  expect(BigInt(daily.remaining)).toBe(1_000_000_000n - BigInt(cost))
  expect(Date.parse(daily.resetsAt)).toBeGreaterThan(now())
  expect(total).toMatchObject({ kind: 'TOTAL', limit: '500000000', spent: cost, resetsAt: null })
  expect(requests).toMatchObject({
    nodes: [{ model: 'claude-opus-5-5', outcome: 'COMPLETED', httpStatus: 200, cost, outputTokens: 1000 }],
    hasNextPage: false,
  })
})

test('a refused model is told to the holder of the key as a rejection', async () => {
  expect((await send(limited, 'gpt-none')).status).toBe(400)
  await relay.app.settled()
  await expect
    .poll(
      async () => {
        const query = `query ($range: RangeInput!) { myKey { rejections(range: $range) { reason requests } } }`
        const { body } = await ask(query, { authorization: `Bearer ${limited}` }, { range: rangeNow() })
        return body.data.myKey.rejections
      },
      { timeout: 10_000 },
    )
    .toEqual([{ reason: 'MODEL_NOT_ALLOWED', requests: 1 }])
})

test('an expired key still opens its own page, and reads that it has expired', async () => {
  const { body } = await ask('{ myKey { name state } }', { 'x-api-key': off })
  expect(body.data.myKey).toEqual({ name: 'off', state: 'EXPIRED' })
})

test('a key sees no request of another key', async () => {
  const { body } = await ask('{ myKey { name requests { nodes { requestId } } } }', { 'x-api-key': plain })
  expect(body.data.myKey).toEqual({ name: 'plain', requests: { nodes: [] } })
})

test('nothing of accounts, owners, groups or upstreams has a field', () => {
  const names = [...printedKeyHolderSchema().matchAll(/^ {2}(\w+)[(:]/gm)].map(([, name]) => name)
  expect(names).toContain('limits')
  expect(names.filter((name) => /account|owner|user\b|group|upstream|platform|secret|address/i.test(name!))).toEqual([])
})

test('mistakes are refused with words: a range that ends before it begins, a page of 1000, a cursor that is none', async () => {
  const turned = { from: range.to, to: range.from }
  const asked = await ask(
    'query ($range: RangeInput!) { myKey { usage(range: $range) { cost } } }',
    { 'x-api-key': plain },
    { range: turned },
  )
  expect(asked.body.errors[0]).toMatchObject({
    message: '`to` must be after `from`.',
    extensions: { code: 'BAD_USER_INPUT' },
  })
  const large = await ask('{ myKey { requests(first: 1000) { hasNextPage } } }', { 'x-api-key': plain })
  expect(large.body.errors[0].extensions.code).toBe('BAD_USER_INPUT')
  const cursor = await ask('{ myKey { requests(after: "x") { hasNextPage } } }', { 'x-api-key': plain })
  expect(cursor.body.errors[0]).toMatchObject({ message: '`after` is not a cursor.' })
})

/** The messages of a subscription over server-sent events. */
async function subscribe(secret: string) {
  const asked = httpRequest(`${relay.app.url}/graphql/key`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', 'x-api-key': secret },
  })
  asked.end(
    JSON.stringify({
      query: `subscription { myKeyEvents { cursor gap { from } events { __typename
        ... on RequestStarted { request { requestId } } ... on RequestSettled { request { requestId outcome cost } }
        ... on RequestsRejected { rejection { reason } } } } }`,
    }),
  )
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const events: string[] = []
  const first = deferred()
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = /^data: ?(.*)$/m.exec(text.slice(0, end))?.[1]
      text = text.slice(end + 2)
      if (!data) continue
      const message = JSON.parse(data).data?.myKeyEvents
      if (!message) continue
      first.resolve()
      for (const event of message.events) events.push(event.__typename)
    }
  })
  response.on('error', () => {})
  await first.promise
  return { response, events, close: () => void response.destroy() }
}

test('events of the key come as they happen, and none of another key', async () => {
  const own = await subscribe(plain)
  const other = await subscribe(limited)
  expect(own.response.headers['x-accel-buffering']).toBe('no')
  await (await send(plain)).text()
  await expect
    .poll(() => own.events, { timeout: 10_000 })
    .toEqual(expect.arrayContaining(['RequestStarted', 'RequestSettled']))
  expect((await send(limited, 'gpt-none')).status).toBe(400)
  await expect.poll(() => other.events, { timeout: 10_000 }).toEqual(['RequestsRejected'])
  expect(own.events).not.toContain('RequestsRejected')
  own.close()
  other.close()
})

test('wrong keys and none are told the same, and after ten of them the address waits for a minute', async () => {
  const none = await ask('{ myKey { name } }', {})
  const wrong = await ask('{ myKey { name } }', { 'x-api-key': 'sk-wrong-0123456789abcdef' })
  expect(none.status).toBe(401)
  expect([wrong.status, wrong.body]).toEqual([none.status, none.body])
  expect(none.body.errors[0].extensions.code).toBe('KEY_UNKNOWN')
  for (let tries = 2; tries < 10; tries++) await ask('{ myKey { name } }', { 'x-api-key': `sk-guess-${tries}` })
  const blocked = await ask('{ myKey { name } }', { 'x-api-key': 'sk-guess-10' })
  expect([blocked.status, blocked.body.errors[0].extensions.code]).toEqual([429, 'TOO_MANY_UNKNOWN_KEYS'])
  // A guess that is right must not be told from a wrong one.
  expect((await ask('{ myKey { name } }', { 'x-api-key': plain })).status).toBe(429)
  offsetMs += 60_000
  expect((await ask('{ myKey { name } }', { 'x-api-key': plain })).status).toBe(200)
})

test('a key is answered sixty times a minute', async () => {
  offsetMs += 120_000
  const statuses: number[] = []
  for (let count = 0; count < 62; count++) statuses.push((await ask('{ __typename }', { 'x-api-key': off })).status)
  expect(statuses.slice(0, 60)).toEqual(Array(60).fill(200))
  expect(statuses.at(-1)).toBe(429)
})

test('a query by GET is refused, so that no key and no query stands in an address', async () => {
  const response = await fetch(`${relay.app.url}/graphql/key?query={__typename}`)
  expect(response.status).toBe(405)
})
