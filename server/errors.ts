/**
 * Every failure of the relay's own that a caller can see: code, status, Anthropic error type, and whether the client may
 * try again (`x-should-retry`; undefined leaves the choice to the client). Without `false` on 401s and limits Claude Code
 * retries silently for minutes.
 */
const catalogue = {
  route_unknown: { status: 404, type: 'not_found_error', shouldRetry: false },
  key_missing: { status: 401, type: 'authentication_error', shouldRetry: false },
  key_unknown: { status: 401, type: 'authentication_error', shouldRetry: false },
  key_expired: { status: 401, type: 'authentication_error', shouldRetry: false },
  key_disabled: { status: 401, type: 'authentication_error', shouldRetry: false },
  address_not_allowed: { status: 400, type: 'invalid_request_error', shouldRetry: false },
  client_not_allowed: { status: 400, type: 'invalid_request_error', shouldRetry: false },
  request_invalid: { status: 400, type: 'invalid_request_error', shouldRetry: false },
  headers_too_large: { status: 431, type: 'invalid_request_error', shouldRetry: false },
  body_encoding_unsupported: { status: 400, type: 'invalid_request_error', shouldRetry: false },
  body_too_large: { status: 413, type: 'request_too_large', shouldRetry: false },
  body_too_slow: { status: 408, type: 'timeout_error', shouldRetry: undefined },
  body_memory_full: { status: 529, type: 'overloaded_error', shouldRetry: undefined },
  model_not_allowed: { status: 400, type: 'invalid_request_error', shouldRetry: false },
  model_not_found: { status: 404, type: 'not_found_error', shouldRetry: false },
  limit_reached: { status: 429, type: 'billing_error', shouldRetry: false },
  limit_held: { status: 429, type: 'rate_limit_error', shouldRetry: undefined },
  rate_reached: { status: 429, type: 'rate_limit_error', shouldRetry: undefined },
  concurrency_reached: { status: 429, type: 'rate_limit_error', shouldRetry: undefined },
  count_rate_reached: { status: 429, type: 'rate_limit_error', shouldRetry: undefined },
  count_unsupported: { status: 501, type: 'not_supported', shouldRetry: false },
  accounts_not_ready: { status: 529, type: 'overloaded_error', shouldRetry: undefined },
  accounts_busy: { status: 529, type: 'overloaded_error', shouldRetry: undefined },
  accounts_missing: { status: 503, type: 'api_error', shouldRetry: false },
  upstream_too_large: { status: 413, type: 'request_too_large', shouldRetry: false },
  request_refused: { status: 429, type: 'rate_limit_error', shouldRetry: false },
  upstream_failed: { status: 529, type: 'overloaded_error', shouldRetry: undefined },
  upstream_misconfigured: { status: 503, type: 'api_error', shouldRetry: false },
  response_memory_full: { status: 529, type: 'overloaded_error', shouldRetry: undefined },
  ledger_unavailable: { status: 503, type: 'api_error', shouldRetry: undefined },
  stopping: { status: 529, type: 'overloaded_error', shouldRetry: undefined },
  upgrade_refused: { status: 426, type: 'invalid_request_error', shouldRetry: false },
  internal: { status: 500, type: 'api_error', shouldRetry: undefined },
} as const satisfies Record<string, { status: number; type: string; shouldRetry: boolean | undefined }>

export type FailureCode = keyof typeof catalogue

/** A failure for a caller. `message` is for people: it says what is wrong and, if possible, what to do. */
export interface Failure {
  code: FailureCode
  status: number
  type: string
  message: string
  shouldRetry: boolean | undefined
  /** Seconds, for the `retry-after` header. */
  retryAfterS?: number
  /** True when the connection cannot be used again (an unread body, a broken request). */
  closes?: boolean
  /** More response headers: name, value, name, value … */
  headers?: readonly string[]
}

/** Makes a failure of the catalogue. */
export function fail(
  code: FailureCode,
  message: string,
  more: Partial<Pick<Failure, 'retryAfterS' | 'closes' | 'headers' | 'shouldRetry'>> = {},
): Failure {
  return { code, message, ...catalogue[code], ...more }
}

/** Codes with status and type, for documents and tests. */
export function failureTable(): { code: string; status: number; type: string; shouldRetry: boolean | undefined }[] {
  return Object.entries(catalogue).map(([code, row]) => ({ code, ...row }))
}
