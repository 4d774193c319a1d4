import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { chatAnswer, openaiRefusal, responsesAnswer } from '../support/fake-openai.ts'
import { createFakeUpstream, type FakeUpstream, type Script } from '../support/fake-upstream.ts'
import { type RelayApp, startRelayApp, testKey } from '../support/relay-app.ts'

interface Stand {
  relay: RelayApp
  upstreams: FakeUpstream[]
  post(path: string, body: object | string, headers?: Record<string, string>): Promise<Response>
}

async function withAccounts(
  accounts: { platform: string; answer?: Script; [field: string]: unknown }[],
  use: (stand: Stand) => Promise<void>,
): Promise<void> {
  const upstreams = await Promise.all(accounts.map(() => createFakeUpstream()))
  for (const [index, { answer }] of accounts.entries()) if (answer) upstreams[index]!.scriptWhen(() => true, answer)
  const relay = await startRelayApp({
    accounts: accounts.map(({ answer: _answer, ...fields }, index) => ({
      url: upstreams[index]!.url,
      priority: index + 1,
      ...fields,
    })),
  })
  const post = (path: string, body: object | string, headers: Record<string, string> = {}) =>
    fetch(`${relay.app.url}/openai${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  try {
    await use({ relay, upstreams, post })
  } finally {
    await relay.stop()
    for (const upstream of upstreams) await upstream.close()
  }
}

/** What tests read of an event. */
interface Event {
  choices: { delta: { content?: string } }[]
  usage?: object
}

const dataOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as Event)

const chat = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }

test('a chat request goes to an account of its own format as it came, and its answer comes back as it came', () =>
  withAccounts([{ platform: 'openai', answer: chatAnswer() }], async ({ post, upstreams, relay }) => {
    const body = '{ "messages":[{"role":"user","content":"Hi"}],"model":"m", "vendor_field": 12345678901234567890 }'
    const response = await post('/v1/chat/completions', body)
    expect(await response.json()).toMatchObject({ id: 'chatcmpl-up', model: 'served-model', object: 'chat.completion' })
    expect(upstreams[0]!.requests[0]).toMatchObject({ path: '/v1/chat/completions', body: Buffer.from(body) })
    expect((await relay.rows())[0]).toMatchObject({ outcome: 'completed', input_tokens: 30, output_tokens: 9 })
  }))

test('usage of a chat stream is asked for by span, billed, and withheld from a client that did not ask for it', () =>
  withAccounts([{ platform: 'openai', answer: chatAnswer() }], async ({ post, upstreams, relay }) => {
    const body = '{"model":"m","stream":true,"messages":[]}'
    const text = await (await post('/v1/chat/completions', body)).text()
    expect(text).toContain('data: [DONE]')
    expect(dataOf(text).every((chunk) => chunk.usage === undefined && chunk.choices.length > 0)).toBe(true)
    expect(upstreams[0]!.requests[0]!.body.toString()).toBe(
      '{"stream_options":{"include_usage":true},"model":"m","stream":true,"messages":[]}',
    )
    const asking = '{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[]}'
    const asked = dataOf(await (await post('/v1/chat/completions', asking)).text())
    expect(asked.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 50 } })
    expect(upstreams[0]!.requests[1]!.body.toString()).toBe(asking)
    for (const row of await relay.rows()) expect(row).toMatchObject({ usage_source: 'final', output_tokens: 9 })
  }))

test('a responses request goes to an account of its own format as it came', () =>
  withAccounts([{ platform: 'codex', answer: responsesAnswer() }], async ({ post, upstreams, relay }) => {
    const body = '{"model":"m", "stream": true,"input":"Hi"}'
    const text = await (await post('/v1/responses', body)).text()
    expect(text).toContain('event: response.completed')
    expect(upstreams[0]!.requests[0]).toMatchObject({ path: '/v1/responses', body: Buffer.from(body) })
    expect((await relay.rows())[0]).toMatchObject({ outcome: 'completed', input_tokens: 30, output_tokens: 9 })
  }))

test('an account of the Anthropic format gets a translation of chat and responses requests', () =>
  withAccounts([{ platform: 'console', modelMapping: { m: 'claude-sonnet-5-5' } }], async ({ post, upstreams }) => {
    const whole = (await (await post('/v1/chat/completions', chat)).json()) as {
      choices: { message: { content: string } }[]
    }
    expect(whole).toMatchObject({ object: 'chat.completion', model: 'm', choices: [{ finish_reason: 'stop' }] })
    expect(whole.choices[0]!.message.content).toContain('word 0')
    const sent = JSON.parse(upstreams[0]!.requests[0]!.body.toString())
    expect(sent).toMatchObject({ model: 'claude-sonnet-5-5', max_tokens: expect.any(Number) })
    expect(upstreams[0]!.requests[0]).toMatchObject({ path: '/v1/messages' })
    const chunks = dataOf(await (await post('/v1/chat/completions', { ...chat, stream: true })).text())
    expect(chunks.map((chunk) => chunk.choices[0]!.delta.content ?? '').join('')).toContain('word 0')
    const events = dataOf(await (await post('/responses', { model: 'm', input: 'Hi', stream: true })).text())
    expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { model: 'm' } })
  }))

test('accounts of both OpenAI formats serve clients of the other one', () =>
  withAccounts([{ platform: 'codex', answer: responsesAnswer() }], async ({ post }) => {
    expect(await (await post('/v1/chat/completions', chat)).json()).toMatchObject({
      choices: [{ message: { content: 'Hello there' } }],
    })
  }))

test('a subscription never serves a translated request, whatever else fails', () =>
  withAccounts(
    [
      { platform: 'claude' },
      { platform: 'openai', answer: openaiRefusal(500, { message: 'down', type: 'server_error' }) },
    ],
    async ({ post, upstreams }) => {
      const response = await post('/v1/chat/completions', chat)
      expect(response.status).toBe(529)
      expect(await response.json()).toMatchObject({ error: { type: 'server_error', code: 'overloaded' } })
      expect(upstreams[0]!.requests).toHaveLength(0)
    },
  ))

test('rejections come in the error shape of OpenAI', () =>
  withAccounts([{ platform: 'openai', answer: chatAnswer() }], async ({ post, relay }) => {
    const wrongKey = await post('/v1/chat/completions', chat, { authorization: 'Bearer sk-wrong' })
    expect(wrongKey.status).toBe(401)
    expect(wrongKey.headers.get('x-should-retry')).toBe('false')
    expect(await wrongKey.json()).toEqual({
      error: {
        message: 'This API key is not known to this relay. Check OPENAI_API_KEY.',
        type: 'invalid_request_error',
        param: null,
        code: 'invalid_api_key',
      },
    })
    for (const [path, body, status] of [
      ['/v1/chat/completions', '{', 400],
      ['/v1/chat/completions', {}, 400],
      ['/v1/embeddings', chat, 404],
    ] as const) {
      const response = await post(path, body)
      expect(response.status).toBe(status)
      expect(await response.json()).toMatchObject({ error: { message: expect.any(String), param: null } })
    }
    expect(await relay.rows()).toEqual([])
  }))

test('a client that mixes fields of two formats is told which, where its request would have to be translated', async () => {
  const mixed = { ...chat, system: 'Be brief.' }
  await withAccounts([{ platform: 'console' }], async ({ post }) => {
    const response = await post('/v1/chat/completions', mixed)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { message: expect.stringMatching(/^system: /) } })
  })
  await withAccounts([{ platform: 'openai', answer: chatAnswer() }], async ({ post }) => {
    expect((await post('/v1/chat/completions', mixed)).status).toBe(200)
  })
})

test('a limited account is passed over, and a 429 never reaches the client as it came', () =>
  withAccounts(
    [
      { platform: 'openai', answer: openaiRefusal(429, { message: 'slow down', code: 'rate_limit_exceeded' }) },
      { platform: 'openai', answer: chatAnswer() },
    ],
    async ({ post, relay }) => {
      expect((await post('/v1/chat/completions', chat)).status).toBe(200)
      expect((await relay.attempts()).map(({ outcome }) => outcome)).toEqual(['limited', 'answer'])
    },
  ))

test('the models that a key can reach are listed in the shape of OpenAI', () =>
  withAccounts(
    [
      { platform: 'openai', models: ['glm-4.6', 'gpt-*'], answer: chatAnswer() },
      { platform: 'console', models: ['claude-haiku-4-5'] },
      { platform: 'claude', models: ['claude-opus-5-5'] },
    ],
    async ({ relay }) => {
      const get = async (path: string) => {
        const response = await fetch(`${relay.app.url}/openai${path}`, {
          headers: { authorization: `Bearer ${testKey}` },
        })
        return { status: response.status, json: (await response.json()) as { object?: string; data: { id: string }[] } }
      }
      const { json } = await get('/v1/models')
      expect(json.object).toBe('list')
      expect(json.data.map(({ id }) => id)).toEqual(['glm-4.6', 'claude-haiku-4-5'])
      expect((await get('/v1/models/GLM-4.6')).json).toMatchObject({ id: 'glm-4.6', object: 'model' })
      expect((await get('/v1/models/none')).status).toBe(404)
    },
  ))

test('client point 9: a WebSocket is refused with 426 at once, so that Codex goes on over HTTP', () =>
  withAccounts([{ platform: 'codex' }], async ({ relay }) => {
    const { port, hostname } = new URL(relay.app.url)
    const socket = connect(Number(port), hostname)
    socket.write(
      'GET /openai/v1/responses HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n' +
        'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text).toMatch(/^HTTP\/1\.1 426 /)
    expect(text).toContain('"error":{"message"')
  }))

test('the alias under which Claude Code lists a foreign model is asked for as that model', () =>
  withAccounts([{ platform: 'openai', models: ['glm-5.3'], answer: chatAnswer() }], async ({ relay, upstreams }) => {
    const headers = { authorization: `Bearer ${testKey}` }
    const list = (await (await fetch(`${relay.base}/v1/models`, { headers })).json()) as { data: object }
    expect(list.data).toMatchObject([{ id: 'claude-via-glm-5.3', display_name: 'glm-5.3' }])
    const response = await fetch(`${relay.base}/v1/messages`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ model: 'claude-via-glm-5.3', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }),
    })
    expect(await response.json()).toMatchObject({ type: 'message', model: 'claude-via-glm-5.3' })
    expect(response.headers.get('x-relay-model')).toBe('glm-5.3')
    expect(JSON.parse(upstreams[0]!.requests[0]!.body.toString())).toMatchObject({ model: 'glm-5.3' })
  }))
