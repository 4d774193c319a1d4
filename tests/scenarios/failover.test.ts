import { createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { errorBody } from '../support/fake-message.ts'
import { endWithoutStop, errorAfterEvents, refusal, resetAfterEvents } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { listening } from '../support/listening.ts'
import { errorEvent } from '../support/sse-fixtures.ts'
import { faults } from './faults-before-content.ts'
import { type Pools, startPools } from './pools.ts'

/** Streams, and JSON where the fault can happen there. */
const modes = Object.entries(faults).flatMap(([name, fault]) =>
  fault.streamOnly
    ? [[name, true] as const]
    : ([
        [name, true],
        [name, false],
      ] as const),
)
const poolOf = (name: string, stream: boolean): string => `${name} ${stream}`.replace(/\W/g, '-')

let bad: FakeUpstream
let good: FakeUpstream
let relay: Pools
let refusedUrl = ''

beforeAll(async () => {
  bad = await createFakeUpstream()
  good = await createFakeUpstream()
  const { port, close } = await listening(createServer())
  await close()
  refusedUrl = `http://127.0.0.1:${port}`
  // The bad account goes first.
  const both = (url: string) => [
    { url, priority: 1 },
    { url: good.url, priority: 2 },
  ]
  const one = [{ url: bad.url }]
  relay = await startPools({
    ...Object.fromEntries(modes.map(([name, stream]) => [poolOf(name, stream), both(bad.url)])),
    refusedConnection: both(refusedUrl),
    twoOfThree: [
      { url: bad.url, priority: 1 },
      { url: bad.url, priority: 2 },
      { url: good.url, priority: 3 },
    ],
    four: [1, 2, 3, 4].map((priority) => ({ url: bad.url, priority })),
    caller: both(bad.url),
    unknownModel: one.concat(one),
    broken: both(bad.url),
    many: both(bad.url),
    ...Object.fromEntries([401, 402, 403, 429, 500, 502, 503, 504, 529].map((status) => [`alone${status}`, one])),
  })
})
afterAll(async () => {
  await relay.stop()
  await bad.close()
  await good.close()
})

async function lastAttempts() {
  const row = (await relay.rows()).at(-1)!
  const attempts = (await relay.attempts()).filter((attempt) => attempt['log_id'] === row['id'])
  return { row, attempts }
}

test.each(modes)(
  'an account that %s is followed by the next one (stream: %s): one 200, two attempts, one charged',
  async (name, stream) => {
    const { script, verdict, status, type } = faults[name]!
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
      { verdict, http_status: status, charged: 0, cost_nano: expect.any(Number), ...(type && { error_type: type }) },
      { verdict: 'answer', http_status: 200, charged: 1, cost_nano: row['cost_nano'] },
    ])
    expect(row['account_id']).toBe(attempts[1]?.['account_id'])
  },
)

test('a refused connection is followed by the next account', async () => {
  expect((await relay.ask('refusedConnection')).status).toBe(200)
  const { attempts } = await lastAttempts()
  expect(attempts).toMatchObject([
    { verdict: 'failing', error_type: 'ECONNREFUSED', http_status: 0 },
    { verdict: 'answer' },
  ])
})

test('500 twice, then 200: one 200, three attempts, one charged', async () => {
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
  'a %s of the caller passes byte for byte, and no account is to blame',
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
    expect(attempts).toMatchObject([{ verdict: 'caller', charged: 0 }])
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

test.each([
  ['resets after five events', resetAfterEvents(5), 'estimated'],
  ['ends without message_stop', endWithoutStop(), 'partial'],
  ['is cut inside its body', endWithoutStop(true), 'partial'],
])(
  'after content there is no second attempt: a stream that %s ends in one error event',
  async (_name, script, source) => {
    bad.script(script)
    const before = good.requests.length
    const answer = await relay.ask('broken')
    expect(answer.status).toBe(200)
    expect(answer.broken).toBe(false)
    expect(answer.text.match(/event: error/g)?.length).toBe(1)
    expect(good.requests.length).toBe(before)
    const { row, attempts } = await lastAttempts()
    expect(row).toMatchObject({ outcome: 'failed', attempts: 1, usage_source: source })
    expect(row['cost_nano']).toBeGreaterThan(0)
    expect(attempts[0]).toMatchObject({ verdict: 'failing', charged: 1 })
  },
)

test("the upstream's own error event after content is the last the client hears", async () => {
  bad.script(errorAfterEvents(5, 'api_error'))
  const answer = await relay.ask('broken')
  expect(answer.text.match(/event: error/g)?.length).toBe(1)
  expect(answer.text).toContain('"message":"Overloaded"')
})

test('retries are a fifth of what is in flight: a storm of failures is not doubled', async () => {
  const all = 20
  const [badBefore, goodBefore] = [bad.requests.length, good.requests.length]
  const answering = deferred()
  const forget = bad.scriptWhen(
    () => true,
    async (exchange) => {
      await answering.promise
      await refusal(500, 'api_error')(exchange)
    },
  )
  const retried = deferred()
  const forgetGood = good.scriptWhen(
    () => true,
    async (exchange) => {
      await retried.promise
      await exchange.sse([errorEvent('api_error')])
    },
  )
  let refused = 0
  const asked = Array.from({ length: all }, async () => {
    const answer = await relay.ask('many')
    if (++refused === all - 4) retried.resolve()
    return answer.status
  })
  await bad.arrived(badBefore + all - 1)
  answering.resolve()
  expect(await Promise.all(asked)).toEqual(Array.from({ length: all }, () => 529))
  expect(good.requests.length - goodBefore).toBe(4)
  forget()
  forgetGood()
})
