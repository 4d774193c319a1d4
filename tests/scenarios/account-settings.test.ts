import { expect, onTestFinished, test } from 'vitest'
import { hangAfterEvents, hangBeforeHeaders } from '../support/fake-scripts.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'
import { accountWith, adminEnv, signedIn, startClaudeStand } from './claude-stand.ts'
import { ask } from './pools.ts'

const settings = `connectTimeoutSeconds firstByteTimeoutSeconds idleTimeoutSeconds extraHeaderNames
  maxUtilization { window share }`
const CANARY = 'value-CANARY-0123456789'
/** Many processes may share the machine. */
const slowMs = 60_000
const long = { firstByteStreamMs: 60_000, firstByteJsonMs: 60_000, idleMs: 60_000, pingMs: 60_000, commitMs: 50 }

async function stand(account: object) {
  const [first, second] = [await createFakeUpstream(), await createFakeUpstream()]
  onTestFinished(() => first.close())
  onTestFinished(() => second.close())
  const relay = await startRelayApp({
    accounts: [
      { name: 'first', url: first.url, priority: 1, ...account },
      { name: 'second', url: second.url, priority: 2 },
    ],
    timers: long,
    env: adminEnv,
  })
  onTestFinished(() => relay.stop())
  return { ...relay, first, second, graphql: await signedIn(relay.app.url) }
}

test(
  'the timers of an account are its own: first byte and silence',
  async () => {
    const { base, first, second } = await stand({ firstByteTimeoutSeconds: 1, idleTimeoutSeconds: 1 })
    first.script(hangBeforeHeaders)
    expect((await ask(base, testKey)).status).toBe(200)
    expect(second.requests.length).toBe(1)
    const other = { messages: [{ role: 'user', content: 'another conversation' }] }
    first.script(hangAfterEvents(4))
    const cut = await ask(base, testKey, { body: other })
    expect(cut.text.match(/event: error/g)?.length).toBe(1)
  },
  slowMs,
)

test(
  'extra headers go up with requests, tests and probes, in place of the client’s own; their values are shown nowhere',
  async () => {
    const { base, first, graphql, log, app } = await stand({ extraHeaders: { 'X-Tenant': CANARY, 'x-plan': 'team' } })
    expect((await ask(base, testKey, { headers: { 'x-tenant': 'mine', 'x-other': 'kept' } })).status).toBe(200)
    const raw = first.requests[0]!.rawHeaders
    expect(raw.filter((name) => name.toLowerCase() === 'x-tenant').length).toBe(1)
    expect(first.requests[0]!.headers).toMatchObject({ 'x-tenant': CANARY, 'x-plan': 'team', 'x-other': 'kept' })
    const [{ node }] = (await graphql(`{ accounts(first: 1) { edges { node { id ${settings} } } } }`)).accounts.edges
    expect(node.extraHeaderNames).toEqual(['X-Tenant', 'x-plan'])
    await graphql(`mutation { testAccount(input: { id: "${node.id}", model: "m" }) { __typename } }`)
    expect(first.requests[1]!.headers).toMatchObject({ 'x-tenant': CANARY, 'x-plan': 'team' })

    const update = async (input: object) =>
      (
        await graphql(
          `mutation ($input: UpdateAccountInput!) { updateAccount(input: $input) { __typename
          ... on UpdateAccountSuccess { account { ${settings} } } ... on InputFailure { fields { path } } } }`,
          { input: { id: node.id, ...input } },
        )
      ).updateAccount
    const changed = await update({
      extraHeaders: [{ name: 'x-tenant', value: `${CANARY}-2` }],
      connectTimeoutSeconds: 20,
      firstByteTimeoutSeconds: 90,
      idleTimeoutSeconds: 30,
      maxUtilization: [{ window: '5h', share: 0.8 }],
    })
    expect(changed.account).toEqual({
      connectTimeoutSeconds: 20,
      firstByteTimeoutSeconds: 90,
      idleTimeoutSeconds: 30,
      extraHeaderNames: ['x-tenant'],
      maxUtilization: [{ window: '5h', share: 0.8 }],
    })
    expect(await update({ extraHeaders: [{ name: 'authorization', value: 'x' }] })).toMatchObject({
      __typename: 'InputFailure',
    })
    // Values belong to their address, as the secret does.
    const moved = await update({ url: 'https://elsewhere.example.com', upstreamApiKey: 'sk-of-the-new-address' })
    expect(moved.account.extraHeaderNames).toEqual([])
    const audit = await graphql('{ auditEntries(first: 50) { nodes { before after } } }')
    expect(JSON.stringify(audit)).toContain('x-tenant')
    expect(JSON.stringify(audit) + log.join('\n')).not.toContain('CANARY')
    const [rows] = [await app.database.select('SELECT * FROM `account_credentials`')]
    expect(String(rows)).not.toContain('CANARY')
  },
  slowMs,
)

test(
  'an account whose window is used up as far as its owner allows takes no new sessions; those that it has go on',
  async () => {
    let offsetMs = 0
    const stand = await startClaudeStand(
      (vendor) => [
        { name: 'a', priority: 1, maxUtilization: { '5h': 0.8 }, ...accountWith(vendor, vendor.issue()) },
        { name: 'b', priority: 2, ...accountWith(vendor, vendor.issue()) },
      ],
      { now: () => Date.now() + offsetMs },
    )
    const { claude } = stand
    const [ofA, ofB] = [1, 2]
    const limitsAt = (share: string) => ({
      'anthropic-ratelimit-unified-status': 'allowed',
      'anthropic-ratelimit-unified-5h-status': 'allowed',
      'anthropic-ratelimit-unified-5h-utilization': share,
      'anthropic-ratelimit-unified-5h-reset': String(Math.floor(Date.now() / 1000) + 1200),
    })
    const served = async (content: string) => {
      expect((await stand.ask({ messages: [{ role: 'user', content }] })).status).toBe(200)
      return (await stand.rows()).at(-1)!['account_id']
    }
    claude.limits = limitsAt('0.79')
    expect(await served('one')).toBe(ofA)
    claude.limits = limitsAt('0.81')
    expect(await served('two')).toBe(ofA)
    claude.limits = limitsAt('0.1')
    expect(await served('three')).toBe(ofB)
    // The session goes on; what it reports frees the account for new ones.
    expect(await served('one')).toBe(ofA)
    expect(await served('four')).toBe(ofA)
    claude.limits = limitsAt('0.9')
    expect(await served('four')).toBe(ofA)
    expect(await served('five')).toBe(ofB)
    // The window is over.
    offsetMs = 1_300_000
    expect(await served('six')).toBe(ofA)
  },
  slowMs,
)
