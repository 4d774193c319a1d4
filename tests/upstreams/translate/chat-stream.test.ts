import { expect, test } from 'vitest'
import { createChatStreamToMessages } from '../../../server/upstreams/translate/anthropic-clients/chat-stream-to-messages.ts'
import { foldMessage } from '../../../server/upstreams/translate/messages/fold-message.ts'
import { createToolNames } from '../../../server/upstreams/translate/messages/tool-names.ts'
import type { Fields } from '../../../server/upstreams/translate/untranslatable.ts'
import { brokenChatCases, chatCases, chunk } from './chat-streams.ts'

function translate(chunks: unknown[], showThinking = true): Fields[] {
  const translator = createChatStreamToMessages({
    messageId: 'msg_1',
    model: 'asked',
    inputTokensEstimate: 7,
    toolNames: createToolNames(),
    accountId: 7,
    showThinking,
  })
  return [...chunks.flatMap((one) => translator.push(one)), ...translator.end()]
}

/** Every stream the client may get: one start, blocks one after another, each closed, one end. */
function expectLegal(events: Fields[]): void {
  const types = events.map(({ type }) => type)
  if (types.at(-1) !== 'error') {
    expect(types.filter((type) => type === 'message_start')).toHaveLength(1)
    expect(types.slice(-2)).toEqual(['message_delta', 'message_stop'])
  }
  let open: unknown = null
  let next = 0
  for (const { type, index } of events) {
    if (type === 'content_block_start') {
      expect([open, index]).toEqual([null, next++])
      open = index
    } else if (type === 'content_block_delta') expect(index).toBe(open)
    else if (type === 'content_block_stop') {
      expect(index).toBe(open)
      open = null
    }
  }
}

function messageOf(chunks: unknown[]): Fields {
  const events = translate(chunks)
  expectLegal(events)
  return foldMessage(events)!
}

test.each(chatCases)('%s', (_name, chunks, content, stop) => {
  const message = messageOf(chunks)
  expect(message['content']).toEqual(content)
  expect(message['stop_reason']).toBe(stop)
  expect(message['model']).toBe('asked')
})

test('cached tokens are told apart, never lost (litellm #31069)', () => {
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 5,
    prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 10 },
    completion_tokens_details: { reasoning_tokens: 3 },
  }
  expect(messageOf([chunk({ content: 'x' }, 'stop', { usage })])['usage']).toEqual({
    input_tokens: 30,
    output_tokens: 5,
    cache_read_input_tokens: 60,
    cache_creation_input_tokens: 10,
    output_tokens_details: { thinking_tokens: 3 },
  })
  for (const more of [{ prompt_cache_hit_tokens: 60 }, { cached_tokens: 60 }])
    expect(
      messageOf([chunk({ content: 'x' }, 'stop', { usage: { prompt_tokens: 100, completion_tokens: 5, ...more } })])[
        'usage'
      ],
    ).toMatchObject({ input_tokens: 40, cache_read_input_tokens: 60 })
})

test('usage in every chunk: the last one counts; none at all is an estimate', () => {
  const chunks = [1, 2, 3].map((count) =>
    chunk({ content: 'abcd' }, null, { usage: { prompt_tokens: 9, completion_tokens: count } }),
  )
  expect(messageOf([...chunks, chunk({}, 'stop')])['usage']).toMatchObject({ input_tokens: 9, output_tokens: 3 })
  expect(messageOf([chunk({ content: 'abcdefgh' }, 'stop')])['usage']).toMatchObject({
    input_tokens: 7,
    output_tokens: 2,
  })
})

test.each(brokenChatCases)('%s ends in one error event, and in nothing after it', (_name, chunks) => {
  const events = translate(chunks)
  expectLegal(events)
  expect(events.filter(({ type }) => type === 'error')).toHaveLength(1)
  expect(events.at(-1)).toMatchObject({ type: 'error', error: { type: 'api_error' } })
})

test('a client that did not ask to think sees no thinking', () => {
  const message = foldMessage(translate([chunk({ reasoning_content: 'Hm' }), chunk({ content: 'x' }, 'stop')], false))!
  expect(message['content']).toEqual([{ type: 'text', text: 'x' }])
})
