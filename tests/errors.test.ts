import { expect, test } from 'vitest'
import { fail, failureTable } from '../server/errors.ts'
import { anthropicFormat } from '../server/upstreams/formats/anthropic/anthropic.ts'

const rows = failureTable()
const withStatus = (status: number) => rows.filter((row) => row.status === status)

test('the answer says not to try again wherever that cannot help: Claude Code would do it silently for minutes', () => {
  const hopeless = [400, 401, 404, 413, 426, 431, 501].flatMap(withStatus)
  expect(hopeless.length).toBeGreaterThan(10)
  expect(hopeless.filter(({ shouldRetry }) => shouldRetry !== false)).toEqual([])
})

test('what passes by itself may be tried again', () => {
  expect(withStatus(529).filter(({ shouldRetry }) => shouldRetry === false)).toEqual([])
})

test('statuses have the error type that the Anthropic API gives them', () => {
  const types = (status: number) => [...new Set(withStatus(status).map(({ type }) => type))]
  expect(types(400)).toEqual(['invalid_request_error'])
  expect(types(401)).toEqual(['authentication_error'])
  expect(types(404)).toEqual(['not_found_error'])
  expect(types(413)).toEqual(['request_too_large'])
  expect(types(529)).toEqual(['overloaded_error'])
})

test('a failure is its row of the catalogue with a message; what the caller adds wins', () => {
  expect(fail('limit_held', 'later', { retryAfterS: 7 })).toEqual({
    code: 'limit_held',
    status: 429,
    type: 'rate_limit_error',
    message: 'later',
    shouldRetry: undefined,
    retryAfterS: 7,
  })
  expect(fail('accounts_not_ready', 'much later', { shouldRetry: false }).shouldRetry).toBe(false)
})

test('an error body is one line of JSON in the shape of the Anthropic API, whatever the message holds', () => {
  const body = anthropicFormat.errorBody('api_error', 'a "quote",\na line', 'req_1').toString()
  expect(body).not.toContain('\n')
  expect(JSON.parse(body)).toEqual({
    type: 'error',
    error: { type: 'api_error', message: 'a "quote",\na line' },
    request_id: 'req_1',
  })
})
