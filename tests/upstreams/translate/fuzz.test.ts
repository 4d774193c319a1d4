import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultFormatFlags } from '../../../server/accounts/format-flags.ts'
import type { Format } from '../../../server/upstreams/format.ts'
import { messagesToChat } from '../../../server/upstreams/translate/anthropic-clients/messages-to-chat.ts'
import { messagesToResponses } from '../../../server/upstreams/translate/anthropic-clients/messages-to-responses.ts'
import { chatToMessages } from '../../../server/upstreams/translate/openai-clients/chat-to-messages.ts'
import { responsesToMessages } from '../../../server/upstreams/translate/openai-clients/responses-to-messages.ts'
import { translate } from '../../../server/upstreams/translate/table.ts'
import type { Fields } from '../../../server/upstreams/translate/untranslatable.ts'
import { goldenStreams } from '../../support/golden-streams.ts'
import { casesOf, sampleOf } from '../../support/sample.ts'
import { readWellFormed } from './well-formed.ts'

type Name = Format['name']

const bodies: Record<Name, Fields> = {
  anthropic: { model: 'm', max_tokens: 9, thinking: { type: 'adaptive' }, messages: [{ role: 'user', content: 'Hi' }] },
  chat: { model: 'm', stream_options: { include_usage: true }, messages: [{ role: 'user', content: 'Hi' }] },
  responses: { model: 'm', input: 'Hi' },
}

const openReader = (client: Name, upstream: Name) =>
  translate(
    client,
    upstream,
    { stream: true, ...bodies[client] },
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
  ).createStreamReader('')

/** What the client gets of a stream that comes in pieces, cut at these offsets, and what the meter read of it. */
function read(client: Name, upstream: Name, bytes: Buffer, cuts: number[] = []) {
  const reader = openReader(client, upstream)
  const edges = [0, ...cuts, bytes.length]
  const out = edges.slice(1).flatMap((edge, at) => reader.push(bytes.subarray(edges[at], edge)))
  const text = Buffer.concat([...out, ...reader.end()]).toString('utf8')
  const { started, hasContent, isFinished, error } = reader
  return { text, state: { started, hasContent, isFinished, error }, reading: reader.reading() }
}

/** Recorded streams of Anthropic's format, and the same as an upstream of another format would send them. */
const recorded = Object.values(goldenStreams()).map(({ name, bytes }) => ({ name, bytes }))
const streamsOf: Record<Name, { name: string; bytes: Buffer }[]> = {
  anthropic: recorded,
  chat: recorded.map(({ name, bytes }) => ({ name, bytes: Buffer.from(read('chat', 'anthropic', bytes).text) })),
  responses: recorded.map(({ name, bytes }) => ({
    name,
    bytes: Buffer.from(read('responses', 'anthropic', bytes).text),
  })),
}
const pairs: (readonly [Name, Name])[] = [
  ['anthropic', 'chat'],
  ['anthropic', 'responses'],
  ['chat', 'anthropic'],
  ['chat', 'responses'],
  ['responses', 'anthropic'],
  ['responses', 'chat'],
]

describe.each(pairs)(
  'any cut of a recorded stream gives the same events: a %s client, a %s upstream',
  (client, upstream) => {
    test.each(streamsOf[upstream])('$name', ({ name, bytes }) => {
      const whole = read(client, upstream, bytes)
      expect(readWellFormed(client, whole.text).end).toBe(name === 'errorAfterText' ? 'error' : 'success')
      for (const at of sampleOf(bytes.length, 40))
        expect(read(client, upstream, bytes, [at]), `cut at ${at}`).toEqual(whole)
      const cuts = fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 12 })
      fc.assert(
        fc.property(cuts, (offsets) => {
          expect(
            read(
              client,
              upstream,
              bytes,
              offsets.sort((one, other) => one - other),
            ),
          ).toEqual(whole)
        }),
        { numRuns: casesOf(40, 2000) },
      )
    })
  },
)

// ── requests there and back ─────────────────────────────────────────────────────────────────────────────────────────

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => text.trim() !== '')
const input = fc
  .dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Fields)
const conversation = fc.array(
  fc.record({
    user: words,
    image: fc.boolean(),
    says: fc.option(words, { nil: undefined }),
    calls: fc.array(fc.record({ name: fc.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/), input, result: words }), {
      maxLength: 3,
    }),
  }),
  { minLength: 1, maxLength: 5 },
)
const png = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA' } }

interface Turn {
  role: string
  content: Fields[]
}

type Drawn = typeof conversation extends fc.Arbitrary<infer Value> ? Value : never

function messagesOf(turns: Drawn): Turn[] {
  const messages: Turn[] = []
  for (const [at, { user, image, says, calls }] of turns.entries()) {
    messages.push({ role: 'user', content: [{ type: 'text', text: user }, ...(image ? [png] : [])] })
    const content = [
      ...(says === undefined ? [] : [{ type: 'text', text: says }]),
      ...calls.map(({ name, input: fields }, index) => ({
        type: 'tool_use',
        id: `t${at}_${index}`,
        name,
        input: fields,
      })),
    ]
    if (content.length > 0) messages.push({ role: 'assistant', content })
    const results = calls.map(({ result }, index) => ({
      type: 'tool_result',
      tool_use_id: `t${at}_${index}`,
      content: [{ type: 'text', text: result }],
    }))
    if (results.length > 0) messages.push({ role: 'user', content: results })
  }
  return messages
}

/** Consecutive messages of one role are one turn to the API. */
function merged(messages: Turn[]): Turn[] {
  const turns: Turn[] = []
  for (const { role, content } of messages) {
    const last = turns.at(-1)
    if (last?.role === role) last.content.push(...content)
    else turns.push({ role, content: [...content] })
  }
  return turns
}

const target = { model: 'm', defaultMaxTokens: 1000, user: null, flags: defaultFormatFlags, accountId: 7 }
const ways: Record<string, (body: Fields) => Fields> = {
  'Chat Completions': (body) => chatToMessages(messagesToChat(body, target).body, target).body,
  Responses: (body) => responsesToMessages(messagesToResponses(body, target).body, target).body,
}

test.each(Object.keys(ways))('a request to %s and back keeps roles, tool ids, order and text', (way) => {
  fc.assert(
    fc.property(conversation, (turns) => {
      const messages = messagesOf(turns)
      const back = ways[way]!({ model: 'asked', max_tokens: 100, messages })
      expect(back['messages']).toEqual(merged(messages))
    }),
    { numRuns: casesOf(2000, 100_000) },
  )
})
