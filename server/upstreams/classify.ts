// Over 300 lines: a table of verdicts and how its rows are read.
import type { AccountEvent } from '../accounts/state/state.ts'
import { redactText } from '../redaction.ts'
import { familyOf, limitReached, readUnifiedLimits } from './formats/anthropic/unified-limits.ts'
import type { UpstreamRefusal, Verdict } from './platform.ts'
import { readError, type SaidError } from './upstream-error.ts'

/** A regular expression, or the pattern of a rule. */
export interface Pattern {
  test(text: string): boolean
}

/** What answers mean, as data: a platform is a list of rows, the first that fits decides. */
export interface VerdictRow {
  name: string
  /** The row is a rule of an administrator (rules/). */
  isRule?: true
  /** An HTTP status, a range of them, or an error event in a stream before its content; absent: anything. */
  status?: number | readonly [from: number, to: number] | 'event'
  /** A pattern is tried on the type as people see it: `http_503` where the answer names none. */
  type?: string | Pattern
  /** Of `error.details.error_code` or `error.code`. */
  code?: string | Pattern
  /** Tried on at most 10 000 characters. Anchored where it blames the account: a text may quote what a client wrote. */
  message?: Pattern
  /** The same, or where the answer has no message the body itself. */
  text?: Pattern
  /** With 429: what the rate-limit headers say (protocol.md §1.8). */
  limits?: LimitCase
  means: Consequence
}

/** What the headers of a 429 tell. `unsaid`: neither a time nor a limit. */
export type LimitCase = 'account' | 'family' | 'unsaid' | 'said'

export interface Consequence {
  /** As in {@link Verdict}. */
  kind: Verdict['kind']
  /** What becomes of the account; absent: nothing. `forbidden`: as rate_limited, and a lost login when it is said to two keys. */
  state?: 'rate_limited' | 'cooling_down' | 'forbidden' | 'reauth_required' | 'out_of_credit'
  scope?: 'account' | 'model' | 'family'
  /** Until when; milliseconds from now, or where it stands in the answer (`answer`: wherever it does). */
  until?: number | 'retry_after' | 'window' | 'date_said' | 'next_month' | 'answer'
  passIfLast?: true
  misconfigured?: true
  /** The same from two accounts is the request's fault. */
  doubtful?: true
  /**
   * The text is one that is known to be about the account, and quotes nobody: at most 200 characters of it go into the timeline.
   * Of all other errors only words that are identifiers are kept, for they could quote a prompt.
   */
  keepsText?: true
}

/** An answer as rows look at it. */
export interface Said extends SaidError {
  status: number | 'event'
  /** The type as timelines and attempts have it, made up where the answer names none. */
  shownType: string
  limits: LimitCase | null
  family: string
  windowMs: number | null
  retryAfterMs: number | null
}

/** An overloaded provider is overloaded for all: its accounts pause for seconds, not more. */
const overloadRestMs = 3000
const modelRestMs = 300_000
const longestRestMs = 24 * 3_600_000
const keptText = 200

const unfunded = { kind: 'refused', state: 'out_of_credit', scope: 'account', misconfigured: true } as const
const pass: Consequence = { kind: 'caller' }
const nextOrPass = { kind: 'refused', passIfLast: true } as const
const failing = { kind: 'failing', state: 'cooling_down', scope: 'account' } as const

