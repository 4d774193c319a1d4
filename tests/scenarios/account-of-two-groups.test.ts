import { afterEach, beforeEach, expect, test } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { answerDefault } from '../support/fake-message.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { type RelayApp, startRelayApp } from '../support/relay-app.ts'
import { askGraphql, signedIn } from './graphql-asking.ts'
import { ask } from './pools.ts'

/** One account that serves the groups of two teams, each with a key of its own. */
const key = (group: string): string => `sk-of-${group}-0123456789abcdef`
const key1 = key('team-one')
const key2 = key('team-two')
let upstream: FakeUpstream
let relay: RelayApp

beforeEach(async () => {
  upstream = await createFakeUpstream()
  relay = await startRelayApp({
    groups: [{ name: 'team-one' }, { name: 'team-two' }],
    accounts: [{ name: 'shared', url: upstream.url, groups: ['team-one', 'team-two'], concurrency: 1 }],
    keys: [
      { name: 'one', secret: key1, group: 'team-one', totalLimitUsd: '0.000000001' },
      { name: 'two', secret: key2, group: 'team-two' },
    ],
    queue: { waitMs: 5000, length: 3 },
    env: { DEFAULT_ADMIN_PASSWORD: 'correct horse battery' },
    timers: { firstByteStreamMs: 10_000 },
  })
})
afterEach(async () => {
  await relay.stop()
  await upstream.close()
})

test('keys of both groups are served, each under its own budget, and each row carries the group of its key', async () => {
  expect((await ask(relay.base, key1)).status).toBe(200)
  expect((await ask(relay.base, key2)).status).toBe(200)
  const rows = await relay.rows()
  expect(rows.map((row) => [row['account_id'], row['group_id']])).toEqual([
    [1, 1],
    [1, 2],
  ])
  const spent = await ask(relay.base, key1)
  expect([spent.status, JSON.parse(spent.text).error.type]).toEqual([429, 'billing_error'])
  expect((await ask(relay.base, key2)).status).toBe(200)
})

test('the slots of the account are shared: who waits in one group goes on when a request of the other ends', async () => {
  const gate = deferred<void>()
  upstream.script(async (exchange) => {
    await gate.promise
    await answerDefault(exchange, 1)
  })
  const first = ask(relay.base, key1)
  await expect.poll(() => upstream.requests.length).toBe(1)
  const second = ask(relay.base, key2)
  const token = await signedIn(relay.app.url, 'admin', 'correct horse battery')
  const positions = async () =>
    (await askGraphql(relay.app.url, '{ liveRequests { nodes { queuePosition } } }', {}, token)).data.liveRequests.nodes
  await expect.poll(positions).toEqual([{ queuePosition: null }, { queuePosition: 1 }])
  expect(upstream.requests).toHaveLength(1)
  gate.resolve()
  expect([(await first).status, (await second).status]).toEqual([200, 200])
  expect(upstream.requests).toHaveLength(2)
})

test('the state of the account is shared: what a key of one group brings out keeps those of the other away', async () => {
  upstream.script(refusal(401, 'authentication_error'))
  expect((await ask(relay.base, key1)).status).toBe(503)
  expect((await ask(relay.base, key2)).status).toBe(503)
  expect(upstream.requests).toHaveLength(1)
})
