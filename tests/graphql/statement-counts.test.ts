import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { createRequestIds } from '../../server/request-ids.ts'
import { addRequest } from './ledger-row.ts'
import { startGraphqlStand } from './stand.ts'

/** The SQL statements that are sent to SQLite's threads from now on. */
function countStatements(): string[] {
  const statements: string[] = []
  const { postMessage } = Worker.prototype
  Worker.prototype.postMessage = function (this: Worker, message: { request?: { sql?: string } }, ...more) {
    if (message.request?.sql !== undefined) statements.push(message.request.sql)
    return postMessage.call(this, message, ...(more as []))
  }
  onTestFinished(() => {
    Worker.prototype.postMessage = postMessage
  })
  return statements
}

async function startFifty() {
  const stand = await startGraphqlStand()
  const { id: ownerId, token } = await stand.addUser('ada', 'admin')
  const { id: groupId } = await stand.client.group.create({ data: { name: 'g' } })
  const newId = createRequestIds(7, Date.now)
  for (let number = 0; number < 50; number++) {
    const { id } = await stand.client.account.create({
      data: {
        name: `account ${number}`,
        platform: 'console',
        url: 'https://a.test',
        authHeader: 'bearer',
        models: '["*"]',
        modelMapping: '{}',
        ownerId,
        groups: { create: { groupId } },
      },
    })
    const step = { accountId: id, atMs: 1n, model: '', untilMs: null, nextProbeAtMs: null, cause: 'probe', status: 0 }
    const rest = { errorType: '', code: '', message: '', requestId: '', fromKind: 'ready', toKind: 'cooling_down' }
    await stand.client.accountEvent.createMany({
      data: [1, 2, 3].map((nth) => ({ ...step, ...rest, id: BigInt(newId().key), reason: `${number}.${nth}` })),
    })
  }
  return { stand, token, ownerId }
}

test('fifty accounts with timeline, probes and gauges take at most ten SQL statements', async () => {
  const { stand, token } = await startFifty()
  const statements = countStatements()
  const { data, errors } = await stand.ask(
    `{ accounts(first: 50) { nodes { name owner { username } groups { name } state { name } limitGauges { window }
         timeline(first: 2) { nodes { to reason request { requestId } } } probes(first: 2) { nodes { ok } } } } }`,
    {},
    { token },
  )
  expect(errors).toBeUndefined()
  expect(data.accounts.nodes).toHaveLength(50)
  const reasons = (number: number) =>
    data.accounts.nodes[number].timeline.nodes.map(({ reason }: { reason: string }) => reason)
  expect([reasons(0), reasons(49)]).toEqual([
    ['0.3', '0.2'],
    ['49.3', '49.2'],
  ])
  expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(10)
  expect(statements.join('\n')).not.toContain('password_hash')
}, 60_000)

test('health, use and what was tested of fifty accounts are one statement each', async () => {
  const { stand, token } = await startFifty()
  const statements = countStatements()
  const { data, errors } = await stand.ask(
    '{ accounts(first: 50) { nodes { isTested successRate lastError { outcome } usageToday { cost from to asOf } } } }',
    {},
    { token },
  )
  expect(errors).toBeUndefined()
  expect(data.accounts.nodes[0]).toMatchObject({ isTested: false, successRate: null, lastError: null })
  expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(6)
}, 60_000)

test('fifty keys with owner, group, limits, use and what was seen take at most ten SQL statements', async () => {
  const { stand, token, ownerId } = await startFifty()
  for (let number = 0; number < 50; number++) {
    const secret = { secretHmac: `h${number}`, secretHint: 'sk-a…b' }
    const data = { name: `key ${number}`, ...secret, userId: ownerId, groupId: 1, models: '["*"]', dailyLimitNano: 5n }
    await stand.client.apiKey.create({ data })
  }
  const statements = countStatements()
  const { data, errors } = await stand.ask(
    `{ apiKeys(first: 50) { totalCount nodes { name owner { username dailyLimit } group { name owner { username } } dailyLimit
         rollingLimit spentToday spentTotal lastUsedAt inFlight seen { value } } } }`,
    {},
    { token },
  )
  expect(errors).toBeUndefined()
  expect(data.apiKeys.nodes).toHaveLength(50)
  expect(data.apiKeys.nodes[49]).toMatchObject({ owner: { username: 'ada' }, group: { name: 'g' }, dailyLimit: '5' })
  expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(10)
  expect(statements.join('\n')).not.toContain('password_hash')
}, 60_000)

test('fifty requests with key, account, owner, group and attempts take at most ten SQL statements', async () => {
  const { stand, token, ownerId } = await startFifty()
  await stand.client.apiKey.create({
    data: { name: 'k', secretHmac: 'h', secretHint: 'sk-a…b', userId: ownerId, groupId: 1, models: '["*"]' },
  })
  for (let number = 0; number < 50; number++) {
    const account = { account_id: number + 1 }
    const ids = { ...account, api_key_id: 1, user_id: ownerId, group_id: 1 }
    await addRequest(stand, stand.clock.atMs - number * 1000, ids, account)
  }
  const statements = countStatements()
  const { data, errors } = await stand.ask(
    `{ requests(first: 50) { nodes { requestId apiKey { name } account { name } user { username } group { name }
         attempts { number outcome account { name state { name } } tokens { input } } costParts { input } } } }`,
    {},
    { token },
  )
  expect(errors).toBeUndefined()
  expect(data.requests.nodes).toHaveLength(50)
  expect(data.requests.nodes[49]).toMatchObject({
    apiKey: { name: 'k' },
    account: { name: 'account 49' },
    user: { username: 'ada' },
    attempts: [{ number: 1, account: { name: 'account 49' } }],
  })
  expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(10)
  expect(statements.join('\n')).not.toContain('password_hash')
}, 60_000)

test('no read of a person reads the hash of their password, whatever the way to them is', async () => {
  const { stand, token, ownerId } = await startFifty()
  const id = Buffer.from(`User:${ownerId}`).toString('base64')
  const statements = countStatements()
  const { data, errors } = await stand.ask(
    `query ($id: ID!) { node(id: $id) { ... on User { username } } nodes(ids: [$id]) { ... on User { email } } viewer { user { username } }
       users(first: 50) { nodes { username role enabled } } accounts(first: 1) { nodes { owner { username } } }
       auditEntries(first: 5) { nodes { user { username } object { ... on User { username } } } } }`,
    { id },
    { token },
  )
  expect(errors).toBeUndefined()
  expect(data).toMatchObject({ node: { username: 'ada' }, viewer: { user: { username: 'ada' } } })
  expect(statements.filter((sql) => sql.includes('`users`')).length).toBeGreaterThanOrEqual(4)
  expect(statements.filter((sql) => sql.includes('password_hash'))).toEqual([])
}, 60_000)
