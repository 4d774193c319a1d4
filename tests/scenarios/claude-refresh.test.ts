import { expect, onTestFinished, test } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { accountWith, signedIn, startClaudeStand } from './claude-stand.ts'

const states = '{ accounts { edges { node { name state { name reason } login { refreshFailure } } } } }'
const expired = -60_000
/** Fifty responses at once take longer than usual on a busy machine. */
const patient = { timers: { firstByteStreamMs: 10_000, firstByteJsonMs: 10_000 } }

test('fifty requests at the end of an access token: one refresh, and every request is answered', async () => {
  const { claude, ask } = await startClaudeStand((vendor) => {
    const login = vendor.issue()
    vendor.revoke()
    return [accountWith(vendor, login, expired)]
  }, patient)
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask()))
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200))
  expect(claude.grants).toHaveLength(1)
  expect((await ask()).status).toBe(200)
  expect(claude.grants).toHaveLength(1)
})

test('fifty requests whose access token was taken back early: one forced refresh, one more try each', async () => {
  const stand = await startClaudeStand((vendor) => [accountWith(vendor, vendor.issue(), 3_600_000)], patient)
  const { claude, ask } = stand
  claude.revoke()
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask()))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(claude.grants).toHaveLength(1)
  expect((await stand.rows()).map((row) => row['outcome'])).toEqual(Array.from({ length: 50 }, () => 'completed'))
})

test('a 401 that a fresh access token does not mend: one refresh, one more try, then the account needs a login', async () => {
  const stand = await startClaudeStand((vendor) => [accountWith(vendor, vendor.issue(), 3_600_000)])
  const { claude, ask, graphql } = stand
  claude.takesTokens = false
  expect((await ask()).status).toBe(503)
  expect(claude.grants).toHaveLength(1)
  expect((await stand.attempts()).map((row) => row['http_status'])).toEqual([401, 401])
  const [{ node }] = (await graphql(states)).accounts.edges
  expect(node.state.name).toBe('REAUTH_REQUIRED')
  // Out of service: the vendor is not asked again.
  await ask()
  expect(claude.grants).toHaveLength(1)
})

test('a refresh token that the vendor does not take: the account serves until its access token ends, then needs a login', async () => {
  let offsetMs = 0
  const stand = await startClaudeStand(
    (vendor) => {
      const { accessToken } = vendor.issue()
      return [accountWith(vendor, { accessToken, refreshToken: 'sk-ant-ort01-unknown' }, 300_000)]
    },
    { now: () => Date.now() + offsetMs },
  )
  const { claude, ask, graphql } = stand
  expect((await ask()).status).toBe(200)
  await expect
    .poll(async () => (await graphql(states)).accounts.edges[0].node.login.refreshFailure)
    .toMatch(/invalid_grant/)
  expect((await ask()).status).toBe(200)
  expect(claude.grants).toHaveLength(1)
  offsetMs = 301_000
  claude.revoke()
  expect((await ask()).status).toBe(503)
  const [{ node }] = (await graphql(states)).accounts.edges
  expect(node.state).toMatchObject({ name: 'REAUTH_REQUIRED' })
  expect(claude.grants).toHaveLength(1)
})

test('a token endpoint in trouble takes no login away: the request goes to the next account, and the refresh is tried later', async () => {
  let offsetMs = 0
  const stand = await startClaudeStand(
    (vendor) => [
      { name: 'first', priority: 1, ...accountWith(vendor, vendor.issue(), expired) },
      { name: 'second', priority: 2, ...accountWith(vendor, vendor.issue(), 3_600_000) },
    ],
    { now: () => Date.now() + offsetMs },
  )
  const { claude, ask, graphql } = stand
  claude.troubledWith = 503
  expect((await ask()).status).toBe(200)
  expect((await ask()).status).toBe(200)
  // Two requests, one question: the vendor said when to come back.
  expect(claude.grants).toHaveLength(1)
  const first = (await graphql(states)).accounts.edges[0].node
  expect(first).toMatchObject({ name: 'first', state: { name: 'READY' }, login: { refreshFailure: null } })
  expect(first.state.reason).toBe('The token endpoint answered 503.')
  claude.troubledWith = null
  offsetMs = 7_500
  // Another conversation: the first stays with the account that answered it.
  expect((await ask({ messages: [{ role: 'user', content: 'something else' }] })).status).toBe(200)
  expect(claude.grants).toHaveLength(2)
  expect((await stand.rows()).at(-1)).toMatchObject({ attempts: 1, outcome: 'completed' })
})

