import { estimatedTokens, usageOfChat } from '../messages/chat-usage.ts'
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
import { createChatToolCalls } from './chat-tool-calls.ts'

export interface ChatStreamOptions extends MessageWriterOptions {
  toolNames: ToolNames
  /** Reasoning is shown to clients that asked to think. */
  showThinking: boolean
  /** The account that answers. */
  accountId: number
}

/** Events of one format in, events of the other out; pure but for random tool ids. */
export interface StreamTranslator {
  /** The parsed data of one upstream event. Returns the data of the client's events. */
  push(event: unknown): Fields[]
  /** The upstream's stream has ended. Returns the last events. */
  end(): Fields[]
}

/** Chunks of a Chat Completions stream as events of an Anthropic stream (protocol.md §4.2). */
export function createChatStreamToMessages(options: ChatStreamOptions): StreamTranslator {
  const writer = createMessageWriter(options)
  const toolCalls = createChatToolCalls(writer, options.toolNames)
  const signature = markedSignature(options.accountId, '')
  let finishReason: string | null = null
  let reported: MessageUsage | null = null
  let isRefusal = false
  let laterText = ''
  let outputChars = 0

  function takeDelta(delta: Fields): void {
    const reasoning = reasoningOf(delta)
    const text = textOf(delta['content'])
    const refusal = textOf(delta['refusal'])
    const calls = delta['tool_calls'] ?? legacyCall(delta['function_call'])
    outputChars += reasoning.length + text.length + refusal.length
    if (reasoning !== '' && options.showThinking && toolCalls.count() === 0) {
      writer.thinking(reasoning)
      writer.signature(signature)
    }
    if (refusal !== '') isRefusal = true
    // Text between the pieces of a tool call would have to interrupt its block: it is written after the calls.
    if (toolCalls.count() > 0) laterText += text + refusal
    else writer.text(text + refusal)
    toolCalls.push(calls)
  }

  function finish(): void {
    if (writer.hasEnded()) return
    if (!toolCalls.finish(stopReasonOf(finishReason) === 'max_tokens'))
      return writer.fail('api_error', 'The upstream sent arguments of a tool call that are no JSON object.')
    writer.text(laterText)
    if (!writer.hasContent() && finishReason === null)
      return writer.fail('api_error', 'The upstream ended its response without content.')
    const reason = stopReason()
    writer.finish(reason, reported ?? estimate(), stopDetailsOf(reason))
  }

  const estimate = (): MessageUsage => ({
    input_tokens: options.inputTokensEstimate,
    output_tokens: estimatedTokens(outputChars + toolCalls.chars()),
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
  })

  function stopReason(): StopReason {
    if (writer.toolBlocks() > 0) return toolCalls.isTorn() ? 'max_tokens' : 'tool_use'
    if (isRefusal) return 'refusal'
    return stopReasonOf(finishReason)
  }

  return {
    push(chunk) {
      if (writer.hasEnded() || !isFields(chunk)) return []
      const error = errorOf(chunk)
      if (error) {
        writer.fail(error.type, error.message)
        return writer.take()
      }
      writer.start()
      if (isFields(chunk['usage'])) reported = usageOfChat(chunk['usage'])
      // Of several choices only the first was asked for; a chunk without one carries usage.
      const choice = itemsOf(chunk['choices']).find(({ index }) => index === undefined || index === 0)
      if (choice) {
        const delta = choice['delta'] ?? choice['message']
        if (isFields(delta)) takeDelta(delta)
        if (typeof choice['finish_reason'] === 'string' && choice['finish_reason'] !== '')
          finishReason = choice['finish_reason']
      }
      return writer.take()
    },
    end() {
      finish()
      return writer.take()
    },
  }
}

/** Reasoning as vendors spell it: a text, an object with a text, or a list of such. */
function reasoningOf(delta: Fields): string {
  const value = delta['reasoning_content'] ?? delta['reasoning'] ?? delta['reasoning_details']
  const texts = Array.isArray(value) ? value : [value]
  return texts.map((one) => (isFields(one) ? textOf(one['text'] ?? one['summary']) : textOf(one))).join('')
}

const legacyCall = (call: unknown): unknown => (isFields(call) ? [{ index: 0, function: call }] : undefined)

function stopReasonOf(finish: string | null): StopReason {
  switch (finish) {
    case 'length':
    case 'max_tokens':
      return 'max_tokens'
    case 'content_filter':
    case 'refusal':
      return 'refusal'
    case 'model_context_window_exceeded':
      return 'model_context_window_exceeded'
    default:
      return 'end_turn'
  }
}

/** An error frame in the middle of a stream, or in place of it. */
function errorOf(chunk: Fields): { type: string; message: string } | null {
  const { error } = chunk
  if (error === undefined || error === null) return null
  const fields = isFields(error) ? error : { message: error }
  const isLimit = /rate.?limit/i.test(`${textOf(fields['type'])} ${textOf(fields['code'])}`)
  return {
    type: isLimit ? 'rate_limit_error' : 'api_error',
    message: textOf(fields['message']) || 'The upstream failed.',
  }
}
