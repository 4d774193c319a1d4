import { expect, test } from 'vitest'
import { defaultFormatFlags } from '../../../server/accounts/format-flags.ts'
import { messagesToChat } from '../../../server/upstreams/translate/anthropic-clients/messages-to-chat.ts'
import { chatToMessages } from '../../../server/upstreams/translate/openai-clients/chat-to-messages.ts'
import { responsesToMessages } from '../../../server/upstreams/translate/openai-clients/responses-to-messages.ts'
import { responsesTools } from '../../../server/upstreams/translate/openai-clients/responses-tools.ts'
import type { Fields } from '../../../server/upstreams/translate/untranslatable.ts'

const fromChat = (body: Fields): Fields =>
  chatToMessages(body, { model: 'claude-sonnet-5-5', defaultMaxTokens: 32_000, user: null }).body

test('a chat client’s turn becomes one user turn with results first', () => {
  const sent = fromChat({
    messages: [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
          { id: 'b', type: 'function', function: { name: 'f', arguments: '{oops' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: '1' },
      { role: 'tool', tool_call_id: 'b', content: '2' },
      { role: 'user', content: 'And?' },
    ],
    tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
    tool_choice: 'required',
    parallel_tool_calls: false,
    temperature: 1.5,
    stop: [' ', 'END'],
  })
  expect(sent).toEqual({
    model: 'claude-sonnet-5-5',
    max_tokens: 32_000,
    system: 'Be brief.',
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA' } },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } },
          { type: 'tool_use', id: 'b', name: 'f', input: { arguments: '{oops' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: '1' }] },
          { type: 'tool_result', tool_use_id: 'b', content: [{ type: 'text', text: '2' }] },
          { type: 'text', text: 'And?' },
        ],
      },
    ],
    tools: [{ name: 'f', input_schema: { type: 'object' } }],
    tool_choice: { type: 'any', disable_parallel_tool_use: true },
    stop_sequences: ['END'],
  })
})

test('Responses input: calls, outputs, free-text tools; what is stored elsewhere is refused', () => {
  const target = { model: 'claude-opus-4-5', defaultMaxTokens: 1000, user: null, accountId: 7 }
  const { body } = responsesToMessages(
    {
      instructions: 'Be brief.',
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Patch' }] },
        { type: 'reasoning', encrypted_content: 'x' },
        { type: 'custom_tool_call', call_id: 'c', name: 'apply_patch', input: '*** Begin' },
        { type: 'custom_tool_call_output', call_id: 'c', output: 'ok' },
      ],
      tools: [{ type: 'custom', name: 'apply_patch', description: 'Patches' }],
      reasoning: { effort: 'low' },
      max_output_tokens: 5000,
    },
    target,
  )
  expect(body).toMatchObject({
    system: 'Be brief.',
    max_tokens: 5000,
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Patch' }] },
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id: 'c', name: 'apply_patch', input: { input: '*** Begin' } }],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c', content: [{ type: 'text', text: 'ok' }] }] },
    ],
  })
  expect(() => responsesToMessages({ input: 'x', previous_response_id: 'r' }, target)).toThrow(/previous_response_id/)
  // The turn that called the tool came back without its thinking: the model would refuse to think in it.
  expect(body['thinking']).toBeUndefined()
  expect(
    responsesToMessages({ input: 'Hi', reasoning: { effort: 'low' }, max_output_tokens: 5000 }, target).body[
      'thinking'
    ],
  ).toEqual({ type: 'enabled', budget_tokens: 2048 })
})

test('a client that names its cache has its prompt marked for the cache, in Anthropic’s format alone', () => {
  const target = { model: 'claude-opus-5-5', defaultMaxTokens: 1000, user: null, accountId: 7 }
  const request = { instructions: 'Be brief.', input: 'Hi', prompt_cache_key: 'session' }
  const { body } = responsesToMessages(request, target)
  const mark = { cache_control: { type: 'ephemeral' } }
  expect(body['system']).toEqual([{ type: 'text', text: 'Be brief.', ...mark }])
  expect(body['messages']).toEqual([{ role: 'user', content: [{ type: 'text', text: 'Hi', ...mark }] }])
  expect(JSON.stringify(messagesToChat(body, { ...target, flags: defaultFormatFlags }).body)).not.toContain(
    'cache_control',
  )
  expect(JSON.stringify(responsesToMessages({ ...request, prompt_cache_key: null }, target).body)).not.toContain(
    'cache',
  )
})

