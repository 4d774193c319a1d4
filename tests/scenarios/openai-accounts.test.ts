import Anthropic from '@anthropic-ai/sdk'
import { expect, test } from 'vitest'
import { chatAnswer, openaiRefusal, responsesAnswer } from '../support/fake-openai.ts'
import { createFakeUpstream, type FakeUpstream, type Script } from '../support/fake-upstream.ts'
import { type RelayApp, startRelayApp, testKey } from '../support/relay-app.ts'

const weather = { id: 'call_1', name: 'weather', input: { city: 'Köln' } }
const tools = [{ name: 'weather', description: 'Asks', input_schema: { type: 'object' as const } }]
const question = { model: 'claude-sonnet-5-5', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] }

async function withAccounts(
  accounts: { platform: string; answer: Script; [field: string]: unknown }[],
  use: (at: { relay: RelayApp; upstreams: FakeUpstream[]; client: Anthropic }) => Promise<void>,
): Promise<void> {
  const upstreams = await Promise.all(accounts.map(() => createFakeUpstream()))
  for (const [index, { answer }] of accounts.entries()) upstreams[index]!.scriptWhen(() => true, answer)
  const relay = await startRelayApp({
    accounts: accounts.map(({ answer: _answer, ...fields }, index) => ({
      url: `${upstreams[index]!.url}/v1`,
      priority: index + 1,
      ...fields,
    })),
  })
  try {
    await use({
      relay,
      upstreams,
      client: new Anthropic({ baseURL: relay.base, apiKey: testKey, maxRetries: 0 }),
    })
  } finally {
    await relay.stop()
    for (const upstream of upstreams) await upstream.close()
  }
}

const jsonOf = ({ body }: { body: Buffer }) => JSON.parse(body.toString()) as Record<string, unknown>

const kinds = [
  ['openai', chatAnswer, '/v1/chat/completions'],
  ['codex', responsesAnswer, '/v1/responses'],
] as const

