import { findMembers, type Members } from '../../../json/members.ts'
import type { Reading } from '../../../money/reading.ts'
import type { Format } from '../../format.ts'
import { foldMessage } from '../../translate/messages/fold-message.ts'
import { unfoldMessage } from '../../translate/messages/unfold-message.ts'
import { eventWriters } from '../../translate/translated-stream.ts'
import { isFields } from '../../translate/untranslatable.ts'
import { eventsOf, jsonOf } from '../sse-events.ts'
import { isEmptyMessage } from './passed-text.ts'
import { createAnthropicStreamReader } from './stream-reader.ts'
import { readError } from './upstream-error.ts'
import { readUsageFromJson, responseMembers } from './usage.ts'

/** Anthropic's Messages API (protocol.md §1). */
export const anthropicFormat: Format = {
  name: 'anthropic',
  request: { messages: 'messages', mayBeText: false, maxTokens: ['max_tokens'], conversation: 'metadata' },
  readJson(body, secret) {
    const members = findMembers(body, responseMembers)
    const reading = readUsageFromJson(body, secret, members)
    return { problem: problemOf(body, members, reading), reading }
  },
  foldStream(stream) {
    try {
      const message = foldMessage(
        eventsOf(stream)
          .map(({ data }) => jsonOf(data))
          .filter(isFields),
      )
      return message && Buffer.from(JSON.stringify(message))
    } catch {
      return null
    }
  },
  unfoldJson(body) {
    const message = jsonOf(body.toString('utf8'))
    return Buffer.from(
      unfoldMessage(isFields(message) ? message : {})
        .map(eventWriters.anthropic.write)
        .join(''),
    )
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

/** A success is recognised by what it is: a message with content or usage. */
function problemOf(body: Buffer, members: Members, reading: Reading): string {
  if (!members.ok) return 'a body that is no JSON object'
  const [type, , , , content] = members.spans
  if (!type || body.toString('latin1', type.start, type.end) !== '"message"') return 'a body that is no message'
  const hasContent = content !== undefined && !/^\[\s*\]$/.test(body.toString('latin1', content.start, content.end))
  return isEmptyMessage(hasContent, reading) ? 'a message with neither content nor usage' : ''
}
