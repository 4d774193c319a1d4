// Over 300 lines: one table.
/** One error of an upstream, and what it has to mean. At least one for each row of the table. */
export interface ClassifyCase {
  row: string
  status: number | 'event'
  error?: { type?: string; message?: string; code?: string; details?: { error_code: string } }
  headers?: Record<string, string>
  model?: string
  means: {
    kind: 'caller' | 'limited' | 'refused' | 'failing'
    /** `untilMs` from now. */
    event?: { kind: string; restMs?: number | null; model?: string }
    passIfLast?: true
    misconfigured?: true
    doubtful?: true
    ifServedElsewhere?: true
    tooLarge?: true
    refusal?: string
    message?: string
  }
}

export const nowMs = Date.UTC(2026, 10, 23, 12)
const day = 86_400_000
const unix = (restMs: number): string => String((nowMs + restMs) / 1000)
const nextMonth = Date.UTC(2026, 11, 1) - nowMs

const invalid = { type: 'invalid_request_error' }
const limited = { type: 'rate_limit_error', message: 'slow down' }
const outOfCredit = (restMs: number | null, message = '') =>
  ({ kind: 'refused', event: { kind: 'out_of_credit', restMs }, misconfigured: true, message }) as const
const cools = { kind: 'failing', event: { kind: 'failed' } } as const
const ifServed = { ...cools, ifServedElsewhere: true } as const
const pass = { kind: 'caller' } as const
const nextOrPass = { kind: 'refused', passIfLast: true } as const
const rests = (restMs: number | null, model?: string) =>
  ({
    kind: 'limited',
    event: { kind: 'rate_limited', restMs, ...(model !== undefined && { model }) },
  }) as const

const spendText = 'You have reached your specified API usage limits. You will regain access on 2026-12-05 at 08:00 UTC.'
const workspaceText = 'You have reached your specified workspace API usage limits.'
const creditText = 'Your credit balance is too low to access the Anthropic API.'
const unified = (windows: Record<string, readonly [status: string, utilization: string, restMs: number]>) =>
  Object.fromEntries(
    Object.entries(windows).flatMap(([name, [status, utilization, restMs]]) => [
      [`anthropic-ratelimit-unified-${name}-status`, status],
      [`anthropic-ratelimit-unified-${name}-utilization`, utilization],
      [`anthropic-ratelimit-unified-${name}-reset`, unix(restMs)],
    ]),
  )
const open5h = { '5h': ['allowed', '0.4', 3_600_000] } as const
const open7d = { '7d': ['allowed_warning', '0.9', day] } as const

const pastResets: readonly Record<string, string>[] = [
  { ...unified({ '5h': ['rejected', '1', -120_000] }), 'anthropic-ratelimit-unified-reset': unix(-120_000) },
  { 'anthropic-ratelimit-unified-status': 'rejected', 'anthropic-ratelimit-unified-reset': unix(-1000) },
]