test('a login is renewed ahead of its end also while its account rests, and the rest goes on', async () => {
  let offsetMs = 0
  const stand = await startClaudeStand((vendor) => [accountWith(vendor, vendor.issue(), 3_600_000)], {
    now: () => Date.now() + offsetMs,
    jobs: { probeMs: 3_600_000, releaseMs: 3_600_000, pruneMs: 3_600_000, driftMs: 3_600_000 },
  })
  const { claude, ask } = stand
  claude.script(refusal(429, 'rate_limit_error', 'x', { 'retry-after': '80000' }))
  expect((await ask()).status).toBe(529)
  offsetMs = 3_600_000 - 9 * 60_000
  const graphql = await signedIn(stand.app.url)
  await graphql('mutation { runJob(input: { name: REFRESH }) { __typename } }')
  await expect.poll(() => claude.grants.length, { timeout: 10_000 }).toBe(1)
  const look = '{ accounts { edges { node { state { name } login { expiresAt refreshFailure } } } } }'
  const node = async () => (await graphql(look)).accounts.edges[0].node
  await expect
    .poll(async () => Date.parse((await node()).login.expiresAt), { timeout: 10_000 })
    .toBeGreaterThan(Date.now() + offsetMs + 7 * 3_600_000)
  expect(await node()).toMatchObject({ state: { name: 'RATE_LIMITED' }, login: { refreshFailure: null } })
  // Nobody asked it for a message meanwhile, and nobody asks the vendor again.
  expect(claude.requests.filter(({ path }) => path.startsWith('/v1/messages'))).toHaveLength(1)
  await graphql('mutation { runJob(input: { name: REFRESH }) { __typename } }')
  expect(claude.grants).toHaveLength(1)
})

test('a login that is given anew does not wait for the pause of the one before it', async () => {
  const stand = await startClaudeStand((vendor) => [accountWith(vendor, vendor.issue(), expired)])
  const { claude, ask, graphql } = stand
  claude.troubledWith = 503
  expect((await ask()).status).toBe(529)
  await ask()
  expect(claude.grants).toHaveLength(1)
  claude.troubledWith = null
  const [{ node }] = (await graphql('{ accounts { edges { node { id } } } }')).accounts.edges
  const renewed =
    'mutation ($id: ID!, $login: AccountLoginInput!) { updateAccount(input: { id: $id, login: $login }) { __typename } }'
  await graphql(renewed, { id: node.id, login: { tokens: claude.issue() } })
  claude.revoke()
  expect((await ask()).status).toBe(200)
  expect(claude.grants).toHaveLength(2)
})

test('a probe of a login whose access token has ended renews it first, asks for no message, and says what hindered it', async () => {
  let offsetMs = 0
  const stand = await startClaudeStand((vendor) => [accountWith(vendor, vendor.issue(), expired)], {
    now: () => Date.now() + offsetMs,
    jobs: { probeMs: 3_600_000, releaseMs: 3_600_000, pruneMs: 3_600_000, driftMs: 3_600_000 },
    statePolicy: { failures: 1, windowMs: 60_000, firstCooldownMs: 60_000, maxCooldownMs: 60_000, halfOpenMs: 60_000 },
  })
  const { claude, ask, graphql } = stand
  claude.troubledWith = 503
  expect((await ask()).status).toBe(529)
  expect((await ask()).status).toBe(529)
  const probes = '{ accounts { edges { node { id state { name } probes { nodes { ok status message } } } } } }'
  const node = async () => (await graphql(probes)).accounts.edges[0].node
  const { id, state } = await node()
  expect(state.name).toBe('COOLING_DOWN')
  const probe = async () =>
    (
      await graphql(
        `mutation { probeAccount(input: { id: "${id}" }) { __typename ... on ProbeAccountSuccess { probe { ok status message } } ... on Failure { message } } }`,
      )
    ).probeAccount
  const hindered = { ok: false, status: null, message: 'The token endpoint answered 503.' }
  expect(await probe()).toMatchObject({ probe: hindered })
  claude.troubledWith = null
  offsetMs = 7_500
  expect(await probe()).toMatchObject({ probe: { ok: true, status: 200 } })
  expect(claude.grants).toHaveLength(2)
  expect(await node()).toMatchObject({
    state: { name: 'READY' },
    probes: { nodes: [{ ok: true, status: 200 }, hindered] },
  })
  expect(claude.requests.some(({ path }) => path.startsWith('/v1/messages'))).toBe(false)
  expect((await ask()).status).toBe(200)
})

