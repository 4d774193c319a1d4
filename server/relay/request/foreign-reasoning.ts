// Finds the reasoning of earlier turns that another account signed, so that it can be cut.
import { findMembers, itemsOf, parseSpan, type Span } from '../../json/members.ts'
import { reasoningMark } from '../../upstreams/translate/messages/reasoning-marker.ts'
import { beginsTurn } from './conversation.ts'

/**
 * Where the reasoning (`thinking`, `redacted_thinking`) of earlier turns of the assistant stands, to be cut with its comma: of
 * the messages before `before`, and never of the turn under way, whose tool calls must keep the reasoning they came with. A
 * message that is reasoning and nothing else goes as a whole, for an empty one is refused. In order, without overlaps; none
 * where the body is not as it should be.
 */
export function reasoningBefore(body: Buffer, before: number): Span[] {
  const messages = messagesOf(body)
  const turnAt = messages.findLastIndex((span) => beginsTurn(body.subarray(span.start, span.end)))
  return cutsOfReasoning(body, messages, isReasoning, Math.min(before, turnAt))
}

function cutsOfReasoning(
  body: Buffer,
  messages: readonly Span[],
  isCut: (body: Buffer, block: Span) => boolean,
  before = messages.length,
): Span[] {
  const whole = new Set<number>()
  const cuts: Span[] = []
  for (let index = 0; index < before; index++) {
    const blocks = blocksOf(body, messages[index]!)
    const reasoning = new Set(blocks.flatMap((span, at) => (isCut(body, span) ? [at] : [])))
    if (reasoning.size === 0) continue
    if (reasoning.size === blocks.length) whole.add(index)
    else cuts.push(...cutsOf(blocks, reasoning))
  }
  // A list cannot be emptied by cutting items with their commas.
  if (whole.size === messages.length) return []
  return [...cuts, ...cutsOf(messages, whole)].sort((one, other) => one.start - other.start)
}

/**
 * Where reasoning stands that other formats wrote and this relay marked, to be cut with its comma: an upstream of Anthropic's
 * format knows only signatures of its own. Of all messages, the turn under way too.
 */
export function markedReasoning(body: Buffer): Span[] {
  // Nearly all bodies have none, and are not read any further.
  if (!body.includes(reasoningMark)) return []
  return [...cutsOfReasoning(body, messagesOf(body), isMarked), ...markedItems(body)]
}

/** The same of a Responses request, whose reasoning stands among the items of its input. */
function markedItems(body: Buffer): Span[] {
  const items = listOf(body, 'input')
  const marked = new Set(items.flatMap((span, index) => (isMarkedItem(body, span) ? [index] : [])))
  // A list cannot be emptied by cutting items with their commas.
  return marked.size === items.length ? [] : cutsOf(items, marked)
}

function isMarkedItem(body: Buffer, { start, end }: Span): boolean {
  const bytes = body.subarray(start, end)
  const members = findMembers(bytes, ['type', 'encrypted_content'])
  const [type, encrypted] = members.ok ? members.spans : []
  if (!type || !encrypted || parseSpan(bytes, type) !== 'reasoning') return false
  return String(parseSpan(bytes, encrypted)).startsWith(reasoningMark)
}

/** How many messages a body has; 0 when it is not as it should be. */
export function countMessages(body: Buffer): number {
  return messagesOf(body).length
}

const messagesOf = (body: Buffer): Span[] => listOf(body, 'messages')

function listOf(body: Buffer, name: string): Span[] {
  const members = findMembers(body, [name])
  const span = members.ok ? members.spans[0] : undefined
  return span ? [...itemsOf(body, span)] : []
}

/** The content blocks of an assistant's message; none of other messages, or of plain text. */
function blocksOf(body: Buffer, message: Span): Span[] {
  const bytes = body.subarray(message.start, message.end)
  const members = findMembers(bytes, ['role', 'content'])
  const [role, content] = members.ok ? members.spans : []
  if (!role || !content || parseSpan(bytes, role) !== 'assistant') return []
  return Array.from(itemsOf(bytes, content), ({ start, end }) => ({
    start: message.start + start,
    end: message.start + end,
  }))
}

function isMarked(body: Buffer, { start, end }: Span): boolean {
  const bytes = body.subarray(start, end)
  const members = findMembers(bytes, ['type', 'signature'])
  const [type, signature] = members.ok ? members.spans : []
  if (!type || !signature || parseSpan(bytes, type) !== 'thinking') return false
  return String(parseSpan(bytes, signature)).startsWith(reasoningMark)
}

function isReasoning(body: Buffer, { start, end }: Span): boolean {
  const bytes = body.subarray(start, end)
  const members = findMembers(bytes, ['type'])
  const type = members.ok && members.spans[0] ? parseSpan(bytes, members.spans[0]) : undefined
  return type === 'thinking' || type === 'redacted_thinking'
}

/** Items of a list with the comma that has to go with them; not all items of it. */
function cutsOf(items: readonly Span[], chosen: ReadonlySet<number>): Span[] {
  const cuts: Span[] = []
  for (let first = 0; first < items.length; first++) {
    if (!chosen.has(first)) continue
    let last = first
    while (chosen.has(last + 1)) last++
    const next = items[last + 1]
    // At the end of the list the comma before it goes.
    if (next) cuts.push({ start: items[first]!.start, end: next.start })
    else cuts.push({ start: items[first - 1]!.end, end: items[last]!.end })
    first = last
  }
  return cuts
}
