import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { errorAfterEvents, errorFirst, refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream, type Script } from '../support/fake-upstream.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'
import { errorEvent } from '../support/sse-fixtures.ts'
import { askGraphql, signedIn } from './graphql-asking.ts'
import { ask } from './pools.ts'

/** The same error event from two accounts is held against the request, not against them; other equal errors are not. */

let upstream: FakeUpstream
beforeAll(async () => {
  upstream = await createFakeUpstream()
})
afterAll(() => upstream.close())

const password = 'correct horse battery'
/** One failure makes an account cool, and for long: whatever is held against it shows. */
const statePolicy = {
  failures: 1,
  windowMs: 60_000,
  firstCooldownMs: 60_000,
  maxCooldownMs: 60_000,
  halfOpenMs: 60_000,
}

/** A pool of accounts in order of priority, each of which fails as its script says; undefined: it answers. */
async function startPool(scripts: (Script | undefined)[]) {
  const relay = await startRelayApp({
    accounts: scripts.map((_, index) => ({ name: `${index + 1}`, url: upstream.url, priority: index + 1 })),
    env: { DEFAULT_ADMIN_PASSWORD: password },
    statePolicy,
  })
  onTestFinished(() => relay.stop())
  const stops = scripts.flatMap((script, index) =>
    script
      ? upstream.scriptWhen(
          ({ headers }) => headers.authorization?.includes(`sk-upstream-${index + 1}-`) === true,
          script,
        )
      : [],
  )
  const heal = (): void => {
    for (const stop of stops) stop()
  }
  onTestFinished(heal)
  const token = await signedIn(relay.app.url, 'admin', password)
  return {
    ask: (message = 'hello', stream = false) =>
      ask(relay.base, testKey, { body: { stream, messages: [{ role: 'user', content: message }] } }),
    heal,
    attempts: async () => (await relay.attempts()).map((row) => row['account_id']),
    /** Of each account: its state, models that rest, and the steps that led there, the oldest first. */
    async accounts() {
      const { data, errors } = await askGraphql(
        relay.app.url,
        '{ accounts { edges { node { name state { name models { model } } timeline(first: 10) { edges { node { to model reason cause } } } } } } }',
        {},
        token,
      )
      expect(errors).toBeUndefined()
      return data.accounts.edges.map(
        // biome-ignore lint/suspicious/noExplicitAny: the test reads what it asked for
        ({ node }: any) => ({
          state: node.state.name,
          models: node.state.models.length,
          // biome-ignore lint/suspicious/noExplicitAny: the same
          steps: node.timeline.edges.map(({ node: step }: any) => `${step.to}: ${step.reason}`).reverse(),
        }),
      )
    },
  }
}

const retracted = 'the request was at fault, not the account'
const at500 = (message: string) => refusal(500, 'api_error', message)
const event =
  (message: string): Script =>
  (exchange) =>
    exchange.sse([errorEvent('api_error', message)])
const inEvent = 'error event api_error before any content'

test('two accounts that fail in the same way are both in service for the next request, and the timeline tells why', async () => {
  const pool = await startPool([event('cannot parse tool 7'), event('cannot parse tool 7')])
  expect((await pool.ask('hello', true)).status).toBe(529)
  await expect.poll(pool.accounts).toMatchObject([
    { state: 'READY', steps: [`COOLING_DOWN: ${inEvent}`, `READY: ${retracted}`] },
    { state: 'READY', steps: [] },
  ])
  pool.heal()
  expect((await pool.ask('another')).status).toBe(200)
  expect(await pool.attempts()).toEqual([1, 2, 1])
})

test('a hundred such requests take nobody out of service for others', async () => {
  const pool = await startPool([event('bad image'), event('bad image')])
  for (let i = 0; i < 100; i++) expect((await pool.ask(`turn ${i}`, true)).status).toBe(529)
  expect((await pool.attempts()).length).toBe(200)
  expect((await pool.accounts()).map(({ state }: { state: string }) => state)).toEqual(['READY', 'READY'])
})

test('an error event that says that the request is wrong touches no account, before and within its content', async () => {
  const pool = await startPool([errorFirst('invalid_request_error'), errorAfterEvents(5, 'invalid_request_error')])
  const answer = await pool.ask('hello', true)
  expect(answer.status).toBe(200)
  expect(answer.text).toContain('invalid_request_error')
  expect(await pool.accounts()).toEqual([
    { state: 'READY', models: 0, steps: [] },
    { state: 'READY', models: 0, steps: [] },
  ])
  expect(await pool.attempts()).toEqual([1, 2])
})

