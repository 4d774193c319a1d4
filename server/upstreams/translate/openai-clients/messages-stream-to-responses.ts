import { markedThinking } from '../messages/reasoning-marker.ts'
import type { ToolNames } from '../messages/tool-names.ts'
import { type Fields, isFields, textOf } from '../untranslatable.ts'
import { chatUsage } from './messages-stream-to-chat.ts'
import type { ResponsesTool } from './responses-tools.ts'

export interface ResponsesWriterOptions {
  /** `resp_…`, of our own. */
  id: string
  /** The name that the client asked for. */
  model: string
  createdS: number
  toolNames: ToolNames
  /** The client's tools by the names that the upstream has. */
  tools: ReadonlyMap<string, ResponsesTool>
  /** The account whose thinking the client gets as encrypted reasoning, to send it back; null: it did not ask for it. */
  signingAccountId: number | null
}

interface OpenItem {
  kind: 'message' | 'reasoning' | 'function_call' | 'custom_tool_call'
  index: number
  id: string
  text: string
  signature: string
  callId: string
  name: string
  namespace: string
}

/** Anthropic events as events of a Responses stream (protocol.md §4.5). */
export function createMessagesStreamToResponses(options: ResponsesWriterOptions) {
  const usage: Fields = {}
  const output: Fields[] = []
  let events: Fields[] = []
  let sequence = 0
  let open: OpenItem | null = null
  let stopReason = ''
  let hasEnded = false

  function emit(type: string, fields: Fields): void {
    events.push({ type, sequence_number: sequence++, ...fields })
  }

  const response = (status: string, more: Fields = {}): Fields => ({
    id: options.id,
    object: 'response',
    created_at: options.createdS,
    status,
    model: options.model,
    output: [...output],
    parallel_tool_calls: true,
    error: null,
    incomplete_details: null,
    usage: null,
    ...more,
  })

  function openItem(kind: OpenItem['kind'], callId = '', name = '', namespace = ''): void {
    const index = output.length
    const prefix = { message: 'msg', reasoning: 'rs', function_call: 'fc', custom_tool_call: 'ctc' }[kind]
    open = {
      kind,
      index,
      id: `${prefix}_${options.id.replace(/^resp_/, '')}_${index}`,
      text: '',
      signature: '',
      callId,
      name,
      namespace,
    }
    emit('response.output_item.added', { output_index: index, item: itemOf(open, 'in_progress') })
    if (kind === 'message') emit('response.content_part.added', { ...place(open), part: textPart('') })
    if (kind === 'reasoning')
      emit('response.reasoning_summary_part.added', { ...summaryPlace(open), part: { type: 'summary_text', text: '' } })
  }

  function append(text: string): void {
    if (!open || text === '') return
    open.text += text
    const names = {
      message: 'response.output_text.delta',
      reasoning: 'response.reasoning_summary_text.delta',
      function_call: 'response.function_call_arguments.delta',
      custom_tool_call: '',
    }
    if (open.kind === 'message') emit(names.message, { ...place(open), delta: text, logprobs: [] })
    else if (open.kind === 'reasoning') emit(names.reasoning, { ...summaryPlace(open), delta: text })
    else if (open.kind === 'function_call')
      emit(names.function_call, { item_id: open.id, output_index: open.index, delta: text })
  }

  function sign(kind: 'thinking' | 'redacted', value: unknown): void {
    const { signingAccountId: accountId } = options
    if (open?.kind !== 'reasoning' || accountId === null || textOf(value) === '') return
    open.signature = markedThinking(accountId, kind, textOf(value))
  }

  function closeItem(): void {
    if (!open) return
    const at = { item_id: open.id, output_index: open.index }
    const item = itemOf(open, 'completed')
    if (open.kind === 'message') {
      emit('response.output_text.done', { ...place(open), text: open.text, logprobs: [] })
      emit('response.content_part.done', { ...place(open), part: textPart(open.text) })
    } else if (open.kind === 'reasoning') {
      emit('response.reasoning_summary_text.done', { ...summaryPlace(open), text: open.text })
      const part = { type: 'summary_text', text: open.text }
      emit('response.reasoning_summary_part.done', { ...summaryPlace(open), part })
    } else if (open.kind === 'function_call') {
      emit('response.function_call_arguments.done', { ...at, name: open.name, arguments: item['arguments'] })
    } else {
      emit('response.custom_tool_call_input.delta', { ...at, delta: item['input'] })
      emit('response.custom_tool_call_input.done', { ...at, input: item['input'] })
    }
    emit('response.output_item.done', { output_index: open.index, item })
    output.push(item)
    open = null
  }

  function take(event: Fields): void {
    switch (event['type']) {
      case 'message_start':
        takeUsage(isFields(event['message']) ? event['message']['usage'] : undefined)
        emit('response.created', { response: response('in_progress') })
        emit('response.in_progress', { response: response('in_progress') })
        break
      case 'content_block_start':
        if (isFields(event['content_block'])) blockStart(event['content_block'])
        break
      case 'content_block_delta':
        if (isFields(event['delta'])) append(deltaText(event['delta']))
        if (isFields(event['delta'])) sign('thinking', event['delta']['signature'])
        break
      case 'content_block_stop':
        closeItem()
        break
      case 'message_delta':
        takeUsage(event['usage'])
        if (isFields(event['delta'])) stopReason = textOf(event['delta']['stop_reason']) || stopReason
        break
      case 'message_stop':
        finish()
        break
      case 'error':
        fail(isFields(event['error']) ? event['error'] : {})
        break
      default:
    }
  }

  function blockStart(block: Fields): void {
    closeItem()
    if (block['type'] === 'text') {
      openItem('message')
      append(textOf(block['text']))
    } else if (block['type'] === 'thinking') openItem('reasoning')
    else if (block['type'] === 'redacted_thinking') {
      openItem('reasoning')
      sign('redacted', block['data'])
    } else if (block['type'] === 'tool_use') {
      const name = options.toolNames.original(textOf(block['name']))
      const tool = options.tools.get(name)
      const kind = tool?.isFreeText ? 'custom_tool_call' : 'function_call'
      openItem(kind, textOf(block['id']), tool?.name ?? name, tool?.namespace)
    }
  }

  function finish(): void {
    closeItem()
    hasEnded = true
    const told = { usage: responsesUsage(usage) }
    if (stopReason === 'max_tokens' || stopReason === 'model_context_window_exceeded')
      emitLast('incomplete', { ...told, incomplete_details: { reason: 'max_output_tokens' } })
    else if (stopReason === 'refusal')
      emitLast('incomplete', { ...told, incomplete_details: { reason: 'content_filter' } })
    else emitLast('completed', told)
  }

  function fail(error: Fields): void {
    hasEnded = true
    const code = textOf(error['type']) === 'rate_limit_error' ? 'rate_limit_exceeded' : 'server_error'
    emitLast('failed', { error: { code, message: textOf(error['message']) } })
  }

  const emitLast = (status: string, more: Fields): void =>
    emit(`response.${status}`, { response: response(status, more) })

  function takeUsage(told: unknown): void {
    if (!isFields(told)) return
    for (const [name, value] of Object.entries(told)) if (value !== null) usage[name] = value
  }

  return {
    /** Returns the data of the client's events; their `type` is the event's name too. */
    push(event: unknown): Fields[] {
      if (!isFields(event) || hasEnded) return []
      take(event)
      const taken = events
      events = []
      return taken
    },
    hasEnded: () => hasEnded,
  }
}

