import { afterAll, beforeAll, expect, test } from 'vitest'
import { noTokens } from '../../server/money/reading.ts'
import { deferred } from '../support/deferred.ts'
import { engines, newDatabaseAddress, redisUrl } from '../support/engines.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream, type Script } from '../support/fake-upstream.ts'
import { deltaUsage, messageDelta, messageStart, messageStop, textBlock } from '../support/sse-fixtures.ts'
import { type Answer, type Pools, provisionOf, startPools } from './pools.ts'

/** $4 a million tokens in, $20 out: 20 000 nano-USD a token. */
const model = 'claude-opus-5-5'
let upstream: FakeUpstream
let relay: Pools
let offsetMs = 0
const now = () => Date.now() + offsetMs

beforeAll(async () => {
  upstream = await createFakeUpstream()
  const one = [{ url: upstream.url }]
  relay = await startPools(
    { daily: one, total: one, held: one, topped: one, parallel: one, told: one, both: one, free: one },
    {
      now,
      // Nobody waits until a limit has room again.
      queue: { waitMs: 0, length: 0 },
      // Only the tests end a stream here, however slow the machine.
      timers: { firstByteStreamMs: 60_000, idleMs: 60_000 },
      env: { TIME_ZONE: 'Asia/Shanghai' },
      keyFields: {
        daily: { dailyLimitUsd: '0.01' },
        total: { totalLimitUsd: '0.01', dailyLimitUsd: '5' },
        held: { dailyLimitUsd: '0.05' },
        topped: { totalLimitUsd: '1' },
        parallel: { dailyLimitUsd: '0.2' },
        told: { dailyLimitUsd: '0.04' },
        both: { dailyLimitUsd: '5', totalLimitUsd: '0.02' },
      },
    },
  )
})
afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

/** A stream that costs `output` × 20 000 nano-USD; waits before its end. */
const costing =
  (output: number, wait: Promise<void> = Promise.resolve(), input = 0): Script =>
  async (exchange) => {
    const tokens = { ...noTokens, input, output }
    await exchange.sse([messageStart(model, tokens), ...textBlock(0, ['a'])], { end: false })
    await wait
    await exchange.sse([messageDelta('end_turn', deltaUsage(tokens)), messageStop])
  }

const ask = (pool: string, max_tokens = 10) => relay.ask(pool, { body: { model, max_tokens } })
const errorOf = (answer: Answer) => (JSON.parse(answer.text) as { error: { type: string; message: string } }).error
const unified = (answer: Answer) =>
  Object.fromEntries(
    [...answer.headers]
      .filter(([name]) => name.startsWith('anthropic-'))
      .map(([name, value]) => [name.slice(28), value]),
  )

test('client point 4: a used-up daily limit: 429 as Claude Code can show it, before any upstream call; the next day in the zone it is over', async () => {
  const day = 86_400_000
  const shanghai = 8 * 3_600_000
  // Half a minute before midnight in Shanghai.
  offsetMs = day - ((Date.now() + shanghai) % day) - 30_000
  upstream.script(costing(1000))
  expect((await ask('daily')).status).toBe(200)
  await relay.app.settled()
  const before = upstream.requests.length
  const answer = await ask('daily')
  expect(upstream.requests.length).toBe(before)
  expect(answer.status).toBe(429)
  const midnight = now() - ((now() + shanghai) % day) + day
  const { type, message } = errorOf(answer)
  expect(type).toBe('billing_error')
  expect(message).toContain('$0.01')
  expect(message).toContain(new Date(midnight).toISOString())
  expect(answer.headers.get('x-should-retry')).toBe('false')
  const seconds = Number(answer.headers.get('retry-after'))
  expect(seconds).toBeGreaterThan(0)
  expect(seconds).toBeLessThanOrEqual(30)
  // Exactly these: representative-claim or overage-status would make the client drop the message.
  expect(unified(answer)).toEqual({
    status: 'rejected',
    reset: String(midnight / 1000),
    'overage-reset': String(midnight / 1000),
    'overage-utilization': '1',
    'overage-surpassed-threshold': '1',
    'overage-period': 'daily',
    'overage-disabled-reason': 'org_spend_cap_reached',
  })
  const counted = await relay.ask('daily', { path: '/v1/messages/count_tokens', body: { model } })
  expect(counted.status).toBe(200)

  offsetMs += 31_000
  expect((await ask('daily')).status).toBe(200)
})

