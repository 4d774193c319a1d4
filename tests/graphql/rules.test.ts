import { expect, test } from 'vitest'
import { documents, rule, startRules } from './rules-stand.ts'

test('a rule is made, changed field by field, cleared, put in order and deleted; each change is in the audit log', async () => {
  const { stand, run, list } = await startRules()
  const first = (await run('create', { input: rule })).errorRule
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
    effect: 'RATE_LIMIT',
    scope: 'FAMILY',
  }
  const second = (await run('create', { input: { ...more, status: '429', enabled: false } })).errorRule
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
  expect(changed.errorRule).toEqual({
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
  expect((await run('order', { ids: [second.id, first.id] })).__typename).toBe('ReorderErrorRulesSuccess')
  expect((await list()).map(({ name }: { name: string }) => name)).toEqual(['c', 'quota'])
  expect(
    stand.rules
      .rowsOf('console')
      .slice(0, 2)
      .map(({ name }) => name),
  ).toEqual(['c', 'quota'])
  expect((await run('remove', { id: second.id })).__typename).toBe('DeleteErrorRuleSuccess')
  expect((await list()).map(({ name }: { name: string }) => name)).toEqual(['quota'])
  expect((await run('remove', { id: second.id })).__typename).toBe('NotFoundFailure')
  expect((await run('update', { input: { id: second.id, name: 'd' } })).__typename).toBe('NotFoundFailure')
  const rows = await stand.client.apiLog.findMany({ where: { objectType: 'ErrorRule' }, orderBy: { id: 'asc' } })
  expect(rows.map(({ action }) => action)).toEqual([
    'createErrorRule',
    'createErrorRule',
    'updateErrorRule',
    'reorderErrorRules',
    'deleteErrorRule',
  ])
  expect(JSON.parse(rows[2]!.before)).toMatchObject({ name: 'b', platform: 'claude', message: 'Your plan*' })
  expect(JSON.parse(rows[2]!.after)).toMatchObject({ name: 'c', platform: null, message: '' })
  expect(JSON.parse(rows[3]!.after)).toEqual({ order: ['c', 'quota'] })
  expect(JSON.parse(rows[4]!.before)).toMatchObject({ name: 'c', code: '', errorType: 'odd_*' })
})

test('what is wrong stands beside its field, all at once, and nothing of it is saved', async () => {
  const { run, list, paths } = await startRules()
  const wrong = {
    name: ' x',
    status: '4xx',
    errorType: 'two words',
    code: 'a b',
    message: 'two\nlines',
    effect: 'RATE_LIMIT',
    durationSeconds: 0,
  }
  const all = ['code', 'durationSeconds', 'errorType', 'message', 'name', 'status']
  expect(paths(await run('create', { input: wrong })).sort()).toEqual(all)
  for (const durationSeconds of [-1, 2_678_401])
    expect(paths(await run('create', { input: { ...rule, durationSeconds } }))).toEqual(['durationSeconds'])
  // What is wrong with the whole of it.
  expect(paths(await run('create', { input: { name: 'r', effect: 'NEXT_ACCOUNT' } }))).toEqual(['status'])
  const wide = await run('create', { input: { name: 'r', status: '400', effect: 'REQUIRE_REAUTH' } })
  expect(wide.fields).toEqual([{ path: 'code', message: expect.stringContaining('clients bring such answers about') }])
  expect(paths(await run('create', { input: { name: 'r', status: '401', effect: 'PASS' } }))).toEqual(['status'])
  expect(paths(await run('create', { input: { ...rule, effect: 'COOL_DOWN', scope: 'MODEL' } }))).toEqual([
    'scope',
    'durationSeconds',
  ])
  expect(await list()).toEqual([])
  const { errorRule } = await run('create', { input: rule })
  expect((await run('create', { input: rule })).fields).toEqual([{ path: 'name', message: 'is taken' }])
  const { id } = errorRule
  // A change that would make it too wide leaves it as it is, the good fields too.
  expect(paths(await run('update', { input: { id, name: 'renamed', code: null } }))).toEqual(['code'])
  expect(paths(await run('update', { input: { id, name: null, effect: null, enabled: null } }))).toEqual([
    'name',
    'enabled',
    'effect',
  ])
  expect(await list()).toEqual([errorRule])
})

test('an order that does not name the rules there are is a conflict, and changes nothing', async () => {
  const { run, list } = await startRules()
  const one = (await run('create', { input: rule })).errorRule
  const two = (await run('create', { input: { ...rule, name: 'two' } })).errorRule
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
  await stand.client.errorRule.createMany({ data })
  expect(await run('create', { input: rule })).toMatchObject({
    __typename: 'ConflictFailure',
    message: expect.stringContaining('100'),
  })
})

test('rules are for administrators: nobody else reads, changes or tries them', async () => {
  const { stand, run } = await startRules()
  const { id } = (await run('create', { input: rule })).errorRule
  const bob = await stand.addUser('bob', 'user')
  const asked: [string, object][] = [
    ['{ errorRules { name } }', {}],
    ['{ builtInErrorRules(platform: CONSOLE) { status } }', {}],
    ['query ($id: ID!) { node(id: $id) { ... on ErrorRule { name } } }', { id }],
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
    '{ builtInErrorRules(platform: CONSOLE) { status errorType code message limits means { name isRule effect scope durationSeconds } } codex: builtInErrorRules(platform: CODEX) { means { name } } }'
  const { data } = await stand.ask(query, {}, ada)
  const table = data.builtInErrorRules
  const named = (name: string) => table.find(({ means }: { means: { name: string } }) => means.name === name)
  // What is about this kind of request stands before what rules an account out.
  expect(table[0].means).toMatchObject({ name: 'extra usage required', effect: 'NEXT_ACCOUNT' })
  expect(named('organisation on hold')).toMatchObject({
    status: '400',
    code: 'organization_on_hold',
    means: { effect: 'OUT_OF_CREDIT' },
  })
  expect(named('server error')).toMatchObject({ status: '500-599', means: { effect: 'COOL_DOWN', isRule: false } })
  expect(named('model refused').means).toMatchObject({ effect: 'RATE_LIMIT', scope: 'MODEL', durationSeconds: 300 })
  expect(named('window of some models used up')).toMatchObject({ limits: 'family', means: { scope: 'FAMILY' } })
  expect(named('no credit').message).toMatch(/^credit balance is too low\|/)
  expect(table.at(-1)).toMatchObject({ status: null, means: { name: 'anything else', effect: 'COOL_DOWN' } })
  // A platform of another format has a table of its own.
  expect(data.codex.map(({ means }: { means: { name: string } }) => means.name)).toContain('no credit')
})

test('rules for 200, 403 and 429 are made, changed and tried like others', async () => {
  const { run, list } = await startRules()
  const made = [
    { name: 'quota in a 200', status: '200', code: 'quota_*', effect: 'OUT_OF_CREDIT', durationSeconds: 3600 },
    { name: 'region', status: '403', effect: 'RATE_LIMIT', scope: 'MODEL', durationSeconds: 60 },
    { name: 'long context', status: '429', message: 'Extra usage*', effect: 'NEXT_ACCOUNT' },
  ]
  for (const input of made) expect((await run('create', { input })).errorRule).toMatchObject(input)
  const [first] = await list()
  const changed = await run('update', { input: { id: first.id, status: '200-299' } })
  expect(changed.errorRule.status).toBe('200-299')
  const samples: [input: object, body: string, effect: string][] = [
    [made[0]!, '{"error":{"code":"quota_gone","message":"no"}}', 'OUT_OF_CREDIT'],
    [made[1]!, '<html>not here</html>', 'RATE_LIMIT'],
    [made[2]!, '{"error":{"type":"rate_limit_error","message":"Extra usage is needed"}}', 'NEXT_ACCOUNT'],
  ]
  for (const [index, [input, body, effect]] of samples.entries()) {
    const { id } = (await list())[index]
    const { sample } = await run('try', { input: { ...input, id, sample: { status: made[index]!.status, body } } })
    expect(sample).toMatchObject({ matches: true, withRule: { effect } })
  }
})

test('the built-in table of every platform is shown with the words of vendors, to administrators alone', async () => {
  const { stand, ada } = await startRules()
  const query = `query ($platform: Platform!) { builtInErrorRules(platform: $platform) {
    status errorType code message limits blamesRequest means { name isRule effect } } }`
  for (const platform of ['CONSOLE', 'CLAUDE', 'OPENAI', 'CODEX']) {
    const { data } = await stand.ask(query, { platform }, ada)
    const named = (name: string) =>
      data.builtInErrorRules.find(({ means }: { means: { name: string } }) => means.name === name)
    expect(named('GLM: no balance')).toMatchObject({ code: expect.stringContaining('1113'), means: { isRule: false } })
    expect(named('no credit (Chinese)').message).toContain('余额不足')
    expect(named('extra usage required')).toMatchObject({
      message: expect.stringContaining('extra usage'),
      means: { effect: 'NEXT_ACCOUNT' },
    })
    expect(named("the request's own fault (400)")).toMatchObject({ status: '400', blamesRequest: true })
    expect(named('anything else').blamesRequest).toBe(false)
  }
  const { token } = await stand.addUser('bob', 'user')
  expect((await stand.ask(query, { platform: 'CONSOLE' }, { token })).data.builtInErrorRules).toBeNull()
})
