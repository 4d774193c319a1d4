import { createToolNames, type ToolNames } from '../messages/tool-names.ts'
import { type Fields, isFields, itemsOf, textOf, Untranslatable } from '../untranslatable.ts'

export interface MessagesTarget {
  /** The model to ask for. */
  model: string
  /** What the model writes at most where the client does not say; Anthropic requires a number. */
  defaultMaxTokens: number
  /** An opaque name of the end user; null: none is sent. */
  user: string | null
}

/**
 * A Chat Completions request as an Anthropic Messages request (protocol.md §4.5). `thinkingOf`: Anthropic's own, by the message that it
 * stood in. Throws Untranslatable.
 */
export function chatToMessages(
  body: Fields,
  target: MessagesTarget,
  thinkingOf: ReadonlyMap<Fields, Fields> = new Map(),
): { body: Fields; toolNames: ToolNames } {
  if (Number(body['n'] ?? 1) > 1) throw new Untranslatable('n', 'only one choice can be asked for')
  if (body['audio'] !== undefined && body['audio'] !== null)
    throw new Untranslatable('audio', 'cannot be sent to this upstream')
  const toolNames = createToolNames()
  const sent: Fields = { model: target.model, max_tokens: maxTokensOf(body, target.defaultMaxTokens) }
  const { system, messages } = conversationOf(itemsOf(body['messages']), toolNames, thinkingOf)
  if (system.length > 0) sent['system'] = system.join('\n\n')
  sent['messages'] = messages
  addTools(sent, body, toolNames)
  addSampling(sent, body)
  const stops = (Array.isArray(body['stop']) ? body['stop'] : [body['stop']]).filter(
    (stop) => typeof stop === 'string' && stop.trim() !== '',
  )
  if (stops.length > 0) sent['stop_sequences'] = stops
  const { output, thinking } = reasoningOf(body['reasoning_effort'], sent, messages)
  const format = formatOf(body['response_format'])
  const outputConfig = { ...output, ...(format && { format }) }
  if (Object.keys(outputConfig).length > 0) sent['output_config'] = outputConfig
  if (thinking) sent['thinking'] = thinking
  if (typeof body['prompt_cache_key'] === 'string') keepInCache(sent, messages)
  if (target.user !== null) sent['metadata'] = { user_id: target.user }
  if (body['stream'] === true) sent['stream'] = true
  return { body: sent, toolNames }
}

/** A client that names its cache comes back with the same beginning. Anthropic keeps only what is marked. */
function keepInCache(sent: Fields, messages: Turn[]): void {
  const mark = { cache_control: { type: 'ephemeral' } }
  if (sent['system'] !== undefined) sent['system'] = [{ type: 'text', text: sent['system'], ...mark }]
  const last = messages.at(-1)?.content
  const block = last?.pop()
  if (block) last?.push({ ...block, ...mark })
}

function maxTokensOf(body: Fields, otherwise: number): number {
  for (const field of ['max_completion_tokens', 'max_tokens']) {
    const asked = body[field]
    if (asked === undefined || asked === null) continue
    if (typeof asked === 'number' && Number.isSafeInteger(asked) && asked > 0) return asked
    throw new Untranslatable(field, 'must be a whole number from 1')
  }
  return otherwise
}

/** Temperature goes up to 1; with it top_p is refused by some models. */
function addSampling(sent: Fields, body: Fields): void {
  if (takesNoSampling(textOf(sent['model']))) return
  if (typeof body['temperature'] === 'number') sent['temperature'] = Math.min(1, body['temperature'])
  else if (typeof body['top_p'] === 'number') sent['top_p'] = body['top_p']
}

/** Version of a Claude model as a number (4.6), or null. */
function versionOf(model: string): number | null {
  const found = /claude-(?:[a-z]+-)?(\d)(?:-(\d{1,2}))?(?!\d)/.exec(model)
  return found ? Number(`${found[1]}.${found[2] ?? 0}`) : null
}

