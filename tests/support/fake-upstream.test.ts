import { Agent } from 'undici'
import { afterEach, expect, test } from 'vitest'
import { deferred } from './deferred.ts'
import { exchanged } from './exchanged.ts'
import * as scripts from './fake-scripts.ts'
import { createFakeUpstream, type FakeUpstreamOptions, type Script } from './fake-upstream.ts'
import { goldenStreams } from './golden-streams.ts'
import { encodeEvents } from './sse-fixtures.ts'
import { testCa } from './test-ca.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A fake upstream and a plain client for it. */
async function pair(options?: FakeUpstreamOptions) {
  const upstream = await createFakeUpstream(options)
  const agent = new Agent({ connect: { ca: testCa }, bodyTimeout: 0, headersTimeout: 0 })
  closers.push(
    () => upstream.close(),
    () => agent.destroy(),
  )
  const ask = (body: object, path = '/v1/messages') =>
    agent.request({ origin: upstream.url, path, method: 'POST', body: JSON.stringify(body) })
  /** The text before the end, and the error's code or 'end'. */
  async function until(body: object): Promise<{ text: string; end: string }> {
    const chunks: Buffer[] = []
    const text = () => Buffer.concat(chunks).toString()
    try {
      for await (const chunk of (await ask(body)).body) chunks.push(chunk as Buffer)
      return { text: text(), end: 'end' }
    } catch (error) {
      const { code, cause } = error as { code?: string; cause?: { code?: string } }
      return { text: text(), end: cause?.code ?? code ?? String(error) }
    }
  }
  return { upstream, ask, until, agent }
}

const stream = { model: 'claude-x', stream: true, messages: [] }
const events = (text: string) => [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name)

test('an unscripted message is answered by model and stream, and its usage is counted as it was sent', async () => {
  const { upstream, ask, until } = await pair()
  const json = (await (await ask({ model: 'claude-y' })).body.json()) as {
    model: string
    usage: Record<string, number>
  }
  const { text } = await until(stream)
  const delta = JSON.parse(/^data: (.*"message_delta".*)$/m.exec(text)?.[1] ?? '') as { usage: Record<string, number> }
  expect(json.model).toBe('claude-y')
  expect(events(text).at(0)).toBe('message_start')
  expect(events(text).at(-1)).toBe('message_stop')
  expect(upstream.totals.requests).toBe(2)
  expect(upstream.totals.tokens.output).toBe((json.usage['output_tokens'] ?? 0) + (delta.usage['output_tokens'] ?? 0))
  expect(upstream.totals.tokens.input).toBe((json.usage['input_tokens'] ?? 0) + (delta.usage['input_tokens'] ?? 0))
  expect(upstream.totals.byModel.get('claude-x')?.requests).toBe(1)
})

test('count_tokens, models, HEAD and unknown paths answer like the vendor and cost nothing', async () => {
  const { upstream, agent } = await pair()
  const at = (path: string, method: 'GET' | 'HEAD') => agent.request({ origin: upstream.url, path, method })
  const counted = await agent.request({
    origin: upstream.url,
    path: '/v1/messages/count_tokens?beta=true',
    method: 'POST',
    body: '{}',
  })
  expect(await counted.body.json()).toEqual({ input_tokens: expect.any(Number) })
  expect(await (await at('/v1/models', 'GET')).body.json()).toMatchObject({ data: expect.any(Array), has_more: false })
  expect(await (await at('/v1/models/claude-opus-5-5', 'GET')).body.json()).toMatchObject({ id: 'claude-opus-5-5' })
  expect((await at('/', 'HEAD')).statusCode).toBe(200)
  expect((await at('/v1/models/none', 'GET')).statusCode).toBe(404)
  expect(upstream.totals.requests).toBe(0)
})

test('golden streams arrive byte for byte, written byte by byte, over TLS', async () => {
  const { upstream, until } = await pair({ tls: true })
  for (const golden of Object.values(goldenStreams())) {
    const lineEnd = golden.name === 'crlf' ? '\r\n' : '\n'
    upstream.script((exchange) => exchange.sse(golden.events, { lineEnd, splitAt: [97, 1] }))
    expect(await until(stream), golden.name).toEqual({ text: golden.bytes.toString(), end: 'end' })
  }
})

test('a stream waits at its gates', async () => {
  const { upstream, ask } = await pair()
  const [first, second] = [deferred(), deferred()]
  const golden = goldenStreams().text
  upstream.script((exchange) => exchange.sse(golden.events, { pace: (write) => [first, second][write]?.promise }))
  const reading = (await ask(stream)).body[Symbol.asyncIterator]()
  const step = reading.next()
  expect(await Promise.race([step, new Promise((resolve) => setImmediate(resolve, 'waiting'))])).toBe('waiting')
  first.resolve()
  expect(events(String((await step).value))).toEqual(['message_start'])
  second.resolve()
})

