import { expect, test } from 'vitest'
import { startGraphqlStand } from './stand.ts'

const timeline = `query ($id: ID!, $first: Int, $after: String) { node(id: $id) { ... on Account {
  state { name until since nextProbeAt }
  timeline(first: $first, after: $after) { pageInfo { hasNextPage endCursor } edges { cursor node {
    at from to model until reason cause requestId httpStatus errorType errorCode errorMessage } } } } } }`

async function openAccount() {
  const stand = await startGraphqlStand()
  const bob = await stand.addUser('bob', 'user')
  const group = await stand.ask(
    'mutation { createGroup(input: { name: "g" }) { ... on CreateGroupSuccess { group { id } } } }',
    {},
    bob,
  )
  const created = await stand.ask(
    'mutation ($groupIds: [ID!]!) { createAccount(input: { name: "one", platform: CONSOLE, url: "https://a.example", upstreamApiKey: "sk-secret-0123456789", groupIds: $groupIds }) { ... on CreateAccountSuccess { account { id } } } }',
    { groupIds: [group.data.createGroup.group.id] },
    bob,
  )
  const id = created.data.createAccount.account.id as string
  const [account] = [...stand.accounts.all()]
  return { stand, bob, id, account: account! }
}

test('the timeline says what happened and why, newest first, a page at a time, to who may see the account', async () => {
  const { stand, bob, id, account } = await openAccount()
  const evidence = { status: 429, errorType: 'rate_limit_error', code: 'ramp_limit_exceeded', message: 'too fast' }
  const cause = { by: 'request', requestId: 'req_00000000000001', evidence } as const
  for (let step = 1; step <= 3; step++) {
    const untilMs = Date.now() + step * 60_000
    stand.accounts.report(account, { kind: 'rate_limited', untilMs, reason: `limit ${step}` }, cause)
  }
  await stand.accounts.stored()
  const first = (await stand.ask(timeline, { id, first: 2 }, bob)).data.node
  expect(first.state).toMatchObject({ name: 'RATE_LIMITED', nextProbeAt: null })
  expect(first.timeline.edges.map(({ node }: { node: { reason: string } }) => node.reason)).toEqual([
    'limit 3',
    'limit 2',
  ])
  expect(first.timeline.edges[1].node).toMatchObject({ from: 'RATE_LIMITED', to: 'RATE_LIMITED', model: null })
  const after = first.timeline.pageInfo.endCursor
  const second = (await stand.ask(timeline, { id, first: 2, after }, bob)).data.node.timeline
  expect(second.pageInfo.hasNextPage).toBe(false)
  expect(second.edges.map(({ node }: { node: object }) => node)).toEqual([
    {
      at: expect.any(String),
      from: 'READY',
      to: 'RATE_LIMITED',
      model: null,
      until: expect.any(String),
      reason: 'limit 1',
      cause: 'REQUEST',
      requestId: 'req_00000000000001',
      httpStatus: 429,
      errorType: 'rate_limit_error',
      errorCode: 'ramp_limit_exceeded',
      errorMessage: 'too fast',
    },
  ])
  const eve = await stand.addUser('eve', 'user')
  expect((await stand.ask(timeline, { id }, eve)).data.node).toBeNull()
  expect((await stand.ask(timeline, { id, after: 'x' }, bob)).errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT')
})

test('clearing says who lifted what, and writes audit and timeline together', async () => {
  const { stand, bob, id, account } = await openAccount()
  const cause = { by: 'request', requestId: '', evidence: null } as const
  stand.accounts.report(account, { kind: 'login_needed', reason: '401' }, cause)
  stand.accounts.report(
    account,
    { kind: 'rate_limited', untilMs: Date.now() + 60_000, reason: '403', model: 'm' },
    cause,
  )
  await stand.accounts.stored()
  const cleared = await stand.ask(
    `mutation { clearAccountState(input: { id: "${id}" }) { ... on ClearAccountStateSuccess { account { state { name models { model } } } } } }`,
    {},
    bob,
  )
  expect(cleared.data.clearAccountState.account.state).toEqual({ name: 'READY', models: [] })
  await stand.accounts.stored()
  const { edges } = (await stand.ask(timeline, { id, first: 2 }, bob)).data.node.timeline
  const nodes = edges.map(({ node }: { node: { model: string | null; to: string; cause: string } }) => node)
  expect(nodes).toEqual([
    expect.objectContaining({ to: 'READY', cause: 'PERSON', model: 'm' }),
    expect.objectContaining({ from: 'REAUTH_REQUIRED', to: 'READY', cause: 'PERSON', model: null }),
  ])
  const audit = await stand.client.apiLog.findFirstOrThrow({ where: { action: 'clearAccountState' } })
  expect(nodes[0].requestId).toBe(audit.requestId)
  expect(JSON.parse(JSON.parse(audit.before).state)).toMatchObject({ kind: 'reauth_required' })
})
