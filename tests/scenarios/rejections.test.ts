import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { answerDefault } from '../support/fake-message.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { askGraphql, signedIn } from './graphql-asking.ts'
import { type Pools, startPools } from './pools.ts'

const password = 'correct horse battery'
let upstream: FakeUpstream
let relay: Pools
let token: string

beforeAll(async () => {
  upstream = await createFakeUpstream()
  const { url } = upstream
  relay = await startPools(
    {
      mixed: [{ url, models: ['claude-*'] }],
      busy: [{ url, concurrency: 1 }],
      named: [{ url }],
      told: [{ url }],
    },
    {
      queue: { waitMs: 60_000, length: 1 },
      timers: { firstByteStreamMs: 60_000 },
      env: { DEFAULT_ADMIN_PASSWORD: password },
      keyFields: { named: { models: ['claude-opus-5-5'] } },
    },
  )
  token = await signedIn(relay.app.url, 'admin', password)
})
afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

const graphql = async (query: string, variables: object = {}) => {
  const { data, errors } = await askGraphql(relay.app.url, query, variables, token)
  expect(errors).toBeUndefined()
  return data
}

async function keyId(name: string): Promise<string> {
  const data = await graphql('query ($s: String) { apiKeys(filter: { search: $s }) { nodes { id name } } }', {
    s: name,
  })
  return data.apiKeys.nodes[0].id
}

const today = () => {
  const from = new Date(Date.now() - 3_600_000)
  return { from, to: new Date(Date.now() + 3_600_000) }
}

test('completed, failed, cancelled and rejected add up to what was sent, and only the first three have rows', async () => {
  let sent = 0
  const ask = (request: Parameters<Pools['ask']>[1], key = 'mixed') => {
    sent++
    return relay.ask(key, request)
  }
  expect((await ask({})).status).toBe(200)
  expect((await ask({})).status).toBe(200)
  upstream.script(refusal(400, 'invalid_request_error'))
  expect((await ask({})).status).toBe(400)
  // No account serves it; the key may ask for it.
  expect((await ask({ body: { model: 'gpt-5' } })).status).toBe(503)
  expect((await ask({ body: '{"model"' })).status).toBe(400)
  expect((await ask({ body: Buffer.alloc(33 * 1024 * 1024) }).catch(() => ({ status: 413 }))).status).toBe(413)
  const gone = new AbortController()
  upstream.script(async (exchange) => {
    gone.abort()
    await exchange.request.closed
  })
  await ask({ signal: gone.signal }).catch(() => {})
  const rows = await relay.rows()
  const id = await keyId('mixed')
  const data = await graphql(
    `query ($range: RangeInput!, $id: ID!) {
      usage(range: $range, where: { apiKeyIds: [$id] }) { totals { requests completed failed cancelled rejected sent } }
      node(id: $id) { ... on ApiKey { rejections { requests reasons { reason requests message lastAt } } } }
      requests(filter: { apiKeyIds: [$id] }) { nodes { outcome } rejections { requests } }
      byModel: requests(filter: { apiKeyIds: [$id], models: ["m"] }) { rejections { requests } }
    }`,
    { range: today(), id },
  )
  expect(data.usage.totals).toEqual({ requests: 4, completed: 2, failed: 1, cancelled: 1, rejected: 3, sent })
  const { completed, failed, cancelled, rejected } = data.usage.totals
  expect(completed + failed + cancelled + rejected).toBe(sent)
  expect(rows.length).toBe(4)
  expect(data.node.rejections.requests).toBe(3)
  expect(data.node.rejections.reasons.map(({ reason }: { reason: string }) => reason).sort()).toEqual([
    'ACCOUNTS_MISSING',
    'BODY_TOO_LARGE',
    'REQUEST_INVALID',
  ])
  expect(data.requests.rejections.requests).toBe(3)
  expect(data.requests.nodes).toHaveLength(4)
  expect(data.byModel.rejections).toBeNull()
})

