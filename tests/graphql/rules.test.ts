import { expect, test } from 'vitest'
import { firstKeyAt } from '../../server/request-ids.ts'
import type { Scalar } from '../../server/store/database.ts'
import { attemptColumns } from '../../server/usage/ledger.ts'
import { type GraphqlStand, startGraphqlStand } from './stand.ts'

const failures = `__typename ... on InputFailure { fields { path message } } ... on Failure { message }`
const fields = 'id name enabled platform status errorType code message effect scope durationSeconds'
const documents = {
  create: `mutation ($input: CreateVerdictRuleInput!) { result: createVerdictRule(input: $input) { ... on CreateVerdictRuleSuccess { verdictRule { ${fields} } } ${failures} } }`,
  update: `mutation ($input: UpdateVerdictRuleInput!) { result: updateVerdictRule(input: $input) { ... on UpdateVerdictRuleSuccess { verdictRule { ${fields} } } ${failures} } }`,
  remove: `mutation ($id: ID!) { result: deleteVerdictRule(id: $id) { __typename ... on Failure { message } } }`,
  order: `mutation ($ids: [ID!]!) { result: orderVerdictRules(ids: $ids) { __typename ... on Failure { message } } }`,
  try: `mutation ($input: TestVerdictRuleInput!) { result: testVerdictRule(input: $input) { ${failures} ... on TestVerdictRuleSuccess {
    since attempts touchedAttempts touchedAccounts { name }
    failures { platform status errorType code verdict attempts lastAt match accounts { name } today { name isRule effect } withRule { name isRule effect scope durationSeconds } }
    sample { errorType code matches today { name effect } withRule { name effect } } } } }`,
}
const rule = { name: 'quota', status: '400', code: 'quota', effect: 'LIMITED', durationSeconds: 60 }

async function startRules() {
  const stand = await startGraphqlStand()
  const ada = await stand.addUser('ada', 'admin')
  const run = async (document: keyof typeof documents, variables: object) => {
    const { data, errors } = await stand.ask(documents[document], variables, ada)
    expect(errors).toBeUndefined()
    return data.result
  }
  const list = async () => (await stand.ask(`{ verdictRules { ${fields} } }`, {}, ada)).data.verdictRules
  const paths = (result: { fields: { path: string }[] }) => result.fields.map(({ path }) => path)
  return { stand, ada, run, list, paths }
}

test('a rule is made, changed field by field, cleared, put in order and deleted; each change is in the audit log', async () => {
  const { stand, run, list } = await startRules()
  const first = (await run('create', { input: rule })).verdictRule
  expect(first).toMatchObject({
    ...rule,
    enabled: true,
    platform: null,
    errorType: null,
    message: null,
    scope: 'ACCOUNT',
  })
  const more = {
    name: 'b',
    platform: 'CLAUDE',
    errorType: 'odd_*',
    message: 'Your plan*',
    effect: 'LIMITED',
    scope: 'FAMILY',
  }
  const second = (await run('create', { input: { ...more, status: '429', enabled: false } })).verdictRule
  expect(second).toMatchObject({ ...more, status: '429', enabled: false, durationSeconds: null })
  const changed = await run('update', {
    input: {
      id: second.id,
      name: 'c',
      platform: null,
      status: null,
      message: null,
      scope: 'MODEL',
      durationSeconds: 5,
      enabled: true,
    },
  })
  expect(changed.verdictRule).toEqual({
    ...second,
    name: 'c',
    platform: null,
    status: null,
    message: null,
    scope: 'MODEL',
    durationSeconds: 5,
    enabled: true,
  })
  expect(stand.rules.all().map(({ name }) => name)).toEqual(['quota', 'c'])
  expect((await run('order', { ids: [second.id, first.id] })).__typename).toBe('OrderVerdictRulesSuccess')
  expect((await list()).map(({ name }: { name: string }) => name)).toEqual(['c', 'quota'])
  expect(
    stand.rules
      .rowsOf('console')
      .slice(0, 2)
      .map(({ name }) => name),
  ).toEqual(['c', 'quota'])
  expect((await run('remove', { id: second.id })).__typename).toBe('DeleteVerdictRuleSuccess')
  expect((await list()).map(({ name }: { name: string }) => name)).toEqual(['quota'])
  expect((await run('remove', { id: second.id })).__typename).toBe('NotFoundFailure')
  expect((await run('update', { input: { id: second.id, name: 'd' } })).__typename).toBe('NotFoundFailure')
  const rows = await stand.client.apiLog.findMany({ where: { objectType: 'VerdictRule' }, orderBy: { id: 'asc' } })
  expect(rows.map(({ action }) => action)).toEqual([
    'createVerdictRule',
    'createVerdictRule',
    'updateVerdictRule',
    'orderVerdictRules',
    'deleteVerdictRule',
  ])
  expect(JSON.parse(rows[2]!.before)).toMatchObject({ name: 'b', platform: 'claude', message: 'Your plan*' })
  expect(JSON.parse(rows[2]!.after)).toMatchObject({ name: 'c', platform: null, message: '' })
  expect(JSON.parse(rows[3]!.after)).toEqual({ order: ['c', 'quota'] })
  expect(JSON.parse(rows[4]!.before)).toMatchObject({ name: 'c', code: '', errorType: 'odd_*' })
})

