import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { noTokens } from '../../server/money/reading.ts'
import { createFakeUpstream, type FakeUpstream } from '../support/fake-upstream.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'
import { type RelayApp, startRelayApp, testKey } from '../support/relay-app.ts'
import { encodeEvents, messageDelta, messageStart, messageStop, textBlock } from '../support/sse-fixtures.ts'
import { openRaw, postOf, smallBody } from './ingress-socket.ts'

let upstream: FakeUpstream
let relay: RelayApp

beforeAll(async () => {
  upstream = await createFakeUpstream()
  relay = await startRelayApp({ accounts: [{ url: upstream.url, authHeader: 'x-api-key' }] })
})

afterAll(async () => {
  await relay.stop()
  await upstream.close()
})

beforeEach(() => {
  upstream.requests.length = 0
})

/** What went up of a request with these header lines: name in lower case, value. */
async function upward(lines: readonly string[], path?: string): Promise<[string, string][]> {
  const raw = await openRaw(relay.base)
  const body = smallBody()
  raw.send(path ? postOf(body, lines).replace('/claude-code/v1/messages', path) : postOf(body, lines))
  expect((await raw.answer()).status).toBe(200)
  raw.socket.destroy()
  const { rawHeaders } = upstream.requests[0]!
  return rawHeaders.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1]!]] : [],
  )
}

const secrets = [
  `X-API-Key: ${testKey}`,
  'API-KEY: sk-client-leak',
  'X-Goog-Api-Key: sk-client-leak',
  'Cookie: session=client-leak',
  'Proxy-Authorization: Basic client-leak',
  'Anthropic-Workspace-Id: client-leak',
  'Anthropic-User-Profile-Id: client-leak',
]
const whereFrom = [
  'X-Forwarded-For: 1.2.3.4',
  'X-Forwarded-Host: spoofed.example',
  'X-FORWARDED-PROTO: https',
  'Forwarded: for=1.2.3.4',
  'Via: 1.1 spoofed',
  'X-Real-IP: 1.2.3.4',
  'True-Client-IP: 1.2.3.4',
  'CF-Connecting-IP: 1.2.3.4',
  'Origin: https://spoofed.example',
  'Referer: https://spoofed.example/',
  'Sec-Fetch-Mode: cors',
  'Anthropic-Dangerous-Direct-Browser-Access: true',
]
const hopByHop = [
  'Keep-Alive: timeout=5',
  'TE: trailers',
  'Trailer: X-End',
  'Proxy-Connection: keep-alive',
  'Accept-Encoding: br, zstd',
]

const letterCases: [string, (line: string) => string][] = [
  ['as written', (line) => line],
  ['in lower case', (line) => line.replace(/^[^:]+/, (name) => name.toLowerCase())],
  ['in capitals', (line) => line.replace(/^[^:]+/, (name) => name.toUpperCase())],
]

test.each(letterCases)('fault 10: credentials, hop-by-hop and spoofed headers stay here (%s)', async (_name, cased) => {
  const lines = [...secrets, ...whereFrom, ...hopByHop].map(cased)
  const sent = await upward([...lines, 'X-Kept: yes'])
  const names = sent.map(([name]) => name)
  const values = sent.map(([, value]) => value).join('\n')
  expect(values).not.toContain('leak')
  expect(values).not.toContain('spoofed')
  expect(values).not.toContain('1.2.3.4')
  expect(values).not.toContain(testKey)
  for (const gone of ['authorization', 'te', 'trailer', 'keep-alive', 'proxy-connection', 'cookie', 'via']) {
    expect(names).not.toContain(gone)
  }
  // Exactly one of each that is made here, whatever came.
  const own = (name: string) => sent.filter(([found]) => found === name).map(([, value]) => value)
  expect(own('x-api-key')).toEqual(['sk-upstream-1-0123456789'])
  expect(own('host')).toEqual([new URL(upstream.url).host])
  expect(own('accept-encoding')).toEqual(['identity'])
  expect(own('content-length')).toEqual([String(smallBody().length)])
  expect(own('x-kept')).toEqual(['yes'])
})

test('fault 10: what Connection names stays here too, and cannot take the credential of the account away', async () => {
  const sent = await upward([
    'Connection: keep-alive, X-Api-Key, X-Hop , X-UPPER-HOP',
    'Connection: X-Second-Hop',
    'X-Hop: 1',
    'x-upper-hop: 1',
    'X-Second-Hop: 1',
    'X-Kept: 1',
  ])
  const names = sent.map(([name]) => name)
  for (const hop of ['x-hop', 'x-upper-hop', 'x-second-hop']) expect(names).not.toContain(hop)
  expect(names).toContain('x-kept')
  expect(sent).toContainEqual(['x-api-key', 'sk-upstream-1-0123456789'])
})