/** Anthropic's own API and what speaks like it. */
export const anthropicVerdicts: readonly VerdictRow[] = [
  { name: 'organisation on hold', status: 400, code: 'organization_on_hold', means: { ...unfunded, keepsText: true } },
  {
    name: 'spend limit of the organisation',
    status: 400,
    message: /^you have reached your specified (api|workspace api) usage limits/i,
    means: { ...unfunded, until: 'date_said', keepsText: true },
  },
  {
    name: 'no credit',
    status: 400,
    message: /^your credit balance is too low/i,
    means: { ...unfunded, keepsText: true },
  },
  {
    name: 'account disabled',
    status: 400,
    message: /^(this|your) (account|organization) (has been |is )?disabled/i,
    means: { ...unfunded, keepsText: true },
  },
  { name: 'not a member any more', status: 400, code: 'claude_code_key_creator_not_member', means: nextOrPass },
  {
    name: 'codes of the request',
    status: 400,
    code: /^(thread_|claude_code_version_too_old|image_dimensions)/,
    means: pass,
  },
  {
    name: 'model unknown (400)',
    status: 400,
    message:
      /\bmodel\b.{0,100}\b(not found|not exist|unknown|not supported|unsupported|invalid)\b|\b(unknown|unsupported|invalid) model\b/i,
    means: nextOrPass,
  },
  { name: 'thread unknown', status: 404, code: /^thread_/, means: pass },
  { name: 'model unknown (404)', status: 404, type: 'not_found_error', means: nextOrPass },
  { name: 'path unknown', status: 404, type: '', means: nextOrPass },
  {
    name: 'login refused',
    status: 401,
    means: { kind: 'refused', state: 'reauth_required', scope: 'account', misconfigured: true },
  },
  { name: 'payment required', status: 402, means: { ...unfunded, until: 'date_said' } },
  {
    name: 'only for Claude Code',
    status: 403,
    message: /only (authorized|allowed)?.*claude code/i,
    means: { kind: 'refused' },
  },
  {
    name: 'model refused',
    status: 403,
    means: {
      kind: 'refused',
      state: 'forbidden',
      scope: 'model',
      until: modelRestMs,
      misconfigured: true,
      doubtful: true,
    },
  },
  {
    name: 'spend limit reached',
    status: 429,
    code: /^(enforced|contract)_spend_limit_reached$/,
    means: { kind: 'limited', state: 'out_of_credit', scope: 'account', until: 'next_month', keepsText: true },
  },
  {
    name: 'window of the account used up',
    status: 429,
    limits: 'account',
    means: { kind: 'limited', state: 'rate_limited', scope: 'account', until: 'window' },
  },
  {
    name: 'window of some models used up',
    status: 429,
    limits: 'family',
    means: { kind: 'limited', state: 'rate_limited', scope: 'family', until: 'window' },
  },
  { name: 'throttled', status: 429, limits: 'unsaid', means: { kind: 'limited' } },
  {
    name: 'limited',
    status: 429,
    means: { kind: 'limited', state: 'rate_limited', scope: 'account', until: 'retry_after' },
  },
  { name: 'no compaction now', status: 529, code: 'compaction_unavailable', means: { kind: 'failing' } },
  {
    name: 'overloaded',
    status: 529,
    means: { kind: 'failing', state: 'rate_limited', scope: 'account', until: overloadRestMs },
  },
  {
    name: "customer's key out of reach",
    status: 503,
    code: 'cmek_key_unreachable',
    means: { kind: 'failing', state: 'rate_limited', scope: 'account', until: 60_000 },
  },
  { name: 'timeout', status: 408, means: failing },
  { name: 'internal error', status: 500, means: { ...failing, doubtful: true } },
  { name: 'server error', status: [501, 599], means: failing },
  { name: 'redirect', status: [300, 399], means: { ...failing, misconfigured: true } },
  // 201, 204 …: no answer of this API.
  { name: 'odd success', status: [200, 299], means: failing },
  {
    name: 'limited within the stream',
    status: 'event',
    type: 'rate_limit_error',
    means: { kind: 'limited', state: 'rate_limited', scope: 'account' },
  },
  {
    name: 'overloaded within the stream',
    status: 'event',
    type: 'overloaded_error',
    means: { kind: 'failing', state: 'rate_limited', scope: 'account', until: overloadRestMs },
  },
  {
    name: 'request refused within the stream',
    status: 'event',
    type: /^(invalid_request_error|not_found_error|request_too_large)$/,
    means: { kind: 'refused' },
  },
  { name: 'error within the stream', status: 'event', means: { ...failing, doubtful: true } },
  { name: "the request's own fault", means: pass },
]

/** What an answer means by these rows. */
export function judgeAnswer(
  rows: readonly VerdictRow[],
  refusal: UpstreamRefusal,
  model: string,
  nowMs: number,
): Verdict {
  return verdictOf(rows, saidOf(refusal, model, nowMs), model, nowMs)
}

/** What an error event of a stream means, before its content. */
export function judgeEventBy(rows: readonly VerdictRow[], error: SaidError, model: string, nowMs: number): Verdict {
  return verdictOf(rows, saidInEvent(error), model, nowMs)
}

