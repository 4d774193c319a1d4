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
  named: Span | undefined,
  messages: Span | undefined,
  firstMessage: Span | undefined,
): Conversation {
  const agentId = idOf(headers['x-claude-code-agent-id'])
  const sessionId = sessionOfHeaders(headers) || (named ? sessionOfMember(body, named) : '')
  if (sessionId !== '') return { sessionId, agentId, affinityKey: `${keyId}|${sessionId}|${agentId}` }
  const first = messages ? firstOfUser(body, messages, firstMessage) : undefined
  if (!first) return { sessionId, agentId, affinityKey: '' }
  // Only the first 8 KiB are hashed: enough to tell conversations apart.
  const opening = body.subarray(first.start, Math.min(first.end, first.start + 8192))
  return { sessionId, agentId, affinityKey: `${keyId}|#${hash('sha1', opening, 'base64')}|${agentId}` }
}

/**
 * True when this message starts a new turn: its role is user and it holds no tool result. Within a turn, signed thinking must
 * go back to the account that made it.
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

/** Claude Code's header first, then Codex's, the newest first. */
const sessionHeaders = ['x-claude-code-session-id', 'session-id', 'session_id', 'conversation_id']

function sessionOfHeaders(headers: Record<string, string | string[] | undefined>): string {
  for (const name of sessionHeaders) if (headers[name] !== undefined) return idOf(headers[name])
  return ''
}

/** The first message of the user. Leading instructions are skipped: they are the same in every conversation of a program. */
function firstOfUser(body: Buffer, messages: Span, first: Span | undefined): Span | undefined {
  if (first === undefined || first === messages) return first
  for (const item of itemsOf(body, messages)) {
    const bytes = body.subarray(item.start, item.end)
    const members = findMembers(bytes, ['role'])
    if (members.ok && members.spans[0] && parseSpan(bytes, members.spans[0]) === 'user') return item
  }
  return first
}

const quote = 0x22

/** `metadata` of Anthropic's format, or the text of `prompt_cache_key`. */
function sessionOfMember(body: Buffer, span: Span): string {
  return body[span.start] === quote ? idOf(textAt(body, span)) : sessionOfMetadata(body, span)
}

function textAt(body: Buffer, span: Span): string {
  if (span.end - span.start > 4096) return ''
  try {
    return String(parseSpan(body, span))
  } catch {
    return ''
  }
}

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
