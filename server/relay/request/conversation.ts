// Which conversation a request belongs to: what keeps it on one account.
import { hash } from 'node:crypto'
import { findMembers, itemsOf, parseSpan, type Span } from '../../json/members.ts'

export interface Conversation {
  /** As the client names it; '' when it does not. */
  sessionId: string
  agentId: string
  /** Key of the session affinity; '' when nothing distinguishes one conversation from another. */
  affinityKey: string
}

const maxIdChars = 191

/** Session header, else the session of metadata.user_id, else a hash of the first message. Another agent is another conversation. */
export function conversationOf(
  keyId: number,
  headers: Record<string, string | string[] | undefined>,
  body: Buffer,
  metadata: Span | undefined,
  firstMessage: Span | undefined,
): Conversation {
  const agentId = idOf(headers['x-claude-code-agent-id'])
  const sessionId = idOf(headers['x-claude-code-session-id']) || (metadata ? sessionOfMetadata(body, metadata) : '')
  if (sessionId !== '') return { sessionId, agentId, affinityKey: `${keyId}|${sessionId}|${agentId}` }
  if (!firstMessage) return { sessionId, agentId, affinityKey: '' }
  // A long first message is told apart by its beginning; hashing megabytes would cost more than it is worth.
  const opening = body.subarray(firstMessage.start, Math.min(firstMessage.end, firstMessage.start + 8192))
  return { sessionId, agentId, affinityKey: `${keyId}|#${hash('sha1', opening, 'base64')}|${agentId}` }
}

/**
 * True when a turn of the person begins with this request: the last message is the user's and holds no tool result. While
 * tools run the thinking of the turn goes back to whoever signed it, so that the conversation must stay where it is.
 */
export function beginsTurn(message: Buffer): boolean {
  const end = message.lastIndexOf(closeBrace) + 1
  const members = findMembers(message.subarray(0, end), ['role', 'content'])
  if (!members.ok) return false
  const [role, content] = members.spans
  if (!role || !content || parseSpan(message, role) !== 'user') return false
  for (const block of itemsOf(message, content)) {
    const found = findMembers(message.subarray(block.start, block.end), ['type'])
    const type = found.ok ? found.spans[0] : undefined
    if (type && parseSpan(message.subarray(block.start, block.end), type) === 'tool_result') return false
  }
  return true
}

const closeBrace = '}'

const idOf = (value: string | string[] | undefined): string =>
  typeof value === 'string' ? value.slice(0, maxIdChars) : ''

/** `{"user_id":"{\"device_id\":…,\"session_id\":\"…\"}"}` of newer clients, `user_…_session_…` of older ones. */
function sessionOfMetadata(body: Buffer, span: Span): string {
  if (span.end - span.start > 4096) return ''
  try {
    const userId = (parseSpan(body, span) as { user_id?: unknown } | null)?.user_id
    if (typeof userId !== 'string') return ''
    if (userId.startsWith('{')) {
      const session = (JSON.parse(userId) as { session_id?: unknown }).session_id
      return typeof session === 'string' ? session.slice(0, maxIdChars) : ''
    }
    return /_session_([\w-]{8,64})$/.exec(userId)?.[1] ?? ''
  } catch {
    return ''
  }
}
