import { describe, expect, test } from 'vitest'
import { defaultFormatFlags } from '../../../server/accounts/format-flags.ts'
import type { Format, StreamReader } from '../../../server/upstreams/format.ts'
import { eventsOf } from '../../../server/upstreams/formats/sse-events.ts'
import { translate } from '../../../server/upstreams/translate/table.ts'
import { type Fields, textOf } from '../../../server/upstreams/translate/untranslatable.ts'

type Name = Format['name']
const names: Name[] = ['anthropic', 'chat', 'responses']

const requests: Record<Name, Fields> = {
  anthropic: { model: 'asked', max_tokens: 99, stream: true, messages: [{ role: 'user', content: 'Hi' }] },
  chat: {
    model: 'asked',
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content: 'Hi' }],
  },
  responses: { model: 'asked', stream: true, input: 'Hi' },
}

const named = (events: Fields[]): string =>
  events.map((event) => `event: ${textOf(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`).join('')

/** The same response of each kind of upstream: Grüße and a tool call; 30 tokens of input, 20 read from the cache, 9 of output. */
const streams: Record<Name, string> = {
  anthropic: named([
    {
      type: 'message_start',
      message: {
        id: 'msg_u',
        type: 'message',
        role: 'assistant',
        model: 'served',
        content: [],
        usage: { input_tokens: 30, cache_read_input_tokens: 20, output_tokens: 1 },
      },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'ping' },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Grüße 👋' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'c1', name: 'Bash', input: {} } },
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"x":1}' } },
    { type: 'content_block_stop', index: 1 },
    { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 9 } },
    { type: 'message_stop' },
  ]),
  chat: [
    { model: 'served', choices: [{ index: 0, delta: { role: 'assistant', content: 'Grüße 👋' } }] },
    {
      model: 'served',
      choices: [
        { index: 0, delta: { tool_calls: [{ index: 0, id: 'c1', function: { name: 'Bash', arguments: '{"x":1}' } }] } },
      ],
    },
    { model: 'served', choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
    {
      model: 'served',
      choices: [],
      usage: { prompt_tokens: 50, completion_tokens: 9, prompt_tokens_details: { cached_tokens: 20 } },
    },
  ]
    .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
    .join('')
    .concat(': comment\n\ndata: [DONE]\n\n'),
  responses: named([
    { type: 'response.created', response: { model: 'served' } },
    { type: 'response.output_item.added', output_index: 0, item: { type: 'message', content: [] } },
    { type: 'response.output_text.delta', output_index: 0, delta: 'Grüße 👋' },
    {
      type: 'response.output_item.done',
      output_index: 0,
      item: { type: 'message', content: [{ type: 'output_text', text: 'Grüße 👋' }] },
    },
    {
      type: 'response.output_item.added',
      output_index: 1,
      item: { type: 'function_call', call_id: 'c1', name: 'Bash', arguments: '' },
    },
    { type: 'response.function_call_arguments.delta', output_index: 1, delta: '{"x":1}' },
    {
      type: 'response.output_item.done',
      output_index: 1,
      item: { type: 'function_call', call_id: 'c1', name: 'Bash', arguments: '{"x":1}' },
    },
    {
      type: 'response.completed',
      response: {
        model: 'served',
        output: [],
        usage: { input_tokens: 50, output_tokens: 9, input_tokens_details: { cached_tokens: 20 } },
      },
    },
  ]),
}

