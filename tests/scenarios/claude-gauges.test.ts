import { expect, onTestFinished, test } from 'vitest'
import { engines, newDatabaseAddress, redisUrl } from '../support/engines.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'
import { accountWith, adminEnv, type ClaudeStand, signedIn, startClaudeStand } from './claude-stand.ts'
import { ask } from './pools.ts'

const resetS = Math.floor(Date.now() / 1000) + 7200
const resetAt = new Date(resetS * 1000).toISOString()
const headers = (said: Record<string, string>) =>
  Object.fromEntries(Object.entries(said).map(([name, value]) => [`anthropic-ratelimit-unified-${name}`, value]))
const fiveHours = (utilization: string, status = 'allowed') =>
  headers({ '5h-status': status, '5h-utilization': utilization, '5h-reset': String(resetS) })

const stand = (options = {}) =>
  startClaudeStand((claude) => [{ name: 'a', ...accountWith(claude, claude.issue(), 8 * 3_600_000) }], options)
const query = '{ accounts { edges { node { id limitGauges { window status utilization resetAt at } } } } }'
async function gaugesOf({ graphql }: Pick<ClaudeStand, 'graphql'>) {
  const { limitGauges } = (await graphql(query)).accounts.edges[0].node
  return (limitGauges as { window: string; utilization: number }[]).map(({ window, utilization }) => [
    window,
    utilization,
  ])
}

test('every answer moves the gauges of its account: JSON, streams, counts and refusals; clients see nothing of it', async () => {
  const relay = await stand()
  const { claude } = relay
  expect(await gaugesOf(relay)).toEqual([])
  claude.limits = { ...fiveHours('0.42'), ...headers({ '7d-utilization': '0.1', '7d_sonnet-utilization': '0.9' }) }
  const json = await relay.ask()
  expect(json.status).toBe(200)
  expect([...json.headers.keys()].filter((name) => name.includes('ratelimit'))).toEqual([])
  const [{ node }] = (await relay.graphql(query)).accounts.edges
  expect(node.limitGauges[0]).toEqual({
    window: '5h',
    status: 'allowed',
    utilization: 0.42,
    resetAt,
    at: expect.any(String),
  })
  expect(await gaugesOf(relay)).toEqual([
    ['5h', 0.42],
    ['7d', 0.1],
    ['7d_sonnet', 0.9],
  ])
  claude.limits = fiveHours('0.43')
  expect((await relay.ask({ stream: true })).text).toContain('message_stop')
  expect((await gaugesOf(relay))[0]).toEqual(['5h', 0.43])
  claude.limits = fiveHours('0.44')
  const count = await ask(relay.base, testKey, { path: '/v1/messages/count_tokens', body: {} })
  expect(count.status).toBe(200)
  expect((await gaugesOf(relay))[0]).toEqual(['5h', 0.44])
  claude.limits = {}
  claude.script(refusal(429, 'rate_limit_error', 'x', fiveHours('1.02', 'rejected')))
  expect((await relay.ask()).status).toBe(529)
  expect((await gaugesOf(relay))[0]).toEqual(['5h', 1.02])
})

test('gauges and their history outlive the process; the history is by window and time, and asks for a range', async () => {
  let offsetMs = 0
  const now = () => Date.now() + offsetMs
  const env = await sharedEnv()
  const relay = await stand({ now, env, keepData: true, gauges: { publishMs: 0, writeMs: 0 } })
  for (const utilization of ['0.40', '0.41', '0.55']) {
    relay.claude.limits = { ...fiveHours(utilization), ...headers({ '7d-utilization': '0.1' }) }
    expect((await relay.ask()).status).toBe(200)
    offsetMs += 60_000
  }
  const history = async (range: object) => {
    const [{ node }] = (await relay.graphql(query)).accounts.edges
    const asking = `query ($id: ID!, $window: String!, $from: DateTime!, $to: DateTime!) {
      node(id: $id) { ... on Account { limitGaugeHistory(window: $window, from: $from, to: $to) { utilization status } } } }`
    const found = await relay.graphql(asking, { id: node.id, ...range })
    return found.node.limitGaugeHistory.map(({ utilization }: { utilization: number }) => utilization)
  }
  const from = new Date(Date.now() - 3_600_000).toISOString()
  const to = new Date(Date.now() + 3_600_000).toISOString()
  await expect.poll(() => history({ window: '5h', from, to })).toEqual([0.4, 0.41, 0.55])
  expect(await history({ window: '7d', from, to })).toEqual([0.1])
  expect(await history({ window: '5h', from: to, to: new Date(Date.now() + 7_200_000).toISOString() })).toEqual([])
  await expect(history({ window: '5h', from: to, to: from })).rejects.toThrow('`from` must be before `to`')
  const known = (await relay.graphql(query)).accounts.edges[0].node.limitGauges
  await relay.app.stop()
  const again = await startRelayApp({
    accounts: [{ name: 'a', ...accountWith(relay.claude, relay.claude.issue()) }],
    env: { ...adminEnv, ...relay.claude.env, ...env },
    dataDir: relay.dataDir,
  })
  onTestFinished(() => again.stop())
  const graphql = await signedIn(again.app.url)
  expect((await graphql(query)).accounts.edges[0].node.limitGauges).toEqual(known)
})

