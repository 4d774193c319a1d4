import type { FormatFlags } from '../../../accounts/format-flags.ts'
import { blocksOf, type Part, partsOf, systemTexts, toolResultOf } from '../messages/messages-content.ts'
import {
  clientTools,
  effortOf,
  nearestEffort,
  outputSchemaOf,
  refuseImpossible,
  type ToolChoice,
  toolChoiceOf,
} from '../messages/messages-request.ts'
import { effortsOf, isReasoningModel } from '../messages/reasoning-models.ts'
import { createToolNames, type ToolNames } from '../messages/tool-names.ts'
import { type Fields, itemsOf, textOf, Untranslatable } from '../untranslatable.ts'

export interface ChatTarget {
  /** The model to ask for. */
  model: string
  flags: FormatFlags
  /** An opaque name of the end user; null: none is sent. */
  user: string | null
}

export interface ChatRequest {
  body: Fields
  toolNames: ToolNames
}

type ChatMessage = Fields & { role: string }

/** An Anthropic Messages request as a Chat Completions request (protocol.md §4.1). Throws Untranslatable. */
export function messagesToChat(body: Fields, { model, flags, user }: ChatTarget): ChatRequest {
  refuseImpossible(body)
  const toolNames = createToolNames()
  const sent: Fields = { model, messages: chatMessages(body, flags, toolNames) }
  const reasons = isReasoningModel(model)
  addMaxTokens(sent, body, flags, reasons)
  const tools = clientTools(body)
  if (tools.length > 0) {
    sent['tools'] = tools.map(({ name, description, schema, strict }) => ({
      type: 'function',
      function: {
        name: toolNames.sent(name),
        ...(description !== '' && { description }),
        parameters: schema,
        ...(strict && { strict }),
      },
    }))
    const chosen = toolChoiceOf(body)
    if (chosen) {
      sent['tool_choice'] = chatToolChoice(chosen.choice, flags, toolNames)
      if (!chosen.parallel) sent['parallel_tool_calls'] = false
    }
  }
  const effort = effortOf(body)
  const accepted = effort === null ? null : nearestEffort(effort, effortsOf(flags.efforts, model))
  if (accepted !== null) sent['reasoning_effort'] = accepted
  if (!reasons) {
    for (const name of ['temperature', 'top_p']) if (typeof body[name] === 'number') sent[name] = body[name]
    const stops = Array.isArray(body['stop_sequences']) ? body['stop_sequences'].slice(0, 4) : []
    if (stops.length > 0) sent['stop'] = stops
  }
  const schema = outputSchemaOf(body)
  if (schema) {
    sent['response_format'] = { type: 'json_schema', json_schema: { name: 'output', schema, strict: true } }
  }
  if (user !== null) sent['user'] = user
  if (body['stream'] === true) {
    sent['stream'] = true
    if (flags.streamOptions) sent['stream_options'] = { include_usage: true }
  }
  for (const name of flags.omit) delete sent[name]
  return { body: sent, toolNames }
}

/** Reasoning models refuse fewer than 16 tokens; Claude Code's probe asks for one. */
const minReasoningTokens = 16

function addMaxTokens(sent: Fields, body: Fields, flags: FormatFlags, reasons: boolean): void {
  const asked = Number(body['max_tokens'])
  if (!Number.isSafeInteger(asked) || asked <= 0) return
  const field =
    flags.maxTokensField === 'auto' ? (reasons ? 'max_completion_tokens' : 'max_tokens') : flags.maxTokensField
  const capped = Math.min(asked, flags.maxTokensCap ?? asked)
  sent[field] = reasons ? Math.max(capped, minReasoningTokens) : capped
}

function chatToolChoice(choice: ToolChoice, flags: FormatFlags, names: ToolNames): unknown {
  if (choice.kind === 'auto' || choice.kind === 'none') return choice.kind
  if (!flags.forcedToolChoice) return 'auto'
  return choice.kind === 'tool' ? { type: 'function', function: { name: names.sent(choice.name) } } : 'required'
}

function chatMessages(body: Fields, flags: FormatFlags, names: ToolNames): ChatMessage[] {
  const messages: ChatMessage[] = []
  const system = systemTexts(body['system'])
  if (system.length > 0) messages.push({ role: flags.systemRole, content: system.join('\n\n') })
  let open: string[] = []
  for (const [index, message] of itemsOf(body['messages']).entries()) {
    const field = `messages[${index}]`
    const blocks = blocksOf(message['content'])
    if (message['role'] === 'assistant') {
      // Consecutive messages of the assistant are one turn: what follows them has the results of all its calls.
      const before = open.length > 0 && messages.at(-1)?.role === 'assistant' ? [messages.pop()!] : []
      const [turn] = merged([...before, assistantMessage(blocks, field, flags, names)])
      open = itemsOf(turn!['tool_calls']).map(({ id }) => textOf(id))
      if (turn!['content'] !== '' || open.length > 0) messages.push(turn!)
    } else if (message['role'] === 'system') {
      const texts = systemTexts(message['content'])
      if (texts.length > 0) messages.push({ role: flags.systemRole, content: texts.join('\n\n') })
    } else {
      messages.push(...userMessages(blocks, field, flags, open))
      open = []
    }
  }
  messages.push(...unanswered(open))
  if (!messages.some(({ role }) => role === 'user' || role === 'tool')) messages.push({ role: 'user', content: '.' })
  return flags.strictAlternation ? merged(messages) : messages
}

