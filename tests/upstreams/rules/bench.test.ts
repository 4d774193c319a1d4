import { expect, test } from 'vitest'
import { platforms } from '../../../server/upstreams/platforms/platforms.ts'
import type { ErrorRule, Meaning, RuleDraft } from '../../../server/upstreams/rules/rule.ts'
import { createBench, type RecentFailure } from '../../../server/upstreams/rules/rule-trial.ts'
import { createErrorRules } from '../../../server/upstreams/rules/rules.ts'
import { nowMs, ruleWith } from './rule-cases.ts'

const { rowsWith } = createErrorRules({ platforms } as Parameters<typeof createErrorRules>[0])

/** A bench beside these stored rules, with ids from 1. */
function benchBeside(...drafts: RuleDraft[]) {
  const rules = drafts.map((draft, index): ErrorRule => ({ ...draft, id: index + 1 }))
  const rows = rowsWith(rules)
  return createBench({ all: () => rules, rowsOf: (platform) => rows[platform], rowsWith }, platforms)
}

const failure = (more: Partial<RecentFailure>): RecentFailure => ({
  platform: 'console',
  httpStatus: 400,
  errorType: 'invalid_request_error',
  errorCode: '',
  decided: 'caller',
  attempts: 3,
  accountIds: [1],
  lastAtMs: nowMs,
  ...more,
})
const names = (meanings: readonly Meaning[]) => meanings.map(({ name }) => name)
const quota = ruleWith({ name: 'quota', status: '400', code: 'quota', effect: 'rate_limited', durationSeconds: 60 })

test('of each failure it is told what decides today and what would with the rule, and which accounts would have rested', () => {
  const { failures, touched } = benchBeside().tryFailures(quota, undefined, [
    failure({ errorCode: 'quota', attempts: 5, accountIds: [1, 2] }),
    failure({ errorCode: 'quota', decided: 'refused', attempts: 2, accountIds: [2, 3], platform: 'claude' }),
    failure({ errorCode: 'other', attempts: 7, accountIds: [4] }),
  ])
  expect(failures.map(({ match }) => match)).toEqual(['yes', 'yes', 'no'])
  expect(failures[0]).toMatchObject({
    today: [{ name: "the request's own fault (400)", isRule: false, effect: 'pass' }],
    withRule: [{ name: 'quota', isRule: true, effect: 'rate_limited', scope: 'account', durationSeconds: 60 }],
  })
  expect(failures[2]!.withRule).toEqual(failures[2]!.today)
  expect(touched).toEqual({ attempts: 7, accountIds: [1, 2, 3] })
})

test('a rule that makes nothing rest touches no account, however often it fits', () => {
  const { failures, touched } = benchBeside().tryFailures({ ...quota, effect: 'next' }, undefined, [
    failure({ errorCode: 'quota' }),
  ])
  expect(failures[0]!.match).toBe('yes')
  expect(touched).toEqual({ attempts: 0, accountIds: [] })
})

test('where a text decides, which the ledger has not, it is a maybe and touches nothing', () => {
  const rule = ruleWith({ name: 'text', status: '400', message: 'Your plan*', effect: 'reauth_required' })
  const { failures, touched } = benchBeside().tryFailures(rule, undefined, [
    failure({}),
    failure({ decided: 'refused' }),
    failure({ httpStatus: 404, errorType: 'not_found_error', decided: 'refused' }),
  ])
  expect(failures.map(({ match }) => match)).toEqual(['maybe', 'maybe', 'no'])
  expect(names(failures[0]!.withRule)).toEqual(['text', "the request's own fault (400)"])
  // What was decided then leaves out what it cannot have been.
  expect(names(failures[1]!.today)).toContain('no credit')
  expect(names(failures[1]!.today)).not.toContain("the request's own fault (400)")
  expect(touched.attempts).toBe(0)
})

