// An upstream's error in the words of the client's format.

import { redactText } from '../../../redaction.ts'
import type { UpstreamError } from '../../../upstreams/format.ts'
import type { PassableError } from '../attempt-result.ts'
import type { Attempt } from '../running-attempt.ts'
import type { ResponseHead } from '../upstream-call.ts'

const typeOf: Readonly<Record<number, string>> = {
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
}

export function translatedError({ running, format }: Attempt, head: ResponseHead, body: Buffer): PassableError {
  const { request } = running
  const error = format.errorOf(body.toString('utf8'))
  const message = messageOf(error)
  const type = typeOf[head.status] ?? 'invalid_request_error'
  const kept = head.headers.forClient(true)
  const headers = ['content-type', 'application/json']
  for (let i = 0; i < kept.length; i += 2) if (kept[i] !== 'content-type') headers.push(kept[i]!, kept[i + 1]!)
  return { status: head.status, headers, body: request.format.errorBody(type, message, request.id.text) }
}

/** Claude Code shortens the conversation by itself when it reads these words; the counts tell it by how much. */
function messageOf({ code, message }: UpstreamError): string {
  const said = redactText(message).slice(0, 1000) || 'The upstream refuses this request.'
  if (code !== 'context_length_exceeded' && !/maximum context length/i.test(message)) return said
  const limit = /maximum context length (?:is|of) (\d+)/i.exec(message)?.[1]
  const asked = /(?:resulted in|requested|has|contains?|sent) (?:about )?(\d+)/i.exec(message)?.[1]
  return limit && asked ? `prompt is too long: ${asked} tokens > ${limit} maximum` : `prompt is too long: ${said}`
}
