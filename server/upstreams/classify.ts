import type { Account, Platform as PlatformName } from '../accounts/account.ts'
import type { AccountEvent } from '../accounts/state/state.ts'
import { redactText } from '../redaction.ts'
import type { Classification, ClassificationRow, Consequence, ErrorResponse, LimitCase } from './classification.ts'
import type { Format, UpstreamError } from './format.ts'
import { familyOf, limitReached, readUnifiedLimits } from './formats/anthropic/unified-limits.ts'
import type { Platforms } from './platform.ts'
import { retryAfter } from './retry-after.ts'

/** An upstream's error as rows look at it. */
export interface ErrorFacts extends UpstreamError {
  status: number | 'event'
  /** The type as timelines and attempts have it, made up where the response names none. */
  shownType: string
  limits: LimitCase | null
  family: string
  windowMs: number | null
  retryAfterMs: number | null
}

const maxPauseMs = 24 * 3_600_000
const maxKeptChars = 200

const pass: Consequence = { kind: 'caller' }

/** Says what an upstream's error means, by the rows of its platform: those of administrators first. */
export function createClassifier(parts: {
  platforms: Platforms
  rowsOf: (platform: PlatformName) => readonly ClassificationRow[]
}) {
  const { platforms, rowsOf } = parts
  return {
    /** Of a response that is not a success. */
    classify({ platform }: Classified, response: ErrorResponse, model: string, nowMs: number): Classification {
      const facts = factsOf(response, platforms[platform]!.format, model, nowMs)
      return classificationOf(rowsOf(platform), facts, model, nowMs)
    },
    /** Of an error event in a stream. */
    classifyEvent({ platform }: Classified, error: UpstreamError, model: string, nowMs: number): Classification {
      return classificationOf(rowsOf(platform), factsOfEvent(error), model, nowMs)
    },
  }
}

export type Classifier = ReturnType<typeof createClassifier>

type Classified = Pick<Account, 'platform'>

const noFacts: Omit<ErrorFacts, keyof UpstreamError> = {
  status: 0,
  shownType: '',
  limits: null,
  family: '',
  windowMs: null,
  retryAfterMs: null,
}

export function factsOfEvent(error: UpstreamError): ErrorFacts {
  return { ...noFacts, ...error, status: 'event', shownType: error.type || 'error' }
}

export function factsOf(
  { status, headers, body }: ErrorResponse,
  format: Pick<Format, 'errorOf'>,
  model: string,
  nowMs: number,
): ErrorFacts {
  const error = format.errorOf(body.toString('utf8'))
  const retryAfterMs = retryAfter(headers.get('retry-after'), nowMs)
  const facts: ErrorFacts = { ...noFacts, ...error, status, shownType: shownTypeOf(status, error.type), retryAfterMs }
  if (status !== 429) return facts
  const unified = readUnifiedLimits(headers)
  const reached = unified && limitReached(unified, model)
  if (reached?.scope === 'account') return { ...facts, limits: 'account', windowMs: reached.untilMs }
  if (reached) return { ...facts, limits: 'family', family: reached.family, windowMs: reached.untilMs }
  if (facts.retryAfterMs !== null) return { ...facts, limits: 'said' }
  const resetMs = classicResetMs(headers)
  if (resetMs !== null) return { ...facts, limits: 'said', retryAfterMs: Math.max(0, resetMs - nowMs) }
  const namesLimits = [...headers.keys()].some((name) => name.startsWith('anthropic-ratelimit-'))
  return { ...facts, limits: namesLimits ? 'said' : 'unsaid' }
}

function classificationOf(
  rows: readonly ClassificationRow[],
  facts: ErrorFacts,
  model: string,
  nowMs: number,
): Classification {
  const row = rows.find((one) => fits(one, facts))
  const means = row?.isRule ? asUsual(row.means, facts) : (row?.means ?? pass)
  const status = facts.status === 'event' ? 200 : facts.status
  const errorType = facts.shownType
  const says = facts.status === 'event' ? `error event ${errorType} before any content` : `${status} ${errorType}`
  const reason = `${row?.isRule ? `rule "${row.name}": ` : ''}${says}${facts.code ? ` (${facts.code})` : ''}`
  const event = eventOf(means, facts, model, reason, nowMs)
  const text = means.keepsText ? redactText(facts.message).slice(0, maxKeptChars) : ''
  return {
    kind: means.kind,
    errorType,
    evidence: { status, errorType, code: facts.code, message: text },
    ...(row?.isRule && { rule: row.name }),
    ...(event && { event }),
    ...(means.passIfLast && { passIfLast: true }),
    ...(means.misconfigured && { misconfigured: true }),
    ...(means.doubtful && { sameAs: `${status} ${errorType} ${facts.code} ${withoutNumbers(facts.message)}` }),
  }
}

