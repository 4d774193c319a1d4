import { findMembers, type Members } from '../../../json/members.ts'
import type { Format } from '../../format.ts'
import { createAnthropicStreamReader } from './stream-reader.ts'
import { readError } from './upstream-error.ts'
import { readUsageFromJson, responseMembers } from './usage.ts'

/** Anthropic's Messages API (protocol.md §1). */
export const anthropicFormat: Format = {
  name: 'anthropic',
  readJson(body, secret) {
    const members = findMembers(body, responseMembers)
    return { problem: problemOf(body, members), reading: readUsageFromJson(body, secret, members) }
  },
  createStreamReader: createAnthropicStreamReader,
  errorOf: readError,
  errorBody: (type, message, requestId) => Buffer.from(errorText(type, message, requestId)),
  errorEvent: (type, message, requestId) =>
    Buffer.from(`event: error\ndata: ${errorText(type, message, requestId)}\n\n`),
  ping: Buffer.from('event: ping\ndata: {"type": "ping"}\n\n'),
  keepAlive: Buffer.from(': keepalive\n\n'),
}

const errorText = (type: string, message: string, requestId: string): string =>
  JSON.stringify({ type: 'error', error: { type, message }, request_id: requestId })

function problemOf(body: Buffer, members: Members): string {
  if (!members.ok) return 'a body that is no JSON object'
  const type = members.spans[0]
  return type && body.toString('latin1', type.start, type.end) === '"error"' ? 'an error for a body' : ''
}
