import type { FieldProblemCode } from '../../failure-codes.ts'
import { createPattern } from '../../model-patterns.ts'
import type { FieldProblem } from '../../verb-failure.ts'
import { type RuleDraft, statusOf, touchesAccount } from './rule.ts'

/** What is wrong with a rule as a whole; the form of each of its fields was looked at before. */
export function ruleProblems(rule: RuleDraft): FieldProblem[] {
  const { status, errorType, code, message, effect, scope, durationSeconds } = rule
  const problems: FieldProblem[] = []
  const refuse = (path: keyof RuleDraft, why: FieldProblemCode): void => void problems.push({ path, code: why })
  const [from, to] = range(status)
  if (from > to) refuse('status', 'STATUS_RANGE_REVERSED')
  if (status === '' && errorType === '' && code === '' && message === '') {
    refuse('status', 'RULE_MATCHES_ALL')
  } else if (touchesAccount(rule) && mayBeCallers(rule) && !isNamed(rule)) refuse('code', 'RULE_TOO_WIDE')
  if (effect === 'pass' && !mayPass(status)) {
    refuse('status', 'STATUS_NOT_PASSABLE')
  }
  if (effect !== 'rate_limited' && scope !== 'account') refuse('scope', 'SCOPE_NOT_ALLOWED')
  if (durationSeconds !== null && effect !== 'rate_limited' && effect !== 'out_of_credit') {
    refuse('durationSeconds', 'DURATION_NOT_ALLOWED')
  }
  return problems
}

/** Statuses that are about the account and not about what was asked. */
const accountStatuses = [401, 402, 403, 407, 408, 429]
/** Never passed to a client, which would take them for an error of its own key. */
const privateStatuses = [401, 402, 403, 407, 429]

const all = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i)

/** First and last status that a rule is for; all of them without one. */
function range(status: string): [from: number, to: number] {
  if (status === '' || status === 'event') return [200, 599]
  const found = statusOf(status)
  return typeof found === 'object' ? [...found] : [Number(found), Number(found)]
}

function mayPass(status: string): boolean {
  const [from, to] = range(status)
  return status !== '' && status !== 'event' && from >= 400 && !privateStatuses.some((one) => from <= one && one <= to)
}

/** True when an error of a request that is itself at fault could fit. */
function mayBeCallers({ status }: RuleDraft): boolean {
  if (status === '' || status === 'event') return true
  const [from, to] = range(status)
  return all(400, 499).some((one) => from <= one && one <= to && !accountStatuses.includes(one))
}

/** Types that say no more than the status does. */
const plainTypes = [
  'invalid_request_error',
  'not_found_error',
  'permission_error',
  'request_too_large',
  'error',
].concat(
  ['conflict_error', 'bad_request', 'bad_request_error', 'api_error'],
  all(400, 499).map((status) => `http_${status}`),
)

/** Shorter patterns would fit too much. */
const minWordChars = 3
const minTextBytes = 8

/** True when the rule says more than which status: identifiers of the upstream, or how its text begins (a client may be quoted later). */
function isNamed({ errorType, code, message }: RuleDraft): boolean {
  const type = createPattern(errorType)
  return (
    code.replaceAll('*', '').length >= minWordChars ||
    (errorType.replaceAll('*', '').length >= minWordChars && !plainTypes.some((plain) => type.test(plain))) ||
    Buffer.byteLength(message.replace(/\*.*$/s, '')) >= minTextBytes
  )
}
