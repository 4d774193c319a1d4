import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startGraphqlStand } from './stand.ts'

const lists = ['accounts', 'apiKeys', 'auditLog', 'groups', 'logs', 'users'] as const

test('a page has at most a hundred rows, however many are asked for, and twenty when nobody says', async () => {
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
  expect(await size('(first: 1000)')).toBe(100)
})

test('whatever is given as page, cursor, id or filter is answered or refused as the caller’s own mistake', {
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
    fc.constantFrom('', '%', '\0', '\ud800', ...cursors.map(encoded), ...ids.map(encoded)),
  )
  const int = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 101, 2 ** 31 - 1, -(2 ** 31)))
  const moment = fc.oneof(
    text,
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.constant('+275760-09-13T00:00:00.000Z'),
  )
  const amount = fc.oneof(text, fc.bigInt().map(String))
  const filter = fc.record(
    {
      accountId: text,
      apiKeyId: text,
      userId: text,
      groupId: text,
      model: text,
      requestId: text,
      httpStatus: int,
      stream: fc.boolean(),
      from: moment,
      to: moment,
      minCost: amount,
      maxCost: amount,
    },
    { requiredKeys: [] },
  )
  const pages = fc.record({ first: int, last: int, after: text, before: text, s: text }, { requiredKeys: [] })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...lists), pages, filter, async (list, args, f) => {
      const isLogs = list === 'logs'
      const { s, ...page } = args
      const more = isLogs
        ? [', $f: LogFilter', ', filter: $f']
        : [', $s: String', list === 'auditLog' ? ', action: $s' : ', search: $s']
      const { data, errors } = await stand.ask(
        `query ($first: Int, $last: Int, $after: String, $before: String ${more[0]}) {
          ${list}(first: $first, last: $last, after: $after, before: $before ${more[1]}) { edges { cursor } } }`,
        { ...page, ...(isLogs ? { f } : { s }) },
        { token },
      )
      if (errors === undefined) expect(data[list].edges.length).toBeLessThanOrEqual(100)
      else expect(errors.map(({ extensions }) => extensions?.code)).not.toContain('INTERNAL_SERVER_ERROR')
    }),
    { numRuns: 150 },
  )
  await fc.assert(
    fc.asyncProperty(text, moment, moment, filter, int, async (id, from, to, f, first) => {
      const { stream: _s, httpStatus: _h, from: _f, to: _t, minCost: _a, maxCost: _b, requestId: _r, ...dimensions } = f
      const { errors } = await stand.ask(
        `query ($id: ID!, $text: String!, $range: RangeInput!, $f: TotalsFilter, $n: Int) {
          node(id: $id) { id } log(requestId: $text) { id } routeTrace(requestId: $text) { requestId }
          simulateRoute(apiKeyId: $id, model: $text) { keyProblem } totals(range: $range, filter: $f) { cost }
          ranking(range: $range, by: MODEL, filter: $f, first: $n) { key } }`,
        { id, text: id, range: { from, to }, f: dimensions, n: first },
        { token },
      )
      expect((errors ?? []).map(({ extensions }) => extensions?.code)).not.toContain('INTERNAL_SERVER_ERROR')
    }),
    { numRuns: 100 },
  )
})