test('the same error event from two accounts is the request’s, from one it is the account’s', async () => {
  const pool = await startPool([errorFirst('api_error'), errorFirst('api_error')])
  expect((await pool.ask('hello', true)).status).toBe(529)
  await expect.poll(pool.accounts).toMatchObject([{ state: 'READY' }, { state: 'READY', steps: [] }])
  pool.heal()
  const other = await startPool([errorFirst('api_error'), undefined])
  expect((await other.ask('hello', true)).status).toBe(200)
  await expect.poll(other.accounts).toMatchObject([{ state: 'COOLING_DOWN' }, { state: 'READY' }])
})

test('texts that name another request or moment each time are the same error all the same', async () => {
  const withId: Script = (exchange) =>
    event(`cannot parse tool (request id: 2026${exchange.request.index}abc)`)(exchange)
  const pool = await startPool([withId, withId])
  expect((await pool.ask('hello', true)).status).toBe(529)
  await expect.poll(pool.accounts).toMatchObject([{ state: 'READY' }, { state: 'READY' }])
})

test('one account that fails while another answers was at fault', async () => {
  const pool = await startPool([at500('out of order'), undefined])
  expect((await pool.ask()).status).toBe(200)
  await expect
    .poll(pool.accounts)
    .toMatchObject([{ state: 'COOLING_DOWN', steps: ['COOLING_DOWN: 500 api_error'] }, { state: 'READY' }])
})

test('two that failed in the same way were at fault after all when a third one answers the same request', async () => {
  const pool = await startPool([event('out of order'), event('out of order'), undefined])
  expect((await pool.ask('hello', true)).status).toBe(200)
  await expect.poll(pool.accounts).toMatchObject([
    {
      state: 'COOLING_DOWN',
      steps: [`COOLING_DOWN: ${inEvent}`, `READY: ${retracted}`, `COOLING_DOWN: ${inEvent}`],
    },
    { state: 'COOLING_DOWN', steps: [`COOLING_DOWN: ${inEvent}`] },
    { state: 'READY' },
  ])
})

test('two that fail differently rest both', async () => {
  const pool = await startPool([at500('out of order'), at500('out of memory'), undefined])
  expect((await pool.ask()).status).toBe(200)
  expect((await pool.accounts()).map(({ state }: { state: string }) => state)).toEqual([
    'COOLING_DOWN',
    'COOLING_DOWN',
    'READY',
  ])
})

test.each([500, 502, 503])('equal %is of several accounts acquit none of them: all cool down', async (status) => {
  const broken = refusal(status, 'api_error', 'Internal server error')
  const pool = await startPool([broken, broken])
  expect((await pool.ask()).status).toBe(529)
  const steps = [`COOLING_DOWN: ${status} api_error`]
  await expect.poll(pool.accounts).toMatchObject([
    { state: 'COOLING_DOWN', steps },
    // The last one left is tried again soon.
    { state: expect.stringMatching(/^(COOLING_DOWN|RECOVERING)$/), steps },
  ])
})

test('equal 403s of several accounts acquit none of them, and no 403 reaches the client', async () => {
  const no = refusal(403, 'permission_error', 'This model is not for minors')
  const pool = await startPool([no, no])
  const before = upstream.requests.length
  expect((await pool.ask()).status).toBe(503)
  expect(upstream.requests.length - before).toBe(2)
  const reason = 'RATE_LIMITED: 403 permission_error'
  await expect.poll(pool.accounts).toMatchObject([
    { state: 'READY', models: 1, steps: [reason] },
    { state: 'READY', models: 1, steps: [reason] },
  ])
})

test('a single account that refuses a model rests for that model, whoever answers then', async () => {
  const pool = await startPool([refusal(403, 'permission_error', 'this model is not for you'), undefined])
  expect((await pool.ask()).status).toBe(200)
  await expect.poll(pool.accounts).toMatchObject([
    { state: 'READY', models: 1 },
    { state: 'READY', models: 0 },
  ])
})

test('a 403 that names no model is about the account or its address', async () => {
  const pool = await startPool([refusal(403, 'forbidden', 'Request not allowed'), undefined])
  expect((await pool.ask()).status).toBe(200)
  await expect.poll(pool.accounts).toMatchObject([{ state: 'COOLING_DOWN', models: 0 }, { state: 'READY' }])
})

test('a 4xx that is no error of the format counts against its account only once another one has served the request', async () => {
  const odd: Script = (exchange) => exchange.respond(400, { 'content-type': 'text/html' }, '<html>Bad Request</html>')
  const alone = await startPool([odd, odd])
  expect((await alone.ask()).status).toBe(529)
  expect(await alone.accounts()).toMatchObject([{ state: 'READY' }, { state: 'READY' }])
  alone.heal()
  const pool = await startPool([odd, undefined])
  expect((await pool.ask()).status).toBe(200)
  await expect.poll(pool.accounts).toMatchObject([{ state: 'COOLING_DOWN' }, { state: 'READY' }])
})
