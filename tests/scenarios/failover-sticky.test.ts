import { afterAll, beforeAll, expect, test } from 'vitest'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { type Pools, startPools } from './pools.ts'

let upstreams: FakeUpstream[]
let relay: Pools
let seed = 1
/** Repeatable, so that the test is. */
const chance = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 0x1_0000_0000
}

beforeAll(async () => {
  upstreams = await Promise.all(Array.from({ length: 4 }, () => createFakeUpstream()))
  const all = upstreams.map(({ url }) => ({ url }))
  relay = await startPools(
    {
      p: all,
      other: all,
      limited: all,
      models: [
        { url: upstreams[0]!.url, models: ['claude-a'] },
        { url: upstreams[1]!.url, models: ['claude-a', 'claude-b'] },
        { url: upstreams[2]!.url, models: ['claude-b'] },
      ],
    },
    { chance },
  )
})
afterAll(async () => {
  await relay.stop()
  for (const upstream of upstreams) await upstream.close()
})

/** Which of the upstreams answered. */
async function chosen(
  pool: string,
  body: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<number> {
  const before = upstreams.map(({ totals }) => totals.requests)
  expect((await relay.ask(pool, { body, headers })).status).toBe(200)
  await expect.poll(() => upstreams.some(({ totals }, index) => totals.requests > before[index]!)).toBe(true)
  return upstreams.findIndex(({ totals }, index) => totals.requests > before[index]!)
}

const uuid = (n: number) => `${String(n).padStart(8, '0')}-aaaa-4aaa-8aaa-aaaaaaaaaaaa`
const says = (content: string) => ({ messages: [{ role: 'user', content }] })

/** Ways in which a conversation can be told from another: the request of conversation `n`, its turn `turn`. */
const ways: Record<string, (n: number, turn: number) => [Record<string, unknown>, Record<string, string>]> = {
  'the session header': (n, turn) => [says(`turn ${turn}`), { 'x-claude-code-session-id': uuid(n) }],
  "the session in metadata's JSON": (n, turn) => [
    { ...says(`turn ${turn}`), metadata: { user_id: JSON.stringify({ device_id: `d${turn}`, session_id: uuid(n) }) } },
    {},
  ],
  "the session in metadata's text": (n, turn) => [
    { ...says(`turn ${turn}`), metadata: { user_id: `user_${'ab'.repeat(8)}_account__session_${uuid(n)}` } },
    {},
  ],
  'the first message': (n, turn) => [
    {
      messages: [
        ...says(`conversation ${n}`).messages,
        ...Array.from({ length: turn }, (_, i) => ({ role: 'user', content: `${i}` })),
      ],
    },
    {},
  ],
}

test.each(Object.keys(ways))('a conversation known by %s stays on its account, others are spread', async (name) => {
  const seen = new Set<number>()
  for (let n = 0; n < 16; n++) {
    const at: number[] = []
    for (let turn = 0; turn < 3; turn++) at.push(await chosen('p', ...ways[name]!(n, turn)))
    expect(new Set(at).size).toBe(1)
    seen.add(at[0]!)
  }
  // Sixteen conversations all on one of four accounts: one in 4^15.
  expect(seen.size).toBeGreaterThan(1)
})

test('the session header goes before the metadata, and another agent is another conversation', async () => {
  const metadata = (n: number) => ({ metadata: { user_id: JSON.stringify({ session_id: uuid(n) }) } })
  const at = new Set<number>()
  for (let n = 0; n < 12; n++) at.add(await chosen('p', metadata(n), { 'x-claude-code-session-id': uuid(500) }))
  expect(at.size).toBe(1)
  const agents = new Set<number>()
  for (let n = 0; n < 16; n++) {
    agents.add(await chosen('p', {}, { 'x-claude-code-session-id': uuid(500), 'x-claude-code-agent-id': `agent-${n}` }))
  }
  expect(agents.size).toBeGreaterThan(1)
})

test('when its account rests a conversation moves, and stays where it went also when the first is back', async () => {
  const headers = { 'x-claude-code-session-id': uuid(900) }
  const first = await chosen('limited', {}, headers)
  upstreams[first]!.script(refusal(429, 'rate_limit_error', 'slow', { 'retry-after': '1' }))
  const second = await chosen('limited', {}, headers)
  expect(second).not.toBe(first)
  await new Promise((resolve) => setTimeout(resolve, 1100))
  for (let turn = 0; turn < 3; turn++) expect(await chosen('limited', {}, headers)).toBe(second)
})

test('a conversation stays only where its model is served', async () => {
  const headers = { 'x-claude-code-session-id': uuid(7) }
  const a = await chosen('models', { model: 'claude-a' }, headers)
  expect([0, 1]).toContain(a)
  const b = await chosen('models', { model: 'claude-b' }, headers)
  expect([1, 2]).toContain(b)
  for (let turn = 0; turn < 3; turn++) expect(await chosen('models', { model: 'claude-b' }, headers)).toBe(b)
  expect((await relay.ask('models', { body: { model: 'claude-c' } })).status).toBe(503)
})

test('without anything to tell conversations apart, each request draws anew', async () => {
  const seen = new Set<number>()
  for (let n = 0; n < 16; n++) seen.add(await chosen('other', { messages: [] }))
  expect(seen.size).toBeGreaterThan(1)
})