test('what is wrong is told beside its field, all at once, and nothing of it is saved', async () => {
  const { run, list, paths } = await startRules()
  const wrong = {
    name: ' x',
    platform: 'OPENAI',
    status: '4xx',
    errorType: 'two words',
    code: 'a b',
    message: 'two\nlines',
    effect: 'LIMITED',
    durationSeconds: 0,
  }
  const all = ['code', 'durationSeconds', 'errorType', 'message', 'name', 'platform', 'status']
  expect(paths(await run('create', { input: wrong })).sort()).toEqual(all)
  for (const durationSeconds of [-1, 2_678_401])
    expect(paths(await run('create', { input: { ...rule, durationSeconds } }))).toEqual(['durationSeconds'])
  // What is wrong with the whole of it.
  expect(paths(await run('create', { input: { name: 'r', effect: 'NEXT' } }))).toEqual(['status'])
  const wide = await run('create', { input: { name: 'r', status: '400', effect: 'NEEDS_LOGIN' } })
  expect(wide.fields).toEqual([{ path: 'code', message: expect.stringContaining('clients bring such answers about') }])
  expect(paths(await run('create', { input: { name: 'r', status: '401', effect: 'PASS' } }))).toEqual(['status'])
  expect(paths(await run('create', { input: { ...rule, effect: 'COOLING', scope: 'MODEL' } }))).toEqual([
    'scope',
    'durationSeconds',
  ])
  expect(await list()).toEqual([])
  const { verdictRule } = await run('create', { input: rule })
  expect((await run('create', { input: rule })).fields).toEqual([{ path: 'name', message: 'is taken' }])
  const { id } = verdictRule
  // A change that would make it too wide leaves it as it is, the good fields too.
  expect(paths(await run('update', { input: { id, name: 'renamed', code: null } }))).toEqual(['code'])
  expect(paths(await run('update', { input: { id, name: null, effect: null, enabled: null } }))).toEqual([
    'name',
    'enabled',
    'effect',
  ])
  expect(await list()).toEqual([verdictRule])
})

test('an order that does not name the rules there are is a conflict, and changes nothing', async () => {
  const { run, list } = await startRules()
  const one = (await run('create', { input: rule })).verdictRule
  const two = (await run('create', { input: { ...rule, name: 'two' } })).verdictRule
  for (const ids of [[two.id], [two.id, two.id], [two.id, one.id, 'nobody'], []])
    expect((await run('order', { ids })).__typename).toBe('ConflictFailure')
  expect((await list()).map(({ name }: { name: string }) => name)).toEqual(['quota', 'two'])
})

test('there are a hundred rules at most', async () => {
  const { stand, run } = await startRules()
  const data = Array.from({ length: 100 }, (_, i) => ({
    name: `rule ${i}`,
    position: i,
    platform: '',
    status: '500',
    errorType: '',
    code: '',
    message: '',
    effect: 'next',
    scope: 'account',
  }))
  await stand.client.verdictRule.createMany({ data })
  expect(await run('create', { input: rule })).toMatchObject({
    __typename: 'ConflictFailure',
    message: expect.stringContaining('100'),
  })
})

