import { expect, test } from 'vitest'
import { createClassifier } from '../../server/upstreams/classify.ts'
import { platforms } from '../../server/upstreams/platforms/platforms.ts'

/** Errors as vendors write them (protocol.md §1.7), and what becomes of the account: `none` where only this request is refused. */
type Becomes = 'out_of_credit' | 'rate_limited' | 'login_needed' | 'failed' | 'none'

const nowMs = Date.UTC(2026, 10, 23, 12)
const { classify } = createClassifier({ platforms, rowsOf: (name) => platforms[name]!.errorRows })
const classified = (status: number, body: unknown) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = { status, headers: new Map<string, string>(), body: Buffer.from(text) }
  return classify({ platform: 'console' }, response, 'glm-5', nowMs)
}
const openai = (code: string, message: string, type?: string) => ({ error: { code, message, ...(type && { type }) } })
const anthropic = (type: string, message: string) => ({ type: 'error', error: { type, message } })
const minimax = (status_code: number, status_msg: string) => ({ base_resp: { status_code, status_msg } })

const cases: readonly [vendor: string, status: number, body: unknown, becomes: Becomes][] = [
  // GLM
  ['GLM balance', 429, openai('1113', '余额不足或无可用资源包,请充值。'), 'out_of_credit'],
  [
    'GLM balance',
    429,
    openai('1113', 'Insufficient balance or no resource package. Please recharge.'),
    'out_of_credit',
  ],
  ['GLM balance, without its code', 400, anthropic('invalid_request_error', '余额不足或无可用资源包'), 'out_of_credit'],
  ['GLM debts', 429, openai('1112', '您的账户已被锁定，请联系客服'), 'out_of_credit'],
  ['GLM in Anthropic’s shape', 429, anthropic('1113', '您的账户已欠费，请充值后重试'), 'out_of_credit'],
  [
    'GLM plan used up',
    429,
    openai('1308', '已达到 5 小时的使用上限。您的限额将在 2026-11-23 22:00:00 重置。'),
    'out_of_credit',
  ],
  [
    'GLM plan used up',
    429,
    openai('1310', 'Weekly Limit Exhausted. Your limit will reset at 2026-11-25 00:00:00'),
    'out_of_credit',
  ],
  ['GLM plan ended', 429, openai('1309', '您的GLM Coding Plan套餐已到期'), 'out_of_credit'],
  ['GLM rate', 429, openai('1302', '您当前使用该API的并发数过高，请降低并发'), 'rate_limited'],
  ['GLM overloaded', 429, openai('1305', '当前API请求过多，请稍后重试'), 'rate_limited'],
  ['GLM model unknown', 400, openai('1211', '模型不存在，请检查模型代码。'), 'none'],
  ['GLM model not in the plan', 429, openai('1311', '当前订阅套餐暂未开放GLM-5权限'), 'rate_limited'],
  // Kimi
  [
    'Kimi balance',
    429,
    openai(
      '',
      'Your account org-1 <ak-1> is suspended, please check your plan and billing details',
      'exceeded_current_quota_error',
    ),
    'out_of_credit',
  ],
  [
    'Kimi plan used up',
    403,
    anthropic('access_terminated_error', "You've reached your usage limit for this billing cycle."),
    'out_of_credit',
  ],
  [
    'Kimi rate',
    429,
    openai('', 'request reached max concurrency: 1, please try again after 1 seconds', 'rate_limit_reached_error'),
    'rate_limited',
  ],
  ['Kimi overloaded', 429, openai('', 'The engine is currently overloaded', 'engine_overloaded_error'), 'rate_limited'],
  [
    'Kimi model unknown',
    404,
    openai('', 'Not found the model kimi-x or Permission denied', 'resource_not_found_error'),
    'none',
  ],
  [
    'Kimi for agents only',
    403,
    anthropic('access_terminated_error', 'Kimi For Coding is currently only available for Coding Agents'),
    'none',
  ],
  // Qwen
  [
    'Qwen balance',
    400,
    { code: 'Arrearage', message: 'Access denied, please make sure your account is in good standing.' },
    'out_of_credit',
  ],
  [
    'Qwen free tier',
    403,
    { code: 'AllocationQuota.FreeTierOnly', message: 'The free tier of the model has been exhausted.' },
    'out_of_credit',
  ],
  ['Qwen plan used up', 429, openai('', 'week allocated quota exceeded'), 'out_of_credit'],
  ['Qwen rate', 429, openai('Throttling.RateQuota', 'Requests rate limit exceeded'), 'rate_limited'],
  ['Qwen model unknown', 404, openai('model_not_found', 'The model `qwen-x` does not exist'), 'none'],
  // DeepSeek
  ['DeepSeek balance', 402, openai('invalid_request_error', 'Insufficient Balance', 'unknown_error'), 'out_of_credit'],
  ['DeepSeek balance under 400', 400, openai('x', 'Insufficient Balance'), 'out_of_credit'],
  ['DeepSeek model unknown', 400, openai('invalid_request_error', 'Model Not Exist'), 'none'],
  ['DeepSeek rate', 429, openai('', 'Rate limit reached'), 'rate_limited'],
  // MiniMax
  ['MiniMax balance', 200, minimax(1008, 'insufficient balance'), 'out_of_credit'],
  [
    'MiniMax balance in Anthropic’s shape',
    429,
    anthropic('rate_limit_error', 'insufficient balance (1008)'),
    'out_of_credit',
  ],
  [
    'MiniMax plan used up',
    429,
    anthropic('rate_limit_error', 'usage limit exceeded, 5-hour usage limit reached (2056)'),
    'out_of_credit',
  ],
  ['MiniMax rate', 200, minimax(1039, 'token rate limit exceeded'), 'rate_limited'],
  ['MiniMax model unknown', 400, minimax(2013, "invalid params, unknown model 'm-x'"), 'none'],
  [
    'MiniMax model not in the plan',
    500,
    minimax(2061, 'your current token plan not support model, MiniMax-M9'),
    'rate_limited',
  ],
  // Relays of others
  [
    'new-api quota',
    403,
    openai('insufficient_user_quota', '用户额度不足, 剩余额度: ＄0.00', 'new_api_error'),
    'out_of_credit',
  ],
  ['new-api token', 403, openai('', '该令牌额度已用尽', 'new_api_error'), 'out_of_credit'],
  ['a plan in a 403', 403, anthropic('permission_error', 'Your subscription has expired'), 'out_of_credit'],
  [
    'a plan in a 403',
    403,
    anthropic('permission_error', 'Monthly quota has been exhausted for this plan'),
    'out_of_credit',
  ],
  ['a plan in a 403', 403, { message: '本周额度已用完' }, 'out_of_credit'],
  ['a login in a 403', 403, anthropic('permission_error', 'OAuth token revoked'), 'login_needed'],
  ['a login in a 200', 200, { code: 401, msg: 'token expired', success: false }, 'login_needed'],
  ['a quota in a 200', 200, { error: { message: 'quota exhausted', type: 'new_api_error' } }, 'out_of_credit'],
  ['anything else in a 200', 200, { ok: false }, 'failed'],
  ['a challenge page', 403, '<html>Just a moment...</html>', 'failed'],
  // Anthropic
  [
    'Anthropic credit',
    400,
    anthropic('invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'),
    'out_of_credit',
  ],
  [
    'Anthropic extra usage',
    429,
    anthropic('rate_limit_error', 'Extra usage is required for long context requests.'),
    'none',
  ],
  [
    'Anthropic extra usage',
    400,
    anthropic('invalid_request_error', "You're out of extra usage. Add more at claude.ai/settings/usage."),
    'out_of_credit',
  ],
  [
    'Anthropic long context',
    400,
    anthropic('invalid_request_error', 'The long context beta is not yet available for this subscription.'),
    'none',
  ],
]

