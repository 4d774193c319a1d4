import { expect, test } from 'vitest'
import { failureFields, type GraphqlStand, startGraphqlStand } from './stand.ts'

const inputFailure = '... on InputFailure { fields { path message } }'
const createKey = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { ... on CreateApiKeySuccess { apiKey { id group { name } } } ${inputFailure} } }`
const updateGroup = `mutation ($input: UpdateGroupInput!) { updateGroup(input: $input) { ... on UpdateGroupSuccess { group { shared } } ${inputFailure} ... on NotFoundFailure { message } } }`
const createAccount = `mutation ($input: CreateAccountInput!) { createAccount(input: $input) { ... on CreateAccountSuccess { account { id } } ${inputFailure} } }`
const give = `mutation ($id: ID!, $ownerId: ID!) { transferOwnership(input: { id: $id, ownerId: $ownerId }) { ... on TransferOwnershipSuccess { owner { username } } ${failureFields.replace(/\.\.\. on ConflictFailure \{ message \}/, '')} } }`
const groupNames = async (stand: GraphqlStand, token: string, open?: string) => {
  const { data } = await stand.ask(
    'query ($open: GroupUse) { groups(filter: { usableFor: $open }) { edges { node { name } } } }',
    { open },
    { token },
  )
  return data.groups.edges.map((edge: { node: { name: string } }) => edge.node.name)
}

async function startTeam() {
  const stand = await startGraphqlStand()
  const ada = await stand.addUser('ada', 'admin')
  const bob = await stand.addUser('bob', 'user')
  await stand.provision({
    groups: [{ name: 'everybody', shared: true }, { name: 'closed' }],
    accounts: [
      { name: 'pool', url: 'https://api.example.com', secret: 'sk-upstream-0123456789', groups: ['everybody'] },
    ],
    keys: [{ name: 'k', secret: 'sk-first-0123456789abcd', group: 'closed' }],
  })
  const { data } = await stand.ask(
    '{ groups { edges { node { id name } } } accounts { edges { node { id } } } apiKeys { edges { node { id } } } }',
    {},
    ada,
  )
  const groupIds: Record<string, string> = Object.fromEntries(
    data.groups.edges.map(({ node }: { node: { id: string; name: string } }) => [node.name, node.id]),
  )
  const [accountId, keyId] = [data.accounts.edges[0].node.id, data.apiKeys.edges[0].node.id] as string[]
  return { stand, ada, bob, groupIds, accountId: accountId!, keyId: keyId! }
}

test('who has no group of their own makes keys in a shared one, but puts no account there and does not change it', async () => {
  const { stand, ada, bob, groupIds } = await startTeam()
  expect(await groupNames(stand, bob.token)).toEqual(['everybody'])
  expect(await groupNames(stand, bob.token, 'KEYS')).toEqual(['everybody'])
  expect(await groupNames(stand, bob.token, 'ACCOUNTS')).toEqual([])
  const made = await stand.ask(createKey, { input: { name: 'bobs', groupId: groupIds['everybody'] } }, bob)
  expect(made.data.createApiKey).toMatchObject({ apiKey: { group: { name: 'everybody' } } })
  const closed = await stand.ask(createKey, { input: { name: 'no', groupId: groupIds['closed'] } }, bob)
  expect(closed.data.createApiKey.fields).toEqual([
    { path: 'groupId', message: 'must be a group of yours or a shared one' },
  ])
  const input = {
    name: 'spy',
    platform: 'CONSOLE',
    url: 'https://spy.example.com',
    upstreamApiKey: 'sk-spy-0123456789',
    groupIds: [groupIds['everybody']],
  }
  const spy = await stand.ask(createAccount, { input }, bob)
  expect(spy.data.createAccount.fields).toEqual([{ path: 'groupIds', message: 'must be groups of yours' }])
  const renamed = await stand.ask(updateGroup, { input: { id: groupIds['everybody'], name: 'mine' } }, bob)
  expect(renamed.data.updateGroup.message).toMatch(/no such group|not found|group/i)
  // Shared no more: the key that is in it goes on, and stays to be seen; no other comes in.
  await stand.ask(updateGroup, { input: { id: groupIds['everybody'], shared: false } }, ada)
  expect(await groupNames(stand, bob.token)).toEqual(['everybody'])
  expect(await groupNames(stand, bob.token, 'KEYS')).toEqual([])
  const key = made.data.createApiKey.apiKey.id
  const updateKey = `mutation ($input: UpdateApiKeyInput!) { updateApiKey(input: $input) { ... on UpdateApiKeySuccess { apiKey { name } } ${inputFailure} } }`
  const sameGroup = { id: key, name: 'still', groupId: groupIds['everybody'] }
  expect((await stand.ask(updateKey, { input: sameGroup }, bob)).data.updateApiKey).toEqual({
    apiKey: { name: 'still' },
  })
})

test('only administrators share a group', async () => {
  const { stand, ada, bob } = await startTeam()
  const create = `mutation ($input: CreateGroupInput!) { createGroup(input: $input) { ... on CreateGroupSuccess { group { id shared } } ${inputFailure} } }`
  const refused = await stand.ask(create, { input: { name: 'bobs', shared: true } }, bob)
  expect(refused.data.createGroup.fields).toEqual([{ path: 'shared', message: 'is decided by administrators' }])
  const { id } = (await stand.ask(create, { input: { name: 'bobs' } }, bob)).data.createGroup.group
  const again = await stand.ask(updateGroup, { input: { id, shared: true } }, bob)
  expect(again.data.updateGroup.fields).toEqual([{ path: 'shared', message: 'is decided by administrators' }])
  // A form that sends what it has read is no attempt.
  expect((await stand.ask(updateGroup, { input: { id, shared: false, remark: 'x' } }, bob)).data.updateGroup).toEqual({
    group: { shared: false },
  })
  expect((await stand.ask(updateGroup, { input: { id, shared: true } }, ada)).data.updateGroup.group.shared).toBe(true)
})

test('an administrator gives a group, an account and a key to another owner, who sees them from then on', async () => {
  const { stand, ada, bob, groupIds, accountId, keyId } = await startTeam()
  const seen = async () => {
    const lists = '{ accounts { edges { node { name } } } apiKeys { edges { node { name } } } }'
    const { data } = await stand.ask(lists, {}, bob)
    return [data.accounts.edges.length, data.apiKeys.edges.length, (await groupNames(stand, bob.token)).length]
  }
  expect(await seen()).toEqual([0, 0, 1])
  for (const id of [accountId, keyId, groupIds['closed']!]) {
    const { data } = await stand.ask(give, { id, ownerId: bob.globalId }, ada)
    expect(data.transferOwnership).toEqual({ owner: { username: 'bob' } })
  }
  expect(await seen()).toEqual([1, 1, 2])
  // What the relay has in memory is the new owner's too: events and the ledger go by it.
  expect([...stand.accounts.all()].map(({ ownerId }) => ownerId)).toEqual([bob.id])
  const key = stand.keys.find('sk-first-0123456789abcd')
  expect(key?.userId).toBe(bob.id)
  const rows = await stand.client.apiLog.findMany({ where: { action: 'transferOwnership' }, orderBy: { id: 'asc' } })
  expect(rows.map(({ objectType, before, after }) => [objectType, before, after])).toEqual([
    ['Account', '{"ownerId":null}', `{"ownerId":${bob.id}}`],
    ['ApiKey', '{"ownerId":null}', `{"ownerId":${bob.id}}`],
    ['Group', '{"ownerId":null}', `{"ownerId":${bob.id}}`],
  ])
})

test('nobody else gives anything away, and there must be such an object and such a person', async () => {
  const { stand, ada, bob, keyId } = await startTeam()
  const refused = await stand.ask(give, { id: keyId, ownerId: bob.globalId }, bob)
  expect(refused.errors?.[0]?.extensions?.code).toBe('FORBIDDEN')
  const nobody = await stand.ask(give, { id: keyId, ownerId: 'VXNlcjo5OTk5' }, ada)
  expect(nobody.data.transferOwnership.fields).toEqual([{ path: 'ownerId', message: 'is nobody here' }])
  for (const id of [bob.globalId, 'QXBpS2V5Ojk5OTk=', 'nonsense']) {
    const { data } = await stand.ask(give, { id, ownerId: bob.globalId }, ada)
    expect(data.transferOwnership.message).toBeTruthy()
  }
  expect(await stand.client.apiLog.count({ where: { action: 'transferOwnership' } })).toBe(0)
})
