import { expect, onTestFinished, test } from 'vitest'
import { createClassifier } from '../../server/upstreams/classify.ts'
import { createClaudeOauth } from '../../server/upstreams/platforms/claude/oauth.ts'
import { platforms } from '../../server/upstreams/platforms/platforms.ts'
import { createTransport } from '../../server/upstreams/transport/transport.ts'
import { createFakeUpstream } from '../support/fake-upstream.ts'

/** Errors, sets of headers and answers to renewals beside those of cases/, in other words of the same kinds. */

const nowMs = Date.UTC(2026, 10, 23, 12)
const { classify } = createClassifier({ platforms, rowsOf: (name) => platforms[name]!.errorRows })
type Platform = 'console' | 'claude'

function classified(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
  platform: Platform = 'console',
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = { status, headers: new Map(Object.entries(headers)), body: Buffer.from(text) }
  return classify({ platform }, response, 'claude-sonnet-5-5', nowMs)
}
const anthropic = (message: string, type = 'invalid_request_error') => ({ type: 'error', error: { type, message } })
const openai = (message: string, more: object = {}) => ({ error: { message, ...more } })

/** `request`: its own fault; `unsure`: counted once another account has served it; else what becomes of the account. */
type Becomes = 'request' | 'unsure' | 'none' | 'out_of_credit' | 'rate_limited' | 'login_needed' | 'failed'
const errors: readonly [what: string, status: number, body: unknown, becomes: Becomes][] = [
  ['a payment page', 402, '<html>Pay</html>', 'out_of_credit'],
  ['a suspended account', 400, anthropic('Your account has been suspended due to a payment failure.'), 'out_of_credit'],
  ['a balance in a 500', 500, openai('insufficient account balance'), 'out_of_credit'],
  ['a quota in a 503', 503, openai('Upstream quota exhausted', { type: 'upstream_error' }), 'out_of_credit'],
  ['an expired subscription', 403, openai('Your subscription has expired', { type: 'forbidden' }), 'out_of_credit'],
  ['a disabled key', 403, openai('The API key has been disabled', { type: 'forbidden' }), 'login_needed'],
  ['a sign-in page', 401, '<html>Sign in</html>', 'login_needed'],
  [
    'a mirror without a channel',
    503,
    openai('当前分组 default 下对于模型 claude-opus-5-5 无可用渠道', { type: 'new_api_error' }),
    'none',
  ],
  [
    'a mirror without a channel, in English',
    503,
    openai('No available channel for model x under group default'),
    'none',
  ],
  ['a country', 403, openai('Country, region, or territory not supported'), 'failed'],
  [
    'a scope',
    403,
    anthropic('OAuth token does not meet scope requirement user:inference', 'permission_error'),
    'failed',
  ],
  ['a limit in plain words', 429, { detail: 'Rate limit exceeded. Try again in 20 seconds' }, 'rate_limited'],
  ['a gateway', 502, '<html>502 Bad Gateway</html>', 'failed'],
  ['a lost path', 404, '<html>404 Not Found</html>', 'unsure'],
  ['a firewall', 406, 'Not Acceptable', 'unsure'],
  ['a field', 400, { errors: [{ field: 'model', message: 'bad' }] }, 'unsure'],
  ['a quoted balance', 400, anthropic("messages.0.content.0.text: 'Insufficient balance' is not allowed"), 'request'],
  [
    'a repeated plan',
    400,
    anthropic('messages.3: the weekly usage limit of this plan is reached, said the user'),
    'request',
  ],
  ['a context', 413, anthropic('Request exceeds the maximum size', 'request_too_large'), 'request'],
  ['a conflict', 409, anthropic('The thread is busy', 'conflict_error'), 'request'],
]

function becomesOf({ kind, event, ifServedElsewhere }: ReturnType<typeof classified>): Becomes {
  if (kind === 'caller') return 'request'
  if (ifServedElsewhere) return 'unsure'
  return event === undefined ? 'none' : (event.kind as Becomes)
}

test.each(errors)('faults 14, 19: %s with %d', (_what, status, body, becomes) => {
  expect(becomesOf(classified(status, body))).toBe(becomes)
})

const unix = (restMs: number): string => String((nowMs + restMs) / 1000)
const hour = 3_600_000
const unified = (fields: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [`anthropic-ratelimit-unified-${name}`, value]))