test('tools of namespaces become functions, wherever Codex lists them, and their calls find back', () => {
  const target = { model: 'claude-opus-5-5', defaultMaxTokens: 1000, user: null, accountId: 7 }
  const list = { type: 'function', name: 'list_agents', description: 'Lists.', parameters: { type: 'object' } }
  const format = { type: 'grammar', syntax: 'lark', definition: 'start: /.+/' }
  const request = {
    tools: [
      { type: 'web_search', external_web_access: false },
      { ...list, name: 'view_image' },
    ],
    input: [
      {
        type: 'additional_tools',
        role: 'developer',
        tools: [
          { type: 'namespace', name: 'functions', description: '', tools: [{ type: 'custom', name: 'exec', format }] },
          { type: 'namespace', name: 'agents', description: 'Of agents.', tools: [list, { ...list, name: 'wait' }] },
        ],
      },
      { type: 'message', role: 'user', content: 'Go' },
      { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'x' } },
      { type: 'custom_tool_call', call_id: 'c', namespace: 'functions', name: 'exec', input: 'text(1)' },
      { type: 'custom_tool_call_output', call_id: 'c', output: '1' },
    ],
  }
  const { body } = responsesToMessages(request, target)
  expect(body['tools']).toMatchObject([
    { name: 'view_image' },
    {
      name: 'functions__exec',
      input_schema: { properties: { input: { description: 'It follows this grammar (lark):\nstart: /.+/' } } },
    },
    { name: 'agents__list_agents', description: 'Of agents.\n\nLists.' },
    { name: 'agents__wait', description: 'Lists.' },
  ])
  expect(body['messages']).toMatchObject([
    { role: 'user' },
    { role: 'assistant', content: [{ name: 'functions__exec', input: { input: 'text(1)' } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c' }] },
  ])
  expect(Object.fromEntries(responsesTools(request))).toMatchObject({
    functions__exec: { namespace: 'functions', name: 'exec', isFreeText: true },
    agents__wait: { namespace: 'agents', name: 'wait', isFreeText: false },
  })
})

test('what agents of Codex tell each other is read where a model of another upstream wrote it', () => {
  const target = { model: 'claude-opus-5-5', defaultMaxTokens: 1000, user: null, accountId: 7 }
  const telling = (text: string) => ({
    input: [
      {
        type: 'agent_message',
        author: '/root',
        recipient: '/root/look',
        content: [
          { type: 'input_text', text: 'Payload:' },
          { type: 'encrypted_content', encrypted_content: text },
        ],
      },
    ],
  })
  expect(responsesToMessages(telling('Look.'), target).body['messages']).toEqual([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Payload:' },
        { type: 'text', text: 'Look.' },
      ],
    },
  ])
  expect(() => responsesToMessages(telling('gAAAAABo4x'), target)).toThrow('input[0].content[1]: ')
})

test.each([
  ['tools[0].type', { tools: [{ type: 'web_search' }] }],
  ['tools[1].type', { tools: [{ type: 'web_search' }, { type: 'file_search' }] }],
  ['tools[0].tools[0].type', { tools: [{ type: 'namespace', name: 'a', tools: [{ type: 'image_generation' }] }] }],
  ['tool_choice.type', { tools: [{ type: 'function', name: 'f' }], tool_choice: { type: 'web_search' } }],
])('%s of a tool that only its own upstream runs is refused', (field, more) => {
  const target = { model: 'claude-opus-5-5', defaultMaxTokens: 1000, user: null, accountId: 7 }
  expect(() => responsesToMessages({ input: 'x', ...more }, target)).toThrow(`${field}: `)
})
