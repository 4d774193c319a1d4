import { estimatedTokens, usageOfResponses } from '../messages/chat-usage.ts'
import {
  createMessageWriter,
  type MessageUsage,
  type MessageWriterOptions,
  type StopReason,
  stopDetailsOf,
} from '../messages/message-writer.ts'
import { markedSignature } from '../messages/reasoning-marker.ts'
import type { ToolNames } from '../messages/tool-names.ts'
import { type Fields, isFields, isJsonObject, itemsOf, textOf } from '../untranslatable.ts'
import type { StreamTranslator } from './chat-stream-to-messages.ts'

export interface ResponsesStreamOptions extends MessageWriterOptions {
  toolNames: ToolNames
  showThinking: boolean
  /** The account that answers. */
  accountId: number
}

/** One output item: what has come of it, and how much of that was written. */
interface Item {
  kind: 'text' | 'reasoning' | 'tool' | 'other'
  id: string
  name: string
  /** Its text, its reasoning or its arguments. */
  text: string
  written: number
  isOpen: boolean
  parts: number
  encrypted: string
  /** Its arguments may be torn: the output reached its limit. */
  isIncomplete: boolean
  isDone: boolean
  isClosed: boolean
}

/** Events of a Responses stream as events of an Anthropic stream (protocol.md §4.4). Items are written one after another. */
export function createResponsesStreamToMessages(options: ResponsesStreamOptions): StreamTranslator {
  const writer = createMessageWriter(options)
  const items = new Map<unknown, Item>()
  let reported: MessageUsage | null = null
  let isRefusal = false
  let outputChars = 0

  function itemOf(event: Fields): Item {
    const key = event['output_index'] ?? event['item_id'] ?? 0
    const known = items.get(key)
    if (known) return known
    const item: Item = {
      kind: 'other',
      id: '',
      name: '',
      text: '',
      written: 0,
      isOpen: false,
      parts: 0,
      encrypted: '',
      isIncomplete: false,
      isDone: false,
      isClosed: false,
    }
    items.set(key, item)
    return item
  }

  function announce(item: Item, fields: Fields): void {
    if (fields['type'] === 'function_call') {
      item.kind = 'tool'
      item.id ||= (textOf(fields['call_id']) || textOf(fields['id'])).replace(/[^a-zA-Z0-9_-]/g, '_')
      item.name ||= textOf(fields['name'])
    } else if (fields['type'] === 'message') item.kind = 'text'
    else if (fields['type'] === 'reasoning') item.kind = 'reasoning'
  }

  /** The whole item has come: what its deltas left out is known now. */
  function complete(item: Item, fields: Fields): void {
    if (item.isDone) return
    announce(item, fields)
    item.isDone = true
    item.isIncomplete ||= fields['status'] === 'incomplete'
    item.encrypted = textOf(fields['encrypted_content'])
    takeWhole(item, wholeTextOf(item.kind, fields))
  }

  function takeWhole(item: Item, text: string): void {
    if (text.startsWith(item.text)) item.text = text
  }

  /** Writes what can be written: blocks may not be open at the same time, so a later item waits for the one before it. */
  function writeOn(): void {
    for (const item of items.values()) {
      if (item.isClosed || item.kind === 'other') continue
      write(item)
      if (!item.isDone) return
      if (!close(item))
        return writer.fail('api_error', 'The upstream sent arguments of a tool call that are no JSON object.')
    }
  }

  function write(item: Item): void {
    if (item.kind === 'tool' && !item.isOpen) {
      if (item.name === '') return
      item.isOpen = true
      writer.openTool(item.id, options.toolNames.original(item.name))
    }
    const text = item.text.slice(item.written)
    item.written = item.text.length
    outputChars += text.length
    if (item.kind === 'tool') writer.toolInput(text)
    else if (item.kind === 'text') writer.text(text)
    else if (options.showThinking) writer.thinking(text)
  }

  /** False: a tool call that a client would break on. */
  function close(item: Item): boolean {
    item.isClosed = true
    if (item.kind === 'tool' && (!item.isOpen || !(item.isIncomplete || isJsonObject(item.text || '{}')))) return false
    if (item.encrypted !== '' && options.showThinking)
      writer.signature(markedSignature(options.accountId, item.encrypted))
    writer.closeBlock()
    return true
  }

  function finish(response: Fields, isIncomplete: boolean): void {
    // An item whose own events were lost is taken from the final response.
    for (const [index, item] of itemsOf(response['output']).entries()) complete(itemOf({ output_index: index }), item)
    for (const item of items.values()) {
      item.isIncomplete ||= isIncomplete
      item.isDone = true
    }
    writeOn()
    if (isFields(response['usage'])) reported = usageOfResponses(response['usage'])
    const reason = stopReason(response, isIncomplete)
    writer.finish(reason, reported ?? estimate(), stopDetailsOf(reason))
  }

  function stopReason(response: Fields, isIncomplete: boolean): StopReason {
    const details = isFields(response['incomplete_details']) ? response['incomplete_details'] : {}
    if (isIncomplete) return details['reason'] === 'content_filter' ? 'refusal' : 'max_tokens'
    if (writer.toolBlocks() > 0) return 'tool_use'
    return isRefusal ? 'refusal' : 'end_turn'
  }

  const estimate = (): MessageUsage => ({
    input_tokens: options.inputTokensEstimate,
    output_tokens: estimatedTokens(outputChars),
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
  })

  function fail(error: unknown): void {
    const fields = isFields(error) ? error : {}
    const isLimit = /rate.?limit/i.test(textOf(fields['code']) + textOf(fields['type']))
    writer.fail(isLimit ? 'rate_limit_error' : 'api_error', textOf(fields['message']) || 'The upstream failed.')
  }

  function take(event: Fields): void {
    const response = isFields(event['response']) ? event['response'] : {}
    switch (event['type']) {
      case 'response.created':
      case 'response.in_progress':
        return writer.start()
      case 'response.output_item.added':
        if (isFields(event['item'])) announce(itemOf(event), event['item'])
        return writeOn()
      case 'response.output_text.delta':
        return append('text', event)
      case 'response.refusal.delta':
        isRefusal = true
        return append('text', event)
      case 'response.function_call_arguments.delta':
        return append('tool', event)
      case 'response.function_call_arguments.done': {
        takeWhole(itemOf(event), textOf(event['arguments']))
        return writeOn()
      }
      case 'response.reasoning_summary_part.added': {
        const item = itemOf(event)
        if (item.parts++ > 0 && item.text !== '') item.text += '\n\n'
        return
      }
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        return append('reasoning', event)
      case 'response.output_item.done':
        if (isFields(event['item'])) complete(itemOf(event), event['item'])
        return writeOn()
      case 'response.completed':
        return finish(response, false)
      case 'response.incomplete':
        return finish(response, true)
      case 'response.failed':
        return fail(response['error'])
      case 'error':
        return fail(isFields(event['error']) ? event['error'] : event)
      default:
    }
  }

  function append(kind: Item['kind'], event: Fields): void {
    const item = itemOf(event)
    // A delta whose item was never announced: text can begin without it, a tool call cannot (its name is missing).
    if (item.kind === 'other' && kind !== 'tool') item.kind = kind
    if (item.kind === kind || item.kind === 'other') item.text += textOf(event['delta'])
    writeOn()
  }

  return {
    push(event) {
      if (writer.hasEnded() || !isFields(event)) return []
      take(event)
      return writer.take()
    },
    end() {
      writer.fail('api_error', 'The upstream ended its response before it was complete.')
      return writer.take()
    },
  }
}

/** The text of an item that came whole. */
function wholeTextOf(kind: Item['kind'], fields: Fields): string {
  if (kind === 'tool') return textOf(fields['arguments'])
  if (kind === 'reasoning')
    return itemsOf(fields['summary'])
      .map(({ text }) => textOf(text))
      .join('\n\n')
  return itemsOf(fields['content'])
    .map((part) => textOf(part['text']) || textOf(part['refusal']))
    .join('')
}
