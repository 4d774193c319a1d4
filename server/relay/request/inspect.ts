// Finds in the bytes of a body what the relay has to know of it; everything else goes up unread.
import { type Failure, fail } from '../../errors.ts'
import { findMembers, parseSpan, type Span } from '../../json/members.ts'
import type { RequestShape } from '../../upstreams/format.ts'

/** Spans are positions in the body. */
export interface Inspected {
  model: string
  modelSpan: Span
  stream: boolean
  maxTokens: number | undefined
  /** The member that may name the conversation, when it is there. */
  conversation: Span | undefined
  /** All messages, when they are there. */
  messages: Span | undefined
  firstMessage: Span | undefined
  lastMessage: Span | undefined
  hasTags: boolean
}

/** What the relay checks must be what the upstream reads: one that reads another duplicate would slip past the list of models. */
const once = ['model', 'stream']

/** No model has a longer name. */
const maxModelChars = 191
const controls = /\p{Cc}/u

/** Finds the members at depth 1 of the raw bytes (tool schemas contain properties of the same names). */
export function inspect(bytes: Buffer, shape: RequestShape): Inspected | Failure {
  const names = ['model', 'stream', 'tags', shape.conversation, shape.messages, ...shape.maxTokens]
  const members = findMembers(bytes, names, shape.messages, once)
  if (!members.ok) return fail('request_invalid', `The body is not a valid JSON object: ${members.problem}.`)
  if (members.repeated !== undefined)
    return fail('request_invalid', `${members.repeated}: occurs twice in the body, or also in capital letters.`)
  const [modelSpan, streamSpan, tags, conversation, messages, ...limits] = members.spans
  const model = modelSpan && scalarOf(bytes, modelSpan)
  if (!modelSpan || typeof model !== 'string' || model === '') {
    return fail('request_invalid', modelSpan ? 'model: must be a non-empty string.' : 'model: field required.')
  }
  if (model.length > maxModelChars) return fail('request_invalid', `model: longer than ${maxModelChars} characters.`)
  if (controls.test(model)) return fail('request_invalid', 'model: must not contain control characters.')
  const stream = streamSpan ? scalarOf(bytes, streamSpan) : false
  if (typeof stream !== 'boolean' && stream !== null) return fail('request_invalid', 'stream: must be true or false.')
  const limit = limits.find((span) => span !== undefined)
  const maxTokens = limit ? scalarOf(bytes, limit) : undefined
  return {
    model,
    modelSpan,
    stream: stream === true,
    maxTokens: Number.isSafeInteger(maxTokens) && (maxTokens as number) >= 0 ? (maxTokens as number) : undefined,
    conversation,
    messages,
    firstMessage: members.firstItem ?? (shape.mayBeText ? messages : undefined),
    lastMessage: members.lastItem,
    hasTags: tags !== undefined,
  }
}

/** A scalar member's value; undefined when it is malformed. Long values are not looked at: no scalar of ours is long. */
function scalarOf(bytes: Buffer, span: Span): unknown {
  if (span.end - span.start > 4096) return undefined
  try {
    return parseSpan(bytes, span)
  } catch {
    return undefined
  }
}

/** A name of the caller's own in a message to that caller: short, and on one line. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)
}
