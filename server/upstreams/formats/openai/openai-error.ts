import type { UpstreamError } from '../../format.ts'
import { readError } from '../anthropic/upstream-error.ts'

/** What an OpenAI-format error says: `{"error":{message,type,param,code}}`, or `{"detail":…}` of some vendors. */
export function readOpenaiError(text: string): UpstreamError {
  const error = readError(text)
  return { ...error, blamesRequest: error.type === 'invalid_request_error' && error.message !== '' }
}

/** OpenAI's words for the errors of this relay, which are named in Anthropic's. */
const words: Readonly<Record<string, { type: string; code: string | null }>> = {
  invalid_request_error: { type: 'invalid_request_error', code: null },
  request_too_large: { type: 'invalid_request_error', code: 'request_too_large' },
  not_found_error: { type: 'invalid_request_error', code: 'not_found' },
  authentication_error: { type: 'invalid_request_error', code: 'invalid_api_key' },
  permission_error: { type: 'invalid_request_error', code: 'permission_denied' },
  billing_error: { type: 'insufficient_quota', code: 'insufficient_quota' },
  rate_limit_error: { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  overloaded_error: { type: 'server_error', code: 'overloaded' },
  timeout_error: { type: 'server_error', code: 'timeout' },
}

export function openaiError(
  type: string,
  message: string,
): { message: string; type: string; param: null; code: string | null } {
  const { type: word, code } = words[type] ?? { type: 'server_error', code: null }
  return { message, type: word, param: null, code }
}

export const openaiErrorBody = (type: string, message: string): Buffer =>
  Buffer.from(JSON.stringify({ error: openaiError(type, message) }))
