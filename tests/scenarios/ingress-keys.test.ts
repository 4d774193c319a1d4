import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FailureCode, failureTable } from '../../server/errors.ts'
import { engines, newDatabaseAddress, redisUrl } from '../support/engines.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { type RelayApp, startRelayApp, testKey } from '../support/relay-app.ts'
import { type ErrorBody, smallBody } from './ingress-socket.ts'

const secretOf = (name: string) => `sk-${name}-0123456789abcdef`
const good = { name: 'test', secret: testKey, group: 'g' }
const poor = { name: 'poor', secret: secretOf('poor'), group: 'g', totalLimitUsd: '0.000000001' }
const poorToday = { name: 'poor today', secret: secretOf('today'), group: 'g', dailyLimitUsd: '0.000000001' }
const doomed = { name: 'doomed', secret: secretOf('doomed'), group: 'g' }
const off = { name: 'off', secret: secretOf('off'), group: 'g' }
const owned = { name: 'owned', secret: secretOf('owned'), group: 'g' }

let upstream: FakeUpstream
let relay: RelayApp
let drop: () => Promise<void>

beforeAll(async () => {
  upstream = await createFakeUpstream()
  const address = await newDatabaseAddress()
  drop = address.drop
  const options = {
    accounts: [{ url: upstream.url }],
    env: { DATABASE_URL: address.url, ...(engines === 'services' && { REDIS_URL: redisUrl }) },
  }
  const before = await startRelayApp({ ...options, keys: [good, doomed, off, owned], keepData: true })
  await post(before, { 'x-api-key': doomed.secret })
  // What revoking a key, and switching off a key or its owner, will do to the rows.
  const { apiKey, user } = before.app.database.client
  await apiKey.updateMany({ where: { name: doomed.name }, data: { deletedMark: 1 } })
  await apiKey.updateMany({ where: { name: off.name }, data: { enabled: false } })
  const owner = await user.create({ data: { username: 'owner', passwordHash: '', enabled: false } })
  await apiKey.updateMany({ where: { name: owned.name }, data: { userId: owner.id } })
  await before.stop()
  relay = await startRelayApp({
    ...options,
    dataDir: before.dataDir,
    keys: [
      good,
      poor,
      poorToday,
      { name: 'late', secret: secretOf('late'), group: 'g', expiresAt: '2020-01-31T00:00:00Z' },
      { name: 'narrow', secret: secretOf('narrow'), group: 'g', models: ['claude-haiku-*'] },
    ],
  })
  expect(upstream.requests.length).toBe(1)
})

afterAll(async () => {
  await relay.stop()
  await upstream.close()
  await drop()
  await rm(relay.dataDir, { recursive: true, force: true })
})

async function post(
  { base }: { base: string },
  headers: Record<string, string>,
  body = smallBody(),
  route = '/v1/messages',
) {
  const response = await fetch(base + route, { method: 'POST', headers, body })
  return { status: response.status, headers: response.headers, body: (await response.json()) as ErrorBody }
}

type Answer = Awaited<ReturnType<typeof post>>

/** Shape, status, type and x-should-retry are the catalogue's. */
function expectFailure(answer: Answer, code: FailureCode) {
  const row = failureTable().find((found) => found.code === code)
  expect(answer.status).toBe(row?.status)
  expect(answer.body).toEqual({
    type: 'error',
    error: { type: row?.type, message: expect.stringMatching(/^.{10,400}$/) },
    request_id: expect.stringMatching(/^req_[0-9a-z]{14}$/),
  })
  expect(answer.headers.get('content-type')).toBe('application/json')
  expect(answer.headers.get('request-id')).toBe(answer.body.request_id)
  expect(answer.headers.get('x-request-id')).toBe(answer.body.request_id)
  expect(answer.headers.get('x-should-retry')).toBe(row?.shouldRetry === undefined ? null : String(row.shouldRetry))
}

const refusals: [string, Record<string, string>, FailureCode][] = [
  ['a missing key', {}, 'key_missing'],
  ['a key of another scheme', { authorization: 'Basic c2s6eA==' }, 'key_missing'],
  ['a bearer without a key', { authorization: 'Bearer ' }, 'key_missing'],
  ['an unknown key', { 'x-api-key': secretOf('unknown') }, 'key_unknown'],
  ['a known key with one letter changed', { 'x-api-key': `${testKey.slice(0, -1)}X` }, 'key_unknown'],
  ['a known key in capitals', { 'x-api-key': testKey.toUpperCase() }, 'key_unknown'],
  ['a revoked key', { 'x-api-key': doomed.secret }, 'key_unknown'],
  ['an expired key', { 'x-api-key': secretOf('late') }, 'key_expired'],
  ['a disabled key', { 'x-api-key': off.secret }, 'key_disabled'],
  ['a key whose owner is disabled', { 'x-api-key': owned.secret }, 'key_disabled'],
  ['a model that the key may not use', { 'x-api-key': secretOf('narrow') }, 'model_not_allowed'],
]