test.each(cases)('%s (%s): %j', (_vendor, status, body, becomes) => {
  const { kind, event } = classified(status, body)
  expect(kind).not.toBe('caller')
  expect(event?.kind ?? 'none').toBe(becomes)
})

test('a date in the vendor’s words is the end: in Chinese it is Beijing’s', () => {
  const endOf = (status: number, message: string) => {
    const { event } = classified(status, openai('1308', message))
    return event && 'untilMs' in event ? event.untilMs : undefined
  }
  expect(endOf(429, '已达到 5 小时的使用上限。您的限额将在 2026-11-23 22:00:00 重置。')).toBe(
    Date.UTC(2026, 10, 23, 14),
  )
  expect(endOf(429, 'Your limit will reset at 2026-11-23 22:00:00')).toBe(Date.UTC(2026, 10, 23, 22))
  expect(endOf(429, 'Your limit will reset at 2026-11-22 22:00:00')).toBeNull()
})

test('a sentence that is deep in a text, or in quotes, blames nobody', () => {
  for (const message of [
    'messages.3.content: insufficient balance',
    'tools: "余额不足" is not a name',
    "text 'quota exhausted'",
  ])
    expect(classified(400, anthropic('invalid_request_error', message)).kind).toBe('caller')
  const far = `${'x'.repeat(60)} insufficient balance`
  expect(classified(400, openai('', far)).event?.kind).toBe('failed')
})
