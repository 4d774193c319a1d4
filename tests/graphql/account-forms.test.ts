import { expect, test } from 'vitest'
import { startGraphqlStand } from './stand.ts'

const secret = 'sk-upstream-canary-0123456789'

test('a form with a bad URL, proxy, mapping, list or number says which field and why, and nothing of it is saved', async () => {
  const stand = await startGraphqlStand()
  const admin = await stand.addUser('ada', 'admin')
  const made = await stand.ask(
    'mutation { createGroup(input: { name: "g" }) { ... on CreateGroupSuccess { group { id } } } }',
    {},
    admin,
  )
  const groupId = made.data.createGroup.group.id as string
  const good = {
    name: 'one',
    platform: 'CONSOLE',
    url: 'https://a.example',
    upstreamApiKey: secret,
    groupIds: [groupId],
  }
  const create = async (more: object) => {
    const query =
      'mutation ($input: CreateAccountInput!) { createAccount(input: $input) { __typename ... on CreateAccountSuccess { account { id } } ... on InputFailure { fields { path message } } } }'
    const { data, errors } = await stand.ask(query, { input: { ...good, ...more } }, admin)
    expect(errors).toBeUndefined()
    return data.createAccount
  }
  const wrong: [object, string][] = [
    [{ url: 'ftp://a.example' }, 'url'],
    [{ url: 'https://user:hunter2@a.example' }, 'url'],
    [{ url: 'nonsense' }, 'url'],
    [{ proxy: 'gopher://p:1' }, 'proxy'],
    [{ proxy: 'proxy-canary' }, 'proxy'],
    [{ modelMapping: [{ from: '', to: 'x' }] }, 'modelMapping'],
    [{ modelMapping: [{ from: 'claude-*', to: '' }] }, 'modelMapping'],
    [{ models: ['two words'] }, 'models'],
    [{ weight: 0 }, 'weight'],
    [{ priority: -1 }, 'priority'],
    [{ concurrencyLimit: 0 }, 'concurrencyLimit'],
    [{ name: '' }, 'name'],
    [{ upstreamApiKey: 'with-ünicode' }, 'upstreamApiKey'],
  ]
  for (const [more, field] of wrong) {
    const refused = await create(more)
    expect(refused.__typename, JSON.stringify(more)).toBe('InputFailure')
    expect(refused.fields.map(({ path }: { path: string }) => path.split(/[.[]/)[0])).toEqual([field])
    for (const { message } of refused.fields) {
      expect(message).toMatch(/\w+ \w+/)
      expect(message).not.toMatch(/canary|hunter2/)
    }
    expect(await stand.client.account.count()).toBe(0)
    expect(await stand.client.accountCredential.count()).toBe(0)
  }
  // Two wrong fields come together.
  const both = await create({ url: 'nonsense', proxy: 'nonsense' })
  expect(both.fields.map(({ path }: { path: string }) => path).sort()).toEqual(['proxy', 'url'])

  const { account } = await create({ proxy: 'socks5://u:p@127.0.0.1:1080' })
  const before = await stand.client.account.findMany()
  const credential = await stand.client.accountCredential.findMany()
  for (const [more, field] of wrong.filter(([one]) => !('upstreamApiKey' in one))) {
    const query =
      'mutation ($input: UpdateAccountInput!) { updateAccount(input: $input) { __typename ... on InputFailure { fields { path } } } }'
    // Right fields beside the wrong one are not saved either.
    const input = { id: account.id, weight: 7, ...more }
    const { data } = await stand.ask(query, { input }, admin)
    expect(data.updateAccount.__typename, JSON.stringify(more)).toBe('InputFailure')
    expect(data.updateAccount.fields[0].path.split(/[.[]/)[0]).toBe(field)
  }
  expect(await stand.client.account.findMany()).toEqual(before)
  expect(await stand.client.accountCredential.findMany()).toEqual(credential)
})

test('lists that are longer than their column are refused beside their field', async () => {
  const stand = await startGraphqlStand()
  const { token } = await stand.addUser('ada', 'admin')
  const made = await stand.ask(
    'mutation { createGroup(input: { name: "g" }) { ... on CreateGroupSuccess { group { id } } } }',
    {},
    { token },
  )
  const groupId = made.data.createGroup.group.id
  const fields = async (noun: string, input: object) => {
    const query = `mutation ($input: Create${noun}Input!) { create${noun}(input: $input) { ... on InputFailure { fields { path message } } } }`
    return Object.values((await stand.ask(query, { input }, { token })).data)[0]
  }
  const account = {
    name: 'a',
    groupIds: [groupId],
    platform: 'CONSOLE',
    url: 'https://a.test',
    upstreamApiKey: 'sk-upstream-0123456789',
  }
  const message = 'is too long altogether'
  // JSON doubles each of them.
  const models = Array.from({ length: 200 }, () => '"'.repeat(191))
  const modelMapping = Array.from({ length: 200 }, (_, index) => ({
    from: `m${index}`.padEnd(191, 'm'),
    to: 'n'.repeat(191),
  }))
  expect(await fields('Account', { ...account, models })).toEqual({ fields: [{ path: 'models', message }] })
  expect(await fields('Account', { ...account, modelMapping })).toEqual({ fields: [{ path: 'modelMapping', message }] })
  expect(await fields('ApiKey', { name: 'k', groupId, models })).toEqual({ fields: [{ path: 'models', message }] })
})
