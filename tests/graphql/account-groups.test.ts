import { expect, test } from 'vitest'
import { type GraphqlStand, startGraphqlStand } from './stand.ts'

const refusals = '... on InputFailure { fields { path message } } ... on Failure { message }'
const createGroup =
  'mutation ($name: String!) { createGroup(input: { name: $name }) { ... on CreateGroupSuccess { group { id } } } }'
const createAccount = `mutation ($input: CreateAccountInput!) { r: createAccount(input: $input) { ... on CreateAccountSuccess { account { id groups { name } } } ${refusals} } }`
const updateAccount = `mutation ($input: UpdateAccountInput!) { r: updateAccount(input: $input) { ... on UpdateAccountSuccess { account { groups { name } } } ${refusals} } }`
const takeOut = `mutation ($input: RemoveAccountFromGroupInput!) { r: removeAccountFromGroup(input: $input) { __typename ... on RemoveAccountFromGroupSuccess { group { name accounts { totalCount } } } ${refusals.replace(/^.*\} \} /, '')} } }`
const deleteGroup =
  'mutation ($id: ID!) { r: deleteGroup(input: { id: $id }) { __typename ... on Failure { message } } }'
const members = 'query ($id: ID!) { node(id: $id) { ... on Group { members { id name enabled state { name } } } } }'

/** The groups of bob and of eve, and an account of bob that an administrator has put into both. */
async function startTeams() {
  const stand = await startGraphqlStand()
  const people = {
    admin: await stand.addUser('ada', 'admin'),
    accountOwner: await stand.addUser('bob', 'user'),
    groupOwner: await stand.addUser('eve', 'user'),
    stranger: await stand.addUser('sam', 'user'),
  }
  type Person = keyof typeof people
  const as = (person: Person, query: string, variables: object) => stand.ask(query, variables, people[person])
  const groupOf = async (person: Person, name: string) =>
    (await as(person, createGroup, { name })).data.createGroup.group.id as string
  const bobs = await groupOf('accountOwner', 'bobs')
  const eves = await groupOf('groupOwner', 'eves')
  const made = await as('accountOwner', createAccount, {
    input: {
      name: 'a',
      platform: 'CONSOLE',
      url: 'https://a.example',
      upstreamApiKey: 'sk-up-0123456789',
      groupIds: [bobs],
    },
  })
  const accountId = made.data.r.account.id as string
  const setGroups = async (person: Person, groupIds: string[]) =>
    (await as(person, updateAccount, { input: { id: accountId, groupIds } })).data.r
  return { stand, as, bobs, eves, accountId, setGroups }
}

const groupsOf = async (stand: GraphqlStand) =>
  (await stand.client.group.findMany({ where: { accounts: { some: {} } }, orderBy: { id: 'asc' } })).map(
    ({ name }) => name,
  )
const both = { account: { groups: [{ name: 'bobs' }, { name: 'eves' }] } }

test('who puts an account into a group must be allowed to edit the account and to add accounts to the group', async () => {
  const { stand, bobs, eves, setGroups } = await startTeams()
  expect(await setGroups('accountOwner', [bobs, eves])).toEqual({
    fields: [{ path: 'groupIds', message: 'must be groups of yours' }],
    message: expect.any(String),
  })
  expect(await setGroups('groupOwner', [bobs, eves])).toEqual({ message: 'There is no such account.' })
  expect(await setGroups('stranger', [bobs, eves])).toEqual({ message: 'There is no such account.' })
  expect(await groupsOf(stand)).toEqual(['bobs'])
  expect(await setGroups('admin', [eves, bobs, eves])).toEqual(both)
  // Its owner may leave it where it is, and take it out, but not bring it back.
  expect(await setGroups('accountOwner', [bobs, eves])).toEqual(both)
  expect(await setGroups('accountOwner', [bobs])).toEqual({ account: { groups: [{ name: 'bobs' }] } })
  expect(await setGroups('accountOwner', [eves])).toMatchObject({ fields: [{ path: 'groupIds' }] })
  expect(await setGroups('accountOwner', [])).toMatchObject({
    fields: [{ path: 'groupIds', message: 'needs a group' }],
  })
})

