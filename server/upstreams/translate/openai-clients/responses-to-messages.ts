import type { ToolNames } from '../messages/tool-names.ts'
import { type Fields, isFields, itemsOf, textOf, Untranslatable } from '../untranslatable.ts'
import { chatToMessages, type MessagesTarget } from './chat-to-messages.ts'

/** A Responses request as an Anthropic Messages request (protocol.md §4.5). Throws Untranslatable. */
export function responsesToMessages(body: Fields, target: MessagesTarget): { body: Fields; toolNames: ToolNames } {
  for (const field of ['previous_response_id', 'conversation', 'prompt'])
    if (body[field] !== undefined && body[field] !== null)
      throw new Untranslatable(field, 'nothing is stored here: send the whole input')
  if (body['background'] === true) throw new Untranslatable('background', 'must be false')
  // Both formats say the same of a turn: one way into Anthropic's is enough.
  return chatToMessages(chatBody(body), target)
}

function chatBody(body: Fields): Fields {
  const reasoning = isFields(body['reasoning']) ? body['reasoning'] : {}
  const text = isFields(body['text']) ? body['text'] : {}
  return {
    messages: chatMessages(body),
    tools: chatTools(body['tools']),
    ...(body['tool_choice'] !== undefined && { tool_choice: chatToolChoice(body['tool_choice']) }),
    ...(body['parallel_tool_calls'] !== undefined && { parallel_tool_calls: body['parallel_tool_calls'] }),
    ...(typeof body['max_output_tokens'] === 'number' && { max_completion_tokens: body['max_output_tokens'] }),
    ...(body['temperature'] !== undefined && { temperature: body['temperature'] }),
    ...(body['top_p'] !== undefined && { top_p: body['top_p'] }),
    ...(reasoning['effort'] !== undefined && { reasoning_effort: reasoning['effort'] }),
    ...(isFields(text['format']) && { response_format: chatFormat(text['format']) }),
    ...(body['stream'] === true && { stream: true }),
  }
}

const chatFormat = (format: Fields): Fields =>
  format['type'] === 'json_schema' ? { type: 'json_schema', json_schema: { schema: format['schema'] } } : format

function chatMessages(body: Fields): Fields[] {
  const messages: Fields[] = []
  const instructions = textOf(body['instructions'])
  if (instructions !== '') messages.push({ role: 'system', content: instructions })
  const { input } = body
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : itemsOf(input)
  for (const [index, item] of items.entries()) messages.push(...chatMessage(item, `input[${index}]`))
  return messages
}

function chatMessage(item: Fields, field: string): Fields[] {
  switch (item['type'] ?? 'message') {
    case 'message':
      return [{ role: item['role'], content: chatContent(item['content'], `${field}.content`) }]
    case 'function_call':
    case 'custom_tool_call': {
      const json = item['type'] === 'function_call' ? item['arguments'] : JSON.stringify({ input: item['input'] })
      const call = { id: item['call_id'], type: 'function', function: { name: item['name'], arguments: json } }
      return [{ role: 'assistant', content: '', tool_calls: [call] }]
    }
    case 'function_call_output':
    case 'custom_tool_call_output':
      return [{ role: 'tool', tool_call_id: item['call_id'], content: chatContent(item['output'], `${field}.output`) }]
    // Reasoning of another vendor means nothing here.
    case 'reasoning':
      return []
    default:
      throw new Untranslatable(`${field}.type`, `${JSON.stringify(item['type'])} cannot be sent to this upstream`)
  }
}

function chatContent(content: unknown, field: string): unknown {
  if (typeof content === 'string') return content
  return itemsOf(content).map((part, index): Fields => {
    switch (part['type']) {
      case 'input_text':
      case 'output_text':
      case 'text':
        return { type: 'text', text: part['text'] }
      case 'refusal':
        return { type: 'refusal', refusal: part['refusal'] }
      case 'input_image':
        if (textOf(part['image_url']) === '') throw new Untranslatable(`${field}[${index}]`, 'an image needs image_url')
        return { type: 'image_url', image_url: { url: part['image_url'] } }
      case 'input_file':
        return { type: 'file', file: { filename: part['filename'], file_data: part['file_data'] } }
      default:
        throw new Untranslatable(
          `${field}[${index}].type`,
          `${JSON.stringify(part['type'])} cannot be sent to this upstream`,
        )
    }
  })
}

/** A tool that takes free text becomes a function with one text; all others must be functions. */
function chatTools(tools: unknown): Fields[] {
  return itemsOf(tools).map((tool, index) => {
    const { type, name, description } = tool
    if (type === 'function') return { type, function: { name, description, parameters: tool['parameters'] } }
    if (type === 'custom') {
      const parameters = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] }
      return { type: 'function', function: { name, description, parameters } }
    }
    throw new Untranslatable(`tools[${index}].type`, `${JSON.stringify(type)} cannot be sent to this upstream`)
  })
}

const chatToolChoice = (choice: unknown): unknown =>
  isFields(choice) ? { type: 'function', function: { name: choice['name'] } } : choice

/** Names of the tools that take free text: their calls are answered as such. */
export const customTools = (body: Fields): ReadonlySet<string> =>
  new Set(itemsOf(body['tools']).flatMap((tool) => (tool['type'] === 'custom' ? [textOf(tool['name'])] : [])))
