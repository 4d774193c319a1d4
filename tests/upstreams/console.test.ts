import { expect, test } from 'vitest'
import type { Account } from '../../server/accounts/accounts.ts'
import { consoleUpstream, retryAfter } from '../../server/upstreams/console.ts'

const now = Date.UTC(2026, 10, 23, 12)

function judge(status: number, error: object | string = {}, headers: Record<string, string> = {}) {
  const body = Buffer.from(typeof error === 'string' ? error : JSON.stringify({ type: 'error', error }))
  return consoleUpstream.judge({ status, headers: new Map(Object.entries(headers)), body }, 'm', now)
}

test.each([
  ['https://api.anthropic.com', true],
  ['https://eu.api.anthropic.com', true],
  ['http://api.anthropic.com', false],
  ['https://api.anthropic.com.example.org', false],
  ['https://notanthropic.com', false],
  ['https://api.anthropic.com:8443', false],
  ['https://relay.example.org', false],
])('%s is the vendor: %s', (origin, isVendor) => {
  expect(consoleUpstream.isFirstParty({ origin } as Account)).toBe(isVendor)
})

test.each([400, 405, 409, 413, 422])("a %s is the request's own fault", (status) => {
  expect(judge(status, { type: 'invalid_request_error', message: 'prompt is too long: 9 tokens > 8 maximum' })).toEqual(
    {
      kind: 'caller',
      errorType: 'invalid_request_error',
    },
  )
})

test.each([
  { message: 'Your credit balance is too low to access the Anthropic API.' },
  { message: 'You have reached your specified API usage limits.' },
  { message: 'This organization has been disabled.' },
  { message: 'x', details: { error_code: 'organization_on_hold' } },
])("a 400 for the account's sake goes on to the next: %o", (error) => {
  expect(judge(400, { type: 'invalid_request_error', ...error })).toMatchObject({
    kind: 'refused',
    misconfigured: true,
    event: { kind: 'unfunded', untilMs: null },
  })
})

test.each([
  [404, { type: 'not_found_error', message: 'model: claude-x' }],
  [404, ''],
  [400, { type: 'invalid_request_error', message: 'Model claude-x does not exist' }],
  [400, { type: 'invalid_request_error', message: 'unsupported model' }],
] as const)(
  '%s that says the model is unknown: the next account, none rests, and it is passed on if last',
  (status, error) => {
    const verdict = judge(status, error)
    expect(verdict).toMatchObject({ kind: 'refused', passIfLast: true })
    expect(verdict.event).toBeUndefined()
  },
)

test('401 needs a login, 402 money, 403 rests the model only, "only for Claude Code" nothing', () => {
  expect(judge(401, { type: 'authentication_error' })).toMatchObject({
    event: { kind: 'login_needed' },
    misconfigured: true,
  })
  expect(judge(402)).toMatchObject({ event: { kind: 'unfunded', untilMs: null }, misconfigured: true })
  expect(judge(403)).toMatchObject({ kind: 'refused', event: { kind: 'limited', model: 'm', untilMs: now + 300_000 } })
  const only = judge(403, { message: 'This credential is only authorized for use with Claude Code' })
  expect(only).toEqual({ kind: 'refused', errorType: 'http_403' })
})

test('429: rests for as long as retry-after says, within a second and a day; half a minute where only limits are named', () => {
  const rest = (headers: Record<string, string>) => {
    const event = judge(429, { type: 'rate_limit_error' }, headers).event
    return event?.kind === 'limited' ? event.untilMs - now : undefined
  }
  expect(rest({ 'retry-after': '37' })).toBe(37_000)
  expect(rest({ 'retry-after': '0' })).toBe(1000)
  expect(rest({ 'retry-after': '999999999' })).toBe(86_400_000)
  expect(rest({ 'retry-after': new Date(now + 90_000).toUTCString() })).toBe(90_000)
  expect(rest({ 'anthropic-ratelimit-requests-remaining': '0' })).toBe(30_000)
  expect(rest({})).toBeUndefined()
})

test('429 for a spend limit is over at the first of the next month', () => {
  const verdict = judge(429, { type: 'rate_limit_error', details: { error_code: 'enforced_spend_limit_reached' } })
  expect(verdict.event).toMatchObject({ kind: 'unfunded', untilMs: Date.UTC(2026, 11, 1) })
})

test('an overloaded provider rests for seconds; errors of servers, redirects and odd successes count as failures', () => {
  expect(judge(529).event).toMatchObject({ kind: 'limited', untilMs: now + 3000 })
  for (const status of [201, 204, 301, 302, 307, 408, 500, 502, 503, 504]) {
    expect(judge(status)).toMatchObject({ kind: 'failing', event: { kind: 'failed' } })
  }
  expect(consoleUpstream.judgeEvent('rate_limit_error', now)).toMatchObject({
    kind: 'limited',
    event: { untilMs: now + 30_000 },
  })
  expect(consoleUpstream.judgeEvent('overloaded_error', now)).toMatchObject({
    kind: 'failing',
    event: { untilMs: now + 3000 },
  })
  expect(consoleUpstream.judgeEvent('api_error', now)).toMatchObject({ kind: 'failing', event: { kind: 'failed' } })
})

test('what an upstream writes never gets into a reason, only words that are identifiers', () => {
  for (const status of [400, 401, 402, 403, 404, 429, 500, 529]) {
    const verdict = judge(
      status,
      { type: 'the prompt: secret', message: 'secret', code: 'a secret' },
      { 'retry-after': '1' },
    )
    expect(JSON.stringify(verdict)).not.toContain('secret')
  }
  expect(judge(500, 'not json').errorType).toBe('http_500')
  expect(judge(500, '[1]').errorType).toBe('http_500')
  expect(judge(500, 'null').errorType).toBe('http_500')
})

test('retry-after is read in seconds and as a date, and nonsense is none', () => {
  expect(retryAfter('1.5', now)).toBe(1500)
  expect(retryAfter('-3', now)).toBe(0)
  expect(retryAfter(new Date(now - 5000).toUTCString(), now)).toBe(0)
  for (const value of [undefined, '', 'soon', 'NaN']) expect(retryAfter(value, now)).toBeNull()
})