test('an unknown key is counted by the begin of its hash, which is not the key; a model that is not allowed by its key', async () => {
  const secret = 'sk-never-seen-here-0123456789'
  for (const _ of [1, 2]) expect((await relay.ask(secret, {})).status).toBe(401)
  expect((await relay.ask('named', { body: { model: 'claude-haiku-4-5' } })).status).toBe(400)
  await relay.app.settled()
  const data = await graphql(
    '{ rejections(filter: { reasons: [KEY_UNKNOWN, MODEL_NOT_ALLOWED] }) { summary { requests } nodes { apiKey { name } secretHash reason requests message } } }',
  )
  expect(data.rejections.summary.requests).toBe(3)
  expect(data.rejections.nodes).toContainEqual({
    apiKey: null,
    secretHash: expect.stringMatching(/^[0-9a-f]{8}$/),
    reason: 'KEY_UNKNOWN',
    requests: 2,
    message: expect.stringContaining('not known'),
  })
  expect(data.rejections.nodes).toContainEqual({
    apiKey: { name: 'named' },
    secretHash: null,
    reason: 'MODEL_NOT_ALLOWED',
    requests: 1,
    message: expect.stringContaining('claude-haiku-4-5'),
  })
  expect(JSON.stringify(data)).not.toContain('never-seen')
})

test('who waits in the queue and is refused was shown as running, and ends with a live event; a full queue refuses at once', async () => {
  const held = deferred()
  const forget = upstream.scriptWhen(
    () => true,
    async (exchange) => {
      await held.promise
      await answerDefault(exchange, 1)
    },
  )
  onTestFinished(forget)
  const id = await keyId('busy')
  const events = await watch(
    `subscription ($id: ID!) { requestEvents(filter: { apiKeyIds: [$id] }) { events {
    __typename
    ... on RequestStarted { request { requestId } }
    ... on RequestsRejected { rejection { reason requests apiKey { name } } requestIds }
  } } }`,
    { id },
  )
  const index = upstream.requests.length
  const first = relay.ask('busy', {})
  await upstream.arrived(index)
  const left = new AbortController()
  const second = relay.ask('busy', { signal: left.signal }).catch(() => null)
  const waiting = async () => (await graphql('{ liveRequests { nodes { queuePosition } } }')).liveRequests.nodes
  await expect.poll(waiting).toContainEqual({ queuePosition: 1 })
  const third = await relay.ask('busy', {})
  expect(third.status).toBe(529)
  await expect
    .poll(() => events.filter(({ __typename }) => __typename === 'RequestsRejected'), { timeout: 10_000 })
    .toEqual([
      {
        __typename: 'RequestsRejected',
        rejection: { reason: 'ACCOUNTS_BUSY', requests: 1, apiKey: { name: 'busy' } },
        requestIds: [],
      },
    ])
  left.abort()
  await second
  held.resolve()
  expect((await first).status).toBe(200)
  await relay.app.settled()
  await expect.poll(waiting).toEqual([])
  const { usage } = await graphql(
    'query ($range: RangeInput!, $id: ID!) { usage(range: $range, where: { apiKeyIds: [$id] }) { totals { completed failed cancelled rejected } } }',
    { range: today(), id },
  )
  expect(usage.totals).toEqual({ completed: 1, failed: 0, cancelled: 1, rejected: 1 })
})

test('rejections of one second are one live event, and the sums of today have them', async () => {
  const before = (await graphql('{ costTotals { rejected } }')).costTotals.rejected
  const events = await watch(`subscription { requestEvents(filter: { kinds: [REJECTED] }) { events {
    ... on RequestsRejected { rejection { reason requests } }
  } } }`)
  await Promise.all(Array.from({ length: 40 }, () => relay.ask('told', { body: '{' })))
  await relay.app.settled()
  await expect
    .poll(() => events.reduce((sum, { rejection }) => sum + rejection.requests, 0), { timeout: 10_000 })
    .toBe(40)
  expect(events.length).toBeLessThan(10)
  await expect.poll(async () => (await graphql('{ costTotals { rejected } }')).costTotals.rejected - before).toBe(40)
})

/** The events of a subscription, as they come. */
async function watch(query: string, variables: object = {}) {
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they asked for
  const events: any[] = []
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const response = await fetch(`${relay.app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
    signal: stop.signal,
  })
  const begun = deferred()
  async function read(): Promise<void> {
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true })
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        if (!line.startsWith('data: {')) continue
        events.push(...JSON.parse(line.slice(6)).data.requestEvents.events)
        begun.resolve()
      }
    }
  }
  read().catch((error: unknown) => stop.signal.aborted || console.error(error))
  await begun.promise
  return events
}
