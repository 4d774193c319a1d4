import { afterAll, beforeAll, expect, test } from 'vitest'
import { readProvisionFile } from '../../server/provisioning/provision-file.ts'
import { refusal } from '../support/fake-scripts.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { type RelayApp, startRelayApp } from '../support/relay-app.ts'
import { ask } from './pools.ts'

let first: FakeUpstream
let second: FakeUpstream
let relay: RelayApp
/** Added to the clock, so that a rest of a minute is over at once. */
let aheadMs = 0

beforeAll(async () => {
  first = await createFakeUpstream()
  second = await createFakeUpstream()
  const accounts = (group: string) => [
    { name: `${group} 1`, url: first.url, priority: 1, groups: [group], secret: 'sk-up-1-0123456789' },
    { name: `${group} 2`, url: second.url, priority: 2, groups: [group], secret: 'sk-up-2-0123456789' },
  ]
  relay = await startRelayApp({
    now: () => Date.now() + aheadMs,
    provision: readProvisionFile(
      JSON.stringify({
        groups: [{ name: 'on' }, { name: 'off', returnsToPriority: false }],
        accounts: [...accounts('on'), ...accounts('off')],
        keys: ['on', 'off'].map((group) => ({ name: group, group, secret: `sk-return-${group}-0123456789` })),
      }),
    ),
  })
})
afterAll(async () => {
  await relay.stop()
  await first.close()
  await second.close()
})

const hello = { role: 'user', content: 'hello' }
const called = { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'n', input: {} }] }
const answered = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'done' }] }

/** 1 or 2: which upstream answered. */
async function at(group: string, messages: object[], path = '/v1/messages'): Promise<number> {
  const before = first.requests.length
  const answer = await ask(relay.base, `sk-return-${group}-0123456789`, {
    body: { messages },
    headers: { 'x-claude-code-session-id': 'session' },
    path,
  })
  expect(answer.status).toBe(200)
  return first.requests.length > before ? 1 : 2
}

test('a session that was moved goes back to the smaller priority number, with the next turn of the person and not before', async () => {
  expect(await at('on', [hello])).toBe(1)
  first.script(refusal(429, 'rate_limit_error', 'slow', { 'retry-after': '60' }))
  await at('on', [hello, called, answered])
  expect(second.requests).toHaveLength(1)
  expect(await at('on', [hello])).toBe(2)
  aheadMs += 61_000
  // Its account is back, but tools run: who signed the turn's thinking goes on with it.
  expect(await at('on', [hello, called, answered])).toBe(2)
  expect(await at('on', [hello], '/v1/messages/count_tokens')).toBe(2)
  expect(await at('on', [hello, called, answered])).toBe(2)
  expect(await at('on', [hello, called, answered, { role: 'assistant', content: 'ok' }, hello])).toBe(1)
  expect(await at('on', [hello, called, answered])).toBe(1)
})

test('a group can leave its sessions where they went', async () => {
  expect(await at('off', [hello])).toBe(1)
  first.script(refusal(429, 'rate_limit_error', 'slow', { 'retry-after': '60' }))
  await at('off', [hello])
  aheadMs += 61_000
  for (let turn = 0; turn < 3; turn++) expect(await at('off', [hello])).toBe(2)
})