test('a used-up total limit: 429, and no time is named at which it would be over', async () => {
  upstream.script(costing(1000))
  expect((await ask('total')).status).toBe(200)
  await relay.app.settled()
  const answer = await ask('total')
  expect(answer.status).toBe(429)
  expect(errorOf(answer)).toMatchObject({
    type: 'billing_error',
    message: expect.stringContaining('total limit of $0.01'),
  })
  expect(answer.headers.get('x-should-retry')).toBe('false')
  expect(answer.headers.get('retry-after')).toBeNull()
})

/** What an upstream says of its own account. */
const ofTheAccount = {
  'anthropic-ratelimit-unified-status': 'rejected',
  'anthropic-ratelimit-unified-representative-claim': 'five_hour',
  'anthropic-ratelimit-unified-5h-utilization': '0.91',
  'anthropic-ratelimit-unified-overage-utilization': '0.42',
  'anthropic-ratelimit-requests-remaining': '7',
}
/** A JSON answer that costs `output` × 20 000 nano-USD. */
const wholeCosting =
  (output: number): Script =>
  (exchange) => {
    const usage = { input_tokens: 0, output_tokens: output }
    return exchange.respond(200, ofTheAccount, { type: 'message', model, content: [], usage })
  }

test('a good answer tells what is used of the daily limit of its key, whole or streamed, and nothing of the account', async () => {
  const zoneMs = 8 * 3_600_000
  const reset = String((Math.floor((now() + zoneMs) / 86_400_000) + 1) * 86_400 - zoneMs / 1000)
  const told = (utilization: string, threshold?: string) => {
    const status = threshold === undefined ? 'allowed' : 'allowed_warning'
    return {
      status,
      'representative-claim': 'overage',
      'overage-status': status,
      'overage-utilization': utilization,
      ...(threshold !== undefined && { 'overage-surpassed-threshold': threshold }),
      reset,
      'overage-reset': reset,
    }
  }
  const answers: Answer[] = []
  // $0.02, $0.03 and $0.038 of $0.04 are spent by then.
  for (const [stream, script] of [
    [false, wholeCosting(1000)],
    [true, costing(500)],
    [false, wholeCosting(400)],
    [true, costing(1)],
  ] as const) {
    upstream.script(script)
    answers.push(await relay.ask('told', { body: { model, max_tokens: 10, stream } }))
    await relay.app.settled()
  }
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  expect(answers.map(unified)).toEqual([told('0.00'), told('0.50'), told('0.75', '0.75'), told('0.95', '0.95')])
})

test('a good answer tells of the limit that is used more: a total one has no reset', async () => {
  upstream.script(costing(800), costing(1))
  expect(unified(await ask('both'))).toMatchObject({ 'overage-utilization': '0.00', reset: expect.any(String) })
  await relay.app.settled()
  expect(unified(await ask('both'))).toEqual({
    status: 'allowed_warning',
    'representative-claim': 'overage',
    'overage-status': 'allowed_warning',
    'overage-utilization': '0.80',
    'overage-surpassed-threshold': '0.75',
  })
})

test("no limit, a count or an upstream's refusal: nothing is told of budgets", async () => {
  upstream.script(wholeCosting(1))
  expect(unified(await relay.ask('free', { body: { model, stream: false } }))).toEqual({})
  expect(unified(await relay.ask('both', { path: '/v1/messages/count_tokens', body: { model } }))).toEqual({})
  upstream.script(refusal(400, 'invalid_request_error'))
  const refused = await ask('both')
  expect(refused.status).toBe(400)
  expect(unified(refused)).toEqual({})
})

test('what requests in flight hold is not given twice; when they cost less it is free again', async () => {
  const end = deferred()
  upstream.script(costing(1, end.promise))
  // 4096 × 20 000 nano-USD are more than the limit: the first one, alone, holds all of it.
  const index = upstream.requests.length
  const first = ask('held', 4096)
  await upstream.arrived(index)
  const second = await ask('held')
  expect(second.status).toBe(429)
  expect(errorOf(second).type).toBe('rate_limit_error')
  expect(second.headers.get('retry-after')).toBe('2')
  expect(second.headers.get('x-should-retry')).toBeNull()
  expect(unified(second)).toEqual({})
  end.resolve()
  expect((await first).status).toBe(200)
  await relay.app.settled()
  await expect.poll(async () => (await ask('held')).status).toBe(200)
})