test('of a 429 the headers are not known: every case of it may be', () => {
  const { failures } = benchBeside().tryFailures(
    ruleWith({ name: 'r', status: '429', errorType: 'odd', effect: 'next' }),
    undefined,
    [failure({ httpStatus: 429, errorType: 'odd', decided: 'limited' })],
  )
  expect(names(failures[0]!.today)).toEqual(
    expect.arrayContaining(['window of the account used up', 'window of some models used up', 'limited']),
  )
  expect(names(failures[0]!.withRule)).toEqual(['r'])
})

test('a rule in front keeps its say; the tried one comes last, or where it stands already', () => {
  const first = ruleWith({ name: 'first', status: '400', code: 'q*', effect: 'next' })
  const found = [failure({ errorCode: 'quota', decided: 'refused' })]
  const behind = benchBeside(first).tryFailures(quota, undefined, found).failures[0]!
  expect([behind.match, names(behind.withRule)]).toEqual(['no', ['first']])
  const stored = benchBeside(quota, first)
  const changed = stored.tryFailures({ ...quota, name: 'renamed', effect: 'out_of_credit' }, 1, found).failures[0]!
  expect([changed.match, names(changed.withRule)]).toEqual(['yes', ['renamed']])
  // Without what it was so far, the next one decides.
  const away = stored.tryFailures({ ...quota, code: 'another' }, 1, found).failures[0]!
  expect([away.match, names(away.withRule)]).toEqual(['no', ['first']])
})

test('a rule that is switched off is tried as if it were on', () => {
  const off = { ...quota, enabled: false }
  expect(benchBeside(off).tryFailures(off, 1, [failure({ errorCode: 'quota' })]).failures[0]!.match).toBe('yes')
})

test('types as the ledger has them where an answer named none, events, and what never reached the table', () => {
  const all = ruleWith({ name: 'all', status: '200-599', errorType: '*', effect: 'next' })
  const events = ruleWith({ name: 'events', status: 'event', errorType: 'api_error', effect: 'next' })
  const unnamed = ruleWith({ name: 'unnamed', errorType: 'http_503', effect: 'next' })
  const list = [
    failure({ httpStatus: 0, errorType: 'ECONNREFUSED', decided: 'failing' }),
    failure({ httpStatus: 200, errorType: 'broken_response', decided: 'failing' }),
    failure({ httpStatus: 500, errorType: 'idle_timeout', decided: 'failing' }),
    failure({ httpStatus: 200, errorType: 'api_error', decided: 'failing' }),
    failure({ httpStatus: 503, errorType: 'http_503', decided: 'failing' }),
  ]
  const matches = (rule: RuleDraft) =>
    benchBeside()
      .tryFailures(rule, undefined, list)
      .failures.map(({ match }) => match)
  // With 200 it was an event, or a body: the ledger does not say which.
  expect(matches(all)).toEqual(['maybe', 'yes'])
  expect(matches(events)).toEqual(['maybe', 'no'])
  expect(matches(unnamed)).toEqual(['no', 'yes'])
})

test('a sample is judged by its whole text, and nothing of the text comes back', () => {
  const rule = ruleWith({ name: 'text', status: '400', message: 'Your plan*', effect: 'out_of_credit' })
  const bench = benchBeside()
  const sample = (body: string, status: number | 'event' = 400) =>
    bench.trySample(rule, undefined, { platform: 'console', status, body }, nowMs)
  const fits = sample('{"error":{"type":"odd","code":"c1","message":"Your plan: CANARY"}}')
  expect(fits).toMatchObject({
    errorType: 'odd',
    code: 'c1',
    matches: true,
    today: { name: 'anything else' },
    withRule: { name: 'text', effect: 'out_of_credit' },
  })
  expect(JSON.stringify(fits)).not.toContain('CANARY')
  expect(sample('Your plan is over').matches).toBe(true)
  expect(sample('{"error":{"message":"about Your plan"}}')).toMatchObject({
    matches: false,
    withRule: { effect: 'cooling_down' },
  })
  expect(sample('no JSON at all', 'event').errorType).toBe('error')
  expect(sample('{"type":"error","error":{"type":"overloaded_error"}}', 'event')).toMatchObject({
    matches: false,
    today: { name: 'overloaded within the stream' },
  })
})
