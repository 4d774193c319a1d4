// Over 300 lines: each kind of rule, over the same pools.
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { engines, newDatabaseAddress, redisUrl } from '../support/engines.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream, type Script } from '../support/fake-upstream.ts'
import { type RelayApp, type RelayAppOptions, startRelayApp, testKey } from '../support/relay-app.ts'
import { askGraphql, signedIn } from './graphql-asking.ts'
import { ask } from './pools.ts'

let upstream: FakeUpstream
beforeAll(async () => {
  upstream = await createFakeUpstream()
})
afterAll(() => upstream.close())

const password = 'correct horse battery'

/** What an upstream with codes of its own answers when its account is used up. */
const usedUp: Script = (exchange) =>
  exchange.respond(
    400,
    { 'content-type': 'application/json' },
    { type: 'error', error: { type: 'invalid_request_error', code: 'plan_used_up', message: 'CANARY of a prompt' } },
  )
const usedUpRule = { name: 'Plan used up', status: '400', code: 'plan_*', effect: 'rate_limited', durationSeconds: 600 }

async function startPool(
  scripts: (Script | undefined)[],
  rules: RelayAppOptions['rules'] = [],
  more: RelayAppOptions = {},
) {
  const relay = await startRelayApp({
    accounts: scripts.map((_, index) => ({ name: `${index + 1}`, url: upstream.url, priority: index + 1 })),
    rules,
    ...more,
    env: { DEFAULT_ADMIN_PASSWORD: password, ...more.env },
  })
  onTestFinished(() => relay.stop())
  for (const [index, script] of scripts.entries()) {
    const isIts = (secret: string | undefined): boolean => secret?.includes(`sk-upstream-${index + 1}-`) === true
    if (script) onTestFinished(upstream.scriptWhen(({ headers }) => isIts(headers.authorization), script))
  }
  return { ...relay, ...(await dashboardOf(relay)) }
}

/** Requests to a process, and what its dashboard says. */
async function dashboardOf(relay: RelayApp) {
  const token = await signedIn(relay.app.url, 'admin', password)
  const query = async (text: string, variables: object = {}) => {
    const { data, errors } = await askGraphql(relay.app.url, text, variables, token)
    expect(errors).toBeUndefined()
    return data
  }
  return {
    query,
    ask: (message = 'hello', body: Record<string, unknown> = {}) =>
      ask(relay.base, testKey, { body: { stream: false, messages: [{ role: 'user', content: message }], ...body } }),
    async accounts() {
      const data = await query(
        '{ accounts { edges { node { state { name reason models { model } } timeline(first: 9) { edges { node { to reason cause model requestId errorCode errorMessage } } } } } } }',
      )
      // biome-ignore lint/suspicious/noExplicitAny: the test reads what it asked for
      return data.accounts.edges.map(({ node }: any) => ({
        name: node.state.name,
        reason: node.state.reason,
        models: node.state.models.map(({ model }: { model: string }) => model),
        // biome-ignore lint/suspicious/noExplicitAny: the same
        steps: node.timeline.edges.map((edge: any) => edge.node).reverse(),
      }))
    },
  }
}

test('a rule makes an account rest that says in a 400 of its own that it is used up; its timeline names the rule', async () => {
  const pool = await startPool([usedUp, undefined], [usedUpRule])
  expect((await pool.ask()).status).toBe(200)
  const before = upstream.requests.length
  expect((await pool.ask('another')).status).toBe(200)
  expect(upstream.requests.length - before).toBe(1)
  const reason = 'rule "Plan used up": 400 invalid_request_error (plan_used_up)'
  await expect.poll(pool.accounts).toMatchObject([
    {
      name: 'RATE_LIMITED',
      reason,
      steps: [
        { to: 'RATE_LIMITED', reason, cause: 'RULE', model: null, errorCode: 'plan_used_up', errorMessage: null },
      ],
    },
    { name: 'READY', steps: [] },
  ])
  expect((await pool.accounts())[0].steps[0].requestId).toBe((await pool.rows())[0]!.requestId)
  expect(await pool.attempts()).toMatchObject([
    { account_id: 1, outcome: 'limited', http_status: 400, error_code: 'plan_used_up' },
    { account_id: 2, outcome: 'answer', error_code: '' },
    { account_id: 2, outcome: 'answer' },
  ])
  // What an error says may quote a prompt: it is nowhere.
  expect(pool.log.join('')).not.toContain('CANARY')
})

