import { expect, test } from 'vitest'
import { beginsTurn, conversationOf } from '../../server/relay/request/conversation.ts'
import { inspect } from '../../server/relay/request/inspect.ts'
import { anthropicFormat } from '../../server/upstreams/formats/anthropic/anthropic.ts'

/** The conversation of a body under key 7. */
function of(body: object, headers: Record<string, string | string[]> = {}, keyId = 7) {
  const bytes = Buffer.from(JSON.stringify({ model: 'm', ...body }))
  const found = inspect(bytes, anthropicFormat.request)
  if ('code' in found) throw new Error(found.message)
  return conversationOf(keyId, headers, bytes, found.conversation, found.messages, found.firstMessage)
}

const uuid = '0b9d6a3e-5d0f-4a3f-9d43-9a4f8e6f1c11'
const messages = [{ role: 'user', content: 'hello' }]

test('the session header comes first, and another agent is another conversation', () => {
  const headers = { 'x-claude-code-session-id': uuid }
  const metadata = { user_id: 'user_a_account__session_11111111' }
  expect(of({ metadata, messages }, headers)).toEqual({ sessionId: uuid, agentId: '', affinityKey: `7|${uuid}|` })
  const agent = of({ messages }, { ...headers, 'x-claude-code-agent-id': 'a1' })
  expect(agent).toMatchObject({ sessionId: uuid, agentId: 'a1' })
  expect(agent.affinityKey).not.toBe(of({ messages }, headers).affinityKey)
})

test.each([
  ['newer clients, as JSON', JSON.stringify({ device_id: 'd'.repeat(64), account_uuid: '', session_id: uuid })],
  ['older clients', `user_${'a'.repeat(64)}_account__session_${uuid}`],
])('without the header the session of metadata.user_id counts: %s', (_name, user_id) => {
  expect(of({ metadata: { user_id }, messages }).sessionId).toBe(uuid)
})

test.each([
  ['no text', { user_id: 5 }],
  ['JSON without a session', { user_id: '{"device_id":"d"}' }],
  ['JSON with a session of another type', { user_id: '{"session_id":{"a":1}}' }],
  ['broken JSON', { user_id: '{"session_id":' }],
  ['null', null],
  ['a list', []],
  ['megabytes', { user_id: 'x'.repeat(1_000_000) }],
])('a user_id that names no session is passed over: %s', (_name, metadata) => {
  const found = of({ metadata, messages })
  expect(found.sessionId).toBe('')
  expect(found.affinityKey).toBe(of({ messages }).affinityKey)
})

test('without a session the first message tells conversations apart', () => {
  const first = of({ messages })
  expect(first.sessionId).toBe('')
  expect(of({ messages: [...messages, { role: 'assistant', content: 'hi' }] }).affinityKey).toBe(first.affinityKey)
  expect(of({ messages: [{ role: 'user', content: 'other' }] }).affinityKey).not.toBe(first.affinityKey)
  expect(of({ messages }, {}, 8).affinityKey).not.toBe(first.affinityKey)
})

test('where nothing tells conversations apart there is no key', () => {
  for (const body of [{}, { messages: [] }, { messages: 'x' }]) expect(of(body).affinityKey).toBe('')
})

test('what a client sends as an id is kept short', () => {
  const found = of(
    { messages },
    { 'x-claude-code-session-id': 's'.repeat(9000), 'x-claude-code-agent-id': 'a'.repeat(9000) },
  )
  expect([found.sessionId.length, found.agentId.length]).toEqual([191, 191])
})

const turn = (messages: unknown) => {
  const bytes = Buffer.from(JSON.stringify({ model: 'm', messages }, null, 1))
  const found = inspect(bytes, anthropicFormat.request)
  if ('code' in found) throw new Error(found.message)
  const last = found.lastMessage
  return last !== undefined && beginsTurn(bytes.subarray(last.start, last.end))
}
const toolResult = { type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'x' }] }

test("a turn begins where the last message is the user's and answers no tool", () => {
  const said = {
    role: 'assistant',
    content: [{ type: 'tool_use', id: 't', name: 'n', input: { type: 'tool_result' } }],
  }
  expect(turn([{ role: 'user', content: 'hello' }])).toBe(true)
  expect(turn([...messages, said, { role: 'user', content: [{ type: 'text', text: '"type":"tool_result"' }] }])).toBe(
    true,
  )
  expect(turn([...messages, said, { role: 'user', content: [toolResult] }])).toBe(false)
  // Reminders that the client puts beside a tool's result begin no turn.
  expect(turn([...messages, said, { role: 'user', content: [toolResult, { type: 'text', text: 'r' }] }])).toBe(false)
  expect(turn([...messages, said])).toBe(false)
  expect(turn([...messages, { role: 'system', content: 's' }])).toBe(false)
  for (const odd of [[], 'x', [1], [{ role: 'user' }], [{ content: 'x' }], null]) expect(turn(odd)).toBe(false)
})