test('fault 10: a body in chunks goes up with its length, without transfer-encoding', async () => {
  const body = smallBody()
  const sending = request(`${relay.base}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': testKey, 'transfer-encoding': 'chunked', trailer: 'x-api-key' },
  })
  sending.write(body.slice(0, 10))
  sending.addTrailers({ 'x-api-key': 'sk-client-leak' })
  sending.end(body.slice(10))
  const [response] = (await once(sending, 'response')) as [import('node:http').IncomingMessage]
  expect(response.statusCode).toBe(200)
  response.resume()
  const [seen] = upstream.requests
  expect(seen?.headers['content-length']).toBe(String(body.length))
  expect(seen?.headers['transfer-encoding']).toBeUndefined()
  expect(seen?.body.toString()).toBe(body)
  expect(seen?.rawHeaders.join()).not.toContain('leak')
})

test('client point 13: query, version, betas, unknown headers and unknown fields go up as they came', async () => {
  const kept = [
    'anthropic-version: 2026-10-21',
    'anthropic-beta: claude-code-20250219,never-heard-of-2031-01-01',
    'anthropic-future: 1',
    'User-Agent: claude-cli/2.1.330 (external, sdk-cli)',
    'X-App: cli',
    'X-Stainless-Retry-Count: 0',
    'X-Claude-Code-Session-Id: 5a0e',
    'x-claude-code-agent-id: a1',
    'x-team: blue',
    'x-team: green',
    'x-latin: caf\xe9',
  ]
  const raw = await openRaw(relay.base)
  const body = smallBody({ unknown_field: { deep: [1.0, 1e2, '\u{1f642}'] } }).replace('"unknown', ' "unknown')
  const target = '/claude-code/v1/messages?beta=true&x=%20a&x='
  raw.send(
    Buffer.from(
      postOf('', kept)
        .replace('/claude-code/v1/messages', target)
        .replace('Content-Length: 0', `Content-Length: ${Buffer.byteLength(body)}`),
      'latin1',
    ),
  )
  raw.send(body)
  expect((await raw.answer()).status).toBe(200)
  raw.socket.destroy()
  const [seen] = upstream.requests
  expect(seen?.path).toBe('/v1/messages?beta=true&x=%20a&x=')
  expect(seen?.body.toString()).toBe(body)
  const lines = seen!.rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [`${name}: ${seen!.rawHeaders[index + 1]}`] : [],
  )
  expect(lines.filter((line) => kept.includes(line))).toEqual(kept)
})

test('client point 13: a client without anthropic-version gets one, and no other header is invented', async () => {
  const sent = await upward([])
  expect(sent.map(([name]) => name).sort()).toEqual(
    [
      'accept-encoding',
      'anthropic-version',
      'connection',
      'content-length',
      'content-type',
      'host',
      'x-api-key',
    ].sort(),
  )
  expect(sent).toContainEqual(['anthropic-version', '2023-06-01'])
})

test('client point 13: a base URL that ends in /v1 reaches the same route', async () => {
  await upward([], '/claude-code/v1/v1/messages?beta=true')
  expect(upstream.requests[0]?.path).toBe('/v1/messages?beta=true')
})

test('fault 11: emoji cut at every byte, in the request and in the answer, arrive as they were', async () => {
  const text = '🙂你好é👩‍👩‍👧 '
  const events = [
    messageStart('claude-opus-5-5', noTokens),
    ...textBlock(0, [text, text]),
    messageDelta('end_turn', { output_tokens: 5 }),
    messageStop,
  ]
  const sha = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')
  const body = smallBody({ stream: true, system: text })
  const towardsUpstream = await createFaultProxy({ target: upstream.url })
  // Thousands of turns of the loop, on a machine that may be busy: no deadline is part of this.
  const patient = { firstByteStreamMs: 20_000, idleMs: 20_000, pingMs: 20_000, commitMs: 20_000, closeMs: 20_000 }
  const sliced = await startRelayApp({ accounts: [{ url: towardsUpstream.url }], timers: patient })
  const towardsRelay = await createFaultProxy({ target: sliced.app.url })
  for (const proxy of [towardsUpstream, towardsRelay]) {
    proxy.set('toUpstream', { sliceBytes: 1 })
    proxy.set('toClient', { sliceBytes: 1 })
  }
  try {
    upstream.script((exchange) => exchange.sse(events, { splitAt: [1] }))
    const response = await fetch(`${towardsRelay.url}/claude-code/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': testKey },
      body,
    })
    expect(sha(Buffer.from(await response.arrayBuffer()))).toBe(sha(encodeEvents(events)))
    expect(sha(upstream.requests[0]!.body)).toBe(sha(body))
  } finally {
    await sliced.stop()
    await towardsRelay.close()
    await towardsUpstream.close()
  }
})
