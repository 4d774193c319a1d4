import Anthropic, { APIError } from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Fields } from '../../server/upstreams/translate/untranslatable.ts'
import { createFakeUpstream, type FakeUpstream, type Script } from '../support/fake-upstream.ts'
import { type RelayApp, startRelayApp, testKey } from '../support/relay-app.ts'
import { brokenChatCases, chatCases } from '../upstreams/translate/chat-streams.ts'
import {
  brokenResponses,
  lateCalls,
  responsesContent,
  responsesStream,
} from '../upstreams/translate/responses-streams.ts'

// The helpers of Anthropic's SDK on every recorded stream of other formats, through the whole relay.

type Platform = 'openai' | 'codex'

const sendChat =
  (chunks: readonly unknown[]): Script =>
  async (exchange) => {
    await exchange.begin()
    for (const chunk of chunks) await exchange.write(`data: ${JSON.stringify(chunk)}\n\n`)
    await exchange.write('data: [DONE]\n\n')
    await exchange.end()
  }

const sendResponses =
  (events: readonly Fields[]): Script =>
  async (exchange) => {
    await exchange.begin()
    for (const event of events)
      await exchange.write(`event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`)
    await exchange.end()
  }

async function startStand(platform: Platform): Promise<{ upstream: FakeUpstream; relay: RelayApp }> {
  const upstream = await createFakeUpstream()
  return { upstream, relay: await startRelayApp({ accounts: [{ platform, url: upstream.url }] }) }
}

const question: Anthropic.MessageStreamParams = {
  model: 'claude-opus-5-5',
  max_tokens: 4096,
  thinking: { type: 'adaptive' },
  messages: [{ role: 'user', content: 'Hi' }],
}

const stream = (relay: RelayApp) =>
  new Anthropic({ baseURL: relay.base, apiKey: testKey, maxRetries: 0 }).messages.stream(question)

/** What every helper of the SDK tells of one stream. */
async function read(relay: RelayApp) {
  const told = stream(relay)
  const text: string[] = []
  const thinking: string[] = []
  const inputs: unknown[] = []
  const blocks: Anthropic.ContentBlock[] = []
  told.on('text', (delta) => text.push(delta))
  told.on('thinking', (delta) => thinking.push(delta))
  told.on('inputJson', (_delta, snapshot) => inputs.push(snapshot))
  told.on('contentBlock', (block) => blocks.push(block))
  const message = await told.finalMessage()
  return { message, text: text.join(''), thinking: thinking.join(''), inputs, blocks }
}

async function expectMessage(relay: RelayApp, content: readonly object[], stop: string): Promise<void> {
  const { message, text, thinking, inputs, blocks } = await read(relay)
  expect(message).toMatchObject({ type: 'message', role: 'assistant', model: question.model, stop_reason: stop })
  expect(message.content).toMatchObject(content)
  expect(blocks).toEqual(message.content)
  const joined = (field: 'text' | 'thinking') =>
    message.content.map((block) => (block as Partial<Record<typeof field, string>>)[field] ?? '').join('')
  expect(text).toBe(joined('text'))
  expect(thinking).toBe(joined('thinking'))
  for (const block of message.content) if (block.type === 'tool_use') expect(inputs).toContainEqual(block.input)
  expect(message.usage.input_tokens).toBeGreaterThan(0)
  expect(message.usage.output_tokens).toBeGreaterThan(0)
}

describe.each<[Platform, [name: string, script: Script, content: object[], stop: string][]]>([
  ['openai', chatCases.map(([name, chunks, content, stop]) => [name, sendChat(chunks), content, stop])],
  [
    'codex',
    [
      [
        'reasoning, text and a call',
        sendResponses(responsesStream),
        [{ type: 'thinking', thinking: 'First\n\nSecond' }, ...responsesContent.slice(1)],
        'tool_use',
      ],
      ...lateCalls.map((events, index): [string, Script, object[], string] => [
        `a call that comes late (${index})`,
        sendResponses(events),
        responsesContent.slice(2),
        'tool_use',
      ]),
    ],
  ],
])('%s', (platform, cases) => {
  let stand: Awaited<ReturnType<typeof startStand>>
  beforeAll(async () => {
    stand = await startStand(platform)
  })
  afterAll(async () => {
    await stand.relay.stop()
    await stand.upstream.close()
  })

  test.each(cases)('%s', async (_name, script, content, stop) => {
    stand.upstream.script(script)
    await expectMessage(stand.relay, content, stop)
  })
})

test.each<[string, Platform, Script]>([
  ...brokenChatCases.map(([name, chunks]): [string, Platform, Script] => [name, 'openai', sendChat(chunks)]),
  ...brokenResponses.map(([name, events]): [string, Platform, Script] => [name, 'codex', sendResponses(events)]),
])('%s is an error for the SDK, never an end in silence', async (_name, platform, script) => {
  const { upstream, relay } = await startStand(platform)
  onTestFinished(async () => {
    await relay.stop()
    await upstream.close()
  })
  upstream.scriptWhen(() => true, script)
  await expect(stream(relay).finalMessage()).rejects.toBeInstanceOf(APIError)
})
