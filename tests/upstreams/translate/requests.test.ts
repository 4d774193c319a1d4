import { expect, test } from 'vitest'
import { defaultFormatFlags, type FormatFlags } from '../../../server/accounts/format-flags.ts'
import { messagesToChat } from '../../../server/upstreams/translate/anthropic-clients/messages-to-chat.ts'
import { messagesToResponses } from '../../../server/upstreams/translate/anthropic-clients/messages-to-responses.ts'
import { type Fields, Untranslatable } from '../../../server/upstreams/translate/untranslatable.ts'

const toChat = (body: Fields, flags: Partial<FormatFlags> = {}, model = 'glm-5.3'): Fields =>
  messagesToChat(
    { model: 'asked', max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }], ...body },
    { model, flags: { ...defaultFormatFlags, ...flags }, user: null },
  ).body
const toResponses = (body: Fields): Fields =>
  messagesToResponses(
    { model: 'asked', max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }], ...body },
    { model: 'gpt-6-sol', flags: { ...defaultFormatFlags, efforts: ['low', 'high'] }, accountId: 7, user: 'u1' },
  ).body

const bash = { name: 'Bash', description: 'Runs', input_schema: { type: 'object' } }
const turn = [
  { role: 'user', content: 'List' },
  {
    role: 'assistant',
    content: [
      { type: 'thinking', thinking: 'Hm', signature: 'theirs' },
      { type: 'text', text: 'I look.' },
      { type: 'tool_use', id: 't1', name: 'Bash', input: { command: 'ls' } },
      { type: 'tool_use', id: 't2', name: 'Bash', input: {} },
    ],
  },
  {
    role: 'user',
    content: [
      { type: 'tool_result', tool_use_id: 't2', content: [] },
      {
        type: 'tool_result',
        tool_use_id: 't1',
        is_error: true,
        content: [
          { type: 'text', text: 'no' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA' } },
        ],
      },
      { type: 'text', text: 'Go on' },
    ],
  },
]

test('a turn with tools: results in the order of the calls, images behind them, thinking left out', () => {
  const sent = toChat({
    system: [
      { type: 'text', text: 'x-anthropic-billing-header: cc' },
      { type: 'text', text: 'Be brief.' },
    ],
    messages: turn,
    tools: [bash],
  })
  expect(sent['messages']).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'List' },
    {
      role: 'assistant',
      content: 'I look.',
      tool_calls: [
        { id: 't1', type: 'function', function: { name: 'Bash', arguments: '{"command":"ls"}' } },
        { id: 't2', type: 'function', function: { name: 'Bash', arguments: '{}' } },
      ],
    },
    { role: 'tool', tool_call_id: 't1', content: 'Error: no' },
    { role: 'tool', tool_call_id: 't2', content: '(no output)' },
    {
      role: 'user',
      content: [
        { type: 'text', text: '[from tool call t1]' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } },
        { type: 'text', text: 'Go on' },
      ],
    },
  ])
  expect(sent['tools']).toEqual([
    {
      type: 'function',
      function: { name: 'Bash', description: 'Runs', parameters: { type: 'object', properties: {} } },
    },
  ])
})

test('reasoning goes back to upstreams that want it', () => {
  expect(toChat({ messages: turn }, { echoReasoning: true })['messages']).toContainEqual(
    expect.objectContaining({ reasoning_content: 'Hm' }),
  )
})

test('max_tokens: the probe of one token (litellm #35061), reasoning models, caps', () => {
  expect(toChat({ max_tokens: 1 })).toMatchObject({ max_tokens: 1 })
  expect(toChat({ max_tokens: 1 }, {}, 'gpt-6-sol')).toMatchObject({ max_completion_tokens: 16 })
  expect(toChat({ max_tokens: 64_000 }, { maxTokensCap: 16_384 })).toMatchObject({ max_tokens: 16_384 })
  expect(toChat({ max_tokens: 9 }, { maxTokensField: 'max_completion_tokens' })).toMatchObject({
    max_completion_tokens: 9,
  })
})

test('sampling and stop sequences are for models that take them (cc-router #32)', () => {
  const body = { temperature: 0.5, top_p: 0.9, stop_sequences: ['a', 'b', 'c', 'd', 'e'] }
  expect(toChat(body)).toMatchObject({ temperature: 0.5, top_p: 0.9, stop: ['a', 'b', 'c', 'd'] })
  const reasoning = toChat(body, {}, 'o4-mini')
  expect(['temperature', 'top_p', 'stop'].filter((name) => name in reasoning)).toEqual([])
})