/** Claude 4.7 and later refuse sampling parameters. */
const takesNoSampling = (model: string): boolean => (versionOf(model) ?? 0) >= 4.7

/**
 * 4.6 and later think as much as an effort says; older ones take a budget of tokens. Those refuse to think on results of tools
 * when the turn did not begin with thinking, which clients of these formats do not send back.
 */
function reasoningOf(effort: unknown, sent: Fields, messages: Turn[]): { output: Fields; thinking: Fields | null } {
  if (typeof effort !== 'string' || effort === 'none' || effort === 'minimal') return { output: {}, thinking: null }
  const version = versionOf(textOf(sent['model']))
  if (version === null) return { output: {}, thinking: null }
  if (version >= 4.6) return { output: { effort }, thinking: { type: 'adaptive' } }
  const budget = effort === 'low' ? 2048 : effort === 'medium' ? 8192 : 16_384
  // The budget has to be below max_tokens, and at least 1024.
  const answersTools = messages.at(-1)?.content[0]?.['type'] === 'tool_result'
  return budget < Number(sent['max_tokens']) && !answersTools
    ? { output: {}, thinking: { type: 'enabled', budget_tokens: budget } }
    : { output: {}, thinking: null }
}

function formatOf(format: unknown): Fields | null {
  if (!isFields(format) || format['type'] === 'text') return null
  const schema = isFields(format['json_schema']) ? format['json_schema']['schema'] : undefined
  if (format['type'] === 'json_schema' && isFields(schema)) return { type: 'json_schema', schema }
  throw new Untranslatable('response_format.type', 'only text and json_schema can be sent to this upstream')
}

function addTools(sent: Fields, body: Fields, names: ToolNames): void {
  const tools = itemsOf(body['tools'])
  if (tools.length === 0) return
  sent['tools'] = tools.map((tool, index) => {
    const fn = tool['function']
    if (tool['type'] !== 'function' || !isFields(fn))
      throw new Untranslatable(`tools[${index}].type`, 'only functions can be sent to this upstream')
    const description = textOf(fn['description'])
    return {
      name: names.sent(textOf(fn['name'])),
      ...(description !== '' && { description }),
      input_schema: isFields(fn['parameters']) ? fn['parameters'] : { type: 'object', properties: {} },
    }
  })
  const choice = toolChoice(body['tool_choice'], names)
  const serial = body['parallel_tool_calls'] === false && choice?.['type'] !== 'none'
  if (choice || serial)
    sent['tool_choice'] = { ...(choice ?? { type: 'auto' }), ...(serial && { disable_parallel_tool_use: true }) }
}

function toolChoice(choice: unknown, names: ToolNames): Fields | null {
  if (choice === 'auto' || choice === 'none') return { type: choice }
  if (choice === 'required') return { type: 'any' }
  if (choice === undefined || choice === null) return null
  if (isFields(choice) && isFields(choice['function']))
    return { type: 'tool', name: names.sent(textOf(choice['function']['name'])) }
  throw new Untranslatable('tool_choice', 'must be none, auto, required or a function')
}

interface Turn {
  role: string
  content: Fields[]
}

