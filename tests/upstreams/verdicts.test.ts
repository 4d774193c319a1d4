import { expect, test } from 'vitest'
import {
  anthropicVerdicts,
  type Consequence,
  judgeAnswer,
  judgeEventBy,
  retryAfter,
  type VerdictRow,
} from '../../server/upstreams/classify.ts'
import type { Verdict } from '../../server/upstreams/platform.ts'
import { readError } from '../../server/upstreams/upstream-error.ts'
import { nowMs, type VerdictCase, verdictCases } from './verdict-cases.ts'

function judge(
  rows: readonly VerdictRow[],
  { status, error = {}, headers = {}, model = 'claude-sonnet-5-5' }: VerdictCase,
) {
  if (status === 'event') return judgeEventBy(rows, readError(JSON.stringify({ type: 'error', error })), model, nowMs)
  const body = Buffer.from(Object.keys(error).length === 0 ? '' : JSON.stringify({ type: 'error', error }))
  return judgeAnswer(rows, { status, headers: new Map(Object.entries(headers)), body }, model, nowMs)
}

/** A verdict as a case writes it down. */
function meaningOf({ kind, event, passIfLast, misconfigured, sameAs, evidence }: Verdict) {
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
    message: evidence.message,
  }
}

const wanted = ({ means }: VerdictCase) => ({ message: '', ...means })
const isRight = (rows: readonly VerdictRow[], one: VerdictCase): boolean =>
  JSON.stringify(sorted(meaningOf(judge(rows, one)))) === JSON.stringify(sorted(wanted(one)))
const sorted = (value: object): object =>
  Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, inner]) => [name, typeof inner === 'object' && inner !== null ? sorted(inner as object) : inner]),
  )

const nameOf = ({ row, status, error, headers }: VerdictCase): string =>
  `${row}: ${status} ${error?.details?.error_code ?? error?.type ?? ''} ${Object.keys(headers ?? {}).join(' ')}`

test.each(verdictCases.map((one) => [nameOf(one), one] as const))('%s', (_name, one) => {
  expect(meaningOf(judge(anthropicVerdicts, one))).toEqual(wanted(one))
})

test('every row of the table has a case, and every case a row', () => {
  expect([...new Set(verdictCases.map(({ row }) => row))].sort()).toEqual(
    anthropicVerdicts.map(({ name }) => name).sort(),
  )
})

/** Each of its fields taken away, and the row as a whole. */
function mutantsOf(row: VerdictRow): [what: string, rows: VerdictRow[]][] {
  const rows = (changed: VerdictRow | null): VerdictRow[] =>
    anthropicVerdicts.flatMap((one) => (one === row ? (changed ?? []) : one))
  const without = <Key extends keyof Consequence>(key: Key): Consequence => ({ ...row.means, [key]: undefined })
  const kinds = ['caller', 'limited', 'refused', 'failing'] as const
  const keys = Object.keys(row.means) as (keyof Consequence)[]
  return [
    ['removed', rows(null)],
    ['never fits', rows({ ...row, status: 299, message: { test: () => false } })],
    ...kinds
      .filter((kind) => kind !== row.means.kind)
      .map((kind): [string, VerdictRow[]] => [`kind ${kind}`, rows({ ...row, means: { ...row.means, kind } })]),
    ...keys
      .filter((key) => key !== 'kind' && !(key === 'scope' && row.means.scope === 'account'))
      .map((key): [string, VerdictRow[]] => [`without ${key}`, rows({ ...row, means: without(key) })]),
    ...(row.means.scope === 'account' && row.means.state === 'rate_limited'
      ? [['scope model', rows({ ...row, means: { ...row.means, scope: 'model' } })] as [string, VerdictRow[]]]
      : []),
  ]
}

/** What a removal cannot show: the default says the same. */
const equalToDefault = new Set(["the request's own fault: removed", "the request's own fault: never fits"])
/** A scope says nothing where the state has but one. */
const hasOneScope = (row: VerdictRow, what: string): boolean =>
  what === 'without scope' && row.means.state === 'forbidden'

const mutants = anthropicVerdicts.flatMap((row) =>
  mutantsOf(row)
    .filter(([what]) => !equalToDefault.has(`${row.name}: ${what}`) && !hasOneScope(row, what))
    .map(([what, rows]) => [`${row.name}: ${what}`, row, rows] as const),
)

test.each(mutants)('mutation: %s turns a case of its row red', (_what, row, rows) => {
  const cases = verdictCases.filter((one) => one.row === row.name)
  expect(cases.length).toBeGreaterThan(0)
  expect(cases.every((one) => isRight(anthropicVerdicts, one))).toBe(true)
  expect(cases.every((one) => isRight(rows, one))).toBe(false)
})

test('what an upstream writes never gets into a reason or type, only words that are identifiers', () => {
  for (const status of [400, 401, 402, 403, 404, 429, 500, 529]) {
    const error = { type: 'the prompt: secret', message: 'secret', code: 'a secret' }
    const {
      evidence,
      sameAs: _,
      ...rest
    } = judge(anthropicVerdicts, {
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
    judgeAnswer(anthropicVerdicts, { status: 500, headers: new Map(), body: Buffer.from(body) }, 'm', nowMs).errorType
  expect(['not json', '[1]', 'null', '{"error":7}', ''].map(odd)).toEqual(Array.from({ length: 5 }, () => 'http_500'))
})

test('of a text that is kept secrets are taken out, and no more than 200 characters stay', () => {
  const message = `Your credit balance is too low for sk-ant-api03-abcdefghijklmnop ${'x'.repeat(500)}`
  const { evidence } = judge(anthropicVerdicts, {
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
