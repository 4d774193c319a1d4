import { describe, expect, test } from 'vitest'
import { defaultFormatFlags } from '../../../server/accounts/format-flags.ts'
import type { Format } from '../../../server/upstreams/format.ts'
import { translate } from '../../../server/upstreams/translate/table.ts'
import { type Fields, Untranslatable } from '../../../server/upstreams/translate/untranslatable.ts'

type Name = Format['name']

const user = { role: 'user', content: 'Hi' }
const plain: Record<Name, Fields> = {
  anthropic: { model: 'm', max_tokens: 9, messages: [user] },
  chat: { model: 'm', messages: [user] },
  responses: { model: 'm', input: [user] },
}
const pairs: (readonly [Name, Name])[] = [
  ['anthropic', 'chat'],
  ['anthropic', 'responses'],
  ['chat', 'anthropic'],
  ['chat', 'responses'],
  ['responses', 'anthropic'],
  ['responses', 'chat'],
]

const send = (client: Name, upstream: Name, body: Fields): Fields =>
  JSON.parse(
    translate(
      client,
      upstream,
      { ...plain[client], ...body },
      {
        accountId: 7,
        promptTokens: 7,
        modelRequested: 'm',
        modelSent: 'm',
        flags: defaultFormatFlags,
        user: null,
        defaultMaxTokens: 1000,
        requestId: 'r1',
        nowMs: 0,
      },
    ).body.toString('utf8'),
  ) as Fields

function refusedField(client: Name, upstream: Name, body: Fields): string {
  try {
    send(client, upstream, body)
  } catch (error) {
    expect(error).toBeInstanceOf(Untranslatable)
    return (error as Untranslatable).field
  }
  return 'nothing was refused'
}

const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } }

/** What a client of each format must not send, with the field that it is told. */
const mixed: Record<Name, [field: string, body: Fields][]> = {
  anthropic: [
    ['max_completion_tokens', { max_completion_tokens: 9 }],
    ['max_output_tokens', { max_output_tokens: 9 }],
    ['input', { input: 'Hi' }],
    ['instructions', { instructions: 'Be brief.' }],
    ['reasoning_effort', { reasoning_effort: 'low' }],
    ['reasoning', { reasoning: { effort: 'low' } }],
    ['response_format', { response_format: { type: 'json_object' } }],
    ['stop', { stop: ['x'] }],
    ['stream_options', { stream_options: { include_usage: true } }],
    ['parallel_tool_calls', { parallel_tool_calls: false }],
    ['n', { n: 2 }],
    ['previous_response_id', { previous_response_id: 'r' }],
    ['functions', { functions: [] }],
    ['messages[1].tool_calls', { messages: [user, { role: 'assistant', content: '', tool_calls: [call] }] }],
    ['messages[1].tool_call_id', { messages: [user, { role: 'tool', tool_call_id: 'c', content: 'x' }] }],
    ['messages[0].role', { messages: [{ role: 'developer', content: 'x' }] }],
    ['messages[0].content[0].type', { messages: [{ role: 'user', content: [image] }] }],
    ['tools[0].function', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['tools[0].parameters', { tools: [{ type: 'function', name: 'f', parameters: {} }] }],
    ['tool_choice', { tools: [{ name: 'f', input_schema: {} }], tool_choice: 'required' }],
  ],
  chat: [
    ['system', { system: 'Be brief.' }],
    ['stop_sequences', { stop_sequences: ['x'] }],
    ['output_config', { output_config: { effort: 'low' } }],
    ['input', { input: 'Hi' }],
    ['instructions', { instructions: 'Be brief.' }],
    ['max_output_tokens', { max_output_tokens: 9 }],
    ['previous_response_id', { previous_response_id: 'r' }],
    ['text', { text: { format: { type: 'text' } } }],
    ['tools[0].input_schema', { tools: [{ name: 'f', input_schema: {} }] }],
    ['tools[0].type', { tools: [{ type: 'custom', name: 'f' }] }],
    ['tool_choice', { tools: [{ ...call, id: undefined }], tool_choice: { type: 'any' } }],
    ['tool_choice', { tools: [{ ...call, id: undefined }], tool_choice: { type: 'function', name: 'f' } }],
    [
      'messages[0].content[0].type',
      { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c', content: 'x' }] }] },
    ],
    ['messages[0].content[0].type', { messages: [{ role: 'user', content: [{ type: 'input_text', text: 'x' }] }] }],
  ],
  responses: [
    ['messages', { messages: [user] }],
    ['system', { system: 'Be brief.' }],
    ['max_tokens', { max_tokens: 9 }],
    ['max_completion_tokens', { max_completion_tokens: 9 }],
    ['stop', { stop: ['x'] }],
    ['stop_sequences', { stop_sequences: ['x'] }],
    ['thinking', { thinking: { type: 'adaptive' } }],
    ['output_config', { output_config: { effort: 'low' } }],
    ['reasoning_effort', { reasoning_effort: 'low' }],
    ['response_format', { response_format: { type: 'json_object' } }],
    ['n', { n: 2 }],
    ['functions', { functions: [] }],
    ['input[1].tool_calls', { input: [user, { role: 'assistant', content: '', tool_calls: [call] }] }],
    ['input[0].type', { input: [{ type: 'tool_result', tool_use_id: 'c' }] }],
    ['input[1].content[0].type', { instructions: 'x', input: [user, { role: 'user', content: [image] }] }],
    ['tools[0].function', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['tools[0].input_schema', { tools: [{ name: 'f', input_schema: {} }] }],
    [
      'tool_choice.name',
      { tools: [{ type: 'function', name: 'f' }], tool_choice: { type: 'function', function: { name: 'f' } } },
    ],
  ],
}

describe.each(pairs)('a %s client in front of a %s upstream', (client, upstream) => {
  test('is translated where it keeps to its own format', () => {
    expect(send(client, upstream, {})).toMatchObject({ model: 'm' })
  })
  test.each(mixed[client])('is told that %s is of another format', (field, body) => {
    expect(refusedField(client, upstream, body)).toBe(field)
  })
  test('may send such a field as null', () => {
    const nulls = Object.fromEntries(mixed[client].flatMap(([field]) => (/^\w+$/.test(field) ? [[field, null]] : [])))
    expect(send(client, upstream, nulls)).toMatchObject({ model: 'm' })
  })
})

describe('max_tokens that mean nothing to the upstream are refused by the name that the client gave', () => {
  test.each(pairs)('a %s client in front of a %s upstream', (client, upstream) => {
    const names = {
      anthropic: ['max_tokens'],
      chat: ['max_completion_tokens', 'max_tokens'],
      responses: ['max_output_tokens'],
    }
    for (const name of names[client])
      for (const value of [0, -1, 1.5, '9']) expect(refusedField(client, upstream, { [name]: value })).toBe(name)
  })
  test('Anthropic’s format requires the field', () => {
    expect(refusedField('anthropic', 'chat', { max_tokens: undefined })).toBe('max_tokens')
  })
})

test('a place that only the second step of a translation knows is told as the list that holds it', () => {
  const pdf = { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA' }
  expect(refusedField('responses', 'chat', { input: [{ role: 'user', content: [pdf] }] })).toBe('input')
  const text = { type: 'input_file', filename: 'a.txt', file_data: 'data:text/plain;base64,AA' }
  expect(
    refusedField('responses', 'anthropic', { instructions: 'x', input: [user, { role: 'user', content: [text] }] }),
  ).toBe('input[1].content[0]')
})