test.each([
  ['admin', 'eves', true],
  ['accountOwner', 'eves', true],
  ['groupOwner', 'eves', true],
  ['stranger', 'eves', false],
  ['admin', 'bobs', true],
  ['accountOwner', 'bobs', true],
  ['groupOwner', 'bobs', false],
] as const)('the %s takes an account out of the group %s: %s', async (person, name, isAllowed) => {
  const { stand, as, bobs, eves, accountId, setGroups } = await startTeams()
  await setGroups('admin', [bobs, eves])
  const groupId = name === 'bobs' ? bobs : eves
  const { data } = await as(person, takeOut, { input: { accountId, groupId } })
  expect(data.r.__typename).toBe(isAllowed ? 'RemoveAccountFromGroupSuccess' : 'NotFoundFailure')
  expect(await groupsOf(stand)).toEqual(isAllowed ? (name === 'bobs' ? ['eves'] : ['bobs']) : ['bobs', 'eves'])
  const ids = [...stand.accounts.all()].flatMap((account) => account.groupIds)
  expect(ids).toHaveLength(isAllowed ? 1 : 2)
  const rows = await stand.client.apiLog.findMany({ where: { action: 'removeAccountFromGroup' } })
  expect(rows.map(({ objectType }) => objectType)).toEqual(isAllowed ? ['Account'] : [])
})

test('an account stays in its only group, whoever wants it out', async () => {
  const { as, bobs, accountId } = await startTeams()
  for (const person of ['admin', 'accountOwner'] as const) {
    const { data } = await as(person, takeOut, { input: { accountId, groupId: bobs } })
    expect(data.r).toEqual({
      __typename: 'ConflictFailure',
      message: 'The account serves no other group. Move or delete it.',
    })
  }
})

test('the owner of a group sees name and state of the accounts in it, and nothing else of them; its members do not', async () => {
  const { as, bobs, eves, accountId, setGroups } = await startTeams()
  await setGroups('admin', [bobs, eves])
  const member = { id: accountId, name: 'a', enabled: true, state: { name: 'READY' } }
  for (const person of ['admin', 'groupOwner'] as const)
    expect((await as(person, members, { id: eves })).data.node).toEqual({ members: [member] })
  // He sees the group, because an account of his is in it.
  expect((await as('accountOwner', members, { id: eves })).data.node).toEqual({ members: null })
  expect((await as('stranger', members, { id: eves })).data.node).toBeNull()
  const account = 'query ($id: ID!) { node(id: $id) { ... on Account { url groups { name } } } }'
  expect((await as('groupOwner', account, { id: accountId })).data.node).toBeNull()
  expect((await as('accountOwner', account, { id: accountId })).data.node).toMatchObject(both.account)
  const lists =
    'query ($g: [ID!]) { accounts(filter: { groupIds: $g }) { edges { node { name } } } groups { edges { node { name accounts { totalCount } } } } }'
  const seen = async (person: Parameters<typeof as>[0], g: string) => {
    const { data } = await as(person, lists, { g: [g] })
    return [
      data.accounts.edges.length,
      data.groups.edges.map(({ node }: { node: { name: string; accounts: { totalCount: number } } }) => [
        node.name,
        node.accounts.totalCount,
      ]),
    ]
  }
  expect(await seen('admin', eves)).toEqual([
    1,
    [
      ['bobs', 1],
      ['eves', 1],
    ],
  ])
  expect(await seen('accountOwner', bobs)).toEqual([
    1,
    [
      ['bobs', 1],
      ['eves', 1],
    ],
  ])
  expect(await seen('groupOwner', eves)).toEqual([0, [['eves', 0]]])
})

test('deleting a group takes shared accounts out of it, and is refused while it is the only one of an account', async () => {
  const { stand, as, bobs, eves, setGroups } = await startTeams()
  await setGroups('admin', [bobs, eves])
  expect((await as('groupOwner', deleteGroup, { id: eves })).data.r).toEqual({ __typename: 'DeleteGroupSuccess' })
  expect(await groupsOf(stand)).toEqual(['bobs'])
  expect([...stand.accounts.all()].map(({ groupIds }) => groupIds.length)).toEqual([1])
  expect((await as('accountOwner', deleteGroup, { id: bobs })).data.r).toEqual({
    __typename: 'ConflictFailure',
    message: 'The group still has accounts: 1. Move or delete them first.',
  })
})