test.each(refusals)(
  'fault 9, client point 1: %s is answered as the catalogue says, without a call or a row',
  async (_name, headers, code) => {
    const [rows, calls] = [(await relay.rows()).length, upstream.requests.length]
    expectFailure(await post(relay, headers), code)
    expect((await relay.rows()).length).toBe(rows)
    expect(upstream.requests.length).toBe(calls)
  },
)

test.each([poor, poorToday])(
  'fault 9, client point 1: a key over its budget is answered 429 billing_error ($name)',
  async (key) => {
    const headers = { 'x-api-key': key.secret }
    expect((await post(relay, headers)).status).toBe(200)
    await relay.rows()
    const calls = upstream.requests.length
    const answer = await post(relay, headers)
    expectFailure(answer, 'limit_reached')
    expect(answer.body.error.message).toContain('$0.000000001')
    const waitS = Number(answer.headers.get('retry-after'))
    if (key === poorToday) expect(waitS).toBeGreaterThan(0)
    else expect(waitS).toBe(0)
    expect(waitS).toBeLessThanOrEqual(86_400)
    expect(upstream.requests.length).toBe(calls)
  },
)

test('fault 9: a key may list the models it may use although it may use none of the prices', async () => {
  const response = await fetch(`${relay.base}/v1/models`, { headers: { 'x-api-key': secretOf('narrow') } })
  const { data } = (await response.json()) as { data: { id: string }[] }
  expect(data.length).toBeGreaterThan(0)
  for (const model of data) expect(model.id).toMatch(/^claude-haiku-/)
})

test('client point 1: every 401 of every route carries x-should-retry: false', async () => {
  for (const route of ['/v1/messages', '/v1/messages?beta=true', '/v1/v1/messages', '/v1/messages/count_tokens']) {
    expectFailure(await post(relay, { 'x-api-key': 'nonsense' }, smallBody(), route), 'key_unknown')
  }
  for (const route of ['/v1/models', '/v1/models/claude-opus-5-5', '/v1/v1/models']) {
    const response = await fetch(relay.base + route)
    expectFailure(
      { status: response.status, headers: response.headers, body: (await response.json()) as ErrorBody },
      'key_missing',
    )
  }
})

test('client point 2: no 401 says "invalid x-api-key", and the 401 of an upstream never reaches the client', async () => {
  for (const [, headers] of refusals) {
    const { body } = await post(relay, headers)
    expect(JSON.stringify(body).toLowerCase()).not.toContain('invalid x-api-key')
  }
  const lone = await createFakeUpstream()
  const other = await startRelayApp({ accounts: [{ url: lone.url }] })
  try {
    lone.script(refusal(401, 'authentication_error', 'invalid x-api-key'))
    for (let round = 0; round < 2; round++) {
      const answer = await post(other, { 'x-api-key': testKey })
      expect(answer.status).toBeGreaterThanOrEqual(500)
      expect(JSON.stringify(answer.body)).not.toContain('x-api-key')
    }
    expect(lone.requests.length).toBe(1)
  } finally {
    await other.stop()
    await lone.close()
  }
})

test.each<[string, Record<string, string>]>([
  ['a bearer', { authorization: `Bearer ${testKey}` }],
  ['a bearer in lower case', { authorization: `bearer ${testKey}` }],
  ['x-api-key', { 'x-api-key': testKey }],
  ['api-key', { 'api-key': testKey }],
  ['x-goog-api-key', { 'x-goog-api-key': testKey }],
  ['the same value in both', { authorization: `Bearer ${testKey}`, 'x-api-key': testKey }],
  ['the key beside a foreign bearer', { authorization: 'Bearer sk-ant-foreign', 'x-api-key': testKey }],
  ['the key beside a foreign x-api-key', { authorization: `Bearer ${testKey}`, 'x-api-key': 'sk-ant-foreign' }],
])('client point 12: %s lets a request in, and none of it goes up', async (_name, headers) => {
  const calls = upstream.requests.length
  expect((await post(relay, headers)).status).toBe(200)
  expect((await fetch(`${relay.base}/v1/models`, { headers })).status).toBe(200)
  const raw = upstream.requests[calls]!.rawHeaders.join('\n')
  expect(raw).not.toContain(testKey)
  expect(raw).not.toContain('foreign')
  expect(raw).toContain('sk-upstream-1')
})

test('client point 12: of two known keys the bearer pays', async () => {
  await post(relay, { authorization: `Bearer ${testKey}`, 'x-api-key': secretOf('narrow') })
  await post(
    relay,
    { authorization: `Bearer ${secretOf('narrow')}`, 'x-api-key': testKey },
    smallBody({ model: 'claude-haiku-4-5' }),
  )
  const rows = (await relay.rows()).slice(-2)
  expect(rows.map((row) => row.model_requested)).toEqual(['claude-opus-5-5', 'claude-haiku-4-5'])
  expect(new Set(rows.map((row) => row.api_key_id)).size).toBe(2)
})