const saidNothing: Omit<Said, keyof SaidError> = {
  status: 0,
  shownType: '',
  limits: null,
  family: '',
  windowMs: null,
  retryAfterMs: null,
}

export function saidInEvent(error: SaidError): Said {
  return { ...saidNothing, ...error, status: 'event', shownType: error.type || 'error' }
}

export function saidOf({ status, headers, body }: UpstreamRefusal, model: string, nowMs: number): Said {
  const error = readError(body.toString('utf8'))
  const retryAfterMs = retryAfter(headers.get('retry-after'), nowMs)
  const said: Said = { ...saidNothing, ...error, status, shownType: shownTypeOf(status, error.type), retryAfterMs }
  if (status !== 429) return said
  const unified = readUnifiedLimits(headers)
  const reached = unified && limitReached(unified, model)
  if (reached?.scope === 'account') return { ...said, limits: 'account', windowMs: reached.untilMs }
  if (reached) return { ...said, limits: 'family', family: reached.family, windowMs: reached.untilMs }
  if (said.retryAfterMs !== null) return { ...said, limits: 'said' }
  const resetMs = classicResetMs(headers)
  if (resetMs !== null) return { ...said, limits: 'said', retryAfterMs: Math.max(0, resetMs - nowMs) }
  const namesLimits = [...headers.keys()].some((name) => name.startsWith('anthropic-ratelimit-'))
  return { ...said, limits: namesLimits ? 'said' : 'unsaid' }
}

function verdictOf(rows: readonly VerdictRow[], said: Said, model: string, nowMs: number): Verdict {
  const row = rows.find((one) => fits(one, said))
  const means = row?.isRule ? asUsual(row.means, said) : (row?.means ?? pass)
  const status = said.status === 'event' ? 200 : said.status
  const errorType = said.shownType
  const says = said.status === 'event' ? `error event ${errorType} before any content` : `${status} ${errorType}`
  const reason = `${row?.isRule ? `rule "${row.name}": ` : ''}${says}${said.code ? ` (${said.code})` : ''}`
  const event = eventOf(means, said, model, reason, nowMs)
  const text = means.keepsText ? redactText(said.message).slice(0, keptText) : ''
  return {
    kind: means.kind,
    errorType,
    evidence: { status, errorType, code: said.code, message: text },
    ...(row?.isRule && { rule: row.name }),
    ...(event && { event }),
    ...(means.passIfLast && { passIfLast: true }),
    ...(means.misconfigured && { misconfigured: true }),
    ...(means.doubtful && { sameAs: `${status} ${errorType} ${said.code} ${withoutNumbers(said.message)}` }),
  }
}

/** Words with digits taken out: the ids of requests and moments that upstreams put into their texts differ each time. */
const withoutNumbers = (text: string): string => text.replace(/[\w-]+/g, (word) => (/\d/.test(word) ? '' : word))

const shownTypeOf = (status: number, type: string): string =>
  status >= 300 && status < 400 ? 'redirect' : type || `http_${status}`

/**
 * What a rule means for this answer. As in the built-in table: what could be the request's fault is doubtful, and the
 * upstream's own words pass where they are the caller's.
 */
function asUsual(means: Consequence, { status, shownType }: Said): Consequence {
  const isOften = status === 'event' && (shownType === 'rate_limit_error' || shownType === 'overloaded_error')
  const isDoubtful =
    means.state !== undefined && !isOften && (status === 'event' || status === 500 || isCallers(status))
  return {
    ...means,
    ...(isDoubtful && { doubtful: true }),
    ...(means.kind === 'refused' && means.state === undefined && isCallers(status, 403) && { passIfLast: true }),
  }
}

/** Statuses that clients bring about themselves; with `but` another one is none of them. */
function isCallers(status: Said['status'], but?: number): boolean {
  return status !== 'event' && status >= 400 && status < 500 && ![401, 402, 429, but].includes(status)
}

/** True when the row has nothing against the answer. */
export function fits(row: VerdictRow, said: Said): boolean {
  return fitsNames(row, said) && fitsRest(row, said)
}

/** The same of what rows of the ledger keep: status, type and code. */
export function fitsNames(row: VerdictRow, said: Pick<Said, 'status' | 'type' | 'shownType' | 'code'>): boolean {
  if (row.status !== undefined && !fitsStatus(row.status, said.status)) return false
  if (typeof row.type === 'string' ? row.type !== said.type : row.type && !row.type.test(said.shownType)) return false
  return typeof row.code === 'string' ? row.code === said.code : !row.code || row.code.test(said.code)
}