test('rules are for administrators: nobody else reads, changes or tries them', async () => {
  const { stand, run } = await startRules()
  const { id } = (await run('create', { input: rule })).verdictRule
  const bob = await stand.addUser('bob', 'user')
  const asked: [string, object][] = [
    ['{ verdictRules { name } }', {}],
    ['{ builtInVerdicts(platform: CONSOLE) { status } }', {}],
    ['query ($id: ID!) { node(id: $id) { ... on VerdictRule { name } } }', { id }],
    [documents.create, { input: { ...rule, name: 'bobs' } }],
    [documents.update, { input: { id, enabled: false } }],
    [documents.remove, { id }],
    [documents.order, { ids: [id] }],
    [documents.try, { input: rule }],
  ]
  for (const [document, variables] of asked) {
    const codes = await Promise.all(
      [bob, {}].map(async (as) => {
        const { data, errors } = await stand.ask(document, variables, as)
        expect(JSON.stringify(data ?? null)).not.toContain('quota')
        return errors?.[0]?.extensions?.code ?? data?.node
      }),
    )
    // A node that is not theirs is none.
    expect(codes, document).toEqual(
      document.includes('node(') ? [null, 'UNAUTHENTICATED'] : ['FORBIDDEN', 'UNAUTHENTICATED'],
    )
  }
  expect(stand.rules.all()).toMatchObject([{ name: 'quota', enabled: true }])
})

test('the built-in table can be read, in its order', async () => {
  const { stand, ada } = await startRules()
  const query =
    '{ builtInVerdicts(platform: CONSOLE) { status errorType code message limits means { name isRule effect scope durationSeconds } } codex: builtInVerdicts(platform: CODEX) { status } }'
  const { data } = await stand.ask(query, {}, ada)
  const table = data.builtInVerdicts
  expect(table[0]).toMatchObject({ status: '400', code: 'organization_on_hold', means: { effect: 'UNFUNDED' } })
  const named = (name: string) => table.find(({ means }: { means: { name: string } }) => means.name === name)
  expect(named('server error')).toMatchObject({ status: '501-599', means: { effect: 'COOLING', isRule: false } })
  expect(named('model refused').means).toMatchObject({ effect: 'LIMITED', scope: 'MODEL', durationSeconds: 300 })
  expect(named('window of some models used up')).toMatchObject({ limits: 'family', means: { scope: 'FAMILY' } })
  expect(named('no credit').message).toBe('^your credit balance is too low')
  expect(table.at(-1)).toMatchObject({ status: null, means: { effect: 'PASS' } })
  expect(data.codex).toEqual([])
})

/** Failed attempts of these accounts, so many each. */
async function addAttempts(stand: GraphqlStand, rows: { atMs: number; times: number; [column: string]: Scalar }[]) {
  let number = 0
  const cells = rows.flatMap(({ atMs, times, ...row }) =>
    Array.from({ length: times }, () =>
      attemptColumns.map((name): Scalar => {
        if (name === 'log_id') return String(firstKeyAt(atMs) + BigInt(++number))
        if (name === 'started_at_ms') return atMs
        return row[name] ?? (/model|type|request_id|source|card|code|verdict/.test(name) ? '' : 0)
      }),
    ),
  )
  await stand.database.batch([
    { kind: 'insert', table: 'attempts', columns: attemptColumns, rows: { json: Buffer.from(JSON.stringify(cells)) } },
  ])
}

