import { type Fields, isFields, textOf } from '../untranslatable.ts'

/** The message that the events of a complete Anthropic stream add up to; null when the stream has no message_stop. Throws for an error event. */
export function foldMessage(events: readonly Fields[]): Fields | null {
  let message: Fields | undefined
  const blocks: Fields[] = []
  const inputs = new Map<number, string>()
  for (const event of events) {
    const index = Number(event['index'])
    switch (event['type']) {
      case 'message_start':
        message = isFields(event['message']) ? { ...event['message'] } : {}
        break
      case 'content_block_start':
        blocks[index] = isFields(event['content_block']) ? { ...event['content_block'] } : {}
        break
      case 'content_block_delta':
        if (isFields(event['delta']) && blocks[index]) addDelta(blocks[index], event['delta'], inputs, index)
        break
      case 'message_delta': {
        const delta = isFields(event['delta']) ? event['delta'] : {}
        message = { ...message, ...delta, usage: usageAfter(message, event['usage']) }
        break
      }
      case 'message_stop': {
        for (const [at, json] of inputs) blocks[at]!['input'] = inputOf(json)
        return { ...message, content: blocks.filter(Boolean) }
      }
      case 'error': {
        const error = isFields(event['error']) ? event['error'] : {}
        throw Object.assign(new Error(textOf(error['message'])), { type: textOf(error['type']) || 'api_error' })
      }
      default:
    }
  }
  return null
}

/** An output that reached its limit may end within the input of a tool. */
function inputOf(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return {}
  }
}

function addDelta(block: Fields, delta: Fields, inputs: Map<number, string>, index: number): void {
  switch (delta['type']) {
    case 'text_delta':
      block['text'] = textOf(block['text']) + textOf(delta['text'])
      break
    case 'thinking_delta':
      block['thinking'] = textOf(block['thinking']) + textOf(delta['thinking'])
      break
    case 'signature_delta':
      block['signature'] = textOf(block['signature']) + textOf(delta['signature'])
      break
    case 'input_json_delta':
      inputs.set(index, (inputs.get(index) ?? '') + textOf(delta['partial_json']))
      break
    case 'citations_delta':
      block['citations'] = [...(Array.isArray(block['citations']) ? block['citations'] : []), delta['citation']]
      break
    default:
  }
}

/** Later counts replace earlier ones; what is absent or null stays as it was. */
function usageAfter(message: Fields | undefined, usage: unknown): Fields {
  const before = isFields(message?.['usage']) ? message['usage'] : {}
  const told = isFields(usage) ? Object.entries(usage).filter(([, value]) => value !== null) : []
  return { ...before, ...Object.fromEntries(told) }
}