export const classifyCases: readonly ClassifyCase[] = [
  {
    row: 'organisation on hold',
    status: 400,
    error: { ...invalid, message: 'x', details: { error_code: 'organization_on_hold' } },
    means: outOfCredit(null, 'x'),
  },
  {
    row: 'spend limit of the organisation',
    status: 400,
    error: { ...invalid, message: spendText },
    means: outOfCredit(Date.UTC(2026, 11, 5, 8) - nowMs, spendText),
  },
  {
    row: 'spend limit of the organisation',
    status: 400,
    error: { ...invalid, message: workspaceText },
    means: outOfCredit(null, workspaceText),
  },
  { row: 'no credit', status: 400, error: { ...invalid, message: creditText }, means: outOfCredit(null, creditText) },
  {
    row: 'account disabled',
    status: 400,
    error: { ...invalid, message: 'This organization has been disabled.' },
    means: outOfCredit(null, 'This organization has been disabled.'),
  },
  {
    row: 'not a member any more',
    status: 400,
    error: { ...invalid, message: 'm', details: { error_code: 'claude_code_key_creator_not_member' } },
    means: nextOrPass,
  },
  ...['thread_not_ready', 'claude_code_version_too_old', 'image_dimensions_too_large'].map(
    (code): ClassifyCase => ({
      row: 'codes of the request',
      status: 400,
      // A text that another row would take for an unknown model.
      error: { ...invalid, message: 'unsupported model', details: { error_code: code } },
      means: pass,
    }),
  ),
  ...['Model claude-x does not exist', 'unsupported model', 'The model `m` is not supported'].map(
    (message): ClassifyCase => ({
      row: 'model unknown (400)',
      status: 400,
      error: { ...invalid, message },
      means: nextOrPass,
    }),
  ),
  {
    row: 'thread unknown',
    status: 404,
    error: { type: 'not_found_error', details: { error_code: 'thread_not_found' } },
    means: pass,
  },
  {
    row: 'model unknown (404)',
    status: 404,
    error: { type: 'not_found_error', message: 'model: m' },
    means: nextOrPass,
  },
  {
    row: 'login refused',
    status: 401,
    error: { type: 'authentication_error', message: 'invalid x-api-key' },
    means: { kind: 'refused', event: { kind: 'login_needed' }, misconfigured: true },
  },
  {
    row: 'payment required',
    status: 402,
    error: { type: 'billing_error', message: 'pay', details: { error_code: 'linked_organization_unpaid' } },
    means: outOfCredit(null),
  },
  {
    row: 'payment required',
    status: 402,
    error: { type: 'billing_error', message: 'You will regain access on 2026-12-05.' },
    means: outOfCredit(Date.UTC(2026, 11, 5) - nowMs),
  },
  {
    row: 'only for Claude Code',
    status: 403,
    error: { type: 'permission_error', message: 'This credential is only authorized for use with Claude Code' },
    means: { kind: 'refused', refusal: 'This credential is only authorized for use with Claude Code' },
  },
  {
    row: 'model refused',
    status: 403,
    error: { type: 'permission_error', message: 'no access to this model' },
    means: {
      kind: 'refused',
      event: { kind: 'forbidden', model: 'claude-sonnet-5-5', restMs: 300_000 },
      misconfigured: true,
    },
  },
  ...['Request not allowed', 'quotes a prompt', ''].map(
    (message): ClassifyCase => ({
      row: 'refused',
      status: 403,
      error: { type: 'forbidden', message },
      means: { kind: 'refused', event: { kind: 'failed' }, misconfigured: true },
    }),
  ),
  ...['OAuth token has been revoked', 'This API key is disabled', 'Login expired', 'Authentication failed'].flatMap(
    (message): ClassifyCase[] =>
      ([403, 200] as const).map((status) => ({
        row: `login revoked (${status})`,
        status,
        error: { type: 'permission_error', message },
        means: { kind: 'refused', event: { kind: 'login_needed' }, misconfigured: true },
      })),
  ),
  ...['enforced_spend_limit_reached', 'contract_spend_limit_reached'].map(
    (code): ClassifyCase => ({
      row: 'spend limit reached',
      status: 429,
      error: { ...limited, details: { error_code: code } },
      headers: { 'retry-after': '5' },
      means: { kind: 'limited', event: { kind: 'out_of_credit', restMs: nextMonth }, message: 'slow down' },
    }),
  ),
  {
    // Case 2: the window's own end counts, neither the aggregate nor retry-after.
    row: 'window of the account used up',
    status: 429,
    error: limited,
    headers: {
      ...unified({ '5h': ['rejected', '1.02', 7_200_000], ...open7d }),
      'anthropic-ratelimit-unified-reset': unix(60_000),
      'retry-after': '2094',
    },
    means: rests(7_200_000),
  },
  {
    row: 'window of the account used up',
    status: 429,
    error: limited,
    headers: unified({ ...open5h, '7d': ['rejected', '1', 3 * day], '7d_sonnet': ['rejected', '1', 4 * day] }),
    means: rests(3 * day),
  },
  {
    // Only the aggregate was told, as the original's accounts do.
    row: 'window of the account used up',
    status: 429,
    error: limited,
    headers: { 'anthropic-ratelimit-unified-status': 'rejected', 'anthropic-ratelimit-unified-reset': unix(day) },
    means: rests(day),
  },
  {
    // Case 3: a window of some models.
    row: 'window of some models used up',
    status: 429,
    error: limited,
    headers: { ...unified({ ...open5h, ...open7d, '7d_sonnet': ['rejected', '1', 2 * day] }), 'retry-after': '9' },
    means: rests(2 * day, '*sonnet*'),
  },
  {
    row: 'window of some models used up',
    status: 429,
    error: limited,
    headers: unified({ ...open5h, ...open7d, '7d_oi': ['rejected', '1', 2 * day] }),
    model: 'claude-opus-5-5',
    means: rests(2 * day, '*opus*'),
  },
  {
    row: 'window of some models used up',
    status: 429,
    error: limited,
    headers: {
      ...unified({ ...open5h, ...open7d, overage: ['rejected', '0', 5 * day] }),
      'anthropic-ratelimit-unified-overage-disabled-reason': 'out_of_credits',
    },
    model: 'glm-5',
    means: rests(5 * day, 'glm-5'),
  },
  {
    // Case 4: neither a time nor a limit named.
    row: 'throttled',
    status: 429,
    error: limited,
    headers: { 'x-should-retry': 'true' },
    means: { kind: 'limited' },
  },
  // Case 5, and the headers of API keys.
  { row: 'limited', status: 429, error: limited, headers: { 'retry-after': '37' }, means: rests(37_000) },
  { row: 'limited', status: 429, error: limited, headers: { 'retry-after': '0' }, means: rests(1000) },
  { row: 'limited', status: 429, error: limited, headers: { 'retry-after': '999999999' }, means: rests(day) },
  {
    row: 'limited',
    status: 429,
    error: { ...limited, details: { error_code: 'ramp_limit_exceeded' } },
    headers: { 'retry-after': new Date(nowMs + 90_000).toUTCString() },
    means: rests(90_000),
  },
  {
    row: 'limited',
    status: 429,
    error: limited,
    headers: {
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': new Date(nowMs + 20_000).toISOString(),
      'anthropic-ratelimit-input-tokens-remaining': '0',
      'anthropic-ratelimit-input-tokens-reset': new Date(nowMs + 45_000).toISOString(),
      'anthropic-ratelimit-output-tokens-remaining': '8000',
      'anthropic-ratelimit-output-tokens-reset': new Date(nowMs + 55_000).toISOString(),
    },
    means: rests(45_000),
  },
  {
    row: 'limited',
    status: 429,
    error: limited,
    headers: { 'anthropic-ratelimit-requests-remaining': '0' },
    means: rests(null),
  },
  // Case 4b: what is full and still allowed is no rejection, and neither is anything under an allowed overage.
  ...[
    { ...unified({ ...open5h, ...open7d }), 'retry-after': '8' },
    unified({ '5h': ['allowed', '1.02', 7_200_000], ...open7d }),
    { ...unified({ ...open5h }), 'anthropic-ratelimit-unified-status': 'allowed_warning' },
    { ...unified({ '5h': ['rejected', '1', day], overage: ['allowed', '0.1', day] }) },
  ].map(
    (headers): ClassifyCase => ({
      row: 'only this request is refused',
      status: 429,
      error: limited,
      headers,
      means: { kind: 'refused', refusal: 'slow down' },
    }),
  ),
  {
    // The whole rejects, and names a window that says nothing of itself.
    row: 'window of the account used up',
    status: 429,
    error: limited,
    headers: {
      'anthropic-ratelimit-unified-status': 'rejected',
      'anthropic-ratelimit-unified-representative-claim': 'five_hour',
      'anthropic-ratelimit-unified-5h-utilization': '1',
      'anthropic-ratelimit-unified-5h-reset': unix(7_200_000),
      'anthropic-ratelimit-unified-7d-status': 'allowed',
    },
    means: rests(7_200_000),
  },
  ...pastResets.map(
    // Case 4c: clocks differ, and the back-off of the state grows.
    (headers): ClassifyCase => ({
      row: 'window of the account used up',
      status: 429,
      error: limited,
      headers,
      means: rests(null),
    }),
  ),
  {
    row: 'limited',
    status: 429,
    error: limited,
    headers: { 'retry-after': new Date(nowMs - 90_000).toUTCString() },
    means: rests(null),
  },
  {
    row: 'limited',
    status: 429,
    error: limited,
    headers: {
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': new Date(nowMs - 20_000).toISOString(),
    },
    means: rests(null),
  },
  {
    row: 'no compaction now',
    status: 529,
    error: { type: 'overloaded_error', details: { error_code: 'compaction_unavailable' } },
    means: { kind: 'failing' },
  },
  {
    row: 'overloaded',
    status: 529,
    error: { type: 'overloaded_error', message: 'Overloaded' },
    means: { kind: 'failing', event: { kind: 'rate_limited', restMs: 3000 } },
  },
  {
    row: "customer's key out of reach",
    status: 503,
    error: { type: 'api_error', message: 'key', details: { error_code: 'cmek_key_unreachable' } },
    means: { kind: 'failing', event: { kind: 'rate_limited', restMs: 60_000 } },
  },
  { row: 'server error', status: 500, error: { type: 'api_error', message: 'no' }, means: cools },
  ...[500, 501, 502, 503, 504].map((status): ClassifyCase => ({ row: 'server error', status, means: cools })),
  ...[301, 302, 307].map(
    (status): ClassifyCase => ({ row: 'redirect', status, means: { ...cools, misconfigured: true } }),
  ),
  ...[201, 204].map((status): ClassifyCase => ({ row: 'odd success', status, means: cools })),
  {
    row: 'limited within the stream',
    status: 'event',
    error: { type: 'rate_limit_error' },
    means: { kind: 'limited', event: { kind: 'rate_limited', restMs: null } },
  },
  {
    row: 'overloaded within the stream',
    status: 'event',
    error: { type: 'overloaded_error' },
    means: { kind: 'failing', event: { kind: 'rate_limited', restMs: 3000 } },
  },
  ...['invalid_request_error', 'not_found_error', 'request_too_large'].map(
    (type): ClassifyCase => ({
      row: 'request refused within the stream',
      status: 'event',
      error: { type, message: 'prompt is too long' },
      means: { kind: 'refused' },
    }),
  ),
  ...['api_error', 'timeout_error', 'invalid_request_error_2'].map(
    (type): ClassifyCase => ({
      row: 'error within the stream',
      status: 'event',
      error: { type },
      means: { ...cools, doubtful: true },
    }),
  ),
  ...[400, 404, 409, 413, 422].map(
    (status): ClassifyCase => ({
      row: `the request's own fault (${status})`,
      status,
      error: { ...invalid, message: 'prompt is too long: 9 tokens > 8 maximum' },
      means: pass,
    }),
  ),
  // What a client wrote and the upstream quotes never blames the account.
  ...[
    `messages.0.content: "${creditText}" is not allowed`,
    `tools.3: ${spendText}`,
    'messages.1: This organization has been disabled.',
    'messages.1: 余额不足',
    'messages.1: Extra usage is required for long context requests',
    "messages.0: 'the weekly usage limit of this plan is used up'",
    'messages.1.content.0: Invalid `signature` in `thinking` block',
  ].map(
    (message): ClassifyCase => ({
      row: "the request's own fault (400)",
      status: 400,
      error: { ...invalid, message },
      means: pass,
    }),
  ),
  {
    row: "the request's own fault (413)",
    status: 413,
    error: { type: 'request_too_large', details: { error_code: 'request_body_too_large_after_decoding' } },
    means: pass,
  },
  { row: 'too large for this upstream', status: 413, means: { ...ifServed, tooLarge: true } },
  // The same words, with a status or in a shape that blames nobody.
  ...[405, 406, 407, 408, 411, 412, 415, 423, 424, 425, 426, 428, 431, 451, 499].map(
    (status): ClassifyCase => ({
      row: 'anything else',
      status,
      error: { ...invalid, message: 'prompt is too long: 9 tokens > 8 maximum' },
      means: ifServed,
    }),
  ),
  ...[400, 404, 409, 422].flatMap((status): ClassifyCase[] => [
    { row: 'anything else', status, means: ifServed },
    { row: 'anything else', status, error: { type: 'odd_error', message: 'no' }, means: ifServed },
  ]),
]