/** `restMs`: null for the growing back-off, undefined where nobody rests. */
const limits: readonly [
  what: string,
  headers: Record<string, string>,
  restMs: number | null | undefined,
  model?: string,
][] = [
  [
    'five hours used up, a week allowed',
    unified({
      status: 'rejected',
      '5h-status': 'rejected',
      '5h-reset': unix(2 * hour),
      '7d-status': 'allowed',
      '7d-reset': unix(90 * hour),
    }),
    2 * hour,
  ],
  [
    'both used up: the later end',
    unified({ '5h-status': 'rejected', '5h-reset': unix(hour), '7d-status': 'rejected', '7d-reset': unix(50 * hour) }),
    50 * hour,
  ],
  [
    'a full window that allows',
    unified({
      status: 'allowed_warning',
      '5h-status': 'allowed_warning',
      '5h-utilization': '1',
      '5h-reset': unix(hour),
    }),
    undefined,
  ],
  [
    'used up, and the overage serves',
    unified({ status: 'allowed', '5h-status': 'rejected', '5h-reset': unix(hour), 'overage-status': 'allowed' }),
    undefined,
  ],
  [
    'used up, and the overage too',
    unified({ status: 'rejected', '5h-status': 'rejected', '5h-reset': unix(hour), 'overage-status': 'rejected' }),
    hour,
  ],
  [
    'a week of one model',
    unified({
      status: 'rejected',
      'representative-claim': 'seven_day_opus',
      '5h-status': 'allowed',
      '7d-status': 'allowed',
      '7d_opus-status': 'rejected',
      '7d_opus-reset': unix(30 * hour),
    }),
    30 * hour,
    '*sonnet*',
  ],
  [
    'a week of an unknown kind',
    unified({ '7d_new-status': 'rejected', '7d_new-reset': unix(3 * hour), '5h-status': 'allowed' }),
    3 * hour,
    '*sonnet*',
  ],
  [
    'the claim alone',
    unified({ status: 'rejected', reset: unix(4 * hour), 'representative-claim': 'five_hour' }),
    4 * hour,
  ],
  [
    'a reset that is no number',
    unified({ status: 'rejected', reset: 'soon', '5h-status': 'rejected', '5h-reset': 'soon' }),
    null,
  ],
  [
    'a reset in the past, and a later retry-after',
    { ...unified({ '5h-status': 'rejected', '5h-reset': unix(-hour) }), 'retry-after': '90' },
    90_000,
  ],
  ['a reset in a year', unified({ '5h-status': 'rejected', '5h-reset': unix(8760 * hour) }), 8 * 24 * hour],
  ['a retry-after that is nothing', { 'retry-after': 'later' }, undefined],
  [
    'tokens used up, requests left',
    {
      'anthropic-ratelimit-requests-remaining': '9',
      'anthropic-ratelimit-tokens-remaining': '0',
      'anthropic-ratelimit-tokens-reset': new Date(nowMs + 15_000).toISOString(),
    },
    15_000,
  ],
  [
    'priority tokens used up',
    {
      'anthropic-priority-input-tokens-remaining': '0',
      'anthropic-priority-input-tokens-reset': new Date(nowMs + 25_000).toISOString(),
    },
    25_000,
  ],
]

test.each(limits)('fault 15: a 429 with %s', (_what, headers, restMs, model) => {
  const body = anthropic('slow down', 'rate_limit_error')
  const { event } = classified(429, body, headers, 'claude')
  if (restMs === undefined) return expect(event).toBeUndefined()
  const found = event as { kind: string; untilMs: number | null; model?: string }
  expect(found).toMatchObject({ kind: 'rate_limited', untilMs: restMs === null ? null : nowMs + restMs })
  expect(found.model).toBe(model)
})

const envelope = (type: string, more: object = {}) => ({ type: 'error', error: { type, message: 'CANARY', ...more } })
/** What a token endpoint answers, and whether the login goes on. */
const renewals: readonly [what: string, status: number, body: unknown, kind: 'failed' | 'refused' | 'tokens'][] = [
  ['a firewall that quotes the token', 403, '<html>ort-CANARY-0123456789 blocked</html>', 'failed'],
  ['a challenge', 403, envelope('forbidden'), 'failed'],
  ['a proxy that wants a password', 407, '', 'failed'],
  ['a limit in its short form', 429, { error: 'slow_down' }, 'failed'],
  ['a redirect', 302, '', 'failed'],
  ['an accepted request without an answer', 202, '', 'failed'],
  ['an access token that is no text', 200, { access_token: 5 }, 'failed'],
  ['an access token with a line break', 200, { access_token: 'a\nb' }, 'failed'],
  ['a success that is an error', 200, { error: 'server_error' }, 'failed'],
  ['a wrong client', 401, { error: 'unauthorized_client' }, 'failed'],
  ['a login that somebody has to confirm', 400, { error: 'interaction_required' }, 'failed'],
  ['a grant in a code beside a type', 400, envelope('invalid_request_error', { code: 'invalid_grant' }), 'refused'],
  ['an unknown refresh token', 401, { error: 'unknown_refresh_token' }, 'refused'],
  ['a new access token alone', 200, { access_token: 'oat-new', expires_in: 60 }, 'tokens'],
]

test.each(renewals)('a renewal that is answered by %s', async (_what, status, body, kind) => {
  const vendor = await createFakeUpstream()
  const transport = createTransport({ allow: ['127.0.0.0/8'], connectTimeoutMs: 5_000 })
  onTestFinished(async () => {
    await transport.close()
    await vendor.close()
  })
  vendor.script((exchange) => exchange.respond(status, {}, body as object | string))
  const [page, tokenUrl] = ['https://page.test/', `${vendor.url}/token`]
  const endpoints = { authorizeUrl: page, tokenUrl, redirectUrl: page, clientId: 'client', scopes: 'one' }
  const oauth = createClaudeOauth({ transport, endpoints, now: () => nowMs, timeoutMs: 10_000 })
  const found = await oauth.refresh('ort-CANARY-0123456789', { proxy: null, proxyIsTrusted: false })
  expect(found.kind).toBe(kind)
  expect(JSON.stringify(found).replace('"refreshToken":"ort-CANARY-0123456789"', '')).not.toContain('CANARY')
})
