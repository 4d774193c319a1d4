import { expect, test } from 'vitest'
import en from '../../client/locales/en/rules.ts'
import zhCN from '../../client/locales/zh-CN/rules.ts'
import { formOf, readForm } from '../../client/pages/rules/rule-form.ts'
import { conditionsOf, fittingAttempts, rowKey, sortedFailures } from '../../client/pages/rules/rule-words.ts'
import { subscriptionErrorRows } from '../../server/upstreams/formats/anthropic/error-rows.ts'

const words = { required: 'required', duration: 'duration' }
const rule = {
  id: 'R1',
  name: 'r',
  enabled: true,
  platform: 'CLAUDE',
  status: '400',
  errorType: null,
  code: 'quota',
  message: null,
  effect: 'RATE_LIMIT',
  scope: 'FAMILY',
  durationSeconds: 5400,
} as const

test('a rule comes out of its form as it went in, its end in the largest unit that leaves a whole number', () => {
  const { id: _, enabled: __, ...fields } = rule
  expect(readForm(formOf(rule), words)).toEqual({ problems: {}, input: fields })
  const shown = (durationSeconds: number | null) => {
    const { amount, unit } = formOf({ ...rule, durationSeconds })
    return `${amount} ${unit}`
  }
  expect([90, 600, 5400, 7200, 86_400, null].map(shown)).toEqual(['90 s', '10 m', '90 m', '2 h', '1 d', ' m'])
})

test('what the effect has no use for is not sent, and what is empty is not asked for', () => {
  const form = { ...formOf(rule), status: '  ', code: '', effect: 'REQUIRE_REAUTH' as const, amount: 'nonsense' }
  const { problems, input } = readForm(form, words)
  expect(problems).toEqual({})
  expect(input).toMatchObject({ status: null, code: null, scope: 'ACCOUNT', durationSeconds: null })
})

test.each(['200', '403', '429'])('a rule for %s leaves its form as it was written', (status) => {
  const { problems, input } = readForm({ ...formOf(rule), status, effect: 'NEXT_ACCOUNT' }, words)
  expect(problems).toEqual({})
  expect(input).toMatchObject({ status, effect: 'NEXT_ACCOUNT', scope: 'ACCOUNT', durationSeconds: null })
})

test('a form without a name or with an end that is no number says so by field', () => {
  for (const amount of ['0', '-1', '1.5', 'x', '12345678'])
    expect(readForm({ ...formOf(rule), name: ' ', amount }, words).problems).toEqual({
      name: 'required',
      durationSeconds: 'duration',
    })
})

test('what a row asks for is told in the order of an error; the last row asks for nothing', () => {
  const nothing = { status: null, errorType: null, code: null, message: null }
  expect(conditionsOf({ ...nothing, status: '500', code: 'c', message: 'm*' }).map(({ what }) => what)).toEqual([
    'status',
    'code',
    'text',
  ])
  expect(conditionsOf({ ...nothing, status: 'event', errorType: '' }).map(({ what }) => what)).toEqual([
    'event',
    'noType',
  ])
  expect(conditionsOf({ ...nothing, limits: 'family' })).toEqual([{ what: 'limits', value: 'family' }])
  expect(conditionsOf(nothing)).toEqual([{ what: 'all', value: '' }])
})

test('of failures those are shown that the rule fits or may fit', () => {
  const failure = (match: 'YES' | 'MAYBE' | 'NO', attempts: number) =>
    ({ match, attempts }) as Parameters<typeof sortedFailures>[0][number]
  const failures = [failure('YES', 3), failure('MAYBE', 5), failure('NO', 7), failure('YES', 1)]
  expect(sortedFailures(failures)).toMatchObject({
    shown: [{ attempts: 3 }, { attempts: 5 }, { attempts: 1 }],
    others: 1,
  })
  expect(fittingAttempts(failures)).toBe(4)
})

test('every row of the built-in table has a name in both languages, and no name is left over', () => {
  // Two rows may have one name: the same error, told by its code or by its text.
  const keys = [...new Set(subscriptionErrorRows.map(({ name }) => rowKey(name)))].sort()
  expect(Object.keys(en.rules.rows).sort()).toEqual(keys)
  expect(Object.keys(zhCN.rules.rows).sort()).toEqual(keys)
})
