import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startGraphqlStand } from './stand.ts'

const lists = ['accounts', 'apiKeys', 'auditEntries', 'groups', 'requests', 'users'] as const

test('a page has at most a hundred rows, twenty when nobody says, and other numbers are refused', async () => {
  const stand = await startGraphqlStand()
  const { token } = await stand.addUser('ada', 'admin')
  await stand.client.group.createMany({ data: Array.from({ length: 130 }, (_, index) => ({ name: `group ${index}` })) })
  const size = async (args: string) => {
    const { data, errors } = await stand.ask(
      `{ groups${args} { edges { cursor } pageInfo { hasNextPage } } }`,
      {},
      { token },
    )
    expect(errors).toBeUndefined()
    expect(data.groups.pageInfo.hasNextPage).toBe(true)
    return data.groups.edges.length
  }
  expect(await size('')).toBe(20)
  expect(await size('(first: 7)')).toBe(7)
  expect(await size('(first: 100)')).toBe(100)
  for (const first of [0, -1, 101, 1000]) {
    const { errors } = await stand.ask(`{ groups(first: ${first}) { edges { cursor } } }`, {}, { token })
    expect(errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT')
  }
})

test('fault 58: whatever is given as page, cursor, id or filter is answered or refused as the caller’s own mistake', {
  timeout: 60_000,
}, async () => {
  const stand = await startGraphqlStand()
  const { token } = await stand.addUser('ada', 'admin')
  const encoded = (value: string) => Buffer.from(value).toString('base64')
  const cursors = [
    'GPC:N:1e999',
    'GPC:N:3.5',
    'GPC:N:99999999999',
    'GPC:S:x',
    'GPC:D:x',
    'GPC:J:["x"]',
    'GPC:I:9999999999999999999',
  ]
  const ids = [
    'Account:99999999999999999999',
    'AuditEntry:9999999999999999999',
    'ApiKey:',
    'Log:x',
    'Log:9999999999999999999',
  ]
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '%', '\0', '\ud800', '%'.repeat(60_000), ...cursors.map(encoded), ...ids.map(encoded)),
  )
  const int = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 101, 2 ** 31 - 1, -(2 ** 31)))
  const moment = fc.oneof(
    text,
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.constantFrom('+275760-09-13T00:00:00.000Z', '0000-01-01T00:00:00+23:59', '9999-12-31T23:59:59-23:59'),
  )
  const amount = fc.oneof(text, fc.bigInt().map(String), fc.constantFrom('9223372036854775808', '9999999999999999999'))
  const texts = fc.array(text, { maxLength: 3 })
  const filter = fc.record(
    {
      accountIds: texts,
      apiKeyIds: texts,
      ownerIds: texts,
      groupIds: texts,
      models: texts,
      sessionId: text,
      clientIp: text,
      requestId: text,
      httpStatuses: fc.array(int, { maxLength: 3 }),
      stream: fc.boolean(),
      from: moment,
      to: moment,
      minCost: amount,
      maxCost: amount,
    },
    { requiredKeys: [] },
  )
  const dimensions = fc.record(
    { accountId: text, apiKeyId: text, userId: text, groupId: text, model: text },
    { requiredKeys: [] },
  )
  const pages = fc.record({ first: int, last: int, after: text, before: text, s: text }, { requiredKeys: [] })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...lists), pages, filter, async (list, args, f) => {
      const isRequests = list === 'requests'
      const { s, last, before, ...forwards } = args
      // Requests are read forwards only.
      const page = isRequests ? forwards : { ...forwards, last, before }
      const back = isRequests ? ['', ''] : ['$last: Int, $before: String', 'last: $last, before: $before']
      const more = isRequests
        ? [', $f: RequestFilter', ', filter: $f']
        : [
            list === 'auditEntries' ? ', $s: String!' : ', $s: String',
            list === 'auditEntries' ? ', filter: { actions: [$s] }' : ', filter: { search: $s }',
          ]
      const { data, errors } = await stand.ask(
        `query ($first: Int, $after: String ${back[0]} ${more[0]}) {
          ${list}(first: $first, after: $after ${back[1]} ${more[1]}) { edges { cursor } } }`,
        { ...page, ...(isRequests ? { f } : { s }) },
        { token },
      )
      if (errors === undefined) expect(data[list].edges.length).toBeLessThanOrEqual(100)
      else expect(errors.map(({ extensions }) => extensions?.code)).not.toContain('INTERNAL_SERVER_ERROR')
    }),
    { numRuns: 150 },
  )
  await fc.assert(
    fc.asyncProperty(text, moment, moment, dimensions, int, async (id, from, to, f, first) => {
      const { errors } = await stand.ask(
        `query ($id: ID!, $text: String!, $range: RangeInput!, $f: UsageFilter, $n: Int) {
          node(id: $id) { id } request(requestId: $text) { id } routeTrace(requestId: $text) { requestId }
          simulateRoute(apiKeyId: $id, model: $text) { keyProblem } usage(range: $range, where: $f) { totals { cost } }
          models: usage(range: $range, groupBy: [MODEL], where: $f, first: $n) { rows { key } } }`,
        { id, text: id, range: { from, to }, f, n: first },
        { token },
      )
      expect((errors ?? []).map(({ extensions }) => extensions?.code)).not.toContain('INTERNAL_SERVER_ERROR')
    }),
    { numRuns: 100 },
  )
})

