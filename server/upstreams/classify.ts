import type { Account, Platform as PlatformName } from '../accounts/account.ts'
import type { AccountEvent } from '../accounts/state/state.ts'
import { redactText } from '../redaction.ts'
import type { Classification, ClassificationRow, Consequence, ErrorResponse, LimitCase } from './classification.ts'
import type { UpstreamError } from './format.ts'
import { familyOf } from './model-family.ts'
import type { Platform, Platforms } from './platform.ts'
import { retryAfter } from './retry-after.ts'

/** An upstream's error as rows look at it. */
export interface ErrorFacts extends UpstreamError {
  /** Of the response; where that is 200, the one that stands in its body. */
  status: number | 'event'
  /** The message without what it quotes. */
  said: string
  /** The type as timelines and attempts have it, made up where the response names none. */
  shownType: string
  limits: LimitCase | null
  family: string
  windowMs: number | null
  retryAfterMs: number | null
}

const maxPauseMs = 24 * 3_600_000
const maxKeptChars = 200
const maxRefusalChars = 1000
/** What may stand before a sentence: a code, a name. */
const maxCharsBefore = 40

/** Without a row that fits: never the client's. */
const anyFailure: Consequence = { kind: 'failing' }
/** Statuses with which an upstream's own words may reach a client. */
const passableStatuses: readonly ErrorFacts['status'][] = [400, 404, 409, 413, 422]

/** Says what an upstream's error means, by the rows of its platform: those of administrators first. */
export function createClassifier(parts: {
  platforms: Platforms
  rowsOf: (platform: PlatformName) => readonly ClassificationRow[]
}) {
  const { platforms, rowsOf } = parts
  return {
    /** Of a response that is not a success. */
    classify({ platform }: Classified, response: ErrorResponse, model: string, nowMs: number): Classification {
      const facts = factsOf(response, platforms[platform]!, model, nowMs)
      return classificationOf(rowsOf(platform), facts, response.status, model, nowMs)
    },
    /** Of an error event in a stream. */
    classifyEvent({ platform }: Classified, error: UpstreamError, model: string, nowMs: number): Classification {
      return classificationOf(rowsOf(platform), factsOfEvent(error), 200, model, nowMs)
    },
  }
}

export type Classifier = ReturnType<typeof createClassifier>

type Classified = Pick<Account, 'platform'>

const noFacts: Omit<ErrorFacts, keyof UpstreamError> = {
  status: 0,
  shownType: '',
  said: '',
  limits: null,
  family: '',
  windowMs: null,
  retryAfterMs: null,
}

export function factsOfEvent(error: UpstreamError): ErrorFacts {
  const said = withoutQuotes(error.message)
  return { ...noFacts, ...error, status: 'event', shownType: error.type || 'error', said }
}

export function factsOf(
  { status: outerStatus, headers, body }: ErrorResponse,
  platform: Pick<Platform, 'format' | 'readRateLimit'>,
  model: string,
  nowMs: number,
): ErrorFacts {
  const error = platform.format.errorOf(body.toString('utf8'))
  const status = outerStatus === 200 ? (error.statusWithin ?? 200) : outerStatus
  const retryAfterMs = retryAfter(headers.get('retry-after'), nowMs)
  const shownType = shownTypeOf(status, error.type)
  const facts: ErrorFacts = {
    ...noFacts,
    ...error,
    status,
    shownType,
    said: withoutQuotes(error.message),
    retryAfterMs,
  }
  return status === 429 ? { ...facts, ...platform.readRateLimit(headers, model, nowMs) } : facts
}

/** True when a body has words of an error: a message has none. */
export const saysWhy = ({ type, code, message, statusWithin }: UpstreamError): boolean =>
  (type !== '' && type !== 'message') || code !== '' || message !== '' || statusWithin !== null

/** What stands in quotes may be a prompt's. */
const withoutQuotes = (message: string): string =>
  message.replace(/"[^"]*"|`[^`]*`|“[^”]*”|「[^」]*」|(?<!\w)'[^']*'(?!\w)/g, '')