test('a renewal that the vendor leaves without an answer does not hold up a stop for five seconds', async () => {
  const stand = await startClaudeStand((vendor) => [accountWith(vendor, vendor.issue(), expired)], {
    jobs: { probeMs: 3_600_000, releaseMs: 3_600_000, pruneMs: 3_600_000, driftMs: 3_600_000 },
  })
  const { claude, graphql } = stand
  claude.grantScript = (exchange) => exchange.hang()
  await graphql('mutation { runJob(input: { name: REFRESH }) { __typename } }')
  await expect.poll(() => claude.grants.length, { timeout: 10_000 }).toBe(1)
  const startedMs = performance.now()
  await stand.app.stop()
  expect(performance.now() - startedMs).toBeLessThan(5000)
})

test.each(['at last', 'never'])(
  'a request that waits for a renewal while the relay stops is told so; nothing is sent for it, answered the renewal %s',
  async (answered) => {
    const stand = await startClaudeStand((vendor) => [accountWith(vendor, vendor.issue(), expired)], { drainMs: 200 })
    const { claude, ask } = stand
    const renew = deferred()
    claude.beforeAnswer = () => renew.promise
    const asked = ask()
    await expect.poll(() => claude.grants.length, { timeout: 10_000 }).toBe(1)
    const stopped = stand.app.stop()
    const answer = await asked
    expect([answer.status, answer.text]).toEqual([529, expect.stringContaining('restarting')])
    if (answered === 'at last') renew.resolve()
    await stopped
    expect(claude.requests.some(({ path }) => path.startsWith('/v1/messages'))).toBe(false)
    renew.resolve()
  },
)

test('requests that wait for a renewal in their second failover count in its budget: a fifth of those in flight', async () => {
  const overloaded = await createFakeUpstream()
  onTestFinished(() => overloaded.close())
  const { claude, ask } = await startClaudeStand((vendor) => [
    { name: 'first', url: overloaded.url, priority: 1 },
    { name: 'second', url: overloaded.url, priority: 2 },
    { name: 'third', priority: 3, ...accountWith(vendor, vendor.issue(), expired) },
  ])
  const renew = deferred()
  claude.beforeAnswer = () => renew.promise
  // All are refused by the first before the first of them is refused by the second.
  const [first, second] = [deferred(), deferred()]
  overloaded.scriptWhen(
    () => true,
    async (exchange) => {
      await (exchange.request.index < all ? first : second).promise
      await refusal(529, 'overloaded_error')(exchange)
    },
  )
  const [all, fifth] = [60, 12]
  const [given, givenUp] = [[] as number[], deferred()]
  const asked = Array.from({ length: all }, async (_, turn) => {
    given.push((await ask({ messages: [{ role: 'user', content: `turn ${turn}` }] })).status)
    if (given.length === all - fifth) givenUp.resolve()
  })
  await overloaded.arrived(all - 1)
  first.resolve()
  await overloaded.arrived(2 * all - 1)
  second.resolve()
  // Nobody has been served yet, and all but a fifth were told so.
  await givenUp.promise
  expect(new Set(given)).toEqual(new Set([529]))
  renew.resolve()
  await Promise.all(asked)
  expect(given.filter((status) => status === 200)).toHaveLength(fifth)
  expect(claude.requests.filter(({ path }) => path.startsWith('/v1/messages'))).toHaveLength(fifth)
})
