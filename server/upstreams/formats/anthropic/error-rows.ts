import type { ClassificationRow, Consequence } from '../../classification.ts'

/** An overloaded provider is overloaded for all: its accounts pause for seconds, not more. */
const overloadPauseMs = 3000
const modelPauseMs = 300_000

const outOfCredit = { kind: 'refused', state: 'out_of_credit', scope: 'account', misconfigured: true } as const
const pass: Consequence = { kind: 'caller' }
const nextOrPass = { kind: 'refused', passIfLast: true } as const
const failing = { kind: 'failing', state: 'cooling_down', scope: 'account' } as const

/** What errors of Anthropic's own API, and of what speaks like it, mean (protocol.md §1.7, §1.8). */
export const anthropicErrorRows: readonly ClassificationRow[] = [
  {
    name: 'organisation on hold',
    status: 400,
    code: 'organization_on_hold',
    means: { ...outOfCredit, keepsText: true },
  },
  {
    name: 'spend limit of the organisation',
    status: 400,
    message: /^you have reached your specified (api|workspace api) usage limits/i,
    means: { ...outOfCredit, until: 'date_said', keepsText: true },
  },
  {
    name: 'no credit',
    status: 400,
    message: /^your credit balance is too low/i,
    means: { ...outOfCredit, keepsText: true },
  },
  {
    name: 'account disabled',
    status: 400,
    message: /^(this|your) (account|organization) (has been |is )?disabled/i,
    means: { ...outOfCredit, keepsText: true },
  },
  { name: 'not a member any more', status: 400, code: 'claude_code_key_creator_not_member', means: nextOrPass },
  {
    name: 'codes of the request',
    status: 400,
    code: /^(thread_|claude_code_version_too_old|image_dimensions)/,
    means: pass,
  },
  {
    name: 'model unknown (400)',
    status: 400,
    message:
      /\bmodel\b.{0,100}\b(not found|not exist|unknown|not supported|unsupported|invalid)\b|\b(unknown|unsupported|invalid) model\b/i,
    means: nextOrPass,
  },
  { name: 'thread unknown', status: 404, code: /^thread_/, means: pass },
  { name: 'model unknown (404)', status: 404, type: 'not_found_error', means: nextOrPass },
  { name: 'path unknown', status: 404, type: '', means: nextOrPass },
  {
    name: 'login refused',
    status: 401,
    means: { kind: 'refused', state: 'reauth_required', scope: 'account', misconfigured: true },
  },
  { name: 'payment required', status: 402, means: { ...outOfCredit, until: 'date_said' } },
  {
    name: 'only for Claude Code',
    status: 403,
    message: /only (authorized|allowed)?.*claude code/i,
    means: { kind: 'refused' },
  },
  {
    name: 'model refused',
    status: 403,
    means: {
      kind: 'refused',
      state: 'forbidden',
      scope: 'model',
      until: modelPauseMs,
      misconfigured: true,
      doubtful: true,
    },
  },
  {
    name: 'spend limit reached',
    status: 429,
    code: /^(enforced|contract)_spend_limit_reached$/,
    means: { kind: 'limited', state: 'out_of_credit', scope: 'account', until: 'next_month', keepsText: true },
  },
  {
    name: 'window of the account used up',
    status: 429,
    limits: 'account',
    means: { kind: 'limited', state: 'rate_limited', scope: 'account', until: 'window' },
  },
  {
    name: 'window of some models used up',
    status: 429,
    limits: 'family',
    means: { kind: 'limited', state: 'rate_limited', scope: 'family', until: 'window' },
  },
  { name: 'throttled', status: 429, limits: 'unsaid', means: { kind: 'limited' } },
  {
    name: 'limited',
    status: 429,
    means: { kind: 'limited', state: 'rate_limited', scope: 'account', until: 'retry_after' },
  },
  { name: 'no compaction now', status: 529, code: 'compaction_unavailable', means: { kind: 'failing' } },
  {
    name: 'overloaded',
    status: 529,
    means: { kind: 'failing', state: 'rate_limited', scope: 'account', until: overloadPauseMs },
  },
  {
    name: "customer's key out of reach",
    status: 503,
    code: 'cmek_key_unreachable',
    means: { kind: 'failing', state: 'rate_limited', scope: 'account', until: 60_000 },
  },
  { name: 'timeout', status: 408, means: failing },
  { name: 'internal error', status: 500, means: { ...failing, doubtful: true } },
  { name: 'server error', status: [501, 599], means: failing },
  { name: 'redirect', status: [300, 399], means: { ...failing, misconfigured: true } },
  // 201, 204 …: this API does not send them.
  { name: 'odd success', status: [200, 299], means: failing },
  {
    name: 'limited within the stream',
    status: 'event',
    type: 'rate_limit_error',
    means: { kind: 'limited', state: 'rate_limited', scope: 'account' },
  },
  {
    name: 'overloaded within the stream',
    status: 'event',
    type: 'overloaded_error',
    means: { kind: 'failing', state: 'rate_limited', scope: 'account', until: overloadPauseMs },
  },
  {
    name: 'request refused within the stream',
    status: 'event',
    type: /^(invalid_request_error|not_found_error|request_too_large)$/,
    means: { kind: 'refused' },
  },
  { name: 'error within the stream', status: 'event', means: { ...failing, doubtful: true } },
  { name: "the request's own fault", means: pass },
]
