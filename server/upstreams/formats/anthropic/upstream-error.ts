import type { UpstreamError } from '../../format.ts'

/** Longer texts say nothing more about whose fault it was, and every pattern reads them. */
const maxMessageChars = 10_000

/** The error of a body in the Anthropic envelope or one of its relatives; empty fields where it says nothing. */
export function readError(body: string): UpstreamError {
  const nothing = { type: '', message: '', code: '', text: body.slice(0, maxMessageChars) }
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed !== 'object' || parsed === null) return nothing
    const outer = parsed as Record<string, unknown>
    const error = fieldsOf(outer['error']) ?? outer
    const details = fieldsOf(error['details']) ?? {}
    const message = typeof error['message'] === 'string' ? error['message'].slice(0, maxMessageChars) : ''
    return {
      type: word(error['type']),
      message,
      code: word(details['error_code']) || word(error['code']),
      text: message || nothing.text,
    }
  } catch {
    return nothing
  }
}

const fieldsOf = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null

/** Error types and codes are identifiers; whatever else stands there is not kept (it could quote a prompt). */
function word(value: unknown): string {
  return typeof value === 'string' && /^[\w.-]{1,80}$/.test(value) ? value : ''
}
