import type { Upstream, UpstreamRefusal, Verdict } from './upstream.ts'

/** Any Anthropic-format endpoint behind a key of its own: the vendor's API, or a mirror of it. */
export const consoleUpstream: Upstream = {
  address: (account, path, query) => `${account.basePath}${path}${query}`,

  isFirstParty: (account) => /^https:\/\/([a-z0-9-]+\.)*anthropic\.com$/.test(account.origin),

  judge(refusal, model, nowMs) {
    const { status } = refusal
    const said = readError(refusal.body)
    const errorType = said.type || `http_${status}`
    const reason = `${status} ${errorType}${said.code ? ` (${said.code})` : ''}`
    if (status === 400 && isAccountFault(said)) {
      return { kind: 'refused', errorType, event: { kind: 'unfunded', untilMs: null, reason }, misconfigured: true }
    }
    if ((status === 404 || status === 400) && isUnknownModel(said, status)) {
      return { kind: 'refused', errorType, passIfLast: true }
    }
    if (status === 401)
      return { kind: 'refused', errorType, event: { kind: 'login_needed', reason }, misconfigured: true }
    if (status === 402)
      return { kind: 'refused', errorType, event: { kind: 'unfunded', untilMs: null, reason }, misconfigured: true }
    if (status === 403) {
      if (/only (authorized|allowed)?.*claude code/i.test(said.message)) return { kind: 'refused', errorType }
      return {
        kind: 'refused',
        errorType,
        event: { kind: 'limited', model, untilMs: nowMs + 300_000, reason },
        misconfigured: true,
      }
    }
    if (status === 429) return judgeLimit(refusal, said, errorType, reason, nowMs)
    if (status === 529)
      return { kind: 'failing', errorType, event: { kind: 'limited', untilMs: nowMs + overloadRestMs, reason } }
    if (status === 408 || status >= 500) return { kind: 'failing', errorType, event: { kind: 'failed', reason } }
    if (status >= 300 && status < 400) {
      return {
        kind: 'failing',
        errorType: 'redirect',
        event: { kind: 'failed', reason: `redirect (${status}), not followed` },
        misconfigured: true,
      }
    }
    // 201, 204 …: no answer of this API.
    if (status < 300) return { kind: 'failing', errorType, event: { kind: 'failed', reason } }
    return { kind: 'caller', errorType }
  },

  judgeEvent(errorType, nowMs) {
    const reason = `error event ${errorType} before any content`
    if (errorType === 'rate_limit_error') {
      return { kind: 'limited', errorType, event: { kind: 'limited', untilMs: nowMs + 30_000, reason } }
    }
    if (errorType === 'overloaded_error') {
      return { kind: 'failing', errorType, event: { kind: 'limited', untilMs: nowMs + overloadRestMs, reason } }
    }
    return { kind: 'failing', errorType, event: { kind: 'failed', reason } }
  },
}

/** An overloaded provider is overloaded for all: its accounts pause for seconds, not more. */
const overloadRestMs = 3000

interface SaidError {
  type: string
  message: string
  code: string
}

/** The error of a body in the Anthropic envelope or one of its relatives; empty fields where it says nothing. */
function readError(body: Buffer): SaidError {
  const nothing = { type: '', message: '', code: '' }
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'))
    if (typeof parsed !== 'object' || parsed === null) return nothing
    const outer = parsed as Record<string, unknown>
    const error =
      typeof outer['error'] === 'object' && outer['error'] !== null
        ? (outer['error'] as Record<string, unknown>)
        : outer
    const details =
      typeof error['details'] === 'object' && error['details'] !== null
        ? (error['details'] as Record<string, unknown>)
        : {}
    return {
      type: word(error['type']),
      message: typeof error['message'] === 'string' ? error['message'] : '',
      code: word(details['error_code']) || word(error['code']),
    }
  } catch {
    return nothing
  }
}

/** Error types and codes are identifiers; whatever else stands there is not kept (it could quote a prompt). */
function word(value: unknown): string {
  return typeof value === 'string' && /^[\w.-]{1,80}$/.test(value) ? value : ''
}

/** 400s that are the account's fault, not the request's (protocol.md §1.7). */
function isAccountFault(said: SaidError): boolean {
  if (said.code === 'organization_on_hold') return true
  return /specified API usage limits|credit balance is too low|(account|organization) (has been |is )?disabled/i.test(
    said.message,
  )
}

function isUnknownModel(said: SaidError, status: number): boolean {
  if (status === 404) return said.type === '' || said.type === 'not_found_error'
  return /\bmodel\b.{0,100}\b(not found|not exist|unknown|not supported|unsupported|invalid)\b|\b(unknown|unsupported|invalid) model\b/i.test(
    said.message,
  )
}

const spendCodes = new Set(['enforced_spend_limit_reached', 'contract_spend_limit_reached'])
const longestRestMs = 24 * 3_600_000

function judgeLimit(
  refusal: UpstreamRefusal,
  said: SaidError,
  errorType: string,
  reason: string,
  nowMs: number,
): Verdict {
  if (spendCodes.has(said.code)) {
    return { kind: 'limited', errorType, event: { kind: 'unfunded', untilMs: nextMonthMs(nowMs), reason } }
  }
  const retryAfterMs = retryAfter(refusal.headers.get('retry-after'), nowMs)
  const hasLimits = [...refusal.headers.keys()].some((name) => name.startsWith('anthropic-ratelimit-'))
  // Neither a time nor a limit named: a throttle of this request, nothing that benches the account.
  if (retryAfterMs === null && !hasLimits) return { kind: 'limited', errorType }
  const restMs = Math.min(Math.max(retryAfterMs ?? 30_000, 1000), longestRestMs)
  return { kind: 'limited', errorType, event: { kind: 'limited', untilMs: nowMs + restMs, reason } }
}

/** `retry-after` in seconds or as a date → milliseconds from now; null when absent or unreadable. */
export function retryAfter(value: string | undefined, nowMs: number): number | null {
  if (value === undefined || value === '') return null
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const date = Date.parse(value)
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs)
}

function nextMonthMs(nowMs: number): number {
  const now = new Date(nowMs)
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)
}
