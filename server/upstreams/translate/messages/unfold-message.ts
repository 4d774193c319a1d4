import { type Fields, isFields, itemsOf, textOf } from '../untranslatable.ts'

/** The events of a stream that adds up to this Anthropic message. */
export function unfoldMessage(message: Fields): Fields[] {
  const {
    content,
    stop_reason: stopReason,
    stop_sequence: stopSequence,
    stop_details: stopDetails,
    usage,
    ...rest
  } = message
  const counts = isFields(usage) ? usage : {}
  const start = { ...rest, content: [], stop_reason: null, stop_sequence: null, usage: { ...counts, output_tokens: 0 } }
  const change = {
    stop_reason: stopReason ?? null,
    stop_sequence: stopSequence ?? null,
    ...(stopDetails !== undefined && { stop_details: stopDetails }),
  }
  return [
    { type: 'message_start', message: start },
    ...itemsOf(content).flatMap(blockEvents),
    { type: 'message_delta', delta: change, usage: counts },
    { type: 'message_stop' },
  ]
}

function blockEvents(block: Fields, index: number): Fields[] {
  const delta = (fields: Fields): Fields => ({ type: 'content_block_delta', index, delta: fields })
  const { empty, deltas } = partsOf(block)
  return [
    { type: 'content_block_start', index, content_block: empty },
    ...deltas.map(delta),
    { type: 'content_block_stop', index },
  ]
}

/** The block as it begins, and the deltas that fill it; blocks of other kinds arrive complete. */
function partsOf(block: Fields): { empty: Fields; deltas: Fields[] } {
  switch (block['type']) {
    case 'text': {
      const citations = itemsOf(block['citations']).map((citation) => ({ type: 'citations_delta', citation }))
      return {
        empty: { type: 'text', text: '' },
        deltas: [...citations, { type: 'text_delta', text: textOf(block['text']) }],
      }
    }
    case 'thinking': {
      const thinking = textOf(block['thinking'])
      const deltas = thinking === '' ? [] : [{ type: 'thinking_delta', thinking }]
      const signature = { type: 'signature_delta', signature: textOf(block['signature']) }
      return { empty: { type: 'thinking', thinking: '', signature: '' }, deltas: [...deltas, signature] }
    }
    case 'tool_use':
    case 'server_tool_use': {
      const json = JSON.stringify(block['input'] ?? {})
      return { empty: { ...block, input: {} }, deltas: [{ type: 'input_json_delta', partial_json: json }] }
    }
    default:
      return { empty: block, deltas: [] }
  }
}
