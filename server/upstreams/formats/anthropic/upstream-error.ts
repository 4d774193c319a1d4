import type { UpstreamError } from '../../format.ts'

/** Longer texts say nothing more about whose fault it was, and every pattern reads them. */
const maxMessageChars = 10_000

/** Types that say that the request itself is wrong. */
const requestTypes = new Set(['invalid_request_error', 'not_found_error', 'request_too_large', 'conflict_error'])

type Fields = Record<string, unknown>

/** The error of a body in the Anthropic envelope or one of its relatives; empty fields where it says nothing. */
export function readError(body: string): UpstreamError {
  const outer = objectOf(body)
  if (outer === null) return { type: '', message: '', code: '', text: body.slice(0, maxMessageChars), ...notRequests }
  // MiniMax puts its errors beside an empty response.
  const error = fieldsOf(outer['error']) ?? fieldsOf(outer['base_resp']) ?? outer
  const type = word(error['type'])
  const message = textIn(error, messageNames) || textIn(outer, ['error', ...messageNames])
  return {
    type,
    message,
    code: word(fieldsOf(error['details'])?.['error_code']) || wordIn(error, codeNames) || wordIn(outer, codeNames),
    text: message || body.slice(0, maxMessageChars),
    blamesRequest: outer['type'] === 'error' && error !== outer && requestTypes.has(type),
    statusWithin: statusIn(error) ?? statusIn(outer),
  }
}

/** What blames nobody by its shape. */
export const notRequests = { blamesRequest: false, statusWithin: null } as const

const messageNames = ['message', 'msg', 'status_msg', 'error_msg', 'error_message', 'detail', 'reason']
const codeNames = ['code', 'status_code', 'error_code', 'errcode']
const statusNames = ['status', 'statusCode', 'status_code', 'http_code', 'http_status', 'code', 'error_code']

function objectOf(body: string): Fields | null {
  try {
    return fieldsOf(JSON.parse(body))
  } catch {
    return null
  }
}

const fieldsOf = (value: unknown): Fields | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null

function textIn(fields: Fields, names: readonly string[]): string {
  for (const name of names) {
    const value = fields[name]
    if (typeof value === 'string' && value !== '') return value.slice(0, maxMessageChars)
  }
  return ''
}

function wordIn(fields: Fields, names: readonly string[]): string {
  for (const name of names) {
    const found = word(fields[name])
    if (found !== '' && found !== '0') return found
  }
  return ''
}

/** An HTTP status that stands in the body. */
function statusIn(fields: Fields): number | null {
  for (const name of statusNames) {
    const status = Number(typeof fields[name] === 'string' ? fields[name] || Number.NaN : (fields[name] ?? Number.NaN))
    if (Number.isInteger(status) && status >= 400 && status <= 599) return status
  }
  return null
}

/** Error types and codes are identifiers; whatever else stands there is not kept (it could quote a prompt). */
function word(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : value
  return typeof text === 'string' && /^[\w.-]{1,80}$/.test(text) ? text : ''
}
