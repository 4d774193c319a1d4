import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { noTokens } from '../../server/money/reading.ts'
import { createFailoverBudget } from '../../server/relay/attempt/failover-budget.ts'
import { deferred } from '../support/deferred.ts'
import { errorFirst, htmlPage, refusal, resetAfterEvents, resetBeforeHeaders } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream, type Script } from '../support/fake-upstream.ts'
import { messageDelta, messageStart, messageStop, textBlock } from '../support/sse-fixtures.ts'
import { keyOf, usualBody } from './pools.ts'
import { startWatched, type Watched } from './watched.ts'

/** What the first account of each pool answers to everything. */
const failures: Record<string, Script> = {
  'a 401': refusal(401, 'authentication_error', 'invalid x-api-key'),
  'a 402': refusal(402, 'billing_error'),
  'a 403': refusal(403, 'forbidden', 'Request not allowed'),
  'a 403 page': (exchange) => exchange.respond(403, { 'content-type': 'text/html' }, '<html>Just a moment…</html>'),
  'a 400 page': (exchange) => exchange.respond(400, { 'content-type': 'text/html' }, '<html>Bad Request</html>'),
  'a 400 without credit': refusal(400, 'invalid_request_error', 'Your credit balance is too low to access the API.'),
  'a 407': refusal(407, 'proxy_error'),
  'a 429': refusal(429, 'rate_limit_error'),
  'a 500': refusal(500, 'api_error'),
  'a 503': refusal(503, 'api_error'),
  'a 529': refusal(529, 'overloaded_error'),
  'a reset after 60 ms': async (exchange) => {
    await new Promise((resolve) => setTimeout(resolve, 60))
    await resetBeforeHeaders(exchange)
  },
  'an error event': errorFirst('api_error'),
  'a page with status 200': htmlPage,
  'a stream that breaks before its content': resetAfterEvents(1),
  'a 403 about the model': refusal(403, 'permission_error', 'This account may not use this model.'),
  'a 403 of a plan that is used up': refusal(403, 'access_terminated_error', 'the weekly usage limit is reached'),
  'a 404 page': (exchange) => exchange.respond(404, { 'content-type': 'text/html' }, '<html>Not Found</html>'),
  'a 413 page': (exchange) => exchange.respond(413, { 'content-type': 'text/html' }, '<html>Too Large</html>'),
  'a 429 about this request': refusal(429, 'rate_limit_error', 'no', {
    'anthropic-ratelimit-unified-status': 'allowed',
  }),
  'a redirect': (exchange) => exchange.respond(302, { location: 'http://169.254.169.254/' }, ''),
  'an error with status 200': (exchange) => exchange.respond(200, {}, { error: { type: 'odd_error', message: 'no' } }),
  'an empty body': (exchange) => exchange.respond(200, { 'content-type': 'text/event-stream' }, ''),
}
const sizes = [4, 8, 20, 40]
const modes = Object.keys(failures).flatMap((name) => sizes.map((size) => [size, name] as const))
/** By kind of failure: how many of each burst were served. */
const served = new Map<string, string[]>()
const poolOf = (size: number, name: string): string => `${name}-${size}`.replace(/\W/g, '-')
/** The bad account of a pool, told by the path of its address. */
const pathOf = (size: number, name: string): string => `/${poolOf(size, name)}`

let bad: FakeUpstream
let good: FakeUpstream
let relay: Watched

beforeAll(async () => {
  bad = await createFakeUpstream()
  good = await createFakeUpstream()
  relay = await startWatched(
    {
      ...Object.fromEntries(
        modes.map(([size, name]) => [
          poolOf(size, name),
          [
            { url: bad.url + pathOf(size, name), priority: 1 },
            { url: good.url, priority: 2 },
          ],
        ]),
      ),
      overloaded: [1, 2, 3].map((priority) => ({ url: `${bad.url}/overloaded-${priority}`, priority })),
      committed: [
        { url: `${bad.url}/committed-1`, priority: 1 },
        { url: `${bad.url}/committed-2`, priority: 2 },
        { url: good.url, priority: 3 },
      ],
      waiting: [
        { url: `${bad.url}/waiting`, priority: 1 },
        { url: `${bad.url}/waiting`, priority: 2 },
      ],
    },
    { timers: { firstByteStreamMs: 20_000, commitMs: 60_000, pingMs: 60_000, tickMs: 50 } },
  )
})
afterEach(() => relay.holds())
afterAll(async () => {
  console.log(['served with 200, of bursts with a bad first account:', ...served].join('\n  '))
  await relay.stop()
  await bad.close()
  await good.close()
})

