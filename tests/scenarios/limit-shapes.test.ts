import { afterAll, beforeAll, expect, test } from 'vitest'
import { noTokens, type Tokens } from '../../server/money/reading.ts'
import { deferred } from '../support/deferred.ts'
import { engines, newDatabaseAddress, redisUrl } from '../support/engines.ts'
import { createFakeUpstream, type FakeUpstream, type Script } from '../support/fake-upstream.ts'
import { type RelayApp, startRelayApp } from '../support/relay-app.ts'
import { deltaUsage, messageDelta, messageStart, messageStop, textBlock } from '../support/sse-fixtures.ts'
import { askGraphql, signedIn } from './graphql-asking.ts'
import { ask } from './pools.ts'

// Fault 42: many requests at once on a key with room for ten.

/** $4 a million tokens in, $20 out, $0.20 cache read. */
const model = 'claude-opus-5-5'
const outputNano = 20_000
const sliceNano = 4000 * outputNano
const atOnce = 60
const room = 10

interface Shape {
  prompt: string
  maxTokens: number
  tokens: Tokens
  /** What one of them costs, in nano-USD. */
  costNano: number
  /** Settled before. */
  history: number
}

const processCount = engines === 'services' ? 2 : 1

const shapes: Record<string, Shape> = {
  short: {
    prompt: 'a'.repeat(400),
    maxTokens: 300,
    tokens: { ...noTokens, input: 120, output: 300 },
    costNano: 120 * 4000 + 300 * outputNano,
    history: 0,
  },
  long: {
    prompt: 'a'.repeat(400),
    maxTokens: 64_000,
    tokens: { ...noTokens, input: 120, output: 20_000 },
    costNano: 120 * 4000 + 20_000 * outputNano,
    history: 0,
  },
  foreign: {
    prompt: '字'.repeat(10_000),
    maxTokens: 500,
    tokens: { ...noTokens, input: 10_000, output: 500 },
    costNano: 10_000 * 4000 + 500 * outputNano,
    history: 0,
  },
  'Claude Code': {
    prompt: 'a'.repeat(100_000),
    maxTokens: 32_000,
    tokens: { ...noTokens, input: 500, cacheRead: 24_500, output: 1200 },
    costNano: 500 * 4000 + 24_500 * 200 + 1200 * outputNano,
    // A process learns from its own requests, and from the ledger when it first needs a key.
    history: 20 * processCount,
  },
}
const policies = ['finish', 'stop'] as const
const keyName = (shape: string, policy: string): string => `${shape} ${policy}`
const secretOf = (shape: string, policy: string): string => `sk-${shape.replace(' ', '-')}-${policy}-0123456789abcdef`
const usd = (nano: number): string => (nano / 1e9).toFixed(9)

let upstream: FakeUpstream
let processes: RelayApp[]
let token: string
const password = 'correct horse battery'

beforeAll(async () => {
  upstream = await createFakeUpstream()
  let env: Record<string, string> = { DEFAULT_ADMIN_PASSWORD: password }
  if (engines === 'services') {
    const { url } = await newDatabaseAddress()
    env = { ...env, DATABASE_URL: url, REDIS_URL: redisUrl, MASTER_SECRET: 'a secret of thirty-two characters' }
  }
  const keys = Object.entries(shapes).flatMap(([shape, { costNano, history }]) =>
    policies.map((policy) => ({
      name: keyName(shape, policy),
      secret: secretOf(shape, policy),
      group: 'g',
      totalLimitUsd: usd(costNano * (room + history)),
    })),
  )
  processes = []
  for (let count = processCount; count > 0; count--) {
    processes.push(
      await startRelayApp({
        accounts: [{ url: upstream.url }],
        keys,
        env,
        queue: { waitMs: 0, length: 0 },
        timers: { firstByteStreamMs: 120_000, idleMs: 120_000 },
      }),
    )
  }
  token = await signedIn(processes[0]!.app.url, 'admin', password)
}, 120_000)
afterAll(async () => {
  for (const process of processes) await process.stop()
  await upstream.close()
})