const endings: [string, Script, { events?: (string | undefined)[]; end: string }][] = [
  ['a reset before the head', scripts.resetBeforeHeaders, { events: [], end: 'ECONNRESET' }],
  ['a reset after one event', scripts.resetAfterEvents(1), { events: ['message_start'], end: 'ECONNRESET' }],
  ['a reset inside an event', scripts.resetAfterBytes(100), { end: 'ECONNRESET' }],
  ['a FIN inside the body', scripts.endWithoutStop(true), { end: 'UND_ERR_SOCKET' }],
  ['an end without message_stop', scripts.endWithoutStop(), { end: 'end' }],
  ['an error first', scripts.errorFirst(), { events: ['error'], end: 'end' }],
  [
    'an error after two events',
    scripts.errorAfterEvents(2),
    { events: ['message_start', 'content_block_start', 'error'], end: 'end' },
  ],
]

test.each([false, true].flatMap((tls) => endings.map((ending) => [tls, ...ending] as const)))(
  'with TLS %s, %s looks like that to the client',
  async (tls, _name, script, expected) => {
    const { upstream, until } = await pair({ tls })
    upstream.script(script)
    const { text, end } = await until(stream)
    expect(end).toBe(expected.end)
    if (expected.events) expect(events(text)).toEqual(expected.events)
    expect(text).not.toContain('message_stop')
    expect(upstream.totals.requests).toBe(0)
  },
)

const wholes: [string, Script, RegExp][] = [
  ['a captive portal', scripts.htmlPage, /^<!doctype html>/],
  ['a wrong content-type', scripts.wrongContentType('text/plain'), /event: message_stop/],
  ['a bad JSON line', scripts.badJsonLine, /^data: \{"type":"content_block_delta","index":0,$/m],
  ['a huge event', scripts.hugeEvent(3_000_000), /x{3000000}/],
  ['a tool call', scripts.toolUse('Read', { file_path: '/tmp/é🙂' }), /"stop_reason":"tool_use"/],
  ['negative usage', scripts.strangeUsage({ output_tokens: -1 }), /"output_tokens":-1/],
  ['absent usage', scripts.strangeUsage(undefined), /message_delta(?!.*usage)/],
]

test.each(wholes)('%s arrives whole', async (_name, script, pattern) => {
  const { upstream, until } = await pair()
  upstream.script(script)
  const { text, end } = await until(stream)
  expect(end).toBe('end')
  expect(text).toMatch(pattern)
})

test('a reset after 100 bytes delivers 100 bytes', async () => {
  const { upstream, until } = await pair()
  upstream.script(scripts.resetAfterBytes(100))
  expect((await until(stream)).text).toHaveLength(100)
})

test('it tells when the client went away: before the head, in the middle, and not when all was read', async () => {
  const { upstream, agent } = await pair()
  for (const script of [scripts.hangBeforeHeaders, scripts.hangAfterHeaders, scripts.hangAfterEvents(2)]) {
    const abort = new AbortController()
    upstream.script(script)
    const asked = agent
      .request({
        origin: upstream.url,
        path: '/v1/messages',
        method: 'POST',
        body: JSON.stringify(stream),
        signal: abort.signal,
      })
      .then(({ body }) => body.text())
      .catch(() => 'aborted')
    const { closed } = await upstream.arrived(upstream.requests.length)
    abort.abort()
    expect(await closed).toBe('aborted')
    await asked
  }
  await exchanged(agent.compose(toOrigin(upstream.url)), '/v1/models')
  expect(await upstream.requests.at(-1)?.closed).toBe('finished')
})

const toOrigin = (origin: string) => (dispatch: Agent['dispatch']) =>
  ((options, handler) => dispatch({ ...options, origin }, handler)) as Agent['dispatch']

test('scripts by predicate come before the queue and can be taken back', async () => {
  const { upstream, ask } = await pair()
  const status = async (model: string) => {
    const { statusCode, body } = await ask({ model })
    await body.dump()
    return statusCode
  }
  const undo = upstream.scriptWhen(({ body }) => body.includes('bad'), scripts.refusal(529, 'overloaded_error'))
  upstream.script(scripts.refusal(429, 'rate_limit_error', 'slow down', { 'retry-after': '37' }))
  expect([await status('bad'), await status('good'), await status('good')]).toEqual([529, 429, 200])
  undo()
  expect(await status('bad')).toBe(200)
})

test('compressed answers decode to correct ones, and close throws the error of a script', async () => {
  const { upstream, agent } = await pair()
  upstream.script(scripts.compressed('gzip'))
  const answer = await fetch(`${upstream.url}/v1/messages`, { method: 'POST', body: JSON.stringify(stream) })
  expect(events(await answer.text()).at(-1)).toBe('message_stop')
  expect(upstream.totals.requests).toBe(1)
  upstream.script(() => {
    throw new Error('a mistake')
  })
  const failed = await agent.request({ origin: upstream.url, path: '/', method: 'GET' })
  await failed.body.dump()
  await expect(upstream.close()).rejects.toThrow('a mistake')
  closers.splice(0, 1)
})

test('the golden streams say about themselves what their bytes say', () => {
  for (const golden of Object.values(goldenStreams())) {
    const text = golden.bytes.toString()
    expect(events(text.replaceAll('\r', ''))).toEqual(golden.events.map(({ event }) => event))
    expect(text.includes('message_stop')).toBe(golden.complete)
    if (golden.complete) expect(text).toContain(`"output_tokens":${golden.tokens.output}`)
  }
  expect(encodeEvents(goldenStreams().crlf.events, '\r\n').equals(goldenStreams().crlf.bytes)).toBe(true)
})