/** Words with digits taken out: the ids of requests and moments that upstreams put into their texts differ each time. */
const withoutNumbers = (text: string): string => text.replace(/[\w-]+/g, (word) => (/\d/.test(word) ? '' : word))

const shownTypeOf = (status: number, type: string): string =>
  status >= 300 && status < 400 ? 'redirect' : type || `http_${status}`

/**
 * What a rule means for this error. As in the built-in table: what could be the request's fault is doubtful, and the
 * upstream's own words pass where they are the caller's.
 */
function asUsual(means: Consequence, { status, shownType }: ErrorFacts): Consequence {
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
function isCallers(status: ErrorFacts['status'], but?: number): boolean {
  return status !== 'event' && status >= 400 && status < 500 && ![401, 402, 429, but].includes(status)
}

/** True when the row fits the error. */
export function fits(row: ClassificationRow, facts: ErrorFacts): boolean {
  return fitsNames(row, facts) && fitsRest(row, facts)
}

/** The same for what the ledger keeps of an error: status, type and code. */
export function fitsNames(
  row: ClassificationRow,
  facts: Pick<ErrorFacts, 'status' | 'type' | 'shownType' | 'code'>,
): boolean {
  if (row.status !== undefined && !fitsStatus(row.status, facts.status)) return false
  if (typeof row.type === 'string' ? row.type !== facts.type : row.type && !row.type.test(facts.shownType)) return false
  return typeof row.code === 'string' ? row.code === facts.code : !row.code || row.code.test(facts.code)
}

/** The same for what it does not keep. */
function fitsRest(row: ClassificationRow, facts: ErrorFacts): boolean {
  if (row.limits !== undefined && row.limits !== facts.limits) return false
  return (!row.message || row.message.test(facts.message)) && (!row.text || row.text.test(facts.text))
}

function fitsStatus(wanted: NonNullable<ClassificationRow['status']>, status: ErrorFacts['status']): boolean {
  if (typeof wanted !== 'object') return wanted === status
  return status !== 'event' && wanted[0] <= status && status <= wanted[1]
}

function eventOf(
  means: Consequence,
  facts: ErrorFacts,
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
      return { kind: 'out_of_credit', untilMs: untilOf(means, facts, nowMs), reason }
    case 'forbidden':
      return { kind: 'forbidden', model, keyId: 0, untilMs: untilOf(means, facts, nowMs) ?? nowMs, reason }
    case 'rate_limited': {
      const untilMs = untilOf(means, facts, nowMs)
      if (means.scope === 'account') return { kind: 'rate_limited', untilMs, reason }
      return {
        kind: 'rate_limited',
        untilMs,
        reason,
        model: means.scope === 'family' ? facts.family || familyOf(model) : model,
      }
    }
  }
}

/** null: the response says nothing; a limit then backs off by itself, an account without credit waits for a probe or a person. */
function untilOf({ until }: Consequence, facts: ErrorFacts, nowMs: number): number | null {
  switch (until) {
    case undefined:
      return null
    case 'date_said':
      return dateIn(facts.message, nowMs)
    case 'next_month':
      return dateIn(facts.message, nowMs) ?? nextMonthMs(nowMs)
    case 'window':
      return windowOrRetry(facts, nowMs)
    case 'response':
      return windowOrRetry(facts, nowMs) ?? dateIn(facts.text, nowMs)
    case 'retry_after':
      return pauseUntil(facts.retryAfterMs, nowMs)
    default:
      return nowMs + until
  }
}

function windowOrRetry({ windowMs, retryAfterMs }: ErrorFacts, nowMs: number): number | null {
  // Windows last a week at most; what a header says beyond that is no window.
  if (windowMs !== null) return Math.min(Math.max(windowMs, nowMs + 1000), nowMs + 8 * maxPauseMs)
  return pauseUntil(retryAfterMs, nowMs)
}

const pauseUntil = (pauseMs: number | null, nowMs: number): number | null =>
  pauseMs === null ? null : nowMs + Math.min(Math.max(pauseMs, 1000), maxPauseMs)

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
function dateIn(message: string, nowMs: number): number | null {
  const [, day, time] = /regain access on (\d{4}-\d\d-\d\d)(?: at (\d\d:\d\d) UTC)?/.exec(message) ?? []
  const atMs = day === undefined ? Number.NaN : Date.parse(`${day}T${time ?? '00:00'}:00Z`)
  return atMs > nowMs ? atMs : null
}

function nextMonthMs(nowMs: number): number {
  const now = new Date(nowMs)
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)
}