for (const [platform, answer, path] of kinds) {
  const account = {
    platform,
    answer: answer({ text: 'Let me look.', tools: [weather] }),
    modelMapping: { 'claude-*': 'm-1' },
  }

  test(`an account of the platform ${platform} serves a stream with a tool call to the SDK`, () =>
    withAccounts([account], async ({ client, upstreams, relay }) => {
      const stream = client.messages.stream({ ...question, tools })
      const { data: message, response } = await stream.withResponse().then(async ({ response }) => ({
        data: await stream.finalMessage(),
        response,
      }))
      expect(message).toMatchObject({
        model: 'claude-sonnet-5-5',
        stop_reason: 'tool_use',
        content: [
          { type: 'text', text: 'Let me look.' },
          { type: 'tool_use', name: 'weather', input: { city: 'Köln' } },
        ],
        usage: { input_tokens: 30, cache_read_input_tokens: 20, output_tokens: 9 },
      })
      expect(response.headers.get('x-relay-model')).toBe('m-1')
      const [sent] = upstreams[0]!.requests
      expect(sent).toMatchObject({ path, headers: { authorization: 'Bearer sk-upstream-1-0123456789' } })
      expect(Object.keys(sent!.headers).filter((name) => name.startsWith('anthropic'))).toEqual([])
      expect(jsonOf(sent!)).toMatchObject({ model: 'm-1', stream: true })
      const [row] = await relay.rows()
      expect(row).toMatchObject({
        outcome: 'completed',
        platform,
        model_requested: 'claude-sonnet-5-5',
        usage_source: 'final',
        input_tokens: 30,
        cache_read_tokens: 20,
        output_tokens: 9,
      })
    }))

  test(`an account of the platform ${platform} serves a message that is not streamed`, () =>
    withAccounts([account], async ({ client }) => {
      expect(await client.messages.create({ ...question, tools })).toMatchObject({
        model: 'claude-sonnet-5-5',
        stop_reason: 'tool_use',
        content: [{ text: 'Let me look.' }, { input: { city: 'Köln' } }],
      })
    }))

  test(`a limited account of the platform ${platform} is passed over`, () =>
    withAccounts(
      [
        {
          ...account,
          answer: openaiRefusal(
            429,
            { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' },
            { 'retry-after': '30' },
          ),
        },
        account,
      ],
      async ({ client, relay }) => {
        expect(await client.messages.create(question)).toMatchObject({ stop_reason: 'tool_use' })
        expect((await relay.attempts()).map(({ outcome }) => outcome)).toEqual(['limited', 'answer'])
      },
    ))
}

test('a prompt that is too long for an upstream is refused in the words that Claude Code acts on', () =>
  withAccounts(
    [
      {
        platform: 'openai',
        answer: openaiRefusal(400, {
          code: 'context_length_exceeded',
          message:
            "This model's maximum context length is 128000 tokens. However, your messages resulted in 130500 tokens.",
        }),
      },
    ],
    async ({ client }) => {
      await expect(client.messages.create(question)).rejects.toMatchObject({
        status: 400,
        error: {
          error: { type: 'invalid_request_error', message: 'prompt is too long: 130500 tokens > 128000 maximum' },
        },
      })
    },
  ))

test('what an upstream refuses of a translated request is learnt from its first refusal, and remembered', () =>
  withAccounts(
    [
      {
        platform: 'openai',
        answer: async (exchange) => {
          if (exchange.json['max_tokens'] !== undefined)
            return openaiRefusal(400, {
              message:
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            })(exchange)
          if (exchange.json['stream_options'] !== undefined)
            return openaiRefusal(400, { message: 'Unrecognized request argument supplied: stream_options' })(exchange)
          if (exchange.json['user'] !== undefined)
            return openaiRefusal(422, { message: 'user: Extra inputs are not permitted' })(exchange)
          return chatAnswer()(exchange)
        },
      },
    ],
    async ({ client, upstreams, relay }) => {
      expect(await client.messages.stream(question).finalText()).toBe('Hello there')
      expect(upstreams[0]!.requests).toHaveLength(4)
      expect(await client.messages.stream(question).finalText()).toBe('Hello there')
      expect(upstreams[0]!.requests).toHaveLength(5)
      const [first] = await relay.rows()
      // Without usage of the upstream it is estimated, and the row says so.
      expect(first).toMatchObject({ outcome: 'completed', usage_source: 'estimated' })
      const [stored] = await relay.app.database.select('SELECT `flags` FROM `accounts`')
      expect(JSON.parse(String(stored![0]))).toEqual({
        maxTokensField: 'max_completion_tokens',
        streamOptions: false,
        omit: ['user'],
      })
    },
  ))

test('count_tokens of an account that cannot count is an estimate that says so', () =>
  withAccounts([{ platform: 'openai', answer: chatAnswer() }], async ({ client, upstreams }) => {
    const { data, response } = await client.messages
      .countTokens({ model: 'm', messages: [{ role: 'user', content: 'x'.repeat(4000) }] })
      .withResponse()
    expect(data.input_tokens).toBeGreaterThan(990)
    expect(data.input_tokens).toBeLessThan(1100)
    expect(response.headers.get('x-relay-count')).toBe('estimated')
    expect(upstreams[0]!.requests).toHaveLength(0)
  }))

test('what a format cannot express makes its account ineligible, and only when none is left the request is refused', async () => {
  const withThread = { ...question, thread: { type: 'continue', id: 't' } } as typeof question
  await withAccounts([{ platform: 'openai', answer: chatAnswer() }], async ({ client, upstreams }) => {
    await expect(client.messages.create(withThread)).rejects.toMatchObject({
      status: 400,
      error: { error: { message: expect.stringMatching(/^thread: /) } },
    })
    expect(upstreams[0]!.requests).toHaveLength(0)
  })
  await withAccounts(
    [
      { platform: 'openai', answer: chatAnswer() },
      {
        platform: 'console',
        answer: (exchange) =>
          exchange.respond(
            200,
            {},
            {
              type: 'message',
              role: 'assistant',
              model: 'm',
              content: [{ type: 'text', text: 'native' }],
              usage: { input_tokens: 1, output_tokens: 1 },
            },
          ),
      },
    ],
    async ({ client }) => {
      expect(await client.messages.create(withThread)).toMatchObject({ content: [{ text: 'native' }] })
    },
  )
})