test('a request that costs more than it holds holds more while it streams, and closes the limit at its end', async () => {
  const end = deferred()
  // $2 of input are known at message_start.
  upstream.script(costing(10, end.promise, 500_000))
  const index = upstream.requests.length
  const first = ask('topped', 1)
  await upstream.arrived(index)
  await expect.poll(async () => (await ask('topped', 1)).status, { interval: 20 }).toBe(429)
  expect(errorOf(await ask('topped', 1)).type).toBe('rate_limit_error')
  end.resolve()
  expect((await first).status).toBe(200)
  await relay.app.settled()
  await expect.poll(async () => errorOf(await ask('topped', 1)).type).toBe('billing_error')
})

test('200 requests at once on a budget for 10: what is admitted costs no more than the budget', async () => {
  const everybody = deferred()
  const forget = upstream.scriptWhen(
    (request) => request.headers['x-pool'] === 'parallel',
    costing(1000, everybody.promise),
  )
  const rowsBefore = (await relay.rows()).length
  const requestsBefore = upstream.requests.length
  let refused = 0
  const check = () => {
    if (refused + upstream.requests.length - requestsBefore === 200) everybody.resolve()
  }
  const statuses = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      void upstream.arrived(requestsBefore + index).then(check)
      const answer = await relay.ask('parallel', {
        body: { model, max_tokens: 1000 },
        headers: { 'x-pool': 'parallel' },
      })
      if (answer.status === 429) refused++
      check()
      return answer.status
    }),
  )
  forget()
  const admitted = statuses.filter((status) => status === 200).length
  expect(admitted + statuses.filter((status) => status === 429).length).toBe(200)
  const rows = (await relay.rows()).slice(rowsBefore)
  const cost = rows.reduce((sum, row) => sum + Number(row['cost_nano']), 0)
  const budget = 200_000_000
  const hold = 1000 * 20_000 + 100 * 4_000
  console.info(`budget ${budget}, admitted ${admitted} requests for ${cost} nano-USD, one hold is about ${hold}`)
  expect(rows.length).toBe(admitted)
  expect(admitted).toBeGreaterThanOrEqual(9)
  // The upstream names no input: that part is estimated from the prompt.
  expect(cost).toBeGreaterThanOrEqual(admitted * 1000 * 20_000)
  expect(cost).toBeLessThanOrEqual(budget + hold)
  // What is left is found again exactly: the counter is the ledger's sum.
  const after = await ask('parallel')
  expect(after.status).toBe(cost >= budget ? 429 : 200)
})

test('a limit that provisioning raises holds from the next start on, and what was spent stays spent', async () => {
  const { url, drop } = await newDatabaseAddress()
  const env = { DATABASE_URL: url, ...(engines === 'services' && { REDIS_URL: redisUrl }) }
  const pools = { p: [{ url: upstream.url }] }
  const start = async (limit: string | null, dataDir?: string) =>
    startPools(pools, {
      env,
      keepData: true,
      ...(dataDir && { dataDir }),
      provision: provisionOf(pools, { p: { totalLimitUsd: limit } }),
    })
  const body = { model, max_tokens: 10 }
  let app = await start('0.01')
  try {
    upstream.script(costing(1000))
    expect((await app.ask('p', { body })).status).toBe(200)
    await app.app.settled()
    expect((await app.ask('p', { body })).status).toBe(429)
    await app.stop()
    app = await start('0.01', app.dataDir)
    expect(errorOf(await app.ask('p', { body })).type).toBe('billing_error')
    await app.stop()
    app = await start('0.04', app.dataDir)
    upstream.script(costing(1000), costing(1))
    // $0.02 are spent: $0.02 more are left, and then nothing.
    expect((await app.ask('p', { body })).status).toBe(200)
    await app.app.settled()
    expect(errorOf(await app.ask('p', { body })).message).toContain('$0.04')
    await app.stop()
    app = await start(null, app.dataDir)
    expect((await app.ask('p', { body })).status).toBe(200)
    expect((await app.rows()).length).toBe(3)
  } finally {
    await app.stop()
    await drop()
  }
})
