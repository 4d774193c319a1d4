import { hash } from 'node:crypto'
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
import { encryptedOf } from '../messages/reasoning-marker.ts'
import { usualEfforts } from '../messages/reasoning-models.ts'
import { createToolNames, type ToolNames } from '../messages/tool-names.ts'
import { type Fields, isFields, itemsOf, textOf, Untranslatable } from '../untranslatable.ts'

export interface ResponsesTarget {
  model: string
  flags: FormatFlags
  /** The account that shall serve it: encrypted reasoning of another one means nothing there. */
  accountId: number
  /** An opaque name of the end user; null: none is sent. */
  user: string | null
}

/** An Anthropic Messages request as a Responses request (protocol.md §4.4). Throws Untranslatable. */
export function messagesToResponses(body: Fields, target: ResponsesTarget): { body: Fields; toolNames: ToolNames } {
  const { flags } = target
  refuseImpossible(body)
  const toolNames = createToolNames()
  const asked = Number(body['max_tokens'])
  const sent: Fields = {
    model: target.model,
    instructions: systemTexts(body['system']).join('\n\n'),
    input: withAllOutputs(inputItems(body, toolNames, target.accountId)),
    stream: body['stream'] === true,
    store: false,
    include: ['reasoning.encrypted_content'],
    // Fewer than 16 are refused.
    ...(Number.isSafeInteger(asked) &&
      asked > 0 && { max_output_tokens: Math.max(16, Math.min(asked, flags.maxTokensCap ?? asked)) }),
  }
  const tools = clientTools(body)
  if (tools.length > 0) {
    sent['tools'] = tools.map(({ name, description, schema, strict }) => ({
      type: 'function',
      name: toolNames.sent(name),
      ...(description !== '' && { description }),
      parameters: schema,
      strict,
    }))
    const chosen = toolChoiceOf(body)
    if (chosen) {
      sent['tool_choice'] = choiceOf(chosen.choice, toolNames)
      sent['parallel_tool_calls'] = chosen.parallel
    }
  }
  const effort = effortOf(body)
  const accepted = effort === null ? null : nearestEffort(effort, flags.efforts ?? usualEfforts)
  if (accepted !== null) sent['reasoning'] = { effort: accepted, summary: 'auto' }
  const schema = outputSchemaOf(body)
  if (schema) sent['text'] = { format: { type: 'json_schema', name: 'output', schema, strict: true } }
  if (target.user !== null) sent['safety_identifier'] = target.user
  for (const name of flags.omit) delete sent[name]
  return { body: sent, toolNames }
}

const choiceOf = (choice: ToolChoice, names: ToolNames): unknown =>
  choice.kind === 'tool' ? { type: 'function', name: names.sent(choice.name) } : choice.kind

const maxCallId = 64

/** Call ids of other formats may be too long; the short form is the same in every request. */
const callIdOf = (id: string): string => (id.length <= maxCallId ? id : `call_${hash('sha256', id).slice(0, 40)}`)

function inputItems(body: Fields, names: ToolNames, accountId: number): Fields[] {
  return itemsOf(body['messages']).flatMap((message, index) => {
    const field = `messages[${index}]`
    const blocks = blocksOf(message['content'])
    if (message['role'] === 'assistant') return assistantItems(blocks, field, names, accountId)
    if (message['role'] === 'system') {
      const texts = systemTexts(message['content'])
      return texts.length === 0 ? [] : [textMessage('developer', 'input_text', texts.join('\n\n'))]
    }
    return userItems(blocks, field)
  })
}

/** Every call needs an output; a client that left one out would be refused. */
function withAllOutputs(items: Fields[]): Fields[] {
  const answered = new Set(items.flatMap(({ type, call_id: id }) => (type === 'function_call_output' ? [id] : [])))
  return items.flatMap((item) =>
    item['type'] === 'function_call' && !answered.has(item['call_id'])
      ? [item, { type: 'function_call_output', call_id: item['call_id'], output: '[no result]' }]
      : [item],
  )
}

const textMessage = (role: string, type: string, text: string): Fields => ({
  type: 'message',
  role,
  content: [{ type, text }],
})

function assistantItems(blocks: Fields[], field: string, names: ToolNames, accountId: number): Fields[] {
  return blocks.flatMap((block, index): Fields[] => {
    switch (block['type']) {
      case 'text': {
        const text = textOf(block['text'])
        return text.trim() === '' ? [] : [textMessage('assistant', 'output_text', text)]
      }
      case 'thinking': {
        const encrypted = encryptedOf(textOf(block['signature']), accountId)
        if (encrypted === null) return []
        const thinking = textOf(block['thinking'])
        const summary = thinking === '' ? [] : [{ type: 'summary_text', text: thinking }]
        return [{ type: 'reasoning', summary, encrypted_content: encrypted }]
      }
      case 'redacted_thinking':
        return []
      case 'tool_use':
        return [
          {
            type: 'function_call',
            call_id: callIdOf(textOf(block['id'])),
            name: names.sent(textOf(block['name'])),
            arguments: JSON.stringify(isFields(block['input']) ? block['input'] : {}),
          },
        ]
      default:
        throw new Untranslatable(`${field}.content[${index}].type`, 'cannot be sent to this upstream')
    }
  })
}

function userItems(blocks: Fields[], field: string): Fields[] {
  const results: Fields[] = []
  const parts: Fields[] = []
  for (const [index, block] of blocks.entries()) {
    const at = `${field}.content[${index}]`
    if (block['type'] !== 'tool_result') {
      parts.push(...partsOf(block, at).map(inputPart))
      continue
    }
    const { text, images, pdfs } = toolResultOf(block, at)
    const more = [...images.map((url): Part => ({ kind: 'image', url })), ...pdfs].map(inputPart)
    results.push({
      type: 'function_call_output',
      call_id: callIdOf(textOf(block['tool_use_id'])),
      output: more.length === 0 ? text : [{ type: 'input_text', text }, ...more],
    })
  }
  return parts.length === 0 ? results : [...results, { type: 'message', role: 'user', content: parts }]
}

function inputPart(part: Part): Fields {
  if (part.kind === 'text') return { type: 'input_text', text: part.text }
  if (part.kind === 'image') return { type: 'input_image', image_url: part.url }
  return { type: 'input_file', filename: part.name, file_data: `data:application/pdf;base64,${part.data}` }
}
