import { expect, onTestFinished, test } from 'vitest'
import { createFakeUpstream } from '../support/fake-upstream.ts'
import { startRelayApp, testKey } from '../support/relay-app.ts'
import { smallBody } from './ingress-socket.ts'

const page = 'https://app.example.com'

async function open(env: Record<string, string>) {
  const upstream = await createFakeUpstream()
  const relay = await startRelayApp({ accounts: [{ url: upstream.url }], env })
  onTestFinished(async () => {
    await relay.stop()
    await upstream.close()
  })
  const send = (path: string, method: string, headers: Record<string, string>, body?: string) =>
    fetch(`${relay.app.url}${path}`, { method, headers, ...(body !== undefined && { body }) })
  return { relay, send }
}

const messages = '/claude-code/v1/messages'
const preflight = (origin: string) => ({
  origin,
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'anthropic-version,content-type,x-api-key,x-stainless-os',
})

test('a page of an origin in CORS_ORIGINS calls the relay: its preflight is answered, and responses and errors may be read', async () => {
  const { send } = await open({ CORS_ORIGINS: `${page}, http://localhost:5173` })
  const allowed = await send(messages, 'OPTIONS', preflight(page))
  expect(allowed.status).toBe(204)
  expect(Object.fromEntries(allowed.headers)).toMatchObject({
    'access-control-allow-origin': page,
    'access-control-allow-methods': 'GET, HEAD, POST',
    'access-control-allow-headers': 'anthropic-version,content-type,x-api-key,x-stainless-os',
    'access-control-max-age': '7200',
    vary: 'origin',
  })
  expect(allowed.headers.get('access-control-allow-credentials')).toBeNull()
  for (const [key, status] of [
    [testKey, 200],
    ['sk-wrong-0123456789abcdef', 401],
  ] as const) {
    const answer = await send(messages, 'POST', { origin: page, 'x-api-key': key }, smallBody())
    expect(answer.status).toBe(status)
    expect(answer.headers.get('access-control-allow-origin')).toBe(page)
    expect(answer.headers.get('access-control-expose-headers')).toBe('*')
    expect(answer.headers.get('content-type')).toBe('application/json')
  }
})

test('pages of other origins get no such word, and GraphQL never gives one', async () => {
  const { send } = await open({ CORS_ORIGINS: page })
  for (const [path, origin] of [
    [messages, 'https://app.example.com.evil.example'],
    [messages, 'null'],
    ['/graphql', page],
  ] as const) {
    const answer = await send(path, 'OPTIONS', preflight(origin))
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  }
})

test('without CORS_ORIGINS no page of another origin may call; with * every one may', async () => {
  const closed = await open({})
  const refused = await closed.send(messages, 'OPTIONS', preflight(page))
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([404, null])
  const opened = await open({ CORS_ORIGINS: '*' })
  const allowed = await opened.send(messages, 'OPTIONS', preflight(page))
  expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, page])
})

test('browsers are told to stay with https when PUBLIC_URL is https, and only then', async () => {
  for (const [env, told] of [
    [{ PUBLIC_URL: 'https://relay.example' }, 'max-age=31536000'],
    [{ PUBLIC_URL: 'http://relay.example' }, null],
    [{}, null],
  ] as [Record<string, string>, string | null][]) {
    const { send } = await open(env)
    const answer = await send('/graphql', 'POST', { 'content-type': 'application/json' }, '{"query":"{ __typename }"}')
    expect([answer.status, answer.headers.get('strict-transport-security')]).toEqual([200, told])
  }
})
