import type { Fields } from '../untranslatable.ts'

/** Token counts as Anthropic words them. */
export interface MessageUsage {
  input_tokens: number
  output_tokens: number
  cache_read_input_tokens: number
  cache_creation_input_tokens: number
  output_tokens_details?: { thinking_tokens: number }
}

export type StopReason =
  | 'end_turn'
  | 'tool_use'
  | 'max_tokens'
  | 'stop_sequence'
  | 'refusal'
  | 'model_context_window_exceeded'

export interface MessageWriterOptions {
  /** `msg_…`, of our own. */
  messageId: string
  /** The name that the client asked for. */
  model: string
  /** Claude Code shows the size of the context from here; corrected at the end. */
  inputTokensEstimate: number
}

type OpenBlock = { kind: 'text' | 'thinking' | 'tool_use'; index: number; signature: string }

/**
 * Writes the events of one Anthropic stream in their legal order: blocks one after another, each opened before its deltas
 * and closed once. The returned events are the data of SSE events; their `type` is the event's name.
 */
export function createMessageWriter({ messageId, model, inputTokensEstimate }: MessageWriterOptions) {
  let events: Fields[] = []
  let nextIndex = 0
  let open: OpenBlock | null = null
  let started = false
  let ended = false
  let toolBlocks = 0

  function start(): void {
    if (started) return
    started = true
    const usage: MessageUsage = {
      input_tokens: inputTokensEstimate,
      output_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
    }
    const message = {
      id: messageId,
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage,
    }
    events.push({ type: 'message_start', message }, { type: 'ping' })
  }

  function openBlock(kind: OpenBlock['kind'], contentBlock: Fields): void {
    closeBlock()
    start()
    open = { kind, index: nextIndex++, signature: '' }
    events.push({ type: 'content_block_start', index: open.index, content_block: contentBlock })
  }

  function delta(fields: Fields): void {
    events.push({ type: 'content_block_delta', index: open!.index, delta: fields })
  }

  function closeBlock(): void {
    if (!open) return
    if (open.signature !== '') delta({ type: 'signature_delta', signature: open.signature })
    events.push({ type: 'content_block_stop', index: open.index })
    open = null
  }

  return {
    start,
    text(text: string): void {
      if (text === '') return
      if (open?.kind !== 'text') openBlock('text', { type: 'text', text: '' })
      delta({ type: 'text_delta', text })
    },
    thinking(thinking: string): void {
      if (thinking === '') return
      if (open?.kind !== 'thinking') openBlock('thinking', { type: 'thinking', thinking: '', signature: '' })
      delta({ type: 'thinking_delta', thinking })
    },
    /** Signs the thinking block that is open, or an empty one of its own. */
    signature(signature: string): void {
      if (open?.kind !== 'thinking') openBlock('thinking', { type: 'thinking', thinking: '', signature: '' })
      open!.signature = signature
    },
    openTool(id: string, name: string): void {
      toolBlocks++
      openBlock('tool_use', { type: 'tool_use', id, name, input: {} })
    },
    toolInput(json: string): void {
      if (json !== '') delta({ type: 'input_json_delta', partial_json: json })
    },
    closeBlock,
    /** Ends the stream. Nothing can be written afterwards. */
    finish(reason: StopReason, usage: MessageUsage, stopDetails?: Fields): void {
      if (ended) return
      start()
      closeBlock()
      ended = true
      const change = { stop_reason: reason, stop_sequence: null, ...(stopDetails && { stop_details: stopDetails }) }
      events.push({ type: 'message_delta', delta: change, usage }, { type: 'message_stop' })
    },
    /** Ends the stream with an error event. */
    fail(type: string, message: string): void {
      if (ended) return
      ended = true
      events.push({ type: 'error', error: { type, message } })
    },
    /** What was written since the last call. */
    take(): Fields[] {
      const taken = events
      events = []
      return taken
    },
    hasStarted: () => started,
    hasEnded: () => ended,
    /** True once a block was opened. */
    hasContent: () => nextIndex > 0,
    toolBlocks: () => toolBlocks,
  }
}

export type MessageWriter = ReturnType<typeof createMessageWriter>

const refusalDetails: Fields = { type: 'refusal', category: null, explanation: null }

/** Refusals carry details that SDKs read. */
export const stopDetailsOf = (reason: StopReason): Fields | undefined =>
  reason === 'refusal' ? refusalDetails : undefined
