import { encodeGlobalID } from '@pothos/plugin-relay'
import { expect, onTestFinished, test } from 'vitest'
import { request, settled } from '../live/live-stand.ts'
import { type GraphqlStand, startGraphqlStand } from './stand.ts'

/** A subscription over SSE; `until` reads on to some text and gives everything so far. */
async function subscribe({ url }: GraphqlStand, token: string | undefined, query: string) {
  const abort = new AbortController()
  onTestFinished(() => abort.abort())
  const response = await fetch(url, {
    method: 'POST',
    signal: abort.signal,
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query }),
  })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  return {
    abort,
    async until(part: string): Promise<string> {
      while (!text.includes(part)) {
        const { value, done } = await reader.read()
        if (done) throw new Error(`ended without ${part}: ${text}`)
        text += value
      }
      return text
    },
  }
}

const requests = `subscription { requestEvents { cursor gap { dropped } events { __typename
  ... on RequestStarted { request { id requestId status apiKey { id name } startedAt outcome cost attempts { number } } }
  ... on RequestSettled { request { requestId status outcome cost durationMs httpStatus errorType usageRaw } } } } }`
const accounts = `subscription { accountEvents { cursor events { ... on AccountChanged {
  account { id name state { name reason } limitGauges { window } inFlight } steps { reason } } } } }`

async function startPool() {
  const stand = await startGraphqlStand()
  const ada = await stand.addUser('ada', 'admin')
  const group = await stand.client.group.create({ data: { name: 'g' } })
  const account = await stand.client.account.create({
    data: {
      name: 'main',
      platform: 'console',
      url: 'https://a.test',
      authHeader: 'bearer',
      models: '["*"]',
      modelMapping: '{}',
      groups: { create: { groupId: group.id } },
    },
  })
  await stand.accounts.load()
  return { stand, ada, account }
}

test('events of requests begin at once with a cursor, carry whole requests, and end with their session', async () => {
  const { stand, ada, account } = await startPool()
  const { live } = stand
  const stream = await subscribe(stand, ada.token, requests)
  await stream.until('"gap":null,"events":[]')
  const begun = request({ accountId: account.id })
  live.started(begun)
  live.settled(settled(begun))
  const text = await stream.until('RequestSettled')
  expect(text).toContain(
    `"id":"${encodeGlobalID('Request', begun.requestId)}","requestId":"${begun.requestId}","status":"RUNNING"`,
  )
  expect(text).toContain('"outcome":null,"cost":null,"attempts":null')
  expect(text).toContain(
    '"status":"SETTLED","outcome":"COMPLETED","cost":"1926000","durationMs":20,"httpStatus":200,"errorType":null,"usageRaw":null',
  )
  expect(text).not.toContain('"errors"')
  live.sessionsEnded({ userId: ada.id })
  await stream.until('event: complete')
  expect(live.subscriberCount()).toBe(0)
})

test('events of accounts show the account as the event has it, with the requests it serves in all processes', async () => {
  const { stand, ada, account } = await startPool()
  const stream = await subscribe(stand, ada.token, accounts)
  await stream.until('"events":[]')
  stand.live.started(request({ accountId: account.id }))
  stand.live.accountChanged({
    accountId: account.id,
    name: account.name,
    groupIds: [1],
    userId: 0,
    enabled: true,
    state: {
      kind: 'cooling_down',
      untilMs: Date.now() + 60_000,
      reason: 'failed',
      fault: null,
      sinceMs: 0,
      nextProbeAtMs: null,
      models: {},
    },
    gauges: [{ window: '5h', status: 'allowed', usedPpm: 1, resetMs: null, atMs: 0 }],
    steps: [],
  })
  const text = await stream.until('"steps":[]')
  expect(text).toContain(
    '"name":"main","state":{"name":"COOLING_DOWN","reason":"failed"},"limitGauges":[{"window":"5h"}],"inFlight":1',
  )
})

test('queries that feed a page carry the cursor that their subscription goes on from, and make events be kept', async () => {
  const { stand, ada } = await startPool()
  const query =
    '{ liveRequests { cursor nodes { requestId } } requests { cursor } costTotals { cursor day requests cost } }'
  const { data } = await stand.ask(query, {}, ada)
  expect(data).toMatchObject({ liveRequests: { nodes: [] }, costTotals: { requests: 0, cost: '0' } })
  const cursors = [data.liveRequests.cursor, data.requests.cursor, data.costTotals.cursor]
  expect(new Set(cursors).size).toBe(1)
  const missed = request()
  stand.live.started(missed)
  stand.live.settled(settled(missed))
  await stand.live.flushed()
  const from = requests.replace('requestEvents', `requestEvents(after: "${cursors[0]}")`)
  const text = await (await subscribe(stand, ada.token, from)).until('RequestSettled')
  expect(text).toContain('RequestStarted')
  expect(text).not.toContain('"gap":{')
})

test('totals come as a snapshot and deltas; a reader that leaves is forgotten', async () => {
  const { stand, ada } = await startPool()
  const sums = 'day requests failures tokens cost'
  const stream = await subscribe(
    stand,
    ada.token,
    `subscription { costTotals { cursor gap { dropped } events { __typename ... on CostTotalsSnapshot { ${sums} } ... on CostTotalsDelta { ${sums} } } } }`,
  )
  await stream.until('CostTotalsSnapshot')
  stand.live.settled(settled(request()))
  const text = await stream.until('CostTotalsDelta')
  expect(text.slice(text.indexOf('CostTotalsDelta'))).toContain(
    '"requests":1,"failures":0,"tokens":18,"cost":"1926000"',
  )
  stream.abort.abort()
  while (stand.live.subscriberCount() > 0) await new Promise((resolve) => setImmediate(resolve))
})

test('one request is found by its id while it runs, just after its end, and by its node id', async () => {
  const { stand, ada } = await startPool()
  const bob = await stand.addUser('bob', 'user')
  const begun = request({ requestId: 'req_00000000000000' })
  const find = async (as: { token: string }) => {
    const query =
      'query ($r: String!, $id: ID!) { request(requestId: $r) { status cost } node(id: $id) { ... on Request { status } } }'
    const variables = { r: begun.requestId, id: encodeGlobalID('Request', begun.requestId) }
    return (await stand.ask(query, variables, as)).data
  }
  expect(await find(ada)).toEqual({ request: null, node: null })
  stand.live.started(begun)
  expect(await find(ada)).toEqual({ request: { status: 'RUNNING', cost: null }, node: { status: 'RUNNING' } })
  expect(await find(bob)).toEqual({ request: null, node: null })
  stand.live.cursor()
  stand.live.settled(settled(begun))
  await stand.live.flushed()
  expect(await find(ada)).toEqual({ request: { status: 'SETTLED', cost: '1926000' }, node: { status: 'SETTLED' } })
  expect(await find(bob)).toEqual({ request: null, node: null })
})

test('strangers get no reader', async () => {
  const { stand } = await startPool()
  await (await subscribe(stand, undefined, requests)).until('UNAUTHENTICATED')
  expect(stand.live.subscriberCount()).toBe(0)
})