test('errors of the request are still passed byte for byte and touch nobody, rule or not', async () => {
  const pool = await startPool([undefined, undefined], [usedUpRule, { ...usedUpRule, name: 'two', status: '404-422' }])
  for (const [status, type] of [
    [400, 'invalid_request_error'],
    [413, 'request_too_large'],
    [422, 'invalid_request_error'],
  ] as const) {
    const stop = upstream.scriptWhen(({ body }) => body.includes('clumsy'), refusal(status, type, 'plan_used_up'))
    const before = upstream.requests.length
    for (let i = 0; i < 20; i++) {
      const answer = await pool.ask(`clumsy ${i}`)
      expect(answer.status).toBe(status)
      expect(JSON.parse(answer.text).error).toEqual({ type, message: 'plan_used_up' })
    }
    expect(upstream.requests.length - before).toBe(20)
    stop()
  }
  expect(await pool.accounts()).toMatchObject([
    { name: 'READY', steps: [] },
    { name: 'READY', steps: [] },
  ])
})

test.each([
  ['a limit', usedUpRule],
  ['a lost login', { name: 'key', status: '400', code: 'plan_*', effect: 'reauth_required' }],
  ['missing funds', { name: 'funds', code: 'plan_*', effect: 'out_of_credit', durationSeconds: 60 }],
  ['a limit of a model', { ...usedUpRule, scope: 'model' }],
  ['a limit of a family', { ...usedUpRule, scope: 'family' }],
  ['a failure', { name: 'failure', status: '400', code: 'plan_*', effect: 'cooling_down' }],
])('the same error from two accounts is the request’s also where a rule would make of it %s', async (_what, rule) => {
  const statePolicy = {
    failures: 1,
    windowMs: 60_000,
    firstCooldownMs: 60_000,
    maxCooldownMs: 60_000,
    halfOpenMs: 60_000,
  }
  const pool = await startPool([usedUp, usedUp], [rule], { statePolicy })
  const answer = await pool.ask()
  expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([400, 'plan_used_up'])
  await expect.poll(pool.accounts).toMatchObject([
    { name: 'READY', models: [], steps: [{ cause: 'RULE' }, { to: 'READY', cause: 'REQUEST' }] },
    { name: 'READY', models: [], steps: [] },
  ])
  const before = upstream.requests.length
  expect((await pool.ask('another')).status).toBe(400)
  expect(upstream.requests.length - before).toBe(2)
})

test('when a third account answers, both that a rule had blamed rest', async () => {
  const pool = await startPool([usedUp, usedUp, undefined], [usedUpRule])
  expect((await pool.ask()).status).toBe(200)
  expect((await pool.accounts()).map(({ name }: { name: string }) => name)).toEqual([
    'RATE_LIMITED',
    'RATE_LIMITED',
    'READY',
  ])
})

test('a rule passes to the caller what the table would have taken for a failure of the account', async () => {
  const tooLong = refusal(500, 'api_error', 'the context length is exceeded')
  const rule = { name: 'Too long', status: '500', message: '*context length*', effect: 'pass' }
  const statePolicy = {
    failures: 1,
    windowMs: 60_000,
    firstCooldownMs: 60_000,
    maxCooldownMs: 60_000,
    halfOpenMs: 60_000,
  }
  const pool = await startPool([tooLong, undefined], [rule], { statePolicy })
  const answer = await pool.ask()
  expect(answer.status).toBe(500)
  expect(answer.text).toContain('the context length is exceeded')
  expect(await pool.attempts()).toMatchObject([{ outcome: 'caller', charged: 0 }])
  expect(await pool.accounts()).toMatchObject([{ name: 'READY' }, { name: 'READY' }])
})

test('a rule sends a request on, and the upstream’s words are left when nobody else can serve', async () => {
  const rule = { name: 'Region', errorType: 'region_error', effect: 'next' }
  const pool = await startPool([refusal(400, 'region_error'), undefined], [rule])
  expect((await pool.ask()).status).toBe(200)
  expect(await pool.accounts()).toMatchObject([{ name: 'READY', steps: [] }, { name: 'READY' }])
  const alone = await startPool([refusal(400, 'region_error')], [rule])
  expect(await alone.ask()).toMatchObject({ status: 400, text: expect.stringContaining('region_error') })
})

test.each([true, false])(
  'a rule decides on an error with status 200 (stream: %s): the account is out of credit, the next one answers',
  async (stream) => {
    const within: Script = (exchange) =>
      exchange.respond(200, {}, { success: false, error_code: 'quota_gone', msg: 'CANARY' })
    const rule = { name: 'Gone', status: '200', code: 'quota_*', effect: 'out_of_credit', durationSeconds: 600 }
    const pool = await startPool([within, undefined], [rule])
    expect((await pool.ask('hello', { stream })).status).toBe(200)
    const [first, second] = await pool.accounts()
    expect(first).toMatchObject({ name: 'OUT_OF_CREDIT', reason: expect.stringContaining('rule "Gone": 200') })
    expect(second.name).toBe('READY')
  },
)