const place = ({ id, index }: OpenItem): Fields => ({ item_id: id, output_index: index, content_index: 0 })
const summaryPlace = ({ id, index }: OpenItem): Fields => ({ item_id: id, output_index: index, summary_index: 0 })
const textPart = (text: string): Fields => ({ type: 'output_text', text, annotations: [], logprobs: [] })

function deltaText(delta: Fields): string {
  return textOf(delta['text']) || textOf(delta['thinking']) || textOf(delta['partial_json'])
}

function itemOf({ kind, id, text, signature, callId, name: bare, namespace }: OpenItem, status: string): Fields {
  const name = { name: bare, ...(namespace !== '' && { namespace }) }
  switch (kind) {
    case 'message':
      return { id, type: 'message', role: 'assistant', status, content: status === 'completed' ? [textPart(text)] : [] }
    case 'reasoning':
      return {
        id,
        type: 'reasoning',
        summary: text === '' ? [] : [{ type: 'summary_text', text }],
        ...(signature !== '' && { encrypted_content: signature }),
      }
    case 'function_call':
      return {
        id,
        type: 'function_call',
        status,
        call_id: callId,
        ...name,
        arguments: text === '' && status === 'completed' ? '{}' : text,
      }
    case 'custom_tool_call':
      return { id, type: 'custom_tool_call', status, call_id: callId, ...name, input: freeText(text) }
  }
}

/** The one text of a tool that takes free text. */
function freeText(json: string): string {
  try {
    const value: unknown = JSON.parse(json)
    return isFields(value) ? textOf(value['input']) : json
  } catch {
    return json
  }
}

/** Anthropic's counts in the words of Responses. */
function responsesUsage(usage: Fields): Fields {
  const chat = chatUsage(usage)
  return {
    input_tokens: chat['prompt_tokens'],
    input_tokens_details: chat['prompt_tokens_details'],
    output_tokens: chat['completion_tokens'],
    output_tokens_details: chat['completion_tokens_details'],
    total_tokens: chat['total_tokens'],
  }
}
