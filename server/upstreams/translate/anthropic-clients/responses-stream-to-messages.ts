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
import { type Fields, isFields, itemsOf, textOf } from '../untranslatable.ts'
import type { StreamTranslator } from './chat-stream-to-messages.ts'

export interface ResponsesStreamOptions extends MessageWriterOptions {
  toolNames: ToolNames
  showThinking: boolean
  /** The account that answers. */
  accountId: number
}

/** What was written of one output item. */
interface Item {
  kind: 'text' | 'reasoning' | 'tool' | 'other'
  /** Characters of its text or arguments that were written. */
  written: number
  parts: number
  isDone: boolean
}

/** Events of a Responses stream as events of an Anthropic stream (protocol.md §4.4). Items come one after another. */
export function createResponsesStreamToMessages(options: ResponsesStreamOptions): StreamTranslator {
  const writer = createMessageWriter(options)
  const items = new Map<unknown, Item>()
  let reported: MessageUsage | null = null
  let isRefusal = false
  let outputChars = 0

  function itemOf(event: Fields): Item {
    const key = event['output_index'] ?? event['item_id'] ?? 0
    let item = items.get(key)
    if (!item) {
      item = { kind: 'other', written: 0, parts: 0, isDone: false }
      items.set(key, item)
    }
    return item
  }

  function open(item: Item, fields: Fields): void {
    if (item.kind !== 'other') return
    if (fields['type'] === 'function_call') {
      item.kind = 'tool'
      const id = textOf(fields['call_id']) || textOf(fields['id'])
      writer.openTool(id.replace(/[^a-zA-Z0-9_-]/g, '_'), options.toolNames.original(textOf(fields['name'])))
    } else if (fields['type'] === 'message') item.kind = 'text'
    else if (fields['type'] === 'reasoning') item.kind = 'reasoning'
  }

  function write(item: Item, text: string): void {
    item.written += text.length
    outputChars += text.length
    if (item.kind === 'tool') writer.toolInput(text)
    else if (item.kind === 'reasoning') {
      if (options.showThinking) writer.thinking(text)
    } else writer.text(text)
  }

  /** The whole item has come: what its deltas left out is written, and its block ends. */
  function close(item: Item, fields: Fields): void {
    if (item.isDone) return
    item.isDone = true
    open(item, fields)
    if (item.kind === 'tool') {
      const whole = textOf(fields['arguments'])
      if (item.written === 0) write(item, whole)
      writer.closeBlock()
    } else if (item.kind === 'text') {
      const texts = itemsOf(fields['content']).map((part) => textOf(part['text']) || textOf(part['refusal']))
      if (item.written === 0) write(item, texts.join(''))
      writer.closeBlock()
    } else if (item.kind === 'reasoning') {
      const texts = itemsOf(fields['summary']).map(({ text }) => textOf(text))
      if (item.written === 0 && texts.length > 0) write(item, texts.join('\n\n'))
      const encrypted = textOf(fields['encrypted_content'])
      if (encrypted !== '' && options.showThinking) writer.signature(markedSignature(options.accountId, encrypted))
      writer.closeBlock()
    }
  }

  function finish(response: Fields, isIncomplete: boolean): void {
    // An item whose own events were lost is taken from the final response.
    for (const [index, item] of itemsOf(response['output']).entries()) close(itemOf({ output_index: index }), item)
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
        if (isFields(event['item'])) open(itemOf(event), event['item'])
        return
      case 'response.output_text.delta':
        return writeAs('text', event, textOf(event['delta']))
      case 'response.refusal.delta':
        isRefusal = true
        return writeAs('text', event, textOf(event['delta']))
      case 'response.function_call_arguments.delta':
        return writeAs('tool', event, textOf(event['delta']))
      case 'response.function_call_arguments.done': {
        const item = itemOf(event)
        if (item.kind === 'tool' && item.written === 0) write(item, textOf(event['arguments']))
        return
      }
      case 'response.reasoning_summary_part.added': {
        const item = itemOf(event)
        if (item.parts++ > 0 && item.written > 0) writeAs('reasoning', event, '\n\n')
        return
      }
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        return writeAs('reasoning', event, textOf(event['delta']))
      case 'response.output_item.done':
        if (isFields(event['item'])) close(itemOf(event), event['item'])
        return
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

  function writeAs(kind: Item['kind'], event: Fields, text: string): void {
    const item = itemOf(event)
    // A delta whose item was never announced: text can begin without it, a tool call cannot (its name is missing).
    if (item.kind === 'other' && kind !== 'tool') item.kind = kind
    if (item.kind === kind) write(item, text)
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
    hasEnded: writer.hasEnded,
    usage: () => reported,
  }
}
