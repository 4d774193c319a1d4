import { expect, test } from 'vitest'
import { createClassifier } from '../../../server/upstreams/classify.ts'
import { platforms } from '../../../server/upstreams/platforms/platforms.ts'
import { type RuleDraft, rowOfRule } from '../../../server/upstreams/rules/rule.ts'
import { createErrorRules } from '../../../server/upstreams/rules/rules.ts'
import { nowMs, type RuleCase, ruleCases, ruleWith } from './rule-cases.ts'

/** The list as it is asked; nothing of a database is needed for it. */
const { rowsWith } = createErrorRules({ platforms } as Parameters<typeof createErrorRules>[0])

function classified(rules: readonly RuleDraft[], one: RuleCase) {
  const { platform = 'console', status, error = {}, headers = {}, model = 'claude-sonnet-5-5' } = one
  const rows = rowsWith(rules)
  const { classify, classifyEvent } = createClassifier({ platforms, rowsOf: (name) => rows[name] })
  const body = one.body ?? JSON.stringify({ type: 'error', error })
  if (status === 'event') return classifyEvent({ platform }, platforms[platform]!.format.errorOf(body), model, nowMs)
  const response = { status, headers: new Map(Object.entries(headers)), body: Buffer.from(body) }
  return classify({ platform }, response, model, nowMs)
}

/** A classification as a case writes it down. */
function meaning(rules: readonly RuleDraft[], one: RuleCase): RuleCase['means'] {
  const { kind, rule, event, passIfLast, misconfigured, sameAs } = classified(rules, one)
  const untilMs = event && 'untilMs' in event ? event.untilMs : undefined
  return {
    kind,
    ...(rule !== undefined && { rule }),
    ...(event && {
      event: {
        kind: event.kind,
        ...(untilMs !== undefined && { restMs: untilMs === null ? null : untilMs - nowMs }),
        ...('model' in event && { model: event.model }),
      },
    }),
    ...(passIfLast && { passIfLast }),
    ...(misconfigured && { misconfigured }),
    ...(sameAs !== undefined && { doubtful: true }),
  }
}

const named = ruleCases.flatMap(({ rules, cases }) =>
  cases.map(
    (one, index) => [`${rules.map(({ name }) => name).join(', ')} (${index + 1}): ${one.status}`, rules, one] as const,
  ),
)

test.each(named)('%s', (_name, rules, one) => {
  expect(meaning(rules, one)).toEqual(one.means)
})

test('a rule says so in the reason, by its name, and keeps nothing of the text', () => {
  const [{ rules, cases }] = ruleCases as [(typeof ruleCases)[0]]
  const { event, evidence } = classified(rules, cases[0]!)
  expect(event).toMatchObject({ reason: 'rule "quota": 400 new_api_error (insufficient_user_quota)' })
  expect(evidence).toEqual({ status: 400, errorType: 'new_api_error', code: 'insufficient_user_quota', message: '' })
})

/** Each of its fields taken away or changed, and the rule as a whole. */
function mutantsOf(rule: RuleDraft): [what: string, rule: RuleDraft | null][] {
  const others = (field: keyof RuleDraft, values: (string | number | null)[]): [string, RuleDraft][] =>
    values.filter((value) => value !== rule[field]).map((value) => [`${field} ${value}`, { ...rule, [field]: value }])
  const means: [string, RuleDraft][] =
    rule.effect === 'rate_limited'
      ? [...others('scope', ['account', 'model', 'family']), ...others('durationSeconds', [null, 7])]
      : rule.effect === 'out_of_credit'
        ? others('durationSeconds', [null, 7])
        : []
  if (!rule.enabled) return [['enabled', { ...rule, enabled: true }]]
  return [
    ['removed', null],
    ['enabled false', { ...rule, enabled: false }],
    ['platform codex', { ...rule, platform: 'codex' }],
    ...(rule.platform === null ? [] : others('platform', [null])),
    ...(['status', 'errorType', 'code', 'message'] as const)
      .filter((field) => rule[field] !== '')
      .flatMap((field): [string, RuleDraft][] => [
        ...others(field, ['']),
        ...others(field, [field === 'status' ? '418' : 'nothing of the kind']),
      ]),
    ...others('effect', ['pass', 'next', 'rate_limited', 'cooling_down', 'reauth_required', 'out_of_credit']),
    ...means,
  ]
}

const mutants = ruleCases.flatMap(({ rules, cases }) =>
  rules.flatMap((rule) =>
    mutantsOf(rule).map(([what, changed]) => {
      const mutated = rules.flatMap((one) => (one === rule ? (changed ?? []) : one))
      return [`${rule.name}: ${what}`, mutated, cases] as const
    }),
  ),
)

test.each(mutants)('mutation: %s turns a case red', (_what, rules, cases) => {
  const right = cases.filter((one) => JSON.stringify(sorted(meaning(rules, one))) === JSON.stringify(sorted(one.means)))
  expect(right.length).toBeLessThan(cases.length)
})

const sorted = (value: object): object =>
  Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, inner]) => [name, typeof inner === 'object' && inner !== null ? sorted(inner as object) : inner]),
  )

test('a pattern of many * against a text made for it takes no longer than the text is long', () => {
  const pattern = `${'*a'.repeat(149)}*b`
  const row = rowOfRule(ruleWith({ message: pattern }))
  const text = 'a'.repeat(10_000)
  const startedMs = performance.now()
  for (let i = 0; i < 100; i++) expect(row.text!.test(text)).toBe(false)
  // A hundred rules at once; with backtracking one of them would not end in this life.
  expect(performance.now() - startedMs).toBeLessThan(1000)
})

test('no more than 10 000 characters of an answer are looked at', () => {
  const rules = [ruleWith({ name: 'end', message: '*the end', effect: 'pass', status: '500' })]
  const means = (length: number) =>
    classified(rules, { status: 500, body: `${'x'.repeat(length - 7)}the end`, means: { kind: 'caller' } }).rule
  expect([means(10_000), means(10_001)]).toEqual(['end', undefined])
})

test('two accounts say the same although their texts name different requests and moments', () => {
  const rules = ruleCases[0]!.rules
  const said = (message: string) =>
    classified(rules, {
      status: 400,
      error: { type: 'invalid_request_error', code: 'insufficient_x', message },
      means: { kind: 'caller' },
    }).sameAs
  expect(said('no quota (request id: 20261123abcdef0123)')).toBe(said('no quota (request id: 2026-11-23T10)'))
  expect(said('no quota')).not.toBe(said('no money'))
})
