import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { type RelayApp, startRelayApp, testKey } from '../support/relay-app.ts'
import { type ErrorBody, openRaw, smallBody } from './ingress-socket.ts'

const spent = { name: 'spent', secret: 'sk-spent-0123456789abcdef', group: 'g', totalLimitUsd: '0' }
const counter = { name: 'counter', secret: 'sk-counter-0123456789abcdef', group: 'g' }
let upstream: FakeUpstream
let relay: RelayApp

beforeAll(async () => {
  upstream = await createFakeUpstream()
  relay = await startRelayApp({
    accounts: [{ url: upstream.url, models: ['claude-*', 'glm-4.6'], modelMapping: { 'claude-via-glm': 'glm-4.6' } }],
    keys: [{ name: 'test', secret: testKey, group: 'g' }, spent, counter],
    timers: { firstByteJsonMs: 10_000 },
  })
})

afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

beforeEach(() => {
  upstream.requests.length = 0
})

const countPath = '/v1/messages/count_tokens'
async function post(path: string, key = testKey, body = smallBody()) {
  const response = await fetch(relay.base + path, { method: 'POST', headers: { 'x-api-key': key }, body })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as ErrorBody & { input_tokens: number },
  }
}
const rowsAndRollups = async () => [
  (await relay.rows()).length,
  await relay.app.database.select('SELECT COUNT(*) FROM `hourly_rollups`'),
  await relay.app.database.select('SELECT COUNT(*) FROM `attempts`'),
]

test('client point 10: twenty-six counts at once are all answered, and leave no row, no cost and no log line', async () => {
  const before = await rowsAndRollups()
  const logged = relay.log.length
  const answers = await Promise.all(Array.from({ length: 26 }, () => post(`${countPath}?beta=true`)))
  for (const answer of answers) {
    expect(answer.status).toBe(200)
    expect(answer.body.input_tokens).toBeGreaterThan(0)
  }
  expect(upstream.requests.map((request) => request.path)).toEqual(Array(26).fill(`${countPath}?beta=true`))
  expect(await rowsAndRollups()).toEqual(before)
  expect(relay.log.slice(logged)).toEqual([])
})

test('client point 10: a key whose budget is spent may still count', async () => {
  expect((await post('/v1/messages', spent.secret)).status).toBe(429)
  expect((await post(countPath, spent.secret)).status).toBe(200)
})

test('client point 10: counts have a rate of their own: beyond it 429 with a word on when to come back', async () => {
  const answers: Awaited<ReturnType<typeof post>>[] = []
  const refusedOnes = () => answers.filter((answer) => answer.status === 429)
  // A slow machine needs more of them: the bucket fills while they run.
  while (refusedOnes().length === 0 && answers.length < 2000) {
    answers.push(...(await Promise.all(Array.from({ length: 60 }, () => post(countPath, counter.secret)))))
  }
  const refused = refusedOnes()
  expect(refused[0]?.body.error.type).toBe('rate_limit_error')
  expect(refused[0]?.headers.get('retry-after')).toBe('1')
  expect(upstream.requests.length).toBe(answers.length - refused.length)
  expect(answers.length).toBeGreaterThan(200)
  // Nobody else's counts, and none of this key's messages, are refused for it.
  expect((await post(countPath)).status).toBe(200)
  expect((await post('/v1/messages', counter.secret)).status).toBe(200)
})

test.each<[number, string]>([
  [429, 'rate_limit_error'],
  [404, 'not_found_error'],
  [500, 'api_error'],
  [529, 'overloaded_error'],
  [401, 'authentication_error'],
])('client point 10: a count that the upstream answers %i does not touch the account', async (status, type) => {
  const logged = relay.log.length
  upstream.script(refusal(status, type, type, { 'retry-after': '3600' }))
  const answer = await post(countPath)
  expect(answer.status).toBeGreaterThanOrEqual(500)
  expect((await post('/v1/messages')).status).toBe(200)
  expect(upstream.requests.length).toBe(2)
  expect(relay.log.slice(logged)).toEqual([])
})

test('client point 10: where no upstream counts the client is told 501, and estimates by itself', async () => {
  upstream.script(refusal(404, 'not_found_error'))
  const answer = await post(countPath)
  expect(answer.status).toBe(501)
  expect(answer.body.error.type).toBe('not_supported')
  expect(answer.headers.get('x-should-retry')).toBe('false')
})

test('client point 10: a bad count is answered 400 like a bad message', async () => {
  expect((await post(countPath, testKey, '{"messages":[]}')).status).toBe(400)
  expect(upstream.requests).toEqual([])
})