const bodies: Record<Name, Fields> = {
  anthropic: {
    id: 'msg_u',
    type: 'message',
    role: 'assistant',
    model: 'served',
    content: [
      { type: 'text', text: 'Grüße 👋' },
      { type: 'tool_use', id: 'c1', name: 'Bash', input: { x: 1 } },
    ],
    stop_reason: 'tool_use',
    usage: { input_tokens: 30, cache_read_input_tokens: 20, output_tokens: 9 },
  },
  chat: {
    model: 'served',
    choices: [
      {
        index: 0,
        message: {
          content: 'Grüße 👋',
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'Bash', arguments: '{"x":1}' } }],
        },
        finish_reason: 'tool_calls',
      },
    ],
    usage: { prompt_tokens: 50, completion_tokens: 9, prompt_tokens_details: { cached_tokens: 20 } },
  },
  responses: {
    model: 'served',
    status: 'completed',
    output: [
      { type: 'message', content: [{ type: 'output_text', text: 'Grüße 👋' }] },
      { type: 'function_call', call_id: 'c1', name: 'Bash', arguments: '{"x":1}' },
    ],
    usage: { input_tokens: 50, output_tokens: 9, input_tokens_details: { cached_tokens: 20 } },
  },
}

const open = (client: Name, upstream: Name) =>
  translate(client, upstream, requests[client], {
    accountId: 7,
    promptTokens: 7,
    modelRequested: 'asked',
    modelSent: 'sent',
    flags: defaultFormatFlags,
    user: null,
    defaultMaxTokens: 1000,
    requestId: 'r1',
    nowMs: 0,
  })

const read = (reader: StreamReader, bytes: Buffer): string =>
  Buffer.concat([...reader.push(bytes), ...reader.end()]).toString('utf8')

const pairs = names.flatMap((client) =>
  names.filter((upstream) => upstream !== client).map((upstream) => [client, upstream] as const),
)

describe.each(pairs)('%s client, %s upstream', (client, upstream) => {
  test('text, tool call and usage come through, and the meter reads what the upstream served', () => {
    const reader = open(client, upstream).createStreamReader('')
    const text = read(reader, Buffer.from(streams[upstream]))
    expect(text).toContain('Grüße 👋')
    expect(text).toContain('Bash')
    expect(text).toContain('"asked"')
    expect(text).not.toContain('served')
    expect(reader).toMatchObject({ started: true, hasContent: true, isFinished: true, error: null })
    expect(reader.reading()).toMatchObject({
      model: 'served',
      source: 'final',
      tokens: { input: 30, cacheRead: 20, output: 9 },
    })
    const last = { anthropic: '"type":"message_stop"', chat: '[DONE]', responses: '"type":"response.completed"' }[
      client
    ]
    expect(eventsOf(Buffer.from(text)).at(-1)!.data).toContain(last)
  })

  test('a stream that ends too early is no success, where the format marks its end', () => {
    const bytes = Buffer.from(streams[upstream])
    const reader = open(client, upstream).createStreamReader('')
    // Within the arguments of the tool call.
    read(reader, bytes.subarray(0, bytes.indexOf('\\"x\\"')))
    // Chat Completions has upstreams that leave out every mark of an end: text alone counts as whole there.
    expect(reader.isFinished).toBe(upstream === 'chat')
  })

  test('a whole JSON response', () => {
    const { body, problem, reading } = open(client, upstream).readJson(
      Buffer.from(JSON.stringify(bodies[upstream])),
      '',
    )
    expect(problem).toBe('')
    expect(reading).toMatchObject({ model: 'served', source: 'final', tokens: { input: 30, cacheRead: 20, output: 9 } })
    const response = JSON.parse(body!.toString('utf8')) as Fields
    expect(response['model']).toBe('asked')
    expect(JSON.stringify(response)).toContain('Grüße 👋')
    expect(JSON.stringify(response)).toContain('Bash')
  })

  test('an error in the stream, or for a body, is an error', () => {
    const error = {
      error: { type: 'rate_limit_error', code: 'rate_limit_exceeded', message: 'Slow down' },
      type: 'error',
    }
    const reader = open(client, upstream).createStreamReader('')
    reader.push(Buffer.from(`event: error\ndata: ${JSON.stringify(error)}\n\n`))
    expect(reader).toMatchObject({ hasContent: false, isFinished: false })
    expect(reader.error).toMatchObject({ message: 'Slow down' })
    expect(open(client, upstream).readJson(Buffer.from(JSON.stringify(error)), '').problem).not.toBe('')
  })
})