test.each(modes)(
  'fault 55: %i requests at once, and the first account answers with %s: all are served',
  async (size, name) => {
    const forget = bad.scriptWhen(({ path }) => path.startsWith(pathOf(size, name)), failures[name]!)
    const asked = await Promise.all(Array.from({ length: size }, () => relay.ask(poolOf(size, name))))
    expect(asked.map(({ status }) => status)).toEqual(Array.from({ length: size }, () => 200))
    for (const { text } of asked) expect(text).toContain('event: message_stop')
    served.set(name, [...(served.get(name) ?? []), `${asked.length}/${size}`])
    forget()
  },
)

test('fault 18: where every account is overloaded, a fifth of a hundred requests goes on to a third one, and they rest for seconds', async () => {
  const [all, fifth] = [100, 20]
  const [first, second, third] = [deferred(), deferred(), deferred()]
  const overloaded = (path: string, when: Promise<unknown>): (() => void) =>
    bad.scriptWhen(
      (request) => request.path.startsWith(path),
      async (exchange) => {
        await when
        await refusal(529, 'overloaded_error')(exchange)
      },
    )
  const forget = [
    overloaded('/overloaded-1/', first.promise),
    overloaded('/overloaded-2/', second.promise),
    overloaded('/overloaded-3/', third.promise),
  ]
  const before = bad.requests.length
  let told = 0
  const startedMs = Date.now()
  const asked = Array.from({ length: all }, async () => {
    const { status } = await relay.ask('overloaded')
    // The last ones are told after the third account has answered.
    if (++told === all - fifth) third.resolve()
    return status
  })
  await bad.arrived(before + all - 1)
  first.resolve()
  await bad.arrived(before + 2 * all - 1)
  second.resolve()
  expect(await Promise.all(asked)).toEqual(Array.from({ length: all }, () => 529))
  expect(bad.requests.length - before).toBe(2 * all + fifth)
  // The provider is overloaded, not this account: a pause of seconds.
  const { name, until } = await relay.standing('overloaded')
  if (name !== 'READY') expect(Date.parse(until!) - startedMs).toBeLessThan(60_000)
  for (const one of forget) one()
})

test('fault 18: second failovers are a fifth of what a group has in flight, ten always, and given back', () => {
  const budget = createFailoverBudget()
  const ends = Array.from({ length: 100 }, () => budget.begin(1))
  const taken = Array.from({ length: 100 }, () => budget.take(1)).filter((place) => place !== null)
  expect(taken.length).toBe(20)
  taken[0]!()
  taken[0]!()
  expect([budget.take(1) === null, budget.take(1) === null]).toEqual([false, true])
  // Another group has its own.
  budget.begin(2)
  expect(Array.from({ length: 20 }, () => budget.take(2)).filter((place) => place !== null).length).toBe(10)
  for (const end of ends) end()
  expect(budget.take(1)).toBeNull()
})

test('fault 55: a place in the budget of second failovers is given back when the content begins, not when it ends', async () => {
  const ending = deferred()
  const forget = [
    bad.scriptWhen(({ path }) => path.startsWith('/committed-'), refusal(500, 'api_error')),
    good.scriptWhen(
      () => true,
      async (exchange) => {
        await exchange.sse([messageStart(usualBody.model, { ...noTokens, input: 7 }), ...textBlock(0, ['hello'])], {
          end: false,
        })
        await ending.promise
        await exchange.sse([messageDelta('end_turn', { output_tokens: 9 }), messageStop])
      },
    ),
  ]
  const before = good.requests.length
  const asked: Promise<{ status: number }>[] = []
  // More than ten are in their second failover, one after the other: each has its content before the next begins.
  for (let count = 1; count <= 15; count++) {
    const begun = deferred()
    asked.push(streamed(begun.resolve))
    await begun.promise
  }
  expect(good.requests.length - before).toBe(15)
  ending.resolve()
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array.from({ length: 15 }, () => 200))
  for (const one of forget) one()
})

test('nobody is told that nothing is set up while another account comes back by itself', async () => {
  bad.script(refusal(429, 'rate_limit_error', 'slow', { 'retry-after': '30' }), refusal(401, 'authentication_error'))
  expect((await relay.ask('waiting')).status).toBe(529)
  // The first one rests, and the second one needs a person.
  const answer = await relay.ask('waiting')
  expect([answer.status, JSON.parse(answer.text).error.type]).toEqual([529, 'overloaded_error'])
})

/** One request of the pool `committed`; `onBegin` is called with its first bytes. */
async function streamed(onBegin: () => void): Promise<{ status: number }> {
  relay.admitted(1)
  const response = await fetch(`${relay.base}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': keyOf('committed') },
    body: JSON.stringify(usualBody),
  })
  for await (const _chunk of response.body as unknown as AsyncIterable<Uint8Array>) onBegin()
  return { status: response.status }
}
