import type { Platform } from '../../accounts/account.ts'
import type { ClassificationRow } from '../classification.ts'
import { factsOf, factsOfEvent, fits, fitsNames } from '../classify.ts'
import type { Platforms } from '../platform.ts'
import { type Meaning, meaningOf, type RuleDraft, rowOfRule, touchesAccount } from './rule.ts'
import type { ErrorRules } from './rules.ts'

/** Failed attempts of one kind, as the ledger has them: texts and headers are not kept. */
export interface RecentFailure {
  platform: Platform
  /** Upstream's status; 200 with an error event. */
  httpStatus: number
  errorType: string
  errorCode: string
  /** What was decided then. */
  decided: 'caller' | 'limited' | 'refused' | 'failing'
  attempts: number
  accountIds: readonly number[]
  lastAtMs: number
}

/** `maybe`: its status, type and code fit; the text or headers, which are not kept, decide. */
export type RuleMatch = 'yes' | 'maybe' | 'no'

export interface TriedFailure extends RecentFailure {
  match: RuleMatch
  /** What may decide today, the likelier first; more than one where a text or headers decide between them. */
  today: Meaning[]
  withRule: Meaning[]
}

export interface RuleTrial {
  failures: TriedFailure[]
  /** Of those that the rule certainly decides: what would have touched accounts. */
  touched: { attempts: number; accountIds: number[] }
}

export interface TriedSample {
  errorType: string
  code: string
  matches: boolean
  today: Meaning
  withRule: Meaning
}

/** Error types of attempts that were never classified: they say nothing about rules. */
const neverClassified = new Set(
  [
    'first_byte_timeout',
    'idle_timeout',
    'wrong_content_type',
    'response_too_large',
    'bad_response',
    'bad_encoding',
  ].concat(['broken_response', 'stopping', 'interrupted']),
)

/** Runs a rule that is not saved over failures of the past, and over a response that somebody has at hand. Pure. */
export function createBench(rules: Pick<ErrorRules, 'all' | 'rowsOf' | 'rowsWith'>, platforms: Platforms) {
  /** The rule at the position that it has or would get. It is tried as if it were switched on. */
  function withRule(draft: RuleDraft, id: number | undefined) {
    const known = rules.all()
    const replaced = known.find((rule) => rule.id === id)
    const tried = { ...draft, enabled: true }
    const list = replaced ? known.map((rule): RuleDraft => (rule === replaced ? tried : rule)) : [...known, tried]
    return { rows: rules.rowsWith(list), names: { before: replaced?.name, after: draft.name } }
  }

  return {
    /** `id`: of the stored rule that `draft` would replace. */
    tryFailures(draft: RuleDraft, id: number | undefined, failures: readonly RecentFailure[]): RuleTrial {
      const { rows, names } = withRule(draft, id)
      const tried = failures
        .filter(({ httpStatus, errorType }) => httpStatus !== 0 && !neverClassified.has(errorType))
        .map((failure) => tryFailure(failure, rules.rowsOf(failure.platform), rows[failure.platform], names))
      const decided = touchesAccount(draft) ? tried.filter((one) => one.match === 'yes') : []
      return {
        failures: tried,
        touched: {
          attempts: decided.reduce((sum, { attempts }) => sum + attempts, 0),
          accountIds: [...new Set(decided.flatMap(({ accountIds }) => accountIds))],
        },
      }
    },

    /** `status`: `event`, or a number. `body`: of the response, or the data of the event. Nothing of it is kept. */
    trySample(
      draft: RuleDraft,
      id: number | undefined,
      { platform, status, body }: { platform: Platform; status: number | 'event'; body: string },
      nowMs: number,
    ): TriedSample {
      const spoken = platforms[platform]!
      const facts =
        status === 'event'
          ? factsOfEvent(spoken.format.errorOf(body))
          : factsOf({ status, headers: new Map(), body: Buffer.from(body) }, spoken, '', nowMs)
      const decides = (rows: readonly ClassificationRow[]) => meaningOf(rows.find((row) => fits(row, facts))!)
      return {
        errorType: facts.shownType,
        code: facts.code,
        matches: fits(rowOfRule(draft), facts),
        today: decides(rules.rowsOf(platform)),
        withRule: decides(withRule(draft, id).rows[platform]),
      }
    },
  }
}

export type Bench = ReturnType<typeof createBench>

function tryFailure(
  failure: RecentFailure,
  today: readonly ClassificationRow[],
  after: readonly ClassificationRow[],
  names: { before: string | undefined; after: string },
): TriedFailure {
  const now = mayDecide(today, failure)
  // What was decided then shows which of them it was, unless the rules have changed since.
  const then = now.filter((row) => row.means.kind === failure.decided)
  const known = then.length > 0 ? then : now
  const isRule = (row: ClassificationRow, name: string | undefined): boolean => row.isRule === true && row.name === name
  const all = mayDecide(after, failure)
  // Where the rule as it is stored may have decided, nothing shows which of the others would have.
  const next = known.some((row) => isRule(row, names.before))
    ? all
    : all.filter((row) => isRule(row, names.after) || known.some(({ name }) => name === row.name))
  const tried = next.find((row) => isRule(row, names.after))
  return {
    ...failure,
    match: tried === undefined ? 'no' : isSure(tried, failure) && next[0] === tried ? 'yes' : 'maybe',
    today: known.map(meaningOf),
    withRule: next.map(meaningOf),
  }
}

/** Rows that may have decided, in their order, by what is known of the response. */
function mayDecide(rows: readonly ClassificationRow[], failure: RecentFailure): ClassificationRow[] {
  const found: ClassificationRow[] = []
  for (const row of rows) {
    if (!waysToFit(row, failure).includes(true)) continue
    found.push(row)
    if (isSure(row, failure)) break
  }
  return found
}

/** Whether the row fits; for a failure with status 200 twice: as an error event, and as a body that was no success. */
function waysToFit(row: ClassificationRow, { httpStatus, errorType, errorCode }: RecentFailure): boolean[] {
  const type = errorType === `http_${httpStatus}` || errorType === 'redirect' ? '' : errorType
  const statuses = httpStatus === 200 ? (['event', 200] as const) : [httpStatus]
  return statuses.map((status) => fitsNames(row, { status, type, shownType: errorType, code: errorCode }))
}

/** True when what is kept of the response is all that the row asks for. */
function isSure(row: ClassificationRow, failure: RecentFailure): boolean {
  const { message, sentence, text, limits, blamesRequest } = row
  const asksMore = [message, sentence, text, limits, blamesRequest].some((one) => one !== undefined)
  return !asksMore && !waysToFit(row, failure).includes(false)
}
