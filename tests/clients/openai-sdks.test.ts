import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { type RelayApp, startRelayApp } from '../support/relay-app.ts'
import { packages } from './claude-code.ts'
import { type PlatformName, platforms, serveToolTurns } from './tool-turns.ts'

// biome-ignore lint/suspicious/noExplicitAny: two major versions of one SDK, installed apart from the relay's own packages
type Client = any

const model = 'gpt-5'
const prompt = 'What flies at noon?'
const messages = [{ role: 'user', content: prompt }]
const parameters = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] }
const tool = { type: 'function', function: { name: 'read_note', description: 'Reads', parameters } }

/** A tool that the SDK itself runs, and what it was asked for. */
function runnableTool() {
  const asked: unknown[] = []
  const read = (input: unknown) => {
    asked.push(input)
    return 'the pelican flies at noon'
  }
  return { asked, tool: { type: 'function', function: { ...tool.function, parse: JSON.parse, function: read } } }
}

/** Ways to ask; each gives the calls of tools that it saw, and the last text. Answers that call no tool have results before. */
const ways: Record<string, (client: Client) => Promise<{ inputs: unknown[]; text?: string }>> = {
  async 'chat, as a whole'(client) {
    const { choices, usage } = await client.chat.completions.create({ model, messages, tools: [tool] })
    expect(choices[0].finish_reason).toBe('tool_calls')
    expect(usage.total_tokens).toBeGreaterThan(0)
    return { inputs: choices[0].message.tool_calls.map((call: Client) => JSON.parse(call.function.arguments)) }
  },
  async 'chat, streamed'(client) {
    const options = { include_usage: true }
    const stream = await client.chat.completions.create({
      model,
      messages,
      tools: [tool],
      stream: true,
      stream_options: options,
    })
    const chunks: Client[] = []
    for await (const chunk of stream) chunks.push(chunk)
    expect(chunks.at(-1).usage.total_tokens).toBeGreaterThan(0)
    const calls = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])
    expect(calls[0].function.name).toBe('read_note')
    return { inputs: [JSON.parse(calls.map((call) => call.function.arguments ?? '').join(''))] }
  },
  async 'chat, with the runner of tools'(client) {
    const { asked, tool: runnable } = runnableTool()
    const text = await runnerOf(client)
      .runTools({ model, messages, tools: [runnable] })
      .finalContent()
    return { inputs: asked, text }
  },
  async 'chat, with the runner of tools, streamed'(client) {
    const { asked, tool: runnable } = runnableTool()
    const text = await runnerOf(client)
      .runTools({ model, messages, tools: [runnable], stream: true })
      .finalContent()
    return { inputs: asked, text }
  },
  async 'responses, as a whole'(client) {
    const tools = [{ type: 'function', strict: false, ...tool.function }]
    const first = await client.responses.create({ model, input: prompt, tools })
    const call = first.output.find(({ type }: Client) => type === 'function_call')
    const input = [
      { role: 'user', content: prompt },
      call,
      { type: 'function_call_output', call_id: call.call_id, output: 'the pelican flies at noon' },
    ]
    const last = await client.responses.create({ model, input, tools })
    expect(last.usage.total_tokens).toBeGreaterThan(0)
    return { inputs: [JSON.parse(call.arguments)], text: last.output_text }
  },
  async 'responses, streamed'(client) {
    const tools = [{ type: 'function', strict: false, ...tool.function }]
    const { output } = await client.responses.stream({ model, input: prompt, tools }).finalResponse()
    const call = output.find(({ type }: Client) => type === 'function_call')
    const input = [
      { role: 'user', content: prompt },
      { type: 'function_call', call_id: call.call_id, name: call.name, arguments: call.arguments },
      { type: 'function_call_output', call_id: call.call_id, output: 'the pelican flies at noon' },
    ]
    let text = ''
    for await (const event of await client.responses.create({ model, input, tools, stream: true }))
      if (event.type === 'response.output_text.delta') text += event.delta
    return { inputs: [JSON.parse(call.arguments)], text }
  },
}

/** Version 4 has it among the betas. */
const runnerOf = (client: Client): Client =>
  client.chat.completions.runTools ? client.chat.completions : client.beta.chat.completions

const versions = ['openai-6', 'openai-4'] as const
const cases = versions.flatMap((version) => Object.keys(ways).map((way): [string, string] => [version, way]))

describe.each<PlatformName>(['openai', 'codex', 'console'])(
  'over a %s account behind one that is limited',
  (platform) => {
    let limited: FakeUpstream
    let serving: FakeUpstream
    let relay: RelayApp

    // Each case has a group with two accounts of its own: for each the first one is limited anew.
    const groups = cases.map((_, index) => ({ name: `g${index}` }))
    const secretOf = (index: number) => `sk-case-${index}-0123456789abcdef`

    beforeAll(async () => {
      limited = await createFakeUpstream()
      serving = await createFakeUpstream()
      limited.scriptWhen(() => true, platforms[platform].limited)
      serveToolTurns(serving, platform, { name: 'read_note', input: { path: 'note.txt' } })
      relay = await startRelayApp({
        groups,
        accounts: groups.flatMap(({ name }) =>
          [limited, serving].map(({ url }, index) => ({
            name: `${name} ${index}`,
            platform,
            url,
            priority: index + 1,
            groups: [name],
          })),
        ),
        keys: groups.map(({ name }, index) => ({ name, secret: secretOf(index), group: name })),
      })
    })
    afterAll(async () => {
      await relay.stop()
      await limited.close()
      await serving.close()
    })

    test.each(cases)('%s: %s', async (version, way) => {
      const { default: OpenAI } = await import(pathToFileURL(join(packages, version, 'index.mjs')).href)
      const index = cases.findIndex((one) => one[0] === version && one[1] === way)
      const before = limited.requests.length
      const client = new OpenAI({ baseURL: `${relay.app.url}/openai/v1`, apiKey: secretOf(index), maxRetries: 0 })
      const { inputs, text = platforms[platform].lastWords } = await ways[way]!(client)
      expect(inputs).toEqual([{ path: 'note.txt' }])
      expect(text).toContain(platforms[platform].lastWords)
      expect(limited.requests).toHaveLength(before + 1)
      expect((await relay.rows()).every(({ outcome }) => outcome === 'completed')).toBe(true)
    })
  },
)