/** The same of what they do not keep. */
function fitsRest(row: VerdictRow, said: Said): boolean {
  if (row.limits !== undefined && row.limits !== said.limits) return false
  return (!row.message || row.message.test(said.message)) && (!row.text || row.text.test(said.text))
}

function fitsStatus(wanted: NonNullable<VerdictRow['status']>, status: Said['status']): boolean {
  if (typeof wanted !== 'object') return wanted === status
  return status !== 'event' && wanted[0] <= status && status <= wanted[1]
}

function eventOf(
  means: Consequence,
  said: Said,
  model: string,
  reason: string,
  nowMs: number,
): AccountEvent | undefined {
  switch (means.state) {
    case undefined:
      return undefined
    case 'cooling_down':
      return { kind: 'failed', reason }
    case 'reauth_required':
      return { kind: 'login_needed', reason }
    case 'out_of_credit':
      return { kind: 'out_of_credit', untilMs: untilOf(means, said, nowMs), reason }
    case 'forbidden':
      return { kind: 'forbidden', model, keyId: 0, untilMs: untilOf(means, said, nowMs) ?? nowMs, reason }
    case 'rate_limited': {
      const untilMs = untilOf(means, said, nowMs)
      if (means.scope === 'account') return { kind: 'rate_limited', untilMs, reason }
      return {
        kind: 'rate_limited',
        untilMs,
        reason,
        model: means.scope === 'family' ? said.family || familyOf(model) : model,
      }
    }
  }
}

/** null: nothing was said; a limit then backs off by itself, an empty purse waits for a probe or a person. */
function untilOf({ until }: Consequence, said: Said, nowMs: number): number | null {
  switch (until) {
    case undefined:
      return null
    case 'date_said':
      return dateSaid(said.message, nowMs)
    case 'next_month':
      return dateSaid(said.message, nowMs) ?? nextMonthMs(nowMs)
    case 'window':
      return windowOrRetry(said, nowMs)
    case 'answer':
      return windowOrRetry(said, nowMs) ?? dateSaid(said.text, nowMs)
    case 'retry_after':
      return restUntil(said.retryAfterMs, nowMs)
    default:
      return nowMs + until
  }
}

function windowOrRetry({ windowMs, retryAfterMs }: Said, nowMs: number): number | null {
  // Windows last a week at most; what a header says beyond that is no window.
  if (windowMs !== null) return Math.min(Math.max(windowMs, nowMs + 1000), nowMs + 8 * longestRestMs)
  return restUntil(retryAfterMs, nowMs)
}

const restUntil = (restMs: number | null, nowMs: number): number | null =>
  restMs === null ? null : nowMs + Math.min(Math.max(restMs, 1000), longestRestMs)

/** `retry-after` in seconds or as a date → milliseconds from now; null when absent or unreadable. */
export function retryAfter(value: string | undefined, nowMs: number): number | null {
  if (value === undefined || value === '') return null
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const date = Date.parse(value)
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs)
}

/** Of an API key's limits, the latest end of those that are used up; null when none says so. */
function classicResetMs(headers: ReadonlyMap<string, string>): number | null {
  let latest: number | null = null
  for (const [name, value] of headers) {
    const limit = /^anthropic-(?:ratelimit|priority|fast)-([a-z-]+)-remaining$/.exec(name)
    if (!limit || Number(value) !== 0) continue
    const resetMs = Date.parse(headers.get(name.replace(/-remaining$/, '-reset')) ?? '')
    if (!Number.isNaN(resetMs)) latest = Math.max(latest ?? 0, resetMs)
  }
  return latest
}

/** "You will regain access on 2026-12-01 at 00:00 UTC." */
function dateSaid(message: string, nowMs: number): number | null {
  const [, day, time] = /regain access on (\d{4}-\d\d-\d\d)(?: at (\d\d:\d\d) UTC)?/.exec(message) ?? []
  const atMs = day === undefined ? Number.NaN : Date.parse(`${day}T${time ?? '00:00'}:00Z`)
  return atMs > nowMs ? atMs : null
}

function nextMonthMs(nowMs: number): number {
  const now = new Date(nowMs)
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)
}
