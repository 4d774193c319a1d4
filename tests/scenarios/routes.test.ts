import { afterAll, beforeAll, expect, test } from 'vitest'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { askGraphql, signedIn } from './graphql-asking.ts'
import { type Pools, startPools } from './pools.ts'

let upstream: FakeUpstream
let relay: Pools
let admin: string
let bob: string
let keyId: string

const trace = `query ($id: String!) { routeTrace(requestId: $id) {
  requestId attempts { number outcome httpStatus account { name } }
  decisions { model candidates { account { name } reason until } counts { reason count } } } }`
const simulate = `query ($key: ID!, $model: String!) { simulateRoute(apiKeyId: $key, model: $model) {
  keyProblem decision { candidates { account { name } reason } counts { reason count } } } }`

beforeAll(async () => {
  upstream = await createFakeUpstream()
  const { url } = upstream
  relay = await startPools(
    {
      p: [
        { url, priority: 1 },
        { url, priority: 2 },
        { url, models: ['other'] },
      ],
    },
    {
      env: { DEFAULT_ADMIN_PASSWORD: 'correct horse battery' },
      keyFields: { p: { models: ['claude-*'] } },
      // Only the tests end a request here, however slow the machine.
      timers: { firstByteStreamMs: 60_000, firstByteJsonMs: 60_000 },
    },
  )
  admin = await signedIn(relay.app.url, 'admin', 'correct horse battery')
  await askGraphql(
    relay.app.url,
    'mutation { createUser(input: { username: "bob", password: "password of bob" }) { __typename } }',
    {},
    admin,
  )
  bob = await signedIn(relay.app.url, 'bob', 'password of bob')
  const { database } = relay.app
  const { id: userId } = await database.client.user.findFirstOrThrow({ where: { username: 'bob' } })
  await database.client.apiKey.updateMany({ data: { userId } })
  const { data } = await askGraphql(relay.app.url, '{ apiKeys { edges { node { id } } } }', {}, admin)
  keyId = data.apiKeys.edges[0].node.id
  // A change through the door brings the new owner into the relay's memory.
  await askGraphql(
    relay.app.url,
    `mutation { updateApiKey(input: { id: "${keyId}", name: "bobs" }) { __typename } }`,
    {},
    admin,
  )
})
afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

test('a request says of every account why it went there or not, choice by choice, and its attempts', async () => {
  upstream.script(refusal(500, 'api_error'))
  const answer = await relay.ask('p')
  expect(answer.status).toBe(200)
  const id = answer.headers.get('x-request-id')!
  await relay.app.settled()
  const { data } = await askGraphql(relay.app.url, trace, { id }, admin)
  expect(data.routeTrace.decisions).toMatchObject([
    {
      candidates: [
        { account: { name: 'p 1' }, reason: 'CHOSEN' },
        { account: { name: 'p 2' }, reason: 'LOWER_PRIORITY' },
        { account: { name: 'p 3' }, reason: 'MODEL_NOT_ALLOWED' },
      ],
    },
    {
      candidates: [
        { account: { name: 'p 1' }, reason: 'ALREADY_TRIED' },
        { account: { name: 'p 2' }, reason: 'CHOSEN' },
        { account: { name: 'p 3' }, reason: 'MODEL_NOT_ALLOWED' },
      ],
    },
  ])
  expect(data.routeTrace.attempts).toEqual([
    { number: 1, outcome: 'FAILING', httpStatus: 500, account: { name: 'p 1' } },
    { number: 2, outcome: 'ANSWERED', httpStatus: 200, account: { name: 'p 2' } },
  ])
  // The key's owner: reasons and counts, and no account of others.
  const owner = await askGraphql(relay.app.url, trace, { id }, bob)
  expect(owner.errors).toBeUndefined()
  expect(owner.data.routeTrace.decisions[1]).toMatchObject({
    candidates: [],
    counts: [
      { reason: 'ALREADY_TRIED', count: 1 },
      { reason: 'CHOSEN', count: 1 },
      { reason: 'MODEL_NOT_ALLOWED', count: 1 },
    ],
  })
  expect(JSON.stringify(owner.data)).not.toContain('p 1')
  const strangers = await askGraphql(relay.app.url, trace, { id }, await newcomer())
  expect(strangers.data.routeTrace).toBeNull()
  expect((await askGraphql(relay.app.url, trace, { id: 'req_nonsense' }, admin)).data.routeTrace).toBeNull()
})

test('while a request runs its choice can be told already', async () => {
  upstream.script((exchange) => exchange.hang())
  const leaving = new AbortController()
  const before = upstream.requests.length
  const asking = relay.ask('p', { signal: leaving.signal }).catch(() => null)
  await upstream.arrived(before)
  const { data } = await askGraphql(relay.app.url, '{ liveRequests { nodes { requestId } } }', {}, admin)
  const id = data.liveRequests.nodes[0].requestId as string
  for (const token of [admin, bob]) {
    const found = (await askGraphql(relay.app.url, trace, { id }, token)).data.routeTrace
    expect(found).toMatchObject({ requestId: id, attempts: [], decisions: [{}] })
  }
  expect((await askGraphql(relay.app.url, trace, { id }, await newcomer())).data.routeTrace).toBeNull()
  leaving.abort()
  await asking
})

test('a route can be simulated without a request, and calls no upstream', async () => {
  const before = upstream.requests.length
  const ask = async (model: string, token: string) =>
    (await askGraphql(relay.app.url, simulate, { key: keyId, model }, token)).data.simulateRoute
  expect(await ask('claude-x', admin)).toMatchObject({
    keyProblem: null,
    decision: {
      candidates: [{ reason: 'CHOSEN' }, { reason: 'LOWER_PRIORITY' }, { reason: 'MODEL_NOT_ALLOWED' }],
    },
  })
  expect(await ask('claude-x', bob)).toMatchObject({ decision: { candidates: [], counts: [{}, {}, {}] } })
  expect(await ask('gpt', bob)).toEqual({ keyProblem: 'MODEL_NOT_ALLOWED', decision: null })
  expect(await ask('claude-x', await newcomer())).toBeNull()
  expect(upstream.requests.length).toBe(before)
})

test('what a client is told of a failure names the request and the reason, and no account and no upstream', async () => {
  upstream.script(refusal(500, 'api_error', 'canary of the upstream'), refusal(500, 'api_error', 'canary'))
  const answer = await relay.ask('p')
  expect(answer.status).toBe(529)
  const id = answer.headers.get('x-request-id')!
  expect(answer.text).toContain(`Request id: ${id}`)
  expect(JSON.parse(answer.text).request_id).toBe(id)
  for (const word of ['canary', 'p 1', 'p 2', String(upstream.port)]) expect(answer.text).not.toContain(word)
})

let newcomers = 0
/** Somebody without keys and accounts. */
async function newcomer(): Promise<string> {
  const name = `stranger${++newcomers}`
  await askGraphql(
    relay.app.url,
    `mutation { createUser(input: { username: "${name}", password: "password of ${name}" }) { __typename } }`,
    {},
    admin,
  )
  return signedIn(relay.app.url, name, `password of ${name}`)
}