test('fault 58: bounds at and beyond the largest amount, and cursors beyond any, are the caller’s own mistake', async () => {
  const stand = await startGraphqlStand()
  const { token } = await stand.addUser('ada', 'admin')
  const code = async (query: string, variables: object) =>
    (await stand.ask(query, variables, { token })).errors?.[0]?.extensions?.code
  const requests = 'query ($filter: RequestFilter) { requests(filter: $filter) { cursor } }'
  for (const name of ['minCost', 'maxCost']) {
    expect(await code(requests, { filter: { [name]: String(2n ** 63n - 1n) } })).toBeUndefined()
    expect(await code(requests, { filter: { [name]: String(2n ** 63n) } })).toBe('BAD_USER_INPUT')
  }
  const { id: groupId } = await stand.client.group.create({ data: { name: 'g' } })
  const { id } = await stand.client.account.create({
    data: {
      name: 'a',
      platform: 'console',
      url: 'https://a.test',
      authHeader: 'bearer',
      models: '["*"]',
      modelMapping: '{}',
      groups: { create: { groupId } },
    },
  })
  const timeline =
    'query ($id: ID!, $after: String) { node(id: $id) { ... on Account { timeline(after: $after) { edges { cursor } } } } }'
  const account = Buffer.from(`Account:${id}`).toString('base64')
  expect(await code(timeline, { id: account, after: String(2n ** 63n - 1n) })).toBeUndefined()
  expect(await code(timeline, { id: account, after: '9999999999999999999' })).toBe('BAD_USER_INPUT')
  for (const list of ['accounts', 'apiKeys', 'groups', 'users'])
    expect(
      await code(`query ($s: String) { ${list}(filter: { search: $s }) { edges { cursor } } }`, {
        s: 'a'.repeat(60_000),
      }),
    ).toBe('BAD_USER_INPUT')
})

test('a moment whose zone leads out of the years of four digits, and a text that no engine keeps, are refused beside their field', async () => {
  const stand = await startGraphqlStand()
  const { token } = await stand.addUser('ada', 'admin')
  const create =
    'mutation ($input: CreateGroupInput!) { createGroup(input: $input) { ... on CreateGroupSuccess { group { id remark } } ... on InputFailure { fields { path } } } }'
  const group = async (input: object) => (await stand.ask(create, { input }, { token })).data.createGroup
  expect(await group({ name: 'a', remark: 'two\nlines' })).toMatchObject({ group: { remark: 'two\nlines' } })
  for (const text of ['a\0b', 'a\ud800b']) {
    expect(await group({ name: 'b', remark: text })).toEqual({ fields: [{ path: 'remark' }] })
    expect(await group({ name: text })).toEqual({ fields: [{ path: 'name' }] })
    const set = await stand.ask(
      'mutation ($input: UpdateSettingsInput!) { updateSettings(input: $input) { ... on InputFailure { fields { path } } } }',
      { input: { systemName: text } },
      { token },
    )
    expect(set.data.updateSettings).toEqual({ fields: [{ path: 'systemName' }] })
  }
  const { id } = (await group({ name: 'c' })).group
  const key =
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { ... on CreateApiKeySuccess { apiKey { expiresAt } } } }'
  for (const expiresAt of ['9999-12-31T23:59:59-23:59', '0000-01-01T00:00:00+23:59']) {
    const { errors } = await stand.ask(key, { input: { name: 'k', groupId: id, expiresAt } }, { token })
    expect(errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT')
  }
  const { data } = await stand.ask(
    key,
    { input: { name: 'k', groupId: id, expiresAt: '9999-12-31T23:59:59Z' } },
    { token },
  )
  expect(data.createApiKey.apiKey.expiresAt).toBe('9999-12-31T23:59:59.000Z')
})
