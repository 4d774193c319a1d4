import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ProvisionError, readProvisionFile } from '../../server/provisioning/provision-file.ts'
import { ruleProblems } from '../../server/upstreams/rules/rule-checks.ts'

function pathsOf(file: object): string[] {
  try {
    readProvisionFile(JSON.stringify(file))
  } catch (error) {
    if (error instanceof ProvisionError) return error.problems.map(({ path }) => path)
    throw error
  }
  return []
}

test('a rule that cannot be is told by its field', () => {
  const wrong = [
    {
      status: '600',
      errorType: 'two words',
      code: '',
      message: '',
      effect: 'explode',
      scope: 'world',
      durationSeconds: 0,
    },
    {
      platform: 'gemini',
      status: '4xx',
      message: 'two\nlines',
      durationSeconds: 2_678_401,
      effect: null,
      pattern: '*',
    },
    { name: 'r', durationSeconds: '60', enabled: 'yes', status: 400 },
    { name: 'r' },
  ]
  expect(pathsOf({ rules: wrong.slice(0, 1) }).sort()).toEqual(
    ['code', 'durationSeconds', 'effect', 'errorType', 'message', 'name', 'scope', 'status'].map(
      (f) => `rules[0].${f}`,
    ),
  )
  expect(pathsOf({ rules: wrong.slice(1, 2) }).sort()).toEqual(
    ['durationSeconds', 'effect', 'message', 'name', 'pattern', 'platform', 'status'].map((f) => `rules[0].${f}`),
  )
  expect(pathsOf({ rules: wrong.slice(2) }).sort()).toEqual([
    'rules[0].durationSeconds',
    'rules[0].enabled',
    'rules[0].status',
    'rules[1].name',
  ])
})

test('the rules of both documents are the same, and can be', () => {
  const texts = ['docs/error-rules.md', 'docs/error-rules.zh-CN.md'].map(
    (path) => /```json\n(.*?)```/s.exec(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'))?.[1] ?? '',
  )
  expect(texts[0]).toBe(texts[1])
  const { rules } = readProvisionFile(texts[0] ?? '')
  expect(rules).toHaveLength(3)
  const any = {
    platform: null,
    enabled: true,
    errorType: '',
    code: '',
    message: '',
    status: '',
    scope: 'account',
  } as const
  for (const rule of rules) {
    const { status, errorType, code, message, effect = 'next', ...rest } = rule
    const given = Object.fromEntries(Object.entries({ status, errorType, code, message }).filter(([, text]) => text))
    expect(ruleProblems({ ...any, durationSeconds: null, ...rest, ...given, effect }), rule.name).toEqual([])
  }
})

test('a provisioning file may have rules for 200 and 403, and one that takes a 429 for the request’s', () => {
  const rules = [
    { name: 'quota in a 200', status: '200', code: 'quota_*', effect: 'out_of_credit' },
    { name: 'region', status: '403', effect: 'rate_limited', scope: 'model', durationSeconds: 60 },
    { name: 'long context', status: '429', message: 'Extra usage*', effect: 'next' },
  ]
  expect(pathsOf({ rules })).toEqual([])
})