function classificationOf(
  rows: readonly ClassificationRow[],
  facts: ErrorFacts,
  status: number,
  model: string,
  nowMs: number,
): Classification {
  const row = rows.find((one) => fits(one, facts))
  const means = row?.isRule ? asUsual(row.means, facts) : (row?.means ?? anyFailure)
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
    ...(means.passIfLast &&
      (facts.blamesRequest || row?.isRule) &&
      passableStatuses.includes(facts.status) && { passIfLast: true }),
    ...(event && means.ifServedElsewhere && { ifServedElsewhere: true }),
    ...(means.tooLarge && { tooLarge: true }),
    ...(means.refusesRequest && { refusal: refusalOf(facts) }),
    ...(means.misconfigured && { misconfigured: true }),
    ...(means.doubtful && { sameAs: `${status} ${errorType} ${facts.code} ${withoutNumbers(facts.message)}` }),
  }
}

/** The vendor's own sentence, for the client; cut where it is too long for one. */
const refusalOf = ({ message }: ErrorFacts): string =>
  redactText(message).slice(0, maxRefusalChars) || 'The upstream refuses this request.'

/** Words with digits taken out: the ids of requests and moments that upstreams put into their texts differ each time. */
const withoutNumbers = (text: string): string => text.replace(/[\w-]+/g, (word) => (/\d/.test(word) ? '' : word))

const shownTypeOf = (status: number, type: string): string =>
  status >= 300 && status < 400 ? 'redirect' : type || `http_${status}`

/**
 * What a rule means for this error. As in the built-in table: an error that blames the request, and an event, may be the
 * request's own, and the upstream's own words pass where they are the caller's. A 429 that is sent on is about the request.
 */
function asUsual(means: Consequence, { status, shownType, blamesRequest }: ErrorFacts): Consequence {
  const isOften = status === 'event' && (shownType === 'rate_limit_error' || shownType === 'overloaded_error')
  const mayBeRequests = status === 'event' || (blamesRequest && passableStatuses.includes(status))
  const isNext = means.kind === 'refused' && means.state === undefined
  return {
    ...means,
    ...(means.state !== undefined && !isOften && mayBeRequests && { doubtful: true }),
    ...(isNext && { passIfLast: true }),
    ...(isNext && status === 429 && { refusesRequest: true }),
  }
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
  if (row.blamesRequest && !facts.blamesRequest) return false
  if (row.sentence && !beginsWith(row.sentence, facts)) return false
  return (!row.message || row.message.test(facts.said)) && (!row.text || row.text.test(facts.text))
}

/** An error that blames the request has to begin with the sentence: anything later may be about what the client wrote. */
function beginsWith(sentence: RegExp, { said, blamesRequest }: ErrorFacts): boolean {
  const at = said.search(sentence)
  return at >= 0 && at <= maxCharsBefore && (!blamesRequest || plainBeginning.test(said.slice(0, at)))
}

/** Numbers, marks and small words. */
const plainBeginning = /^(?:\W|\d+\b|(?:error|sorry|you|your|the|this|an?)\b)*$/i

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

/**
 * "You will regain access on 2026-12-01 at 00:00 UTC", "resets at 2026-12-01 08:00:00", "将在 2026-12-01 08:00:00 重置". A moment
 * in Chinese without a zone is Beijing's.
 */
function dateIn(message: string, nowMs: number): number | null {
  const [, day, time = '00:00', zone = ''] =
    /(?:regain access on|resets? (?:at|on)|available (?:at|on)|将[在于]|until) *(\d{4}-\d\d-\d\d)(?:(?: at |[ T])(\d\d:\d\d(?::\d\d)?))?(Z|[+-]\d\d:\d\d)?/i.exec(
      message,
    ) ?? []
  if (day === undefined) return null
  const atMs = Date.parse(`${day}T${time}${zone || (/[\u4e00-\u9fff]/.test(message) ? '+08:00' : 'Z')}`)
  return atMs > nowMs ? atMs : null
}

function nextMonthMs(nowMs: number): number {
  const now = new Date(nowMs)
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)
}
