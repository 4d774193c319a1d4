import { expect, test } from 'vitest'
import type { RuleDraft } from '../../../server/upstreams/rules/rule.ts'
import { ruleProblems } from '../../../server/upstreams/rules/rule-checks.ts'
import { ruleCases, ruleWith } from './rule-cases.ts'

const pathsOf = (more: Partial<RuleDraft>): string[] => ruleProblems(ruleWith(more)).map(({ path }) => path)
const rests = { effect: 'rate_limited', durationSeconds: 60 } as const

test('the rules that the other tests judge by are all good ones', () => {
  const rules = ruleCases.flatMap(({ rules: list }) => list)
  expect(rules.flatMap((rule) => ruleProblems(rule).map((problem) => [rule.name, problem]))).toEqual([])
})

test('a rule for everything is none', () => {
  expect(pathsOf({})).toEqual(['status'])
  expect(pathsOf({ effect: 'reauth_required' })).toEqual(['status'])
})

test.each<Partial<RuleDraft>>([
  { status: '400' },
  { status: '400-499' },
  { status: '404' },
  { status: '413' },
  { status: 'event' },
  { status: '300-599' },
  // What every such answer is called says no more than its status.
  { status: '400', errorType: 'invalid_request_error' },
  { errorType: 'invalid_*' },
  { errorType: 'http_4*' },
  { status: '400', errorType: '*' },
  { status: '400', code: '*' },
  { status: '400', code: 'a*' },
  { status: '400', message: '*' },
  // A text may quote what a client wrote.
  { status: '400', message: '*your quota is used up*' },
  { message: '*quota*' },
  { status: '400', message: 'you*' },
  { status: '400', message: '余额*' },
])('%j could be what a client brings about: no account rests for it', (match) => {
  for (const effect of ['rate_limited', 'cooling_down', 'reauth_required', 'out_of_credit'] as const)
    expect(pathsOf({ ...match, effect }), effect).toEqual(['code'])
  // Where nothing rests, nothing is at stake.
  expect(pathsOf({ ...match, effect: 'next' })).toEqual([])
})

test.each<Partial<RuleDraft>>([
  { status: '400', code: 'quota' },
  { status: '400', code: 'insufficient_*' },
  { status: '400', errorType: 'arrears' },
  { status: '400', message: 'Your quota is used up*' },
  { status: '400', message: '余额不足*' },
  { status: '400', errorType: 'invalid_request_error', code: 'key_revoked', message: '*revoked*' },
  { code: 'key_revoked' },
  { status: 'event', errorType: 'overloaded_error' },
  // What the table itself takes for the account's.
  { status: '401' },
  { status: '402' },
  { status: '403' },
  { status: '200' },
  { status: '429' },
  { status: '500-599' },
])('%j names the account, and may make it rest', (match) => {
  expect(pathsOf({ ...match, ...rests })).toEqual([])
})

test('a 403 is never the caller’s: the account may rest for it, or one model', () => {
  expect(pathsOf({ status: '403', ...rests, scope: 'model' })).toEqual([])
  expect(pathsOf({ status: '403', ...rests, scope: 'family' })).toEqual([])
  expect(pathsOf({ status: '403-404', ...rests, scope: 'model' })).toEqual(['code'])
})

test.each(['401', '402', '403', '407', '429', '400-499', '400-401', '300', '300-599', 'event', ''])(
  'an answer with status %j is not passed to a client',
  (status) => {
    expect(pathsOf({ status, code: 'some_code', effect: 'pass' })).toEqual(['status'])
  },
)

test.each(['400', '408-428', '500', '430-599'])('an answer with status %s may be passed to a client', (status) => {
  expect(pathsOf({ status, effect: 'pass' })).toEqual([])
})

test('scopes are of limits, ends of limits and missing funds, ranges go up, and 200 is a body that is no success', () => {
  for (const effect of ['next', 'cooling_down', 'reauth_required', 'out_of_credit'] as const)
    expect(pathsOf({ status: '529', effect, scope: 'model' })).toEqual(['scope'])
  for (const effect of ['next', 'cooling_down', 'reauth_required'] as const)
    expect(pathsOf({ status: '529', effect, durationSeconds: 5 })).toEqual(['durationSeconds'])
  for (const effect of ['rate_limited', 'out_of_credit'] as const)
    expect(pathsOf({ status: '529', effect, durationSeconds: 5 })).toEqual([])
  expect(pathsOf({ status: '599-500' })).toEqual(['status'])
  expect(pathsOf({ status: '200' })).toEqual([])
})

test('every problem of a rule is told at once', () => {
  expect(pathsOf({ status: '400', effect: 'cooling_down', scope: 'model', durationSeconds: 5 }).sort()).toEqual([
    'code',
    'durationSeconds',
    'scope',
  ])
})
