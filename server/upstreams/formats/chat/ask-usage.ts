import { findMembers, parseSpan } from '../../../json/members.ts'
import { isFields } from '../../translate/untranslatable.ts'

/**
 * The body of a streamed request with `stream_options.include_usage`, written by span; null where the client asks for it itself,
 * or where the member is something that only the upstream can judge.
 */
export function withUsageAsked(body: Buffer): Buffer | null {
  const members = findMembers(body, ['stream_options'])
  if (!members.ok) return null
  const [span] = members.spans
  if (!span) {
    const at = body.indexOf('{') + 1
    return Buffer.concat([
      body.subarray(0, at),
      Buffer.from('"stream_options":{"include_usage":true},'),
      body.subarray(at),
    ])
  }
  const options = parseSpan(body, span)
  if (options !== null && !isFields(options)) return null
  if (options?.['include_usage'] === true) return null
  const text = JSON.stringify({ ...options, include_usage: true })
  return Buffer.concat([body.subarray(0, span.start), Buffer.from(text), body.subarray(span.end)])
}