/** Streams its output in pieces of some hundred tokens; goes on once `go` has come. */
const streaming =
  (tokens: Tokens, go: Promise<void>): Script =>
  async (exchange) => {
    await exchange.sse([messageStart(model, { ...tokens, output: 1 })], { end: false })
    await go
    const pieces = Array.from({ length: Math.ceil(tokens.output / 400) }, () => 'word'.repeat(400))
    const block = textBlock(0, pieces)
    for (let at = 0; at < block.length; at += 2) {
      await exchange.sse(block.slice(at, at + 2), { end: false })
      await new Promise((resolve) => setImmediate(resolve))
    }
    await exchange.sse([messageDelta('end_turn', deltaUsage(tokens)), messageStop])
  }

const table: string[] = []
for (const policy of policies) {
  test(`fault 42: four shapes of requests at once, running ones ${policy === 'stop' ? 'are stopped' : 'may end'}: overshoot and how many ran`, async () => {
    const set = await askGraphql(
      processes[0]!.app.url,
      'mutation ($input: UpdateSettingsInput!) { updateSettings(input: $input) { __typename } }',
      { input: { whenLimitReached: policy.toUpperCase() } },
      token,
    )
    expect(set.errors).toBeUndefined()
    for (const [name, shape] of Object.entries(shapes)) {
      const { ran, spentNano } = await burst(name, shape, policy)
      const limitNano = shape.costNano * (room + shape.history)
      const overshoot = spentNano / (shape.costNano * room)
      table.push(
        `${policy.padEnd(6)} ${name.padEnd(12)} ran ${ran} at once, spent ${(overshoot * 100).toFixed(0)} % of the room`,
      )
      const over = spentNano - (limitNano - shape.history * shape.costNano)
      if (policy === 'stop') expect(over).toBeLessThanOrEqual(ran * sliceNano)
      else expect(over).toBeLessThanOrEqual(ran * shape.costNano)
      expect(overshoot).toBeLessThanOrEqual(2.6)
      if (shape.history > 0) expect(ran).toBeGreaterThanOrEqual(8)
      else expect(ran).toBeGreaterThanOrEqual(1)
    }
    console.info(table.join('\n'))
  }, 240_000)
}

/** How many ran at once, and what all of them cost. */
async function burst(name: string, { prompt, maxTokens, tokens, history }: Shape, policy: string) {
  const secret = secretOf(name, policy)
  const body = { model, max_tokens: maxTokens, messages: [{ role: 'user', content: prompt }] }
  const send = (index: number) => ask(`${processes[index % processes.length]!.base}`, secret, { body })
  const now = Promise.resolve()
  for (let number = 0; number < history; number++) {
    upstream.script(streaming(tokens, now))
    expect((await send(number)).status).toBe(200)
  }
  for (const process of processes) await process.app.settled()
  const before = await spent(name, policy)
  const everybody = deferred()
  const forget = upstream.scriptWhen(() => true, streaming(tokens, everybody.promise))
  const start = upstream.requests.length
  let refused = 0
  const check = () => {
    if (refused + upstream.requests.length - start === atOnce) everybody.resolve()
  }
  const answers = await Promise.all(
    Array.from({ length: atOnce }, async (_, index) => {
      void upstream.arrived(start + index).then(check)
      const answer = await send(index)
      if (answer.status === 429) refused++
      check()
      return answer
    }),
  )
  forget()
  const ran = upstream.requests.length - start
  for (const answer of answers) {
    if (answer.status === 429) expect(answer.text).toMatch(/rate_limit_error|billing_error/)
    else if (answer.text.includes('event: error')) {
      expect(policy).toBe('stop')
      expect(answer.text.match(/event: error/g)).toHaveLength(1)
      expect(answer.text).toContain('billing_error')
    }
  }
  for (const process of processes) await process.app.settled()
  return { ran, spentNano: (await spent(name, policy)) - before }
}

async function spent(name: string, policy: string): Promise<number> {
  const { database } = processes[0]!.app
  const [row] = await database.select(
    'SELECT SUM(`cost_nano`) FROM `logs` WHERE `api_key_id` = (SELECT `id` FROM `api_keys` WHERE `name` = ?)',
    [keyName(name, policy)],
  )
  return Number(row?.[0] ?? 0)
}
