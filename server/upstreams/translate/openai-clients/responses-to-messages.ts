import { thinkingBlockOf } from '../messages/reasoning-marker.ts'
import type { ToolNames } from '../messages/tool-names.ts'
import { type Fields, isFields, itemsOf, textOf, Untranslatable, withFieldsNamed } from '../untranslatable.ts'
import { chatToMessages, type MessagesTarget } from './chat-to-messages.ts'
import { chatToolChoice, chatTools, flatName } from './responses-tools.ts'

/** A Responses request as an Anthropic Messages request (protocol.md §4.5). Throws Untranslatable. */
export function responsesToMessages(
  body: Fields,
  target: MessagesTarget & { accountId: number },
): { body: Fields; toolNames: ToolNames } {
  for (const field of ['previous_response_id', 'conversation', 'prompt'])
    if (body[field] !== undefined && body[field] !== null)
      throw new Untranslatable(field, 'nothing is stored here: send the whole input')
  if (body['background'] === true) throw new Untranslatable('background', 'must be false')
  // Both formats say the same of a turn: one way into Anthropic's is enough.
  const items = inputOf(body, target.accountId)
  const thinking = new Map(items.flatMap(({ message, thinking: block }) => (block ? [[message, block]] : [])))
  const hasInstructions = textOf(body['instructions']) !== ''
  const fieldOf = (field: string): string =>
    field
      .replace(/^messages\[(\d+)\]/, (_, at: string) => items[Number(at) - (hasInstructions ? 1 : 0)]?.field ?? 'input')
      .replace(/^response_format/, 'text.format')
      .replace(/^max_completion_tokens/, 'max_output_tokens')
  return withFieldsNamed(fieldOf, () => chatToMessages(chatBody(body, items), target, thinking))
}

/** The messages of the input, each with its place in the client's body. */
function inputOf({ input }: Fields, accountId: number): { field: string; message: Fields; thinking?: Fields }[] {
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : itemsOf(input)
  return items.flatMap((item, index) => {
    const field = `input[${index}]`
    if (item['type'] === 'reasoning') {
      const thinking = thinkingBlockOf(textOf(item['encrypted_content']), summaryOf(item), accountId)
      // Reasoning of another vendor, or of another account, means nothing here.
      return thinking ? [{ field, message: { role: 'assistant', content: '' }, thinking }] : []
    }
    return chatMessage(item, field).map((message) => ({ field, message }))
  })
}

function chatBody(body: Fields, items: readonly { message: Fields }[]): Fields {
  const reasoning = isFields(body['reasoning']) ? body['reasoning'] : {}
  const text = isFields(body['text']) ? body['text'] : {}
  return {
    messages: [
      ...(textOf(body['instructions']) === '' ? [] : [{ role: 'system', content: body['instructions'] }]),
      ...items.map(({ message }) => message),
    ],
    tools: chatTools(body),
    ...(body['tool_choice'] !== undefined && { tool_choice: chatToolChoice(body['tool_choice']) }),
    ...(body['parallel_tool_calls'] !== undefined && { parallel_tool_calls: body['parallel_tool_calls'] }),
    max_completion_tokens: body['max_output_tokens'],
    ...(body['temperature'] !== undefined && { temperature: body['temperature'] }),
    ...(body['top_p'] !== undefined && { top_p: body['top_p'] }),
    ...(reasoning['effort'] !== undefined && { reasoning_effort: reasoning['effort'] }),
    ...(isFields(text['format']) && { response_format: chatFormat(text['format']) }),
    ...(body['stream'] === true && { stream: true }),
    ...(body['prompt_cache_key'] !== undefined && { prompt_cache_key: body['prompt_cache_key'] }),
  }
}

const chatFormat = (format: Fields): Fields =>
  format['type'] === 'json_schema' ? { type: 'json_schema', json_schema: { schema: format['schema'] } } : format

function chatMessage(item: Fields, field: string): Fields[] {
  switch (item['type'] ?? 'message') {
    case 'message':
      return [{ role: item['role'], content: chatContent(item['content'], `${field}.content`) }]
    // What an agent of Codex tells another one.
    case 'agent_message':
      return [{ role: 'user', content: chatContent(item['content'], `${field}.content`) }]
    case 'function_call':
    case 'custom_tool_call': {
      const json = item['type'] === 'function_call' ? item['arguments'] : JSON.stringify({ input: item['input'] })
      const name = flatName(textOf(item['namespace']), textOf(item['name']))
      const call = { id: item['call_id'], type: 'function', function: { name, arguments: json } }
      return [{ role: 'assistant', content: '', tool_calls: [call] }]
    }
    case 'function_call_output':
    case 'custom_tool_call_output':
      return [{ role: 'tool', tool_call_id: item['call_id'], content: chatContent(item['output'], `${field}.output`) }]
    // Listed with the other tools, and what a search found stands in the text that follows.
    case 'additional_tools':
    case 'web_search_call':
      return []
    default:
      throw new Untranslatable(`${field}.type`, `${JSON.stringify(item['type'])} cannot be sent to this upstream`)
  }
}

const summaryOf = (item: Fields): string =>
  itemsOf(item['summary'])
    .map(({ text }) => textOf(text))
    .join('\n\n')

/** How OpenAI's encrypted texts begin: a version and a moment. */
const sealed = 'gAAAAA'

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
      case 'encrypted_content': {
        // OpenAI seals what its models write to other agents. What a model of another upstream wrote there is plain.
        const text = textOf(part['encrypted_content'])
        if (!text.startsWith(sealed)) return { type: 'text', text }
        throw new Untranslatable(`${field}[${index}]`, 'only the upstream that encrypted it can read it')
      }
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