/** Leading system texts, and the turns: results of tools and what the user says beside them are one turn, results first. */
function conversationOf(
  list: Fields[],
  names: ToolNames,
  thinkingOf: ReadonlyMap<Fields, Fields>,
): { system: string[]; messages: Turn[] } {
  const system: string[] = []
  const messages: Turn[] = []
  const add = (role: string, blocks: Fields[]): void => {
    if (blocks.length === 0) return
    const last = messages.at(-1)
    if (last?.role !== role) {
      messages.push({ role, content: blocks })
      return
    }
    const all = [...last.content, ...blocks]
    const isResult = ({ type }: Fields): boolean => type === 'tool_result'
    last.content = role === 'user' ? [...all.filter(isResult), ...all.filter((block) => !isResult(block))] : all
  }
  for (const [index, message] of list.entries()) {
    const field = `messages[${index}]`
    switch (message['role']) {
      case 'system':
      case 'developer': {
        const text = contentBlocks(message['content'], field)
          .map((block) => textOf(block['text']))
          .join('\n\n')
        if (messages.length === 0) system.push(text)
        else add('user', [{ type: 'text', text: `<system-reminder>\n${text}\n</system-reminder>` }])
        break
      }
      case 'tool': {
        const content = contentBlocks(message['content'], field)
        add('user', [{ type: 'tool_result', tool_use_id: textOf(message['tool_call_id']), content }])
        break
      }
      case 'assistant':
        if (thinkingOf.has(message)) add('assistant', [thinkingOf.get(message)!])
        add('assistant', [...contentBlocks(message['content'], field), ...toolUses(message['tool_calls'], names)])
        break
      case 'user':
        add('user', contentBlocks(message['content'], field))
        break
      default:
        throw new Untranslatable(`${field}.role`, `${JSON.stringify(message['role'] ?? null)} is not known`)
    }
  }
  return { system, messages: withAllResults(messages) }
}

/** Every call needs a result in the turn that follows; a client that left one out would be refused. */
function withAllResults(turns: Turn[]): Turn[] {
  return turns.flatMap((turn, index) => {
    const answers = turns[index + 1]?.content ?? []
    const answered = new Set(answers.map((block) => block['tool_use_id']))
    const missing = turn.content.filter(({ type, id }) => type === 'tool_use' && !answered.has(id))
    if (missing.length === 0) return [turn]
    const results = missing.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: '[no result]' }))
    if (answers.length === 0) return [turn, { role: 'user', content: results }]
    answers.unshift(...results)
    return [turn]
  })
}

function toolUses(calls: unknown, names: ToolNames): Fields[] {
  return itemsOf(calls).map((call) => {
    const fn = isFields(call['function']) ? call['function'] : {}
    return {
      type: 'tool_use',
      id: textOf(call['id']),
      name: names.sent(textOf(fn['name'])),
      input: inputOf(fn['arguments']),
    }
  })
}

/** Arguments that a model wrote may be no JSON object: they are kept as a text in one. */
function inputOf(json: unknown): Fields {
  const text = textOf(json)
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : { arguments: text }
  } catch {
    return { arguments: text }
  }
}

function contentBlocks(content: unknown, field: string): Fields[] {
  if (typeof content === 'string') return content.trim() === '' ? [] : [{ type: 'text', text: content }]
  return itemsOf(content).flatMap((part, index) => contentBlock(part, `${field}.content[${index}]`))
}

function contentBlock(part: Fields, field: string): Fields[] {
  switch (part['type']) {
    case 'text':
    case 'refusal': {
      const text = textOf(part['text']) || textOf(part['refusal'])
      return text.trim() === '' ? [] : [{ type: 'text', text }]
    }
    case 'image_url':
      return [imageBlock(isFields(part['image_url']) ? textOf(part['image_url']['url']) : textOf(part['image_url']))]
    case 'file': {
      const data = isFields(part['file']) ? dataUrl(textOf(part['file']['file_data'])) : null
      if (data?.type !== 'application/pdf')
        throw new Untranslatable(field, 'only PDF data can be sent to this upstream')
      return [{ type: 'document', source: { type: 'base64', media_type: data.type, data: data.data } }]
    }
    default:
      throw new Untranslatable(
        `${field}.type`,
        `${JSON.stringify(part['type'] ?? null)} cannot be sent to this upstream`,
      )
  }
}

/** An image by its data or its address. */
function imageBlock(url: string): Fields {
  const data = dataUrl(url)
  const source = data ? { type: 'base64', media_type: data.type, data: data.data } : { type: 'url', url }
  return { type: 'image', source }
}

/** The parts of `data:TYPE;base64,DATA`; null for another address. */
function dataUrl(url: string): { type: string; data: string } | null {
  const found = /^data:([^;,]+);base64,/.exec(url)
  return found ? { type: found[1]!, data: url.slice(found[0].length) } : null
}