test('a rule is tried on the failed attempts of the last hours: what is decided today, what would be, whom it would have touched', async () => {
  const { stand, run, list } = await startRules()
  await stand.provision({
    groups: [{ name: 'g' }],
    accounts: ['a', 'b', 'c'].map((name) => ({
      name,
      url: 'https://api.example.com',
      secret: 'sk-upstream-012',
      group: 'g',
    })),
  })
  const atMs = stand.clock.atMs - 3_600_000
  const odd = { atMs, verdict: 'caller', http_status: 400, error_type: 'invalid_request_error', error_code: 'quota' }
  await addAttempts(stand, [
    { ...odd, account_id: 1, times: 3 },
    { ...odd, account_id: 2, times: 2, atMs: atMs + 1000 },
    { ...odd, account_id: 3, times: 9, error_code: '' },
    // Too long ago, answered, or hung up.
    { ...odd, account_id: 3, times: 4, atMs: atMs - 48 * 3_600_000 },
    { ...odd, account_id: 3, times: 5, verdict: 'answer' },
    { ...odd, account_id: 3, times: 6, verdict: 'aborted' },
    { ...odd, account_id: 3, times: 7, verdict: 'failing', http_status: 0, error_type: 'ECONNREFUSED' },
  ])
  const tried = await run('try', { input: rule })
  expect(tried).toMatchObject({
    since: new Date(stand.clock.atMs - 24 * 3_600_000).toISOString(),
    attempts: 14,
    touchedAttempts: 5,
    touchedAccounts: [{ name: 'a' }, { name: 'b' }],
    sample: null,
  })
  expect(tried.failures).toEqual([
    {
      platform: 'CONSOLE',
      status: '400',
      errorType: 'invalid_request_error',
      code: 'quota',
      verdict: 'caller',
      attempts: 5,
      lastAt: new Date(atMs + 1000).toISOString(),
      match: 'YES',
      accounts: [{ name: 'a' }, { name: 'b' }],
      today: [{ name: "the request's own fault", isRule: false, effect: 'PASS' }],
      withRule: [{ name: 'quota', isRule: true, effect: 'LIMITED', scope: 'ACCOUNT', durationSeconds: 60 }],
    },
    expect.objectContaining({ code: '', attempts: 9, match: 'NO' }),
  ])
  expect((await run('try', { input: { ...rule, hours: 168 } })).touchedAttempts).toBe(9)
  expect((await run('try', { input: { ...rule, platform: 'CLAUDE' } })).touchedAttempts).toBe(0)
  expect((await run('try', { input: { ...rule, name: undefined, message: 'Your plan*' } })).failures[0].match).toBe(
    'MAYBE',
  )
  // Nothing of it is a rule now.
  expect(await list()).toEqual([])
})

test('a sample is tried by its text; neither the answer nor the audit log has anything of it', async () => {
  const { stand, run } = await startRules()
  const body = JSON.stringify({ type: 'error', error: { type: 'odd', message: 'Your plan is CANARY over' } })
  const input = {
    name: 'text',
    status: '400',
    message: 'Your plan*',
    effect: 'UNFUNDED',
    sample: { status: '400', body },
  }
  const result = await run('try', { input })
  expect(result.sample).toEqual({
    errorType: 'odd',
    code: '',
    matches: true,
    today: { name: "the request's own fault", effect: 'PASS' },
    withRule: { name: 'text', effect: 'UNFUNDED' },
  })
  expect((await run('try', { input: { ...input, sample: { status: 'event', body } } })).sample.matches).toBe(false)
  const { after } = await stand.client.apiLog.findFirstOrThrow({ where: { action: 'testVerdictRule' } })
  expect(JSON.parse(after)).toMatchObject({ status: '400', message: 'Your plan*', hours: 24 })
  expect([JSON.stringify(result), after, stand.lines.join('')].join('')).not.toContain('CANARY')
})

test('the bench refuses what could not be saved, and ranges and samples that cannot be, beside the field', async () => {
  const { run, paths } = await startRules()
  const { id } = (await run('create', { input: rule })).verdictRule
  const tried = async (more: object) => {
    const result = await run('try', { input: { ...rule, name: 'new', ...more } })
    return result.__typename === 'InputFailure' ? paths(result) : result.__typename
  }
  expect(await tried({ code: null })).toEqual(['code'])
  expect(await tried({ name: 'quota' })).toEqual(['name'])
  expect(await tried({ name: 'quota', id })).toBe('TestVerdictRuleSuccess')
  expect(await tried({ hours: 169 })).toEqual(['hours'])
  expect(await tried({ sample: { status: '200', body: '' } })).toEqual(['sample.status'])
  expect(await tried({ sample: { status: '400', body: 'x'.repeat(100_001) } })).toEqual(['sample.body'])
})
