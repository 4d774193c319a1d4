import { expect, test } from 'vitest'
import type { Account } from '../../server/accounts/account.ts'
import { createClassifier } from '../../server/upstreams/classify.ts'
import { platforms } from '../../server/upstreams/platforms/platforms.ts'
import { probeResultOf } from '../../server/upstreams/probe-result.ts'

const secret = 'sk-upstream-0123456789'
const message = (more: object = {}) =>
  JSON.stringify({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-haiku-4-5',
    content: [{ type: 'text', text: 'hi' }],
    stop_reason: 'max_tokens',
    usage: { input_tokens: 8, output_tokens: 1 },
    ...more,
  })
const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`
const start = { type: 'message_start', message: JSON.parse(message({ content: [] })) as object }
const chat = (more: object = {}) =>
  JSON.stringify({
    object: 'chat.completion',
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'length' }],
    usage: { prompt_tokens: 8, completion_tokens: 1 },
    ...more,
  })
const response = (more: object = {}) =>
  JSON.stringify({
    object: 'response',
    status: 'completed',
    model: 'm',
    output: [{ type: 'message', content: [{ type: 'output_text', text: 'hi' }] }],
    usage: { input_tokens: 8, output_tokens: 1 },
    ...more,
  })

function resultOf(
  platform: keyof typeof platforms,
  body: string,
  asked: { status?: number; isMessage?: boolean } = {},
) {
  const { status = 200, isMessage = true } = asked
  const spoken = platforms[platform]!
  const classifier = createClassifier({ platforms, rowsOf: (name) => platforms[name]!.errorRows })
  const answer = { status, headers: [], body: Buffer.from(body), problem: '', fault: null, durationMs: 1 }
  const account = { platform, secret } as unknown as Account
  return probeResultOf({ classifier, platform: spoken }, account, answer, { model: 'm', isMessage }, Date.now())
}

const successes: [platform: keyof typeof platforms, what: string, body: string][] = [
  ['console', 'a message', message()],
  ['console', 'a message that is all thinking, with usage', message({ content: [] })],
  ['console', 'a message without usage', message({ usage: undefined })],
  [
    'console',
    'a stream in its place',
    `${event(start)}${event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })}${event({ type: 'message_stop' })}`,
  ],
  ['console', 'a stream that is cut after its begin', event(start)],
  ['claude', 'a message', message()],
  ['openai', 'a completion', chat()],
  [
    'openai',
    'a completion whose tokens all went into thinking',
    chat({ choices: [{ message: { content: '' }, finish_reason: 'length' }] }),
  ],
  ['openai', 'a stream in its place', `${event({ choices: [{ delta: { content: 'hi' } }] })}data: [DONE]\n\n`],
  ['codex', 'a response', response()],
  ['codex', 'a response that is incomplete', response({ status: 'incomplete', output: [] })],
]

test.each(successes)('status 200 is a success: %s: %s', (platform, _what, body) => {
  expect(resultOf(platform, body)).toMatchObject({ isSuccess: true })
})

const html = '<!doctype html><title>Sign in</title>'
const failures: [platform: keyof typeof platforms, what: string, body: string, reason: string][] = (
  ['console', 'claude', 'openai', 'codex'] as const
).flatMap((platform): [keyof typeof platforms, string, string, string][] => [
  [platform, 'a page', html, '200 with a body that is no JSON object'],
  [platform, 'nothing', '', '200 with a body that is no JSON object'],
  [platform, 'a list', '[]', '200 with a body that is no JSON object'],
  [platform, 'an error', '{"error":{"message":"quota exhausted","type":"new_api_error"}}', '200 new_api_error'],
  [platform, 'a code', '{"code":401,"msg":"token expired","success":false}', '200 http_401 (401)'],
  [platform, 'an object of another kind', '{"status":"ok"}', ''],
])
failures.push(
  [
    'console',
    'a message with neither content nor usage',
    message({ content: [], usage: {} }),
    '200 with a message with neither content nor usage',
  ],
  ['console', 'a stream that begins with an error', event({ type: 'error', error: { type: 'overloaded_error' } }), ''],
  ['console', 'a stream of nothing known', event({ type: 'ping' }), '200 with a stream without a message'],
  ['openai', 'a completion without choices', chat({ choices: [] }), '200 with a response without content'],
  ['openai', 'a message of another format', message(), ''],
  ['codex', 'a response that failed', response({ status: 'failed', output: [], error: { code: 'server_error' } }), ''],
)

test.each(failures)('status 200 is no success: %s: %s', (platform, _what, body, reason) => {
  const result = resultOf(platform, body)
  expect(result.isSuccess).toBe(false)
  if (!result.isSuccess && reason !== '') expect(result.reason).toBe(reason)
})

test('the page about an account is a success as any JSON object that is no error', () => {
  const page = { isMessage: false }
  expect(resultOf('claude', '{"five_hour":{"utilization":12,"resets_at":null}}', page).isSuccess).toBe(true)
  for (const body of [
    html,
    '',
    '[]',
    '{"type":"error","error":{"type":"permission_error","message":"no"}}',
    '{"code":401}',
  ])
    expect([body, resultOf('claude', body, page).isSuccess]).toEqual([body, false])
})

test('what an upstream writes does not get into the reason, and neither does the secret', () => {
  for (const body of [`{"error":{"message":"canary ${secret}","type":"odd"}}`, `canary ${secret}`]) {
    const result = resultOf('console', body)
    expect(JSON.stringify(result)).not.toMatch(/canary|sk-upstream/)
  }
})

test('another status is classified as the relay does', () => {
  const body = '{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}'
  expect(resultOf('console', body, { status: 401 })).toMatchObject({
    isSuccess: false,
    reason: '401 authentication_error',
    classification: { event: { kind: 'login_needed' } },
  })
})
