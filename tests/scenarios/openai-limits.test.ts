import { expect, onTestFinished, test } from 'vitest'
import { chatAnswer, openaiRefusal, responsesAnswer } from '../support/fake-openai.ts'
import { createFakeUpstream, type Script } from '../support/fake-upstream.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'
import { adminEnv, signedIn } from './claude-stand.ts'

/** What accounts of OpenAI's formats say of limits, usage and price, and what their test button asks. */

const rateLimits = {
  'x-ratelimit-limit-requests': '100',
  'x-ratelimit-remaining-requests': '75',
  'x-ratelimit-reset-requests': '6m0s',
  'x-ratelimit-limit-tokens': '1000',
  'x-ratelimit-remaining-tokens': '1000',
  'x-ratelimit-reset-tokens': '20ms',
}
const limited: Script = openaiRefusal(
  429,
  { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' },
  { ...rateLimits, 'x-ratelimit-remaining-requests': '0' },
)

async function standWith(platform: string, modelMapping: Record<string, string> = {}) {
  const upstream = await createFakeUpstream()
  onTestFinished(() => upstream.close())
  const relay = await startRelayApp({
    accounts: [{ url: `${upstream.url}/v1`, platform, modelMapping }],
    env: adminEnv,
  })
  onTestFinished(() => relay.stop())
  const graphql = await signedIn(relay.app.url)
  const account = async () =>
    (
      await graphql(
        '{ accounts { edges { node { id state { name until } limitGauges { window status utilization resetAt } } } } }',
      )
    ).accounts.edges[0].node
  const ask = (more: object = {}) =>
    fetch(`${relay.base}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${testKey}` },
      body: JSON.stringify({
        model: 'claude-sonnet-5-5',
        max_tokens: 9,
        messages: [{ role: 'user', content: 'Hi' }],
        ...more,
      }),
    })
  return { upstream, relay, graphql, account, ask }
}

const kinds = [
  ['openai', chatAnswer, '/v1/chat/completions'],
  ['codex', responsesAnswer, '/v1/responses'],
] as const

test.each(kinds)('x-ratelimit headers of the platform %s are gauges of its account', async (platform) => {
  const { upstream, account, ask } = await standWith(platform)
  upstream.script(openaiRefusal(400, { message: 'no' }, rateLimits))
  const response = await ask()
  expect([...response.headers.keys()].filter((name) => name.includes('ratelimit'))).toEqual([])
  expect((await account()).limitGauges).toEqual([
    { window: 'requests', status: 'allowed', utilization: 0.25, resetAt: expect.any(String) },
    { window: 'tokens', status: 'allowed', utilization: 0, resetAt: expect.any(String) },
  ])
})

test.each(kinds)(
  'a 429 of the platform %s cools the account down until the window that is used up ends',
  async (platform) => {
    const { upstream, account, ask } = await standWith(platform)
    upstream.script(limited)
    const beforeMs = Date.now()
    expect((await ask()).status).toBe(529)
    const { state, limitGauges } = await account()
    expect(state.name).toBe('RATE_LIMITED')
    const sixMinutes = beforeMs + 360_000
    expect(Date.parse(state.until)).toBeGreaterThanOrEqual(sixMinutes - 1000)
    expect(Date.parse(state.until)).toBeLessThan(sixMinutes + 60_000)
    expect(limitGauges[0]).toMatchObject({ window: 'requests', status: 'rejected', utilization: 1 })
  },
)

test.each([
  ['insufficient_quota', 429, 'You exceeded your current quota', 'OUT_OF_CREDIT'],
  ['billing_hard_limit_reached', 400, 'Billing hard limit has been reached', 'OUT_OF_CREDIT'],
  ['invalid_api_key', 401, 'Incorrect API key provided', 'REAUTH_REQUIRED'],
])('an error with the code %s is classified by it', async (code, status, message, state) => {
  const { upstream, account, ask } = await standWith('openai')
  upstream.script(openaiRefusal(status, { message, type: code, code }))
  expect((await ask()).status).toBeGreaterThanOrEqual(500)
  expect((await account()).state.name).toBe(state)
})

test.each(kinds)(
  'the test button of the platform %s asks for one small message of its format',
  async (platform, answer, path) => {
    const { upstream, graphql, account } = await standWith(platform, { 'claude-*': 'gpt-6-sol' })
    upstream.script(answer())
    const { id } = await account()
    const tested = await graphql(
      `mutation { testAccount(input: { id: "${id}", model: "claude-sonnet-5-5" }) { ... on TestAccountSuccess { ok status } } }`,
    )
    expect(tested.testAccount).toEqual({ ok: true, status: 200 })
    const [sent] = upstream.requests
    expect(sent).toMatchObject({ path, headers: { authorization: 'Bearer sk-upstream-1-0123456789' } })
    expect(JSON.parse(sent!.body.toString())).toMatchObject({ model: 'gpt-6-sol' })
  },
)

test.each(kinds)('the platform %s is billed by the model and the counts that it reports', async (platform, answer) => {
  const { upstream, relay, ask } = await standWith(platform, { 'claude-*': 'gpt-6-sol' })
  upstream.script(answer({ model: 'gpt-6-sol' }))
  expect((await ask()).status).toBe(200)
  const [row] = await relay.rows()
  // 30 tokens at 2 dollars a million, 20 from the cache at 0.20, 9 of output at 10.
  expect(row).toMatchObject({
    usage_source: 'final',
    price_card_id: expect.stringContaining('gpt-6-sol'),
    cost_nano: 30 * 2000 + 20 * 200 + 9 * 10_000,
  })
})

test('where an upstream reports no usage it is estimated, priced, and flagged', async () => {
  const { upstream, relay, ask } = await standWith('openai', { 'claude-*': 'gpt-6-sol' })
  upstream.script((exchange) =>
    exchange.respond(
      200,
      {},
      { model: 'gpt-6-sol', choices: [{ index: 0, message: { content: 'x'.repeat(400) }, finish_reason: 'stop' }] },
    ),
  )
  expect((await ask()).status).toBe(200)
  const [row] = await relay.rows()
  expect(row).toMatchObject({ usage_source: 'estimated', price_card_id: expect.stringContaining('gpt-6-sol') })
  expect(Number(row!['output_tokens'])).toBeGreaterThan(50)
  expect(Number(row!['cost_nano'])).toBeGreaterThan(0)
})
