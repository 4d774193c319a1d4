import { expect, test } from 'vitest'
import { openNouns } from '../support/nouns.ts'

const secret = 'sk-alice-0123456789abcdef'
const account = { name: 'one', url: 'https://api.example.com', secret: 'sk-upstream-1', groups: ['g'] }
const file = {
  admin: { username: 'Ada', password: 'correct horse', email: 'ada@example.com' },
  groups: [{ name: 'g' }],
  accounts: [account],
  keys: [
    {
      name: 'alice',
      secret,
      group: 'g',
      dailyLimitUsd: '12.50',
      totalLimitUsd: '9000000',
      expiresAt: '2027-01-31T00:00:00+08:00',
    },
  ],
}

test('amounts arrive to the nano-dollar, moments to the millisecond', async () => {
  const { provision, keys, client } = await openNouns()
  await provision(file)
  expect(keys.find(secret)).toMatchObject({ expiresAtMs: Date.parse('2027-01-30T16:00:00Z') })
  await provision({ keys: [{ name: 'alice', dailyLimitUsd: '0.000000001', totalLimitUsd: '8999999.999999999' }] })
  expect(await client.apiKey.findFirst()).toMatchObject({ dailyLimitNano: 1n, totalLimitNano: 8_999_999_999_999_999n })
})

test('at the second start fields that are present win; objects and fields that are absent stay', async () => {
  const { provision, keys, accounts, client } = await openNouns()
  await provision({ ...file, accounts: [account, { ...account, name: 'two' }] })
  const before = keys.find(secret)!
  await client.account.updateMany({ data: { priority: 7, enabled: false } })
  await provision({ accounts: [{ name: 'one', weight: 5 }], keys: [{ name: 'alice', dailyLimitUsd: null }] })
  const [one, two] = [...accounts.ofGroup(before.groupId)].sort((a, b) => a.id - b.id)
  expect(one).toMatchObject({ name: 'one', weight: 5, priority: 7, enabled: false, secret: 'sk-upstream-1' })
  expect(two).toMatchObject({ name: 'two', weight: 100 })
  expect(keys.find(secret)).toMatchObject({
    id: before.id,
    dailyLimitNano: null,
    totalLimitNano: before.totalLimitNano,
  })
  expect(await client.user.count()).toBe(1)
})

test('the same file again changes nothing but the time of the last look', async () => {
  const { provision, client } = await openNouns()
  const all = async () => {
    const found = [
      await client.user.findMany({ omit: { updatedAt: true } }),
      await client.group.findMany(),
      await client.account.findMany({ omit: { updatedAt: true } }),
      await client.accountCredential.findMany(),
      await client.apiKey.findMany({ omit: { updatedAt: true } }),
    ]
    return found
  }
  await provision(file)
  const before = await all()
  await provision(file)
  expect(await all()).toEqual(before)
})

test.each([
  [
    'accounts[1].groups[0]: there is no group "nowhere"',
    { accounts: [account, { ...account, name: 'two', groups: ['nowhere'] }] },
  ],
  ['accounts[1]: account "two" is new and needs url, groups and secret', { accounts: [account, { name: 'two' }] }],
  [
    'keys[0].group: there is no group "nowhere"',
    { keys: [{ name: 'bob', secret: 'sk-bob-0123456789abcdef', group: 'nowhere' }] },
  ],
  [
    'keys[1]: has the secret of key "alice"',
    {
      keys: [
        { name: 'bob', secret: 'sk-bob-0123456789abcdef', group: 'new' },
        { name: 'eve', secret, group: 'new' },
      ],
    },
  ],
  ['rules[0]: effect is missing', { rules: [{ name: 'r', status: '500' }] }],
  [
    'rules[1]: code is needed here',
    {
      rules: [
        { name: 'good', status: '500', effect: 'next' },
        { name: 'wide', status: '400', effect: 'reauth_required' },
      ],
    },
  ],
  ['admin: administrator "eve" is new and needs a password', { admin: { username: 'eve' } }],
])('a file that cannot be brought in whole leaves nothing behind: %s', async (problem, wrong) => {
  const { provision, client } = await openNouns()
  await provision({ groups: file.groups, keys: file.keys })
  await expect(provision({ groups: [{ name: 'new' }], ...wrong })).rejects.toThrow(`PROVISION_FILE: ${problem}`)
  expect([
    await client.group.count(),
    await client.account.count(),
    await client.apiKey.count(),
    await client.user.count(),
    await client.errorRule.count(),
  ]).toEqual([1, 0, 1, 0, 0])
})

test('rules: fields present win, null clears, absent ones stay; those of the file keep their order among all', async () => {
  const { provision, rules, client } = await openNouns()
  const quota = { name: 'quota', status: '400', code: 'quota', effect: 'rate_limited', durationSeconds: 60 }
  const busy = { name: 'busy', status: '503', effect: 'next', platform: 'claude' }
  await provision({ rules: [quota, busy] })
  expect(rules.all()).toMatchObject([
    { ...quota, platform: null, enabled: true, errorType: '', message: '', scope: 'account' },
    { ...busy, durationSeconds: null },
  ])
  // Somebody adds one by hand between them, and switches one off.
  await client.errorRule.updateMany({ where: { name: 'busy' }, data: { position: 9, enabled: false } })
  await client.errorRule.create({
    data: {
      name: 'mine',
      position: 5,
      platform: '',
      status: '500',
      errorType: '',
      code: '',
      message: '',
      effect: 'next',
      scope: 'account',
    },
  })
  await provision({
    rules: [
      { name: 'busy', status: '503-529' },
      { name: 'quota', durationSeconds: null, errorType: 'odd' },
    ],
  })
  expect(rules.all()).toMatchObject([
    { name: 'busy', status: '503-529', platform: 'claude', enabled: false },
    { name: 'mine' },
    { name: 'quota', code: 'quota', errorType: 'odd', durationSeconds: null },
  ])
  const before = await client.errorRule.findMany({ omit: { updatedAt: true } })
  await provision({
    rules: [
      { name: 'busy', status: '503-529' },
      { name: 'quota', durationSeconds: null, errorType: 'odd' },
    ],
  })
  expect(await client.errorRule.findMany({ omit: { updatedAt: true } })).toEqual(before)
})

test('two files brought in at once make every object once', async () => {
  const { provision, client } = await openNouns()
  await Promise.all([provision(file), provision(file), provision(file)])
  expect([
    await client.group.count(),
    await client.account.count(),
    await client.apiKey.count(),
    await client.user.count(),
  ]).toEqual([1, 1, 1, 1])
})
