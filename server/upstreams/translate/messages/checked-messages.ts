import { type Fields, isFields, textOf } from '../untranslatable.ts'

/**
 * Events of an Anthropic stream in the order that translators out of it rely on: one start, blocks one after another, a stop
 * reason, one end. What breaks that order ends in one error event.
 */
export function createMessagesChecker() {
  let hasStarted = false
  let hasEnded = false
  let hasStopReason = false
  let hasTools = false
  let open: { index: unknown; input: unknown; hasDelta: boolean } | null = null

  function close(): Fields[] {
    if (!open) return []
    const { index, input, hasDelta } = open
    open = null
    const stop = { type: 'content_block_stop', index }
    // Some upstreams send the whole input with the start.
    if (hasDelta || !isFields(input) || Object.keys(input).length === 0) return [stop]
    const delta = { type: 'input_json_delta', partial_json: JSON.stringify(input) }
    return [{ type: 'content_block_delta', index, delta }, stop]
  }

  function fail(): Fields[] {
    hasEnded = true
    return [
      {
        type: 'error',
        error: { type: 'api_error', message: 'The upstream sent the events of a message out of order.' },
      },
    ]
  }

  function begin(event: Fields): Fields[] {
    const block = isFields(event['content_block']) ? event['content_block'] : {}
    const isTool = block['type'] === 'tool_use'
    hasTools ||= isTool
    const closed = close()
    open = { index: event['index'], input: isTool ? block['input'] : null, hasDelta: false }
    return [...closed, event]
  }

  function end(event: Fields): Fields[] {
    hasEnded = true
    const closed = close()
    if (hasStopReason) return [...closed, event]
    const delta = { stop_reason: hasTools ? 'tool_use' : 'end_turn', stop_sequence: null }
    return [...closed, { type: 'message_delta', delta, usage: {} }, event]
  }

  return {
    push(event: unknown): Fields[] {
      if (hasEnded || !isFields(event)) return []
      const { type } = event
      if (type === 'error') {
        hasEnded = true
        return [event]
      }
      if (type === 'message_start') {
        if (hasStarted) return []
        hasStarted = true
        return [event]
      }
      if (!hasStarted) return type === 'ping' ? [] : fail()
      switch (type) {
        case 'content_block_start':
          return begin(event)
        case 'content_block_delta':
          if (open?.index !== event['index']) return fail()
          if (isFields(event['delta']) && textOf(event['delta']['partial_json']) !== '') open!.hasDelta = true
          return [event]
        case 'content_block_stop':
          return open?.index === event['index'] ? close() : []
        case 'message_delta':
          hasStopReason ||= isFields(event['delta']) && textOf(event['delta']['stop_reason']) !== ''
          return [event]
        case 'message_stop':
          return end(event)
        default:
          return []
      }
    },
    // Where the stream breaks off, the relay itself says so to the client.
    end: (): Fields[] => [],
  }
}
