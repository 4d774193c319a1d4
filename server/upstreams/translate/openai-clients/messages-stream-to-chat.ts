import type { ToolNames } from '../messages/tool-names.ts'
import { countOf, type Fields, isFields, textOf } from '../untranslatable.ts'

export interface ChatWriterOptions {
  /** `chatcmpl-…`, of our own. */
  id: string
  /** The name that the client asked for. */
  model: string
  createdS: number
  toolNames: ToolNames
  /** The client asked for `stream_options.include_usage`. */
  includeUsage: boolean
}

/** Anthropic events as chunks of a Chat Completions stream (protocol.md §4.5). The caller writes `[DONE]` behind the last. */
export function createMessagesStreamToChat({ id, model, createdS, toolNames, includeUsage }: ChatWriterOptions) {
  const usage: Fields = {}
  let stopReason: string | null = null
  let toolIndex = -1
  /** The open block is a call of the client's own tools: inputs of others are not for it. */
  let isCall = false
  let hasEnded = false

  const chunk = (choices: Fields[], more: Fields = {}): Fields => ({
    id,
    object: 'chat.completion.chunk',
    created: createdS,
    model,
    choices,
    ...(includeUsage && { usage: null }),
    ...more,
  })
  const delta = (fields: Fields): Fields => chunk([{ index: 0, delta: fields, finish_reason: null }])

  function push(event: unknown): Fields[] {
    if (!isFields(event) || hasEnded) return []
    switch (event['type']) {
      case 'message_start':
        takeUsage(isFields(event['message']) ? event['message']['usage'] : undefined)
        return [delta({ role: 'assistant', content: '' })]
      case 'content_block_start':
        return isFields(event['content_block']) ? blockStart(event['content_block']) : []
      case 'content_block_delta':
        return isFields(event['delta']) ? blockDelta(event['delta']) : []
      case 'message_delta':
        takeUsage(event['usage'])
        if (isFields(event['delta'])) stopReason = textOf(event['delta']['stop_reason']) || stopReason
        return []
      case 'message_stop': {
        hasEnded = true
        const last = chunk([{ index: 0, delta: {}, finish_reason: finishReasonOf(stopReason) }])
        return includeUsage ? [last, chunk([], { usage: chatUsage(usage) })] : [last]
      }
      case 'error': {
        hasEnded = true
        const error = isFields(event['error']) ? event['error'] : {}
        return [{ error: { message: textOf(error['message']), type: textOf(error['type']), param: null, code: null } }]
      }
      default:
        return []
    }
  }

  function blockStart(block: Fields): Fields[] {
    if (block['type'] === 'text' && textOf(block['text']) !== '') return [delta({ content: block['text'] })]
    isCall = block['type'] === 'tool_use'
    if (!isCall) return []
    toolIndex++
    const fn = { name: toolNames.original(textOf(block['name'])), arguments: '' }
    return [delta({ tool_calls: [{ index: toolIndex, id: block['id'], type: 'function', function: fn }] })]
  }

  function blockDelta(part: Fields): Fields[] {
    switch (part['type']) {
      case 'text_delta':
        return [delta({ content: part['text'] })]
      case 'thinking_delta':
        return [delta({ reasoning_content: part['thinking'] })]
      case 'input_json_delta':
        return !isCall || textOf(part['partial_json']) === ''
          ? []
          : [delta({ tool_calls: [{ index: toolIndex, function: { arguments: part['partial_json'] } }] })]
      default:
        return []
    }
  }

  function takeUsage(told: unknown): void {
    if (!isFields(told)) return
    for (const [name, value] of Object.entries(told)) if (value !== null) usage[name] = value
  }

  return { push, hasEnded: () => hasEnded }
}

function finishReasonOf(stop: string | null): string {
  switch (stop) {
    case 'tool_use':
      return 'tool_calls'
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length'
    case 'refusal':
      return 'content_filter'
    default:
      return 'stop'
  }
}

/** Anthropic's counts in the words of Chat Completions: the prompt includes what was read from and written to the cache. */
export function chatUsage(usage: Fields): Fields {
  const read = countOf(usage['cache_read_input_tokens'])
  const written = countOf(usage['cache_creation_input_tokens'])
  const prompt = countOf(usage['input_tokens']) + read + written
  const completion = countOf(usage['output_tokens'])
  const details = usage['output_tokens_details']
  const thinking = isFields(details) ? countOf(details['thinking_tokens']) : 0
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: read, cache_write_tokens: written },
    completion_tokens_details: { reasoning_tokens: thinking },
  }
}

/** A whole Anthropic message as a Chat Completions response. */
export function messageToChat(message: Fields, options: Omit<ChatWriterOptions, 'includeUsage'>): Fields {
  const blocks = (Array.isArray(message['content']) ? message['content'] : []).filter(isFields)
  const of = (type: string): Fields[] => blocks.filter((block) => block['type'] === type)
  const text = of('text')
    .map((block) => textOf(block['text']))
    .join('')
  const thinking = of('thinking')
    .map((block) => textOf(block['thinking']))
    .join('\n\n')
  const calls = of('tool_use').map((block) => ({
    id: block['id'],
    type: 'function',
    function: {
      name: options.toolNames.original(textOf(block['name'])),
      arguments: JSON.stringify(block['input'] ?? {}),
    },
  }))
  return {
    id: options.id,
    object: 'chat.completion',
    created: options.createdS,
    model: options.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text === '' && calls.length > 0 ? null : text,
          refusal: null,
          ...(thinking !== '' && { reasoning_content: thinking }),
          ...(calls.length > 0 && { tool_calls: calls }),
        },
        finish_reason: finishReasonOf(textOf(message['stop_reason']) || null),
        logprobs: null,
      },
    ],
    usage: chatUsage(isFields(message['usage']) ? message['usage'] : {}),
  }
}
