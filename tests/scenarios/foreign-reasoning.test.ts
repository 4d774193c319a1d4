import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { askGraphql } from './graphql-asking.ts'
import { usualBody } from './pools.ts'
import { startWatched, type Watched } from './watched.ts'

let upstreams: FakeUpstream[]
let relay: Watched

beforeAll(async () => {
  upstreams = await Promise.all([createFakeUpstream(), createFakeUpstream()])
  const both = () => upstreams.map(({ url }) => ({ url }))
  relay = await startWatched({ strips: both(), keeps: both(), switched: both() })
  for (const name of ['strips']) await set(name, true)
})
afterEach(() => relay.holds())
afterAll(async () => {
  await relay.stop()
  for (const upstream of upstreams) await upstream.close()
})

async function set(name: string, stripForeignReasoning: boolean): Promise<void> {
  const groups = await askGraphql(relay.app.url, '{ groups { edges { node { id name } } } }', {}, relay.token)
  const { node } = groups.data.groups.edges.find((edge: { node: { name: string } }) => edge.node.name === name)
  const query =
    'mutation ($input: UpdateGroupInput!) { updateGroup(input: $input) { ... on UpdateGroupSuccess { group { stripForeignReasoning } } } }'
  const { data } = await askGraphql(
    relay.app.url,
    query,
    { input: { id: node.id, stripForeignReasoning } },
    relay.token,
  )
  expect(data.updateGroup.group).toEqual({ stripForeignReasoning })
}

const text = (turn: number) => `{"type":"text","text":"answer ${turn}"}`
const reasoning = (turn: number) => `{"type":"thinking","thinking":"t${turn}",  "signature":"sig${turn}"}`
/** The body of turn `turn`, as a client writes it: with odd spaces, so that writing it anew would show. */
function bodyOf(turn: number, withReasoning: (of: number) => boolean = () => true): string {
  const history = Array.from({ length: turn - 1 }, (_, index) => index + 1).flatMap((of) => [
    `{"role":"user","content":"question ${of}"}`,
    `{"role":"assistant","content": [${withReasoning(of) ? `${reasoning(of)} , ` : ''}${text(of)}]}`,
  ])
  return `{"model":"${usualBody.model}", "max_tokens":1e2,"stream":true,"messages":[${[...history, `{"role":"user","content":"question ${turn}"}`].join(',')}] }`
}

/** Which upstream got this turn, and what. */
async function turn(pool: string, number: number): Promise<{ at: number; body: string }> {
  const before = upstreams.map(({ requests }) => requests.length)
  const headers = { 'x-claude-code-session-id': `session of ${pool}` }
  expect((await relay.ask(pool, { body: bodyOf(number), headers })).status).toBe(200)
  // The one that answered; the other one may have refused it.
  const at = upstreams.findIndex(
    ({ requests }, index) => requests.length > before[index]! && requests.at(-1)!.usage !== null,
  )
  return { at, body: upstreams[at]!.requests.at(-1)!.body.toString() }
}

/** The next request of this account's is refused, so that the conversation moves. */
const refuse = (at: number) =>
  upstreams[at]!.script(refusal(429, 'rate_limit_error', 'slow', { 'retry-after': '3600' }))

test('a conversation that has moved goes up without the reasoning of the account before, with that of its own, byte for byte', async () => {
  const first = await turn('strips', 1)
  expect((await turn('strips', 2)).body).toBe(bodyOf(2))
  refuse(first.at)
  const moved = await turn('strips', 3)
  expect(moved.at).toBe(1 - first.at)
  expect(upstreams[first.at]!.requests.at(-1)!.body.toString()).toBe(bodyOf(3))
  expect(moved.body).toBe(bodyOf(3, () => false))
  // What the second account signed since, it may read again; the two turns before stay cut.
  expect((await turn('strips', 5)).body).toBe(bodyOf(5, (of) => of > 2))
})

test('where the group has not opted in everything goes up as it came, and the upstream decides', async () => {
  const first = await turn('keeps', 1)
  refuse(first.at)
  expect((await turn('keeps', 3)).body).toBe(bodyOf(3))
})

test('the switch holds at once', async () => {
  const first = await turn('switched', 1)
  await set('switched', true)
  refuse(first.at)
  expect((await turn('switched', 3)).body).toBe(bodyOf(3, () => false))
  await set('switched', false)
  expect((await turn('switched', 4)).body).toBe(bodyOf(4))
})