test('effort is what the upstream lists, and nothing where it lists none (claude-code #65863)', () => {
  const thinking = { type: 'enabled', budget_tokens: 10_000 }
  expect(toChat({ thinking })).not.toHaveProperty('reasoning_effort')
  expect(toChat({ thinking }, { efforts: ['low', 'medium', 'high'] })).toMatchObject({ reasoning_effort: 'high' })
  expect(toChat({ output_config: { effort: 'max' } }, { efforts: ['low', 'high'] })).toMatchObject({
    reasoning_effort: 'high',
  })
  expect(toChat({ thinking: { type: 'disabled' } }, { efforts: ['low'] })).not.toHaveProperty('reasoning_effort')
})

test('tool choices, and upstreams that refuse forced ones (awesome-deepseek #606)', () => {
  const forced = { tools: [bash], tool_choice: { type: 'tool', name: 'Bash', disable_parallel_tool_use: true } }
  expect(toChat(forced)).toMatchObject({
    tool_choice: { type: 'function', function: { name: 'Bash' } },
    parallel_tool_calls: false,
  })
  expect(toChat(forced, { forcedToolChoice: false })).toMatchObject({ tool_choice: 'auto' })
  expect(toChat({ tools: [bash], tool_choice: { type: 'none' } })).toMatchObject({ tool_choice: 'none' })
})

test('a name of a tool that does not fit gets the same short one each time, and finds back', () => {
  const name = `mcp__${'x'.repeat(80)}.run`
  const { body, toolNames } = messagesToChat(
    { messages: [], tools: [{ name, input_schema: {} }] },
    { model: 'm', flags: defaultFormatFlags, user: null },
  )
  const sent = (body['tools'] as { function: { name: string } }[])[0]!.function.name
  expect(sent).toMatch(/^[\w-]{1,64}$/)
  expect(toolNames.original(sent)).toBe(name)
})

test.each([
  ['tools[0].type', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }],
  ['thread', { thread: { type: 'continue' } }],
  ['mcp_servers', { mcp_servers: [{ url: 'https://x' }] }],
  [
    'messages[0].content[0]',
    { messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'base64', data: 'AA' } }] }] },
  ],
  [
    'messages[0].content[0].source',
    { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'f' } }] }] },
  ],
  ['messages[0].content[0].type', { messages: [{ role: 'user', content: [{ type: 'container_upload' }] }] }],
])('what a chat upstream cannot express is refused by its field: %s', (field, body) => {
  try {
    toChat(body)
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(Untranslatable)
    expect((error as Untranslatable).field).toBe(field)
  }
})

test('consecutive messages of one role are merged where the upstream needs it', () => {
  const messages = [
    { role: 'user', content: 'a' },
    { role: 'user', content: [{ type: 'text', text: 'b' }] },
  ]
  expect(toChat({ messages }, { strictAlternation: true })['messages']).toEqual([{ role: 'user', content: 'a\n\nb' }])
})

test('Responses: instructions, items, images in results, reasoning of ours restored and others’ left out', () => {
  const [user, assistant, results] = turn
  const signed = { type: 'thinking', thinking: 'Plan', signature: 'relay-reasoning:7:SEALED' }
  const sent = toResponses({
    system: 'Be brief.',
    messages: [user, { role: 'assistant', content: [signed, ...(assistant!.content as Fields[])] }, results],
    tools: [bash],
    thinking: { type: 'adaptive' },
    output_config: { effort: 'high' },
  })
  expect(sent).toMatchObject({
    instructions: 'Be brief.',
    store: false,
    stream: false,
    max_output_tokens: 100,
    reasoning: { effort: 'high', summary: 'auto' },
    safety_identifier: 'u1',
  })
  expect(sent['input']).toEqual([
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'List' }] },
    { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Plan' }], encrypted_content: 'SEALED' },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I look.' }] },
    { type: 'function_call', call_id: 't1', name: 'Bash', arguments: '{"command":"ls"}' },
    { type: 'function_call', call_id: 't2', name: 'Bash', arguments: '{}' },
    { type: 'function_call_output', call_id: 't2', output: '(no output)' },
    {
      type: 'function_call_output',
      call_id: 't1',
      output: [
        { type: 'input_text', text: 'Error: no' },
        { type: 'input_image', image_url: 'data:image/png;base64,AA' },
      ],
    },
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Go on' }] },
  ])
})
