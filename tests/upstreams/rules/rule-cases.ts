import type { RuleDraft } from '../../../server/upstreams/rules/rule.ts'

export const nowMs = Date.UTC(2026, 10, 23, 12)

/** A rule with nothing in it but what is given. */
export const ruleWith = (more: Partial<RuleDraft>): RuleDraft => ({
  name: 'rule',
  platform: null,
  enabled: true,
  status: '',
  errorType: '',
  code: '',
  message: '',
  effect: 'next',
  scope: 'account',
  durationSeconds: null,
  ...more,
})

/** One answer of an upstream, and what it has to mean under the rules. */
export interface RuleCase {
  platform?: 'console' | 'claude'
  status: number | 'event'
  /** Of the error in Anthropic's envelope. */
  error?: { type?: string; message?: string; code?: string | number }
  /** In place of the envelope. */
  body?: string
  headers?: Record<string, string>
  model?: string
  means: {
    kind: 'caller' | 'limited' | 'refused' | 'failing'
    /** Name of the rule that decided; absent: the built-in table. */
    rule?: string
    event?: { kind: string; restMs?: number | null; model?: string }
    passIfLast?: true
    misconfigured?: true
    doubtful?: true
  }
}

const quota = { type: 'new_api_error', code: 'insufficient_user_quota', message: '预扣费额度失败, 用户剩余额度: 0.1' }
/** Nothing in it blames the request, so that the account is at fault. */
const anythingElse = { kind: 'failing', event: { kind: 'failed' } } as const
const invalid = { type: 'invalid_request_error', message: 'messages: too many' }