test('client point 11: probes without a key are answered at once and leave no log line', async () => {
  const logged = relay.log.length
  for (const path of ['', '/', '/api/hello']) {
    const response = await fetch(relay.base + path, { method: 'HEAD', headers: { 'user-agent': 'node' } })
    expect(response.status).toBe(200)
  }
  const events = await fetch(`${relay.base}/api/event_logging/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ events: ['x'.repeat(35 * 1024)] }),
  })
  expect(events.status).toBe(404)
  const raw = await openRaw(relay.base)
  raw.send('HEAD /claude-code HTTP/1.1\r\nHost: relay\r\nUser-Agent: node\r\nConnection: close\r\n\r\n')
  expect((await raw.answer()).status).toBe(200)
  await raw.ended
  raw.socket.destroy()
  expect(relay.log.slice(logged)).toEqual([])
  expect(upstream.requests).toEqual([])
})

test('client point 11: HEAD of anything else is answered without a body, and the connection goes on', async () => {
  const raw = await openRaw(relay.base)
  let text = ''
  raw.socket.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  raw.send('HEAD /claude-code/nothing HTTP/1.1\r\nHost: relay\r\n\r\nGET /health HTTP/1.1\r\nHost: relay\r\n\r\n')
  await expect.poll(() => text).toMatch(/^HTTP\/1\.1 404 [^{]*\r\n\r\nHTTP\/1\.1 200 [^{]*\r\n\r\nok\n$/)
  raw.socket.destroy()
})

test.each([
  ['POST', '/', ''],
  ['GET', '/v1/messages', ''],
  ['POST', '/claude-codex/v1/messages', ''],
  ['POST', '/claude-code/v2/messages', 'POST "/v2/messages"'],
  ['GET', '/claude-code/v1/messages', 'GET "/v1/messages"'],
  ['GET', '/claude-code/v1/organizations', 'GET "/v1/organizations"'],
  ['POST', '/claude-code/v1/messages/batches', 'POST "/v1/messages/batches"'],
  ['DELETE', '/claude-code/v1/models/x', 'DELETE "/v1/models/x"'],
])('%s %s is answered 404 in the shape of all errors, naming the base URL to use', async (method, path, named) => {
  const response = await fetch(relay.app.url + path, { method })
  expect(response.status).toBe(404)
  expect(response.headers.get('x-should-retry')).toBe('false')
  const body = (await response.json()) as { type: string; error: { type: string; message: string } }
  expect(body).toMatchObject({ type: 'error', error: { type: 'not_found_error' } })
  expect(body.error.message).toContain(named)
  expect(body.error.message).toContain(` ${relay.base}.`)
})

interface ModelPage {
  data: { id: string }[]
  has_more: boolean
  first_id: string | null
  last_id: string | null
}

test('models are listed in the shape of the vendor, page by page, for both credential headers', async () => {
  const list = async (query: string, headers: Record<string, string>) => {
    const response = await fetch(`${relay.base}/v1/models${query}`, { headers, redirect: 'error' })
    expect(response.status).toBe(200)
    return (await response.json()) as ModelPage
  }
  const whole = await list('?limit=1000', { authorization: `Bearer ${testKey}` })
  expect(await list('?limit=1000', { 'x-api-key': testKey })).toEqual(whole)
  expect(whole.data).toContainEqual({
    type: 'model',
    id: 'claude-opus-5-5',
    display_name: 'Claude Opus 5.5',
    created_at: '1970-01-01T00:00:00Z',
  })
  const ids = whole.data.map((model) => model.id)
  expect(ids).toContain('claude-via-glm')
  // Claude Code shows only names in which "claude" or "anthropic" stands.
  expect(ids).toContain('claude-via-glm-4.6')
  expect(ids).not.toContain('glm-4.6')
  expect(whole).toMatchObject({ has_more: false, first_id: ids[0], last_id: ids.at(-1) })

  const paged: string[] = []
  for (let page = await list('?limit=3', { 'x-api-key': testKey }); ; ) {
    paged.push(...page.data.map((model) => model.id))
    if (!page.has_more) break
    page = await list(`?limit=3&after_id=${page.last_id}`, { 'x-api-key': testKey })
  }
  expect(paged).toEqual(ids)
})

test('a model is looked up by its name, and one that the key cannot use is 404', async () => {
  const get = (id: string) => fetch(`${relay.base}/v1/models/${id}`, { headers: { 'x-api-key': testKey } })
  expect(await (await get('claude-via-glm')).json()).toMatchObject({ type: 'model', id: 'claude-via-glm' })
  for (const name of ['glm-4.6', 'claude-via-glm-4.6'])
    expect(await (await get(name)).json()).toMatchObject({ id: 'claude-via-glm-4.6', display_name: 'glm-4.6' })
  const missing = await get('gpt-5')
  expect(missing.status).toBe(404)
  expect(await missing.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' } })
})
