import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { errorBody } from '../support/fake-message.ts'
import { errorAfterEvents, refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { faults } from './faults-before-content.ts'
import { startWatched, type Watched } from './watched.ts'

/** Streams, and JSON where the fault can happen there. */
const modes = Object.entries(faults).flatMap(([name, { number, streamOnly }]) => {
  const title = `${number ? `fault ${number}: ` : ''}an account that ${name}`
  return (streamOnly ? [true] : [true, false]).map((stream) => [title, stream, name] as const)
})
const poolOf = (name: string, stream: boolean): string => `${name} ${stream}`.replace(/\W/g, '-')

let bad: FakeUpstream
let good: FakeUpstream
let relay: Watched

beforeAll(async () => {
  bad = await createFakeUpstream()
  good = await createFakeUpstream()
  // The bad account goes first.
  const both = (url: string) => [
    { url, priority: 1 },
    { url: good.url, priority: 2 },
  ]
  const one = [{ url: bad.url }]
  relay = await startWatched({
    ...Object.fromEntries(modes.map(([, stream, name]) => [poolOf(name, stream), both(bad.url)])),
    twoOfThree: [
      { url: bad.url, priority: 1 },
      { url: bad.url, priority: 2 },
      { url: good.url, priority: 3 },
    ],
    four: [1, 2, 3, 4].map((priority) => ({ url: bad.url, priority })),
    caller: both(bad.url),
    unknownModel: one.concat(one),
    broken: both(bad.url),
    ...Object.fromEntries([401, 402, 403, 429, 500, 502, 503, 504, 529].map((status) => [`alone${status}`, one])),
  })
})
afterAll(async () => {
  await relay.stop()
  await bad.close()
  await good.close()
})

afterEach(() => relay.holds())

async function lastAttempts() {
  const row = (await relay.rows()).at(-1)!
  const attempts = (await relay.attempts()).filter((attempt) => attempt['log_id'] === row['id'])
  return { row, attempts }
}

test.each(modes)(
  '%s is followed by the next one (stream: %s): one 200, two attempts, one charged',
  async (_title, stream, name) => {
    const { script, outcome, status, type } = faults[name]!
    bad.script(script)
    const before = good.requests.length
    const answer = await relay.ask(poolOf(name, stream), { body: { stream } })
    expect(answer.status).toBe(200)
    expect(answer.text).toContain(stream ? 'event: message_stop' : '"stop_reason":"end_turn"')
    expect(answer.text).not.toContain('event: error')
    expect(good.requests.length).toBe(before + 1)
    const { row, attempts } = await lastAttempts()
    expect(row).toMatchObject({ outcome: 'completed', http_status: 200, attempts: 2 })
    expect(attempts).toMatchObject([
      { outcome, http_status: status, charged: 0, cost_nano: expect.any(Number), ...(type && { error_type: type }) },
      { outcome: 'answer', http_status: 200, charged: 1, cost_nano: row['cost_nano'] },
    ])
    expect(row['account_id']).toBe(attempts[1]?.['account_id'])
  },
)

test('fault 17: 500 twice, then 200: one 200, three attempts, one charged', async () => {
  bad.script(refusal(500, 'api_error'), refusal(500, 'api_error'))
  expect((await relay.ask('twoOfThree')).status).toBe(200)
  expect((await lastAttempts()).attempts.map((attempt) => attempt['charged'])).toEqual([0, 0, 1])
})

test('at most two failovers a request', async () => {
  bad.script(refusal(500, 'api_error'), refusal(500, 'api_error'), refusal(500, 'api_error'))
  const before = bad.requests.length
  expect((await relay.ask('four')).status).toBe(529)
  expect(bad.requests.length - before).toBe(3)
})

test.each([401, 402, 403, 429, 500, 502, 503, 504, 529])(
  'client points 2 and 3: an upstream %s never reaches the client as such, neither its words nor its retry-after',
  async (status) => {
    bad.script(
      refusal(status, 'rate_limit_error', 'CANARY of the upstream', {
        'retry-after': '3600',
        'x-should-retry': 'true',
      }),
    )
    const answer = await relay.ask(`alone${status}`)
    const ours = [401, 402, 403].includes(status) ? 503 : 529
    expect(answer.status).toBe(ours)
    expect(answer.text).not.toContain('CANARY')
    expect(answer.text).not.toContain('invalid x-api-key')
    expect(JSON.parse(answer.text)).toMatchObject({
      type: 'error',
      error: {
        // An account that rests for an hour: a word that old clients do not retry.
        type: ours === 529 && status !== 429 ? 'overloaded_error' : 'api_error',
        message: expect.stringMatching(/Request id: req_/),
      },
      request_id: answer.headers.get('x-request-id'),
    })
    expect(answer.headers.get('retry-after') ?? '1').toMatch(/^(\d|[1-5]\d|60)$/)
    if (status === 429) {
      // An hour away: no client may sleep that long.
      expect(answer.headers.get('retry-after')).toBe('60')
      expect(answer.headers.get('x-should-retry')).toBe('false')
      const before = bad.requests.length
      expect((await relay.ask('alone429')).status).toBe(529)
      expect(bad.requests.length).toBe(before)
    }
  },
)

test.each([400, 404, 409, 413, 422])(
  'fault 19, client point 17: a %s of the caller passes byte for byte, is not tried again, and no account is to blame',
  async (status) => {
    const body = `{"type": "error",  "error":{"message":"prompt is too long: 9 > 8 \\u00e9 é","type":"invalid_request_error"}, "request_id":null}\n`
    bad.script((exchange) =>
      exchange.respond(
        status,
        { 'content-type': 'application/json', 'anthropic-organization-id': 'org', 'x-should-retry': 'false' },
        body,
      ),
    )
    const before = good.requests.length
    const answer = await relay.ask('caller')
    expect(answer.status).toBe(status)
    expect(answer.text).toBe(body)
    expect(answer.headers.get('request-id')).toBe(bad.requests.at(-1)!.requestId)
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
    expect(answer.headers.get('x-should-retry')).toBe('false')
    expect(answer.headers.get('anthropic-organization-id')).toBeNull()
    expect(good.requests.length).toBe(before)
    const { row, attempts } = await lastAttempts()
    expect(row).toMatchObject({ outcome: 'failed', http_status: status, cost_nano: 0 })
    expect(attempts).toMatchObject([{ outcome: 'caller', charged: 0 }])
    expect(await relay.standing('caller')).toEqual({
      inFlight: 0,
      name: 'READY',
      until: null,
      reason: null,
      models: [],
    })
  },
)

test('a model that no account knows: each is asked, and the last one has the word', async () => {
  bad.script(refusal(404, 'not_found_error', 'model: one'), refusal(404, 'not_found_error', 'model: two'))
  const answer = await relay.ask('unknownModel')
  expect(answer.status).toBe(404)
  expect(answer.text).toBe(errorBody('not_found_error', 'model: two', bad.requests.at(-1)!.requestId))
  expect((await lastAttempts()).attempts.length).toBe(2)
  // Nobody rests for it.
  expect((await relay.ask('unknownModel')).status).toBe(200)
})

test("the upstream's own error event after content is the last the client hears", async () => {
  bad.script(errorAfterEvents(5, 'api_error'))
  const answer = await relay.ask('broken')
  expect(answer.text.match(/event: error/g)?.length).toBe(1)
  expect(answer.text).toContain('"message":"Overloaded"')
})