test('a rule makes one model rest for a 403, which never reaches the client', async () => {
  const region: Script = refusal(403, 'region_error', 'CANARY')
  const rule = {
    name: 'Region',
    status: '403',
    errorType: 'region_*',
    effect: 'rate_limited',
    scope: 'model',
    durationSeconds: 600,
  }
  const pool = await startPool([region, region], [rule])
  const answer = await pool.ask()
  expect(answer.status).toBe(529)
  expect(answer.text).not.toContain('CANARY')
  const model = 'claude-sonnet-4-5-20250929'
  expect(await pool.accounts()).toMatchObject([
    { name: 'READY', models: [model] },
    { name: 'READY', models: [model] },
  ])
})

test('a rule takes a 429 for the request’s: nobody rests, and when all say so the client reads the vendor’s sentence', async () => {
  const sentence = 'This plan has no large requests.'
  const large: Script = refusal(429, 'rate_limit_error', sentence, { 'retry-after': '600' })
  const rule = { name: 'Large', status: '429', message: 'This plan has no large*', effect: 'next' }
  const pool = await startPool([large, large], [rule])
  const answer = await pool.ask()
  expect(answer.status).toBe(429)
  expect(answer.headers.get('x-should-retry')).toBe('false')
  expect(JSON.parse(answer.text).error).toEqual({
    type: 'rate_limit_error',
    message: expect.stringContaining(sentence),
  })
  expect(await pool.accounts()).toMatchObject([
    { name: 'READY', models: [] },
    { name: 'READY', models: [] },
  ])
})

test('a rule reads the code of an error event in a stream, and rests one model for it', async () => {
  const busy: Script = (exchange) =>
    exchange.sse([
      { event: 'error', data: JSON.stringify({ type: 'error', error: { type: 'api_error', code: 'model_busy' } }) },
    ])
  const rule = {
    name: 'Busy',
    status: 'event',
    code: 'model_busy',
    effect: 'rate_limited',
    scope: 'model',
    durationSeconds: 60,
  }
  const pool = await startPool([busy, undefined], [rule])
  const answer = await pool.ask('hello', { stream: true, model: 'claude-opus-5-5' })
  expect([answer.status, answer.text.includes('message_stop')]).toEqual([200, true])
  await expect
    .poll(pool.accounts)
    .toMatchObject([
      { name: 'READY', models: ['claude-opus-5-5'], steps: [{ cause: 'RULE', errorCode: 'model_busy' }] },
      { name: 'READY' },
    ])
  expect((await pool.attempts())[0]).toMatchObject({
    http_status: 200,
    error_type: 'api_error',
    error_code: 'model_busy',
  })
})

const create =
  'mutation ($input: CreateErrorRuleInput!) { createErrorRule(input: $input) { __typename ... on CreateErrorRuleSuccess { errorRule { id } } } }'
const input = { ...usedUpRule, effect: 'RATE_LIMIT' }

test('a rule made in the dashboard decides the very next answer, and none once it is off', async () => {
  const pool = await startPool([usedUp])
  expect((await pool.ask()).status).toBe(400)
  const { createErrorRule } = await pool.query(create, { input })
  const update = 'mutation ($input: UpdateErrorRuleInput!) { updateErrorRule(input: $input) { __typename } }'
  const { id } = createErrorRule.errorRule
  await pool.query(update, { input: { id, enabled: false } })
  expect((await pool.ask()).status).toBe(400)
  await pool.query(update, { input: { id, enabled: true } })
  expect((await pool.ask()).status).toBe(529)
  expect(await pool.accounts()).toMatchObject([{ name: 'RATE_LIMITED' }])
})

test.runIf(engines === 'services')('what is changed in one process decides in the others at once', async () => {
  const address = await newDatabaseAddress()
  onTestFinished(() => address.drop())
  const env = { DATABASE_URL: address.url, REDIS_URL: redisUrl, MASTER_SECRET: 'a secret of thirty-two characters' }
  const here = await startPool([usedUp], [], { env })
  const there = await startPool([usedUp], [], { env })
  expect([(await here.ask()).status, (await there.ask()).status]).toEqual([400, 400])
  const { createErrorRule } = await here.query(create, { input })
  // It travels by Redis: until it is there the table decides, and nothing rests.
  await expect.poll(async () => (await there.ask()).status).toBe(529)
  expect(await there.accounts()).toMatchObject([
    { name: 'RATE_LIMITED', reason: expect.stringContaining('Plan used up') },
  ])
  // And what the rule did there is known here.
  await expect.poll(async () => (await here.accounts())[0].name).toBe('RATE_LIMITED')
  await there.query(`mutation { deleteErrorRule(input: { id: "${createErrorRule.errorRule.id}" }) { __typename } }`)
  const [{ node }] = (await there.query('{ accounts { edges { node { id } } } }')).accounts.edges
  await expect
    .poll(async () => {
      await there.query(`mutation { clearAccountState(input: { id: "${node.id}" }) { __typename } }`)
      return [(await here.accounts())[0].name, (await here.ask()).status]
    })
    .toEqual(['READY', 400])
})
