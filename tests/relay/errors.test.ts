import { expect, test } from 'vitest'
import { fail, failureTable } from '../../server/errors.ts'
import { anthropicFormat } from '../../server/upstreams/formats/anthropic/anthropic.ts'

/** What callers rely on. A change here is a change of the contract: make it on purpose, and say so in CHANGELOG.md. */
const contract: [code: string, status: number, type: string, shouldRetry: boolean | undefined][] = [
  ['route_unknown', 404, 'not_found_error', false],
  ['key_missing', 401, 'authentication_error', false],
  ['key_unknown', 401, 'authentication_error', false],
  ['key_expired', 401, 'authentication_error', false],
  ['key_disabled', 401, 'authentication_error', false],
  ['address_not_allowed', 400, 'invalid_request_error', false],
  ['client_not_allowed', 400, 'invalid_request_error', false],
  ['request_invalid', 400, 'invalid_request_error', false],
  ['headers_too_large', 431, 'invalid_request_error', false],
  ['body_encoding_unsupported', 400, 'invalid_request_error', false],
  ['body_too_large', 413, 'request_too_large', false],
  ['body_too_slow', 408, 'timeout_error', undefined],
  ['body_memory_full', 529, 'overloaded_error', undefined],
  ['model_not_allowed', 400, 'invalid_request_error', false],
  ['model_not_found', 404, 'not_found_error', false],
  ['limit_reached', 429, 'billing_error', false],
  ['limit_held', 429, 'rate_limit_error', undefined],
  ['rate_reached', 429, 'rate_limit_error', undefined],
  ['concurrency_reached', 429, 'rate_limit_error', undefined],
  ['count_rate_reached', 429, 'rate_limit_error', undefined],
  ['count_unsupported', 501, 'not_supported', false],
  ['accounts_not_ready', 529, 'overloaded_error', undefined],
  ['accounts_busy', 529, 'overloaded_error', undefined],
  ['accounts_missing', 503, 'api_error', false],
  ['upstream_too_large', 413, 'request_too_large', false],
  ['request_refused', 429, 'rate_limit_error', false],
  ['upstream_failed', 529, 'overloaded_error', undefined],
  ['upstream_misconfigured', 503, 'api_error', false],
  ['response_memory_full', 529, 'overloaded_error', undefined],
  ['ledger_unavailable', 503, 'api_error', undefined],
  ['stopping', 529, 'overloaded_error', undefined],
  ['upgrade_refused', 426, 'invalid_request_error', false],
  ['internal', 500, 'api_error', undefined],
]

test('the catalogue of failures is what callers rely on: codes, statuses, types, x-should-retry', () => {
  expect(failureTable().map((row) => [row.code, row.status, row.type, row.shouldRetry])).toEqual(contract)
})

test('client point 1: no 401 and no spent limit invites a client to try again', () => {
  for (const row of failureTable()) {
    if (row.status === 401 || row.type === 'billing_error') expect(row.shouldRetry).toBe(false)
  }
})

test('a failure takes its status from the catalogue, and what is said for this case from its maker', () => {
  expect(fail('limit_held', 'held', { retryAfterS: 2 })).toEqual({
    code: 'limit_held',
    status: 429,
    type: 'rate_limit_error',
    shouldRetry: undefined,
    message: 'held',
    retryAfterS: 2,
  })
  expect(fail('accounts_not_ready', 'long', { shouldRetry: false }).shouldRetry).toBe(false)
})

test('an error body is one line of JSON in the shape of the vendor, whatever the message contains', () => {
  const text = anthropicFormat.errorBody('api_error', 'a "quote"\r\nand a line\u0000', 'req_1').toString()
  expect(text).not.toMatch(/[\r\n\0]/)
  expect(JSON.parse(text)).toEqual({
    type: 'error',
    error: { type: 'api_error', message: 'a "quote"\r\nand a line\u0000' },
    request_id: 'req_1',
  })
})
