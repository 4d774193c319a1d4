import {
  type GraphQLObjectType,
  getNamedType,
  isEnumType,
  isObjectType,
  isRequiredArgument,
  isScalarType,
  isUnionType,
} from 'graphql'
import { expect, test } from 'vitest'
import { failureFields, type GraphqlStand, startGraphqlStand } from './stand.ts'

const upstreamSecret = 'sk-upstream-canary-0123456789'
const proxy = 'http://user:proxy-canary@127.0.0.1:3128'
const keySecret = 'sk-key-canary-0123456789abcdef'

const createGroup = `mutation ($input: CreateGroupInput!) { createGroup(input: $input) { ... on CreateGroupSuccess { group { id name owner { username } } } ${failureFields.replace(/\.\.\. on (NotFound|Conflict)Failure \{ message \}/g, '')} } }`
const createAccount = `mutation ($input: CreateAccountInput!) { createAccount(input: $input) { __typename ... on CreateAccountSuccess { account { id name hasProxy state { name } usageToday { cost } } } ... on InputFailure { fields { path message } } } }`
const createKey = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { __typename ... on CreateApiKeySuccess { secret apiKey { id secretHint spentToday lastUsedAt dailyLimit } } ... on InputFailure { fields { path message } } } }`

async function fill(stand: GraphqlStand, token: string, name: string) {
  const group = (await stand.ask(createGroup, { input: { name } }, { token })).data.createGroup.group
  const account = await stand.ask(
    createAccount,
    {
      input: {
        name,
        platform: 'CONSOLE',
        url: 'https://api.example.com/v1',
        upstreamApiKey: upstreamSecret,
        groupIds: [group.id],
        proxy,
      },
    },
    { token },
  )
  const key = await stand.ask(
    createKey,
    { input: { name, groupId: group.id, secret: `${keySecret}-${name}` } },
    { token },
  )
  return {
    groupId: group.id as string,
    accountId: account.data.createAccount.account.id as string,
    keyId: key.data.createApiKey.apiKey.id as string,
    account: account.data.createAccount.account,
    key: key.data.createApiKey,
  }
}

test('people see and change what they own; administrators see all of it with its owner', async () => {
  const stand = await startGraphqlStand()
  const admin = await stand.addUser('ada', 'admin')
  const bob = await stand.addUser('bob', 'user')
  const eve = await stand.addUser('eve', 'user')
  const bobs = await fill(stand, bob.token, 'bobs')
  await fill(stand, eve.token, 'eves')
  expect(bobs.account).toMatchObject({ hasProxy: true, state: { name: 'READY' }, usageToday: { cost: '0' } })
  expect(bobs.key).toMatchObject({ secret: `${keySecret}-bobs`, apiKey: { secretHint: 'sk-k…bobs', lastUsedAt: null } })
  const lists = `{ groups { edges { node { name owner { username } accounts { totalCount } apiKeys { totalCount } } } } accounts { edges { node { name } } } apiKeys { edges { node { name group { name } } } } }`
  const seen = async (token: string) => (await stand.ask(lists, {}, { token })).data
  expect((await seen(eve.token)).groups.edges).toEqual([
    { node: { name: 'eves', owner: { username: 'eve' }, accounts: { totalCount: 1 }, apiKeys: { totalCount: 1 } } },
  ])
  expect((await seen(admin.token)).accounts.edges.map((edge: { node: { name: string } }) => edge.node.name)).toEqual([
    'bobs',
    'eves',
  ])
  for (const id of [bobs.groupId, bobs.accountId, bobs.keyId, bob.globalId]) {
    const one = 'query ($id: ID!) { node(id: $id) { id } }'
    const foreign = await stand.ask(one, { id }, { token: eve.token })
    expect([foreign.data.node, foreign.errors]).toEqual([null, undefined])
    expect((await stand.ask(one, { id }, { token: admin.token })).data.node).toEqual({ id })
  }
  const strangers = [
    `mutation { updateGroup(input: { id: "${bobs.groupId}", name: "x" }) { __typename } }`,
    `mutation { deleteGroup(input: { id: "${bobs.groupId}" }) { __typename } }`,
    `mutation { updateAccount(input: { id: "${bobs.accountId}", enabled: false }) { __typename } }`,
    `mutation { deleteAccount(input: { id: "${bobs.accountId}" }) { __typename } }`,
    `mutation { testAccount(input: { id: "${bobs.accountId}", model: "m" }) { __typename } }`,
    `mutation { clearAccountState(input: { id: "${bobs.accountId}" }) { __typename } }`,
    `mutation { probeAccount(input: { id: "${bobs.accountId}" }) { __typename } }`,
    `mutation { updateApiKey(input: { id: "${bobs.keyId}", dailyLimit: null }) { __typename } }`,
    `mutation { rotateApiKey(input: { id: "${bobs.keyId}", keepOldHours: 0 }) { __typename } }`,
    `mutation { deleteApiKey(input: { id: "${bobs.keyId}" }) { __typename } }`,
  ]
  for (const query of strangers) {
    const { data } = await stand.ask(query, {}, { token: eve.token })
    expect(Object.values(data)).toEqual([{ __typename: 'NotFoundFailure' }])
  }
  expect(stand.tested).toEqual([])
  const foreign = await stand.ask(createKey, { input: { name: 'k', groupId: bobs.groupId } }, { token: eve.token })
  expect(foreign.data.createApiKey.fields).toEqual([
    { path: 'groupId', message: 'must be a group of yours or a shared one' },
  ])
  for (const query of [
    '{ users { edges { cursor } } }',
    '{ auditEntries { edges { cursor } } }',
    '{ settings { systemName } }',
  ]) {
    expect((await stand.ask(query, {}, { token: eve.token })).errors?.[0]?.extensions?.code).toBe('FORBIDDEN')
    expect((await stand.ask(query)).errors?.[0]?.extensions?.code).toBe('UNAUTHENTICATED')
  }
})

test('no field of any type gives a secret back', async () => {
  const stand = await startGraphqlStand()
  const admin = await stand.addUser('ada', 'admin')
  const { keyId, accountId } = await fill(stand, admin.token, 'canary')
  await stand.ask(
    `mutation { rotateApiKey(input: { id: "${keyId}", keepOldHours: 2, secret: "${keySecret}-2" }) { __typename } }`,
    {},
    admin,
  )
  await stand.ask(
    `mutation { updateAccount(input: { id: "${accountId}", upstreamApiKey: "${upstreamSecret}-2", url: "https://b.example.com" }) { __typename } }`,
    {},
    admin,
  )
  const roots = [
    'viewer',
    'deployment',
    'settings',
    'claudeAccounts',
    'groups',
    'accounts',
    'apiKeys',
    'users',
    'auditEntries',
    'requests',
    'liveRequests',
    'costTotals',
    'errorRules',
  ]
  const fields = stand.graphql.schema.getQueryType()!.getFields()
  let text = ''
  for (const name of roots) {
    const { data, errors } = await stand.ask(
      `{ ${name} ${everything(getNamedType(fields[name]!.type) as GraphQLObjectType)} }`,
      {},
      admin,
    )
    expect(errors, `${name} ${JSON.stringify(errors)}`).toBeUndefined()
    text += JSON.stringify(data)
  }
  const { passwordHash } = await stand.client.user.findFirstOrThrow()
  const { sealed } = await stand.client.accountCredential.findFirstOrThrow()
  const { secretHmac, previousSecretHmac } = await stand.client.apiKey.findFirstOrThrow()
  const [token] = await stand.client.refreshToken.findMany()
  expect(text).toContain('canary')
  expect(text).toContain('rotateApiKey')
  for (const secret of [
    upstreamSecret,
    'proxy-canary',
    keySecret,
    passwordHash,
    sealed,
    secretHmac,
    previousSecretHmac!,
    token!.tokenHmac,
  ]) {
    expect(text).not.toContain(secret)
    expect(stand.lines.join('')).not.toContain(secret)
  }
})

/** A selection of all fields below a type, four objects deep and no type within itself. */
function everything(type: GraphQLObjectType, above: readonly string[] = []): string {
  const path = [...above, type.name]
  const parts = Object.values(type.getFields()).flatMap((field) => {
    // The edges hold the same nodes.
    if (field.args.some(isRequiredArgument) || (field.name === 'edges' && 'nodes' in type.getFields())) return []
    const named = getNamedType(field.type)
    if (isScalarType(named) || isEnumType(named)) return [field.name]
    return isObjectType(named) && path.length < 5 && !path.includes(named.name)
      ? [
          `${field.name}${named.name.endsWith('Connection') ? '(first: 1)' : ''} ${everything(named, field.name === 'nodes' ? [...path, 'edge'] : path)}`,
        ]
      : []
  })
  return parts.length > 0 ? `{ ${parts.join(' ')} }` : '{ __typename }'
}

test('every mutation that changes something writes its row of the audit log, without secrets', async () => {
  const stand = await startGraphqlStand()
  const admin = await stand.addUser('ada', 'admin')
  const { groupId, accountId, keyId } = await fill(stand, admin.token, 'one')
  const run = (query: string, more: { token?: string; cookie?: string } = admin) =>
    stand.ask(`mutation { ${query} }`, {}, more)
  const { cookie } = await stand.signIn('ada')
  await run('refreshSession { __typename }', { cookie })
  await run('signOut { __typename }', { cookie })
  await run(
    `changePassword(input: { currentPassword: "correct horse battery", newPassword: "another horse battery" }) { __typename }`,
  )
  await run('createUser(input: { username: "bob", password: "password of bob" }) { __typename }')
  await run(`updateUser(input: { id: "${admin.globalId}", email: "Ada@example.com" }) { __typename }`)
  await run(`updateGroup(input: { id: "${groupId}", remark: "r" }) { __typename }`)
  await run(`updateAccount(input: { id: "${accountId}", proxy: null, weight: 7 }) { __typename }`)
  const other = (await stand.ask(createGroup, { input: { name: 'other' } }, admin)).data.createGroup.group.id
  await run(`updateAccount(input: { id: "${accountId}", groupIds: ["${groupId}", "${other}"] }) { __typename }`)
  await run(`removeAccountFromGroup(input: { accountId: "${accountId}", groupId: "${other}" }) { __typename }`)
  await run(`testAccount(input: { id: "${accountId}", model: "m" }) { __typename }`)
  await run(`clearAccountState(input: { id: "${accountId}" }) { __typename }`)
  await run(`approveAccount(input: { id: "${accountId}" }) { __typename }`)
  const account = stand.accounts.all()[Symbol.iterator]().next().value!
  stand.accounts.report(
    account,
    { kind: 'login_needed', reason: 'r' },
    { by: 'request', requestId: '', evidence: null },
  )
  await run(`probeAccount(input: { id: "${accountId}" }) { __typename }`)
  await run('runJob(input: { name: PROBE }) { __typename }')
  const priced = async (query: string, variables: object) => (await stand.ask(query, variables, admin)).data.done
  const tiers = [{ input: '3', output: '9' }]
  const added = await priced(
    'mutation ($input: AddPriceCardInput!) { done: addPriceCard(input: $input) { ... on AddPriceCardSuccess { priceCard { id } } } }',
    { input: { model: 'house-1', vendor: 'house', source: 'our list', tiers, from: '2999-01-01T00:00:00Z' } },
  )
  await run(`confirmPriceCard(input: { id: "${added.priceCard.id}" }) { __typename }`)
  await run(
    `editPriceCard(input: { id: "${added.priceCard.id}", webSearch: "5", from: "2999-02-01T00:00:00Z" }) { __typename }`,
  )
  await run(`retirePriceCard(input: { id: "${added.priceCard.id}" }) { __typename }`)
  const set = await priced(
    'mutation ($input: SetAccountPriceInput!) { done: setAccountPrice(input: $input) { ... on SetAccountPriceSuccess { account { prices { id } } } } }',
    { input: { accountId, multiplier: '0.5' } },
  )
  await run(`endAccountPrice(input: { id: "${set.account.prices[0].id}" }) { __typename }`)
  const file = JSON.stringify({
    'house-2': { litellm_provider: 'house', mode: 'chat', input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 },
  })
  await priced('mutation ($input: ImportPricesInput!) { done: importPrices(input: $input) { __typename } }', {
    input: { file, models: ['house-2'] },
  })
  const range = 'from: "2020-01-01T00:00:00Z", to: "2021-01-01T00:00:00Z"'
  await run(`startRerating(input: { ${range} }) { __typename }`)
  await run(`updateApiKey(input: { id: "${keyId}", dailyLimit: "5" }) { __typename }`)
  await run(`rotateApiKey(input: { id: "${keyId}", keepOldHours: 1 }) { __typename }`)
  await run(`transferOwnership(input: { id: "${keyId}", ownerId: "${admin.globalId}" }) { __typename }`)
  await run(`deleteApiKey(input: { id: "${keyId}" }) { __typename }`)
  await run(`deleteAccount(input: { id: "${accountId}" }) { __typename }`)
  await run(`deleteGroup(input: { id: "${groupId}" }) { __typename }`)
  await run('updateClaudeAccounts(input: { enabled: true, acknowledged: true }) { __typename }')
  await run('beginClaudeLogin { __typename }')
  await run('updateSettings(input: { systemName: "Ours" }) { __typename }')
  const rule = 'name: "r", status: "500", effect: NEXT_ACCOUNT'
  await run(`testErrorRule(input: { ${rule}, sample: { status: "500", body: "canary-of-a-prompt" } }) { __typename }`)
  await run(`createErrorRule(input: { ${rule} }) { __typename }`)
  const [{ id: ruleId }] = (await stand.ask('{ errorRules { id } }', {}, admin)).data.errorRules
  await run(`updateErrorRule(input: { id: "${ruleId}", enabled: false }) { __typename }`)
  await run(`reorderErrorRules(input: { ids: ["${ruleId}"] }) { __typename }`)
  await run(`deleteErrorRule(input: { id: "${ruleId}" }) { __typename }`)
  await stand.client.user.updateMany({ data: { enabled: false } })
  const token = new URL(stand.setup.linkPath(), 'http://x').searchParams.get('token')
  await run(
    `completeSetup(input: { token: "${token}", username: "eve", password: "password of eve" }) { __typename }`,
    {},
  )
  const rows = await stand.client.apiLog.findMany({ orderBy: { id: 'asc' } })
  // A preview changes nothing.
  const names = Object.keys(stand.graphql.schema.getMutationType()!.getFields())
  expect([...new Set(rows.map(({ action }) => action))].sort()).toEqual(
    names.filter((name) => !name.startsWith('preview')).sort(),
  )
  const weight = rows.find(({ action }) => action === 'updateAccount')!
  expect(JSON.parse(weight.before)).toEqual({ weight: 100 })
  expect(JSON.parse(weight.after)).toEqual({ weight: 7, proxy: null })
  expect(weight).toMatchObject({
    userId: admin.id,
    objectType: 'Account',
    clientIp: '127.0.0.1',
    requestId: expect.stringMatching(/^req_/),
  })
  expect(JSON.stringify(rows, (_key, value) => (typeof value === 'bigint' ? String(value) : value))).not.toMatch(
    /canary-|horse battery|password of/,
  )
})

test('a change whose row of the audit log cannot be written is not made', async () => {
  const stand = await startGraphqlStand()
  const { token } = await stand.addUser('ada', 'admin')
  const { groupId } = await fill(stand, token, 'one')
  await stand.database.batch([{ kind: 'run', sql: 'DROP TABLE `api_logs`', args: [] }])
  const { errors } = await stand.ask(
    `mutation { updateGroup(input: { id: "${groupId}", remark: "changed" }) { __typename } }`,
    {},
    { token },
  )
  expect(errors?.[0]?.extensions?.code).toBe('INTERNAL_SERVER_ERROR')
  expect(await stand.client.group.count({ where: { remark: 'changed' } })).toBe(0)
})

test('a union of a mutation holds only what can happen', async () => {
  const { graphql } = await startGraphqlStand()
  for (const field of Object.values(graphql.schema.getMutationType()!.getFields())) {
    expect(isUnionType(getNamedType(field.type))).toBe(true)
  }
})
