import { expect, test } from 'vitest'
import type { Account } from '../../server/accounts/account.ts'
import {
  AnswerHeaders,
  type RequestHeaders,
  readRequestHeaders,
  upstreamLines,
} from '../../server/relay/request/headers.ts'
import { accountOf } from './some-account.ts'

const account = accountOf()
/** Names and values of the lines that go up. */
function upstreamHeaders(headers: RequestHeaders, to: Account, dropTags: boolean): string[] {
  const lines = upstreamLines(headers, to, dropTags).split('\r\n')
  expect(lines.pop()).toBe('')
  return lines.flatMap((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)])
}

const up = (raw: string[], connection?: string) => upstreamHeaders(readRequestHeaders(raw, connection), account, false)

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

test('what Connection names does not go up, but what is made here does', () => {
  const list = up(
    ['X-Hop', '1', 'anthropic-version', '2031-01-01', 'X-Kept', '1'],
    'close, x-hop, ANTHROPIC-VERSION, authorization',
  )
  expect(list).toEqual([
    'X-Kept',
    '1',
    'anthropic-version',
    '2023-06-01',
    'accept-encoding',
    'identity',
    'authorization',
    'Bearer sk-upstream-secret',
  ])
})

test('a version that came stays the only one, and the credential goes where the account wants it', () => {
  const headers = readRequestHeaders(['Anthropic-Version', '2026-10-21'], undefined)
  expect(upstreamHeaders(headers, accountOf({ authHeader: 'x-api-key' }), false)).toEqual([
    'Anthropic-Version',
    '2026-10-21',
    'accept-encoding',
    'identity',
    'x-api-key',
    'sk-upstream-secret',
  ])
})

test('the beta of tags is dropped with the tags, and only it', () => {
  const betas = (value: string) =>
    upstreamHeaders(readRequestHeaders(['anthropic-beta', value, 'anthropic-version', 'v'], undefined), account, true)
  expect(betas('one,experimental-claude-tag-2026-10-21, two')).toContain('one, two')
  expect(betas('experimental-claude-tag-2026-10-21')).not.toContain('anthropic-beta')
  expect(betas('one,two')).toContain('one,two')
})

test('one attempt leaves nothing behind for the next', () => {
  const headers = readRequestHeaders(['x-a', '1'], undefined)
  const first = upstreamHeaders(headers, accountOf({ secret: 'sk-first' }), false)
  const second = upstreamHeaders(headers, accountOf({ secret: 'sk-second' }), false)
  expect(first.join()).not.toContain('sk-second')
  expect(second.join()).not.toContain('sk-first')
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
  const answer = new AnswerHeaders(raw)
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
