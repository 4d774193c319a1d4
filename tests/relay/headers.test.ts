import { expect, test } from 'vitest'
import { readRequestHeaders } from '../../server/relay/request/headers.ts'
import { ResponseHeaders } from '../../server/relay/request/response-headers.ts'

const up = (raw: string[], connection?: string) => readRequestHeaders(raw, connection)

const stays = [
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'anthropic-workspace-id',
  'anthropic-user-profile-id',
  'host',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-length',
  'content-encoding',
  'accept-encoding',
  'anthropic-dangerous-direct-browser-access',
  'origin',
  'referer',
  'cookie',
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'fastly-client-ip',
  'x-forwarded-for',
  'x-forwarded-anything',
  'cf-ray',
  'cf-connecting-ip',
  'sec-fetch-site',
]

test.each(stays)('fault 10: %s does not go up, in any letters', (name) => {
  const mixed = name.replace(/(^|-)(.)/g, (letter) => letter.toUpperCase())
  for (const cased of [name, name.toUpperCase(), mixed]) {
    expect(up([cased, 'from the client']).join('\n')).not.toContain('from the client')
  }
})

test('everything else goes up in its order, with its letters, twice where it came twice', () => {
  const kept = ['User-Agent', 'claude-cli/2.1.330', 'X-Team', 'blue', 'x-team', 'green', 'anthropic-beta', 'a,b']
  expect(up(kept).slice(0, kept.length)).toEqual(kept)
})

test('what Connection names does not go up', () => {
  const list = up(
    ['X-Hop', '1', 'anthropic-version', '2031-01-01', 'X-Kept', '1'],
    'close, x-hop, ANTHROPIC-VERSION, authorization',
  )
  expect(list).toEqual(['X-Kept', '1'])
})

test('a client that invents header names does not grow a memory of them, nor change what is dropped', () => {
  for (let i = 0; i < 5000; i++) readRequestHeaders([`x-invented-${i}`, '1'], undefined)
  expect(up(['AuthorizatioN', 'from the client', 'X-New', '1']).slice(0, 2)).toEqual(['X-New', '1'])
})

test('of an answer only what is listed comes down; retry-after with errors alone', () => {
  const raw = [
    'Content-Type',
    'text/event-stream',
    'Request-Id',
    'req_1',
    'X-Should-Retry',
    'true',
    'Retry-After',
    '3600',
    'Set-Cookie',
    'a=b',
    'Server',
    'cloudflare',
    'anthropic-organization-id',
    'org',
    'anthropic-workspace-id',
    'w',
    'anthropic-ratelimit-unified-status',
    'allowed',
    'Content-Length',
    '5',
    'Transfer-Encoding',
    'chunked',
    'Content-Encoding',
    'GZIP',
    'cf-ray',
    'r',
    'x-request-id',
    'other',
    'date',
    'today',
  ]
  const answer = new ResponseHeaders(raw)
  expect(answer).toMatchObject({
    contentType: 'text/event-stream',
    contentEncoding: 'gzip',
    requestId: 'req_1',
  })
  expect(answer.forClient(false)).toEqual([
    'content-type',
    'text/event-stream',
    'request-id',
    'req_1',
    'x-should-retry',
    'true',
  ])
  expect(answer.forClient(true).slice(6)).toEqual(['retry-after', '3600'])
  expect(answer.all().get('anthropic-ratelimit-unified-status')).toBe('allowed')
})

test.each([
  ['too long', 'x'.repeat(20_000)],
  ['with a line break', 'req_1\r\nset-cookie: a=b'],
  ['with characters beyond ASCII', 'req_\u00a0\u4f59'],
])(
  'fault 57: a request id, content type or retry header of an upstream that is %s counts as absent',
  (_what, value) => {
    const names = ['request-id', 'content-type', 'x-should-retry', 'retry-after', 'retry-after-ms']
    const headers = new ResponseHeaders(names.flatMap((name) => [name, value]))
    expect([headers.requestId, headers.contentType, headers.forClient(true)]).toEqual(['', '', []])
  },
)