test('what moved comes live, with the account, and only to those who may see it', async () => {
  const relay = await stand({ gauges: { publishMs: 0 } })
  const user = `mutation { createUser(input: { username: "eve", password: "correct horse battery" }) { __typename } }`
  await relay.graphql(user)
  const listen = async ({ token }: { token: string }) => {
    const leave = new AbortController()
    onTestFinished(() => leave.abort())
    const answer = await fetch(`${relay.app.url}/graphql`, {
      method: 'POST',
      signal: leave.signal,
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({
        query:
          'subscription { accountEvents { events { ... on AccountChanged { account { name limitGauges { window utilization resetAt } } } } } }',
      }),
    })
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    return {
      said: () => text,
      async until(part: string) {
        while (!text.includes(part)) {
          const { value, done } = await reader.read()
          if (done) throw new Error(`ended without ${part}: ${text}`)
          text += value
        }
      },
    }
  }
  const asEve = await signedIn(relay.app.url, 'eve')
  const [admin, eve] = [await listen(relay.graphql), await listen(asEve)]
  relay.claude.limits = fiveHours('0.61')
  await relay.ask()
  await admin.until(`{"window":"5h","utilization":0.61,"resetAt":"${resetAt}"}`)
  expect(eve.said()).not.toContain('0.61')
  const [{ node }] = (await relay.graphql(query)).accounts.edges
  const foreign = '{ node(id: "ID") { ... on Account { limitGauges { window } } } }'.replace('ID', node.id)
  expect((await asEve(foreign)).node).toBeNull()
})

test('the usage page that a probe reads, and the answer to the test button, move the gauges too', async () => {
  const still = { probeMs: 3_600_000, releaseMs: 3_600_000, pruneMs: 3_600_000, driftMs: 3_600_000 }
  const relay = await stand({ jobs: still })
  const { claude, graphql } = relay
  const [{ node }] = (await graphql(query)).accounts.edges
  claude.limits = fiveHours('0.5')
  const tested = await graphql(
    'mutation ($id: ID!) { testAccount(input: { id: $id, model: "m" }) { ... on TestAccountSuccess { ok } } }',
    {
      id: node.id,
    },
  )
  expect(tested.testAccount.ok).toBe(true)
  expect(await gaugesOf(relay)).toEqual([['5h', 0.5]])
  claude.limits = {}
  claude.script(refusal(429, 'rate_limit_error', 'x', fiveHours('1', 'rejected')))
  await relay.ask()
  claude.usage = {
    five_hour: { utilization: 97.5, resets_at: resetAt },
    limits: [{ kind: 'weekly_scoped', percent: 12, resets_at: resetAt, scope: { model: { display_name: 'Fable' } } }],
  }
  const probed = await graphql(
    'mutation ($id: ID!) { probeAccount(input: { id: $id }) { ... on ProbeAccountSuccess { probe { ok status } } } }',
    {
      id: node.id,
    },
  )
  expect(probed.probeAccount.probe).toEqual({ ok: false, status: 200 })
  expect(await gaugesOf(relay)).toEqual([
    ['5h', 0.975],
    ['7d_fable', 0.12],
  ])
})

test('accounts with keys have no gauges, whatever headers their upstream sends', async () => {
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  const relay = await startRelayApp({ accounts: [{ url: upstream.url }], env: adminEnv })
  onTestFinished(() => relay.stop())
  upstream.script((exchange) => exchange.respond(429, fiveHours('1', 'rejected'), '{}'))
  await ask(relay.base, testKey, {})
  expect(await gaugesOf({ graphql: await signedIn(relay.app.url) })).toEqual([])
})

test.runIf(engines === 'services')('another process knows what this one was told', async () => {
  const env = await sharedEnv()
  const relay = await stand({ env, gauges: { publishMs: 0 } })
  const other = await startRelayApp({ env: { ...adminEnv, ...relay.claude.env, ...env } })
  onTestFinished(() => other.stop())
  const there = { graphql: await signedIn(other.app.url) }
  expect(await gaugesOf(there)).toEqual([])
  relay.claude.limits = fiveHours('0.77')
  await relay.ask()
  await expect.poll(() => gaugesOf(there)).toEqual([['5h', 0.77]])
})

/** A database that outlives an app, or is shared by two; on SQLite the data folder is that. */
async function sharedEnv(): Promise<Record<string, string>> {
  if (engines === 'embedded') return {}
  const { url, drop } = await newDatabaseAddress()
  onTestFinished(drop)
  return { DATABASE_URL: url, REDIS_URL: redisUrl, MASTER_SECRET: 'a secret of thirty-two characters' }
}