/** Every call needs a result; a client that left one out would be refused. */
const unanswered = (ids: readonly string[]): ChatMessage[] =>
  ids.map((id) => ({ role: 'tool', tool_call_id: id, content: '[no result]' }))

function assistantMessage(blocks: Fields[], field: string, flags: FormatFlags, names: ToolNames): ChatMessage {
  const texts: string[] = []
  const thoughts: string[] = []
  const calls: Fields[] = []
  for (const [index, block] of blocks.entries()) {
    switch (block['type']) {
      case 'text':
        if (textOf(block['text']).trim() !== '') texts.push(textOf(block['text']))
        break
      case 'thinking':
        thoughts.push(textOf(block['thinking']))
        break
      case 'redacted_thinking':
        break
      case 'tool_use':
        calls.push({
          id: textOf(block['id']),
          type: 'function',
          function: { name: names.sent(textOf(block['name'])), arguments: JSON.stringify(block['input'] ?? {}) },
        })
        break
      default:
        throw new Untranslatable(`${field}.content[${index}].type`, 'cannot be sent to this upstream')
    }
  }
  return {
    role: 'assistant',
    content: texts.join('\n\n'),
    ...(flags.echoReasoning && thoughts.length > 0 && { reasoning_content: thoughts.join('\n\n') }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

/** Tool results come first, in the order of the calls; what belongs to no call is left out. */
function userMessages(blocks: Fields[], field: string, flags: FormatFlags, calls: readonly string[]): ChatMessage[] {
  const results = new Map<string, string>()
  const parts: Fields[] = []
  for (const [index, block] of blocks.entries()) {
    const at = `${field}.content[${index}]`
    if (block['type'] !== 'tool_result') {
      parts.push(...partsOf(block, at).map((part) => chatPart(part, at, flags)))
      continue
    }
    const id = textOf(block['tool_use_id'])
    const { text, images, pdfs } = toolResultOf(block, at)
    const more = [...images.map((url): Part => ({ kind: 'image', url })), ...pdfs]
    results.set(id, more.length > 0 && text === '(no output)' ? `[see the message below]` : text)
    // The result itself may only be text.
    if (more.length > 0) parts.push({ type: 'text', text: `[from tool call ${id}]` })
    parts.push(...more.map((part) => chatPart(part, at, flags)))
  }
  const messages: ChatMessage[] = calls.map((id) => ({
    role: 'tool',
    tool_call_id: id,
    content: results.get(id) ?? '[no result]',
  }))
  const [only] = parts
  // Some upstreams take no list where a string will do.
  if (parts.length === 1 && only?.['type'] === 'text') messages.push({ role: 'user', content: only['text'] })
  else if (parts.length > 0) messages.push({ role: 'user', content: parts })
  return messages
}

function chatPart(part: Part, field: string, flags: FormatFlags): Fields {
  if (part.kind === 'text') return { type: 'text', text: part.text }
  if (part.kind === 'image') {
    if (!flags.images) throw new Untranslatable(field, 'this upstream takes no images')
    return { type: 'image_url', image_url: { url: part.url } }
  }
  if (!flags.pdf) throw new Untranslatable(field, 'this upstream takes no documents')
  return { type: 'file', file: { filename: part.name, file_data: `data:application/pdf;base64,${part.data}` } }
}

function merged(messages: ChatMessage[]): ChatMessage[] {
  const list: ChatMessage[] = []
  for (const message of messages) {
    const last = list.at(-1)
    if (!last || last.role !== message.role || message.role === 'tool') {
      list.push(message)
      continue
    }
    const calls = [...itemsOf(last['tool_calls']), ...itemsOf(message['tool_calls'])]
    list[list.length - 1] = {
      ...last,
      ...message,
      content: joined(last['content'], message['content']),
      ...(calls.length > 0 && { tool_calls: calls }),
    }
  }
  return list
}

function joined(one: unknown, other: unknown): unknown {
  if (typeof one === 'string' && typeof other === 'string') return [one, other].filter(Boolean).join('\n\n')
  const parts = (content: unknown): unknown[] =>
    Array.isArray(content) ? content : content === '' ? [] : [{ type: 'text', text: content }]
  return [...parts(one), ...parts(other)]
}