/** Each rule in a list, with answers that it decides or must leave alone: every field of it is asked for by one. */
export const ruleCases: readonly { rules: RuleDraft[]; cases: RuleCase[] }[] = [
  {
    rules: [
      ruleWith({ name: 'quota', status: '400', code: 'insufficient_*', effect: 'rate_limited', durationSeconds: 600 }),
    ],
    cases: [
      {
        status: 400,
        error: quota,
        means: { kind: 'limited', rule: 'quota', event: { kind: 'rate_limited', restMs: 600_000 } },
      },
      // It blames the request: the same from two accounts shows that it is right.
      {
        status: 400,
        error: { ...quota, type: 'invalid_request_error' },
        means: { kind: 'limited', rule: 'quota', event: { kind: 'rate_limited', restMs: 600_000 }, doubtful: true },
      },
      {
        status: 402,
        error: quota,
        means: { kind: 'refused', event: { kind: 'out_of_credit', restMs: null }, misconfigured: true },
      },
      { status: 400, error: { ...quota, code: 'another' }, means: anythingElse },
      { status: 400, error: invalid, means: { kind: 'caller' } },
    ],
  },
  {
    // The text of the whole error, as an upstream without codes writes it.
    rules: [
      ruleWith({
        name: 'text',
        status: '400-499',
        message: 'your plan *exhausted*',
        effect: 'rate_limited',
        scope: 'family',
      }),
    ],
    cases: [
      {
        status: 422,
        error: { message: 'Your plan Pro is exhausted.' },
        headers: { 'retry-after': '90' },
        means: {
          kind: 'limited',
          rule: 'text',
          event: { kind: 'rate_limited', restMs: 90_000, model: '*sonnet*' },
        },
      },
      {
        status: 400,
        error: { message: 'Your plan is exhausted. You will regain access on 2026-11-24 at 12:00 UTC.' },
        model: 'glm-5',
        means: {
          kind: 'limited',
          rule: 'text',
          event: { kind: 'rate_limited', restMs: 86_400_000, model: 'glm-5' },
        },
      },
      // Without a word of an end it backs off by itself.
      {
        status: 400,
        body: 'Your plan is exhausted',
        means: {
          kind: 'limited',
          rule: 'text',
          event: { kind: 'rate_limited', restMs: null, model: '*sonnet*' },
        },
      },
      // What a client wrote is quoted, not said.
      { status: 400, error: { message: 'text: "Your plan is exhausted"' }, means: anythingElse },
      {
        status: 500,
        error: { message: 'Your plan of the day is exhausted' },
        means: { kind: 'failing', event: { kind: 'failed' } },
      },
    ],
  },
  {
    rules: [
      ruleWith({
        name: 'window',
        status: '429',
        errorType: 'odd_*',
        effect: 'rate_limited',
        scope: 'model',
        durationSeconds: 30,
      }),
    ],
    cases: [
      {
        status: 429,
        error: { type: 'odd_limit' },
        means: {
          kind: 'limited',
          rule: 'window',
          event: { kind: 'rate_limited', restMs: 30_000, model: 'claude-sonnet-5-5' },
        },
      },
      {
        status: 429,
        error: { type: 'rate_limit_error' },
        means: { kind: 'limited', event: { kind: 'rate_limited', restMs: null } },
      },
      { platform: 'claude', status: 429, error: { type: 'rate_limit_error' }, means: { kind: 'limited' } },
      { status: 400, error: { type: 'odd_limit' }, means: anythingElse },
    ],
  },
  {
    // The type that people see where the answer names none.
    rules: [ruleWith({ name: 'maintenance', platform: 'console', errorType: 'http_503', effect: 'cooling_down' })],
    cases: [
      { status: 503, body: '<html>', means: { kind: 'failing', rule: 'maintenance', event: { kind: 'failed' } } },
      { status: 503, error: { type: 'api_error' }, means: { kind: 'failing', event: { kind: 'failed' } } },
      { platform: 'claude', status: 503, body: '', means: { kind: 'failing', event: { kind: 'failed' } } },
    ],
  },
  {
    rules: [ruleWith({ name: 'too long', status: '500', message: '*context length*', effect: 'pass' })],
    cases: [
      {
        status: 503,
        error: { message: 'maximum context length' },
        means: { kind: 'failing', event: { kind: 'failed' } },
      },
      { status: 500, error: { message: 'maximum context length is 9' }, means: { kind: 'caller', rule: 'too long' } },
      {
        status: 500,
        error: { message: 'oops' },
        means: { kind: 'failing', event: { kind: 'failed' } },
      },
    ],
  },
  {
    rules: [ruleWith({ name: 'elsewhere', status: '400-403', errorType: 'region_error', effect: 'next' })],
    cases: [
      { status: 400, error: { type: 'region_error' }, means: { kind: 'refused', rule: 'elsewhere', passIfLast: true } },
      // A client would believe it of its own key.
      { status: 403, error: { type: 'region_error' }, means: { kind: 'refused', rule: 'elsewhere' } },
      { status: 404, error: { type: 'region_error' }, means: anythingElse },
      { status: 400, error: invalid, means: { kind: 'caller' } },
    ],
  },
  {
    rules: [ruleWith({ name: 'key dead', code: 'key_*', effect: 'reauth_required' })],
    cases: [
      {
        status: 403,
        error: { code: 'other' },
        means: { kind: 'refused', event: { kind: 'failed' }, misconfigured: true },
      },
      {
        status: 403,
        error: { code: 'key_revoked' },
        means: {
          kind: 'refused',
          rule: 'key dead',
          event: { kind: 'login_needed' },
          misconfigured: true,
        },
      },
      {
        status: 503,
        error: { code: 'key_revoked' },
        means: { kind: 'refused', rule: 'key dead', event: { kind: 'login_needed' }, misconfigured: true },
      },
    ],
  },
  {
    rules: [
      ruleWith({ name: 'bill', status: '403', errorType: 'arrears', effect: 'out_of_credit', durationSeconds: 3600 }),
    ],
    cases: [
      { status: 400, error: { type: 'arrears' }, means: anythingElse },
      {
        status: 403,
        error: { type: 'permission_error' },
        means: { kind: 'refused', event: { kind: 'failed' }, misconfigured: true },
      },
      {
        status: 403,
        error: { type: 'arrears' },
        means: {
          kind: 'refused',
          rule: 'bill',
          event: { kind: 'out_of_credit', restMs: 3_600_000 },
          misconfigured: true,
        },
      },
    ],
  },
  {
    rules: [
      ruleWith({ name: 'event', status: 'event', code: 'busy', effect: 'rate_limited', durationSeconds: 5 }),
      ruleWith({
        name: 'often',
        status: 'event',
        errorType: 'overloaded_error',
        effect: 'rate_limited',
        durationSeconds: 9,
      }),
    ],
    cases: [
      {
        status: 'event',
        error: { type: 'api_error', code: 'busy' },
        means: { kind: 'limited', rule: 'event', event: { kind: 'rate_limited', restMs: 5000 }, doubtful: true },
      },
      {
        status: 'event',
        error: { type: 'overloaded_error' },
        means: { kind: 'limited', rule: 'often', event: { kind: 'rate_limited', restMs: 9000 } },
      },
      {
        status: 529,
        error: { type: 'overloaded_error', code: 'busy' },
        means: { kind: 'failing', event: { kind: 'rate_limited', restMs: 3000 } },
      },
      {
        status: 'event',
        error: { type: 'api_error' },
        means: { kind: 'failing', event: { kind: 'failed' }, doubtful: true },
      },
    ],
  },
  {
    // The first that fits decides, and what is switched off is not asked.
    rules: [
      ruleWith({ name: 'off', enabled: false, status: '500', effect: 'pass' }),
      ruleWith({ name: 'first', status: '500', code: 'a*', effect: 'next' }),
      ruleWith({ name: 'second', status: '500-599', effect: 'cooling_down' }),
    ],
    cases: [
      { status: 500, error: { code: 'abc' }, means: { kind: 'refused', rule: 'first' } },
      { status: 503, error: { code: 'abc' }, means: { kind: 'failing', rule: 'second', event: { kind: 'failed' } } },
      { status: 400, error: { code: 'b' }, means: anythingElse },
      {
        status: 500,
        error: { code: 'b' },
        means: { kind: 'failing', rule: 'second', event: { kind: 'failed' } },
      },
      { status: 529, error: {}, means: { kind: 'failing', rule: 'second', event: { kind: 'failed' } } },
    ],
  },
]
