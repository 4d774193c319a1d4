import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Format } from '../../server/upstreams/format.ts'
import { deferred } from '../support/deferred.ts'
import type { Exchange } from '../support/fake-exchange.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { readWellFormed } from '../upstreams/translate/well-formed.ts'
import { keyOf, type Pools, startPools } from './pools.ts'

/** An upstream that breaks its own format after content has begun, in front of clients of the other formats. */

type Name = Format['name']

const platforms: Record<Name, string> = { anthropic: 'console', chat: 'openai', responses: 'codex' }
const asked: Record<Name, { path: string; body: object }> = {
  anthropic: { path: '/claude-code/v1/messages', body: { max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] } },
  chat: { path: '/openai/v1/chat/completions', body: { messages: [{ role: 'user', content: 'Hi' }] } },
  responses: { path: '/openai/v1/responses', body: { input: 'Hi' } },
}

const named = (...events: ({ type: string } & Record<string, unknown>)[]): string =>
  events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
const data = (...chunks: object[]): string => chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')
const delta = (fields: object, finish: string | null = null) => ({
  model: 'm',
  choices: [{ index: 0, delta: fields, finish_reason: finish }],
})
const call = (args: string) => delta({ tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: args } }] })

/** Content that fixes the account. */
const begun: Record<Name, string> = {
  anthropic: named(
    {
      type: 'message_start',
      message: { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], usage: { input_tokens: 3 } },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } },
  ),
  chat: data(delta({ role: 'assistant', content: 'Hello' })),
  responses: named(
    { type: 'response.created', response: { model: 'm' } },
    { type: 'response.output_item.added', output_index: 0, item: { type: 'message', content: [] } },
    { type: 'response.output_text.delta', output_index: 0, delta: 'Hello' },
  ),
}
const overloaded = { type: 'server_error', code: 'overloaded', message: 'boom' }

interface Broken {
  does: string
  rest?: string
  last: 'end' | 'hang' | 'reset' | 'fin'
  /** What the client's stream ends with; an error where it is not said. */
  end?: 'success'
}

const ways: Broken[] = [
  { does: 'falls silent', last: 'hang' },
  { does: 'resets the connection', last: 'reset' },
  { does: 'closes the connection within the body', last: 'fin' },
]
const broken: Record<Name, Broken[]> = {
  anthropic: [
    ...ways,
    { does: 'ends without message_stop', last: 'end' },
    { does: 'tears an event', rest: 'event: content_block_delta\ndata: {"type":"content_bl', last: 'end' },
    { does: 'sends an error and falls silent', rest: named({ type: 'error', error: overloaded }), last: 'hang' },
    {
      does: 'goes on after an error',
      rest: named({ type: 'error', error: overloaded }, { type: 'message_stop' }),
      last: 'end',
    },
    {
      does: 'sends a delta of a block that never began',
      rest: named({ type: 'content_block_delta', index: 4, delta: { type: 'text_delta', text: 'x' } }),
      last: 'end',
    },
    {
      does: 'falls silent behind its last event',
      rest: named({ type: 'content_block_stop', index: 0 }, { type: 'message_stop' }),
      last: 'hang',
      end: 'success',
    },
  ],
  chat: [
    ...ways,
    { does: 'ends within the arguments of a call', rest: data(call('{"x":')), last: 'end' },
    {
      does: 'sends arguments that are no JSON',
      rest: `${data(call('{"x":1}}'), delta({}, 'tool_calls'))}data: [DONE]\n\n`,
      last: 'end',
    },
    { does: 'sends a call without a name', rest: data(delta({ tool_calls: [{ index: 0, id: 'c' }] })), last: 'end' },
    { does: 'sends an error and falls silent', rest: data({ error: overloaded }), last: 'hang' },
    { does: 'goes on after an error', rest: `${data({ error: overloaded })}data: [DONE]\n\n`, last: 'end' },
    { does: 'ends without a finish_reason', last: 'end', end: 'success' },
    {
      does: 'never sends [DONE] and holds the connection',
      rest: data(delta({}, 'stop')),
      last: 'hang',
      end: 'success',
    },
  ],
  responses: [
    ...ways,
    { does: 'ends without its last event', last: 'end' },
    { does: 'fails', rest: named({ type: 'response.failed', response: { error: overloaded } }), last: 'hang' },
    { does: 'sends an error and falls silent', rest: named({ ...overloaded, type: 'error' }), last: 'hang' },
    {
      does: 'goes on after an error',
      rest: named(
        { type: 'response.failed', response: { error: overloaded } },
        { type: 'response.completed', response: {} },
      ),
      last: 'end',
    },
    {
      does: 'sends arguments that are no JSON',
      rest: named(
        {
          type: 'response.output_item.done',
          output_index: 1,
          item: { type: 'function_call', call_id: 'c', name: 'f', arguments: '{"x":1}}' },
        },
        { type: 'response.completed', response: {} },
      ),
      last: 'end',
    },
    {
      does: 'falls silent behind its last event',
      rest: named({ type: 'response.completed', response: {} }),
      last: 'hang',
      end: 'success',
    },
  ],
}

const names = Object.keys(broken) as Name[]
let upstream: FakeUpstream
let relay: Pools
/** The client has the content of the running request: the upstream goes on. */
let contentSeen: () => void = () => {}

const ends: Record<Broken['last'], (exchange: Exchange) => Promise<void>> = {
  end: (exchange) => exchange.end(),
  hang: (exchange) => exchange.hang(),
  reset: (exchange) => exchange.reset(),
  fin: (exchange) => exchange.fin(),
}

beforeAll(async () => {
  upstream = await createFakeUpstream()
  for (const name of names)
    for (const [index, { rest = '', last }] of broken[name].entries())
      upstream.scriptWhen(
        ({ body }) => body.includes(`"${name}-${index}"`),
        async (exchange) => {
          const seen = deferred<void>()
          contentSeen = seen.resolve
          await exchange.begin()
          await exchange.write(begun[name])
          await seen.promise
          await exchange.write(rest)
          await ends[last](exchange)
        },
      )
  relay = await startPools(
    Object.fromEntries(names.map((name) => [name, [{ url: upstream.url, platform: platforms[name] }]])),
  )
})
afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

for (const name of names)
  for (const client of names.filter((one) => one !== name))
    describe(`a ${client} client, while the ${name} upstream`, () => {
      test.each(broken[name].map((one, index) => [one.does, one.end ?? 'error', index] as const))(
        '%s, gets a well-formed stream that ends in one %s',
        async (_does, end, index) => {
          const { path, body } = asked[client]
          const response = await fetch(`${relay.app.url}${path}`, {
            method: 'POST',
            headers: { authorization: `Bearer ${keyOf(name)}`, 'content-type': 'application/json' },
            body: JSON.stringify({ model: `${name}-${index}`, stream: true, ...body }),
          })
          expect(response.status).toBe(200)
          let text = ''
          for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
            text += Buffer.from(bytes).toString('utf8')
            if (text.includes('Hello')) contentSeen()
          }
          expect(readWellFormed(client, text).end).toBe(end)
          const [row] = (await relay.rows()).filter((one) => one['model_requested'] === `${name}-${index}`).slice(-1)
          expect(row).toMatchObject({ outcome: end === 'success' ? 'completed' : 'failed' })
        },
      )
    })
