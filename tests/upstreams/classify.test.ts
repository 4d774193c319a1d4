import { expect, test } from 'vitest'
import type { Classification, ClassificationRow, Consequence } from '../../server/upstreams/classification.ts'
import { createClassifier } from '../../server/upstreams/classify.ts'
import { subscriptionErrorRows as anthropicErrorRows } from '../../server/upstreams/formats/anthropic/error-rows.ts'
import { platforms } from '../../server/upstreams/platforms/platforms.ts'
import { retryAfter } from '../../server/upstreams/retry-after.ts'
import { accountFaultRows } from '../../server/upstreams/rules/account-faults.ts'
import { type ClassifyCase, classifyCases, nowMs } from './classify-cases.ts'

const account = { platform: 'console' } as const

function classified(
  rows: readonly ClassificationRow[],
  { status, error = {}, headers = {}, model = 'claude-sonnet-5-5' }: ClassifyCase,
) {
  const { classify, classifyEvent } = createClassifier({ platforms, rowsOf: () => rows })
  const text = JSON.stringify({ type: 'error', error })
  if (status === 'event') return classifyEvent(account, platforms.console!.format.errorOf(text), model, nowMs)
  const body = Buffer.from(Object.keys(error).length === 0 ? '' : text)
  return classify(account, { status, headers: new Map(Object.entries(headers)), body }, model, nowMs)
}

/** A classification as a case writes it down. */
function meaningOf({ kind, event, passIfLast, misconfigured, sameAs, evidence, ...more }: Classification) {
  const untilMs = event && 'untilMs' in event ? event.untilMs : undefined
  return {
    kind,
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
    ...(more.ifServedElsewhere && { ifServedElsewhere: true }),
    ...(more.tooLarge && { tooLarge: true }),
    ...(more.refusal !== undefined && { refusal: more.refusal }),
    message: evidence.message,
  }
}

const wanted = ({ means }: ClassifyCase) => ({ message: '', ...means })
const isRight = (rows: readonly ClassificationRow[], one: ClassifyCase): boolean =>
  JSON.stringify(sorted(meaningOf(classified(rows, one)))) === JSON.stringify(sorted(wanted(one)))
const sorted = (value: object): object =>
  Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, inner]) => [name, typeof inner === 'object' && inner !== null ? sorted(inner as object) : inner]),
  )

const nameOf = ({ row, status, error, headers }: ClassifyCase): string =>
  `${row}: ${status} ${error?.details?.error_code ?? error?.type ?? ''} ${Object.keys(headers ?? {}).join(' ')}`

test.each(classifyCases.map((one) => [nameOf(one), one] as const))('%s', (_name, one) => {
  expect(meaningOf(classified(anthropicErrorRows, one))).toEqual(wanted(one))
})

test('every row of the table has a case, and every case a row', () => {
  const names = anthropicErrorRows.map(({ name }) => name)
  const cased = new Set(classifyCases.map(({ row }) => row))
  expect([...cased].filter((name) => !names.includes(name))).toEqual([])
  expect(ownRows.map(({ name }) => name).filter((name) => !cased.has(name))).toEqual([])
})

/** The words of vendors have a table of their own (vendor-words.test.ts). */
const ownRows = anthropicErrorRows.filter((row) => !accountFaultRows.includes(row))

/** Each of its fields taken away, and the row as a whole. */
function mutantsOf(row: ClassificationRow): [what: string, rows: ClassificationRow[]][] {
  const rows = (changed: ClassificationRow | null): ClassificationRow[] =>
    anthropicErrorRows.flatMap((one) => (one === row ? (changed ?? []) : one))
  const without = <Key extends keyof Consequence>(key: Key): Consequence => ({ ...row.means, [key]: undefined })
  const kinds = ['caller', 'limited', 'refused', 'failing'] as const
  const keys = Object.keys(row.means) as (keyof Consequence)[]
  return [
    ['removed', rows(null)],
    ['never fits', rows({ ...row, status: 299, message: { test: () => false } })],
    ...kinds
      .filter((kind) => kind !== row.means.kind)
      .map((kind): [string, ClassificationRow[]] => [`kind ${kind}`, rows({ ...row, means: { ...row.means, kind } })]),
    ...keys
      .filter((key) => key !== 'kind' && !(key === 'scope' && row.means.scope === 'account'))
      .map((key): [string, ClassificationRow[]] => [`without ${key}`, rows({ ...row, means: without(key) })]),
    ...(row.means.scope === 'account' && row.means.state === 'rate_limited'
      ? [['scope model', rows({ ...row, means: { ...row.means, scope: 'model' } })] as [string, ClassificationRow[]]]
      : []),
  ]
}

/** What a removal cannot show: the default says the same. */
const equalToDefault = new Set(["the request's own fault: removed", "the request's own fault: never fits"])
/** A scope says nothing where the state has but one. */
const hasOneScope = (row: ClassificationRow, what: string): boolean =>
  what === 'without scope' && row.means.state === 'forbidden'

const mutants = ownRows.flatMap((row) =>
  mutantsOf(row)
    .filter(([what]) => !equalToDefault.has(`${row.name}: ${what}`) && !hasOneScope(row, what))
    .map(([what, rows]) => [`${row.name}: ${what}`, row, rows] as const),
)

test.each(mutants)('mutation: %s turns a case of its row red', (_what, row, rows) => {
  const cases = classifyCases.filter((one) => one.row === row.name)
  expect(cases.length).toBeGreaterThan(0)
  expect(cases.every((one) => isRight(anthropicErrorRows, one))).toBe(true)
  expect(cases.every((one) => isRight(rows, one))).toBe(false)
})

test('what an upstream writes never gets into a reason or type, only words that are identifiers', () => {
  for (const status of [400, 401, 402, 403, 404, 429, 500, 529]) {
    const error = { type: 'the prompt: secret', message: 'secret', code: 'a secret' }
    const {
      evidence,
      sameAs: _,
      ...rest
    } = classified(anthropicErrorRows, {
      row: '',
      status,
      error,
      headers: { 'retry-after': '1' },
      means: { kind: 'caller' },
    })
    expect(JSON.stringify(rest)).not.toContain('secret')
    expect(`${evidence.errorType} ${evidence.code}`).not.toContain('secret')
  }
  const odd = (body: string) =>
    createClassifier({ platforms, rowsOf: () => anthropicErrorRows }).classify(
      account,
      { status: 500, headers: new Map(), body: Buffer.from(body) },
      'm',
      nowMs,
    ).errorType
  expect(['not json', '[1]', 'null', '{"error":7}', ''].map(odd)).toEqual(Array.from({ length: 5 }, () => 'http_500'))
})

test('of a text that is kept secrets are taken out, and no more than 200 characters stay', () => {
  const message = `Your credit balance is too low for sk-ant-api03-abcdefghijklmnop ${'x'.repeat(500)}`
  const { evidence } = classified(anthropicErrorRows, {
    row: '',
    status: 400,
    error: { message },
    means: { kind: 'refused' },
  })
  expect(evidence.message).toHaveLength(200)
  expect(evidence.message).toContain('sk-[redacted]')
})

test('retry-after is read in seconds and as a date, and nonsense is none', () => {
  expect(retryAfter('1.5', nowMs)).toBe(1500)
  expect(retryAfter('-3', nowMs)).toBe(0)
  expect(retryAfter(new Date(nowMs - 5000).toUTCString(), nowMs)).toBe(0)
  for (const value of [undefined, '', 'soon', 'NaN']) expect(retryAfter(value, nowMs)).toBeNull()
})
