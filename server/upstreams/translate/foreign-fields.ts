import type { Format } from '../format.ts'
import { type Fields, isFields, itemsOf, Untranslatable } from './untranslatable.ts'

/** Members that belong to another format: a client that mixes them up means something that no translation can know. */
const foreign: Readonly<Record<Format['name'], readonly string[]>> = {
  anthropic: [
    'frequency_penalty',
    'function_call',
    'functions',
    'input',
    'instructions',
    'logit_bias',
    'max_completion_tokens',
    'max_output_tokens',
    'n',
    'parallel_tool_calls',
    'presence_penalty',
    'previous_response_id',
    'reasoning',
    'reasoning_effort',
    'response_format',
    'stop',
    'stream_options',
  ],
  chat: [
    'input',
    'instructions',
    'max_output_tokens',
    'max_tokens_to_sample',
    'output_config',
    'previous_response_id',
    'stop_sequences',
    'system',
    'text',
  ],
  responses: [
    'frequency_penalty',
    'function_call',
    'functions',
    'logit_bias',
    'max_completion_tokens',
    'max_tokens',
    'messages',
    'n',
    'output_config',
    'presence_penalty',
    'reasoning_effort',
    'response_format',
    'stop',
    'stop_sequences',
    'system',
    'thinking',
  ],
}

const foreignOfMessages: Readonly<Record<Format['name'], readonly string[]>> = {
  anthropic: ['tool_calls', 'tool_call_id', 'function_call', 'reasoning_content'],
  chat: [],
  responses: ['tool_calls', 'tool_call_id'],
}

const foreignOfTools: Readonly<Record<Format['name'], readonly string[]>> = {
  anthropic: ['function', 'parameters'],
  chat: ['input_schema'],
  responses: ['input_schema', 'function'],
}

/** Throws Untranslatable for a member that only another format has. */
export function refuseForeignFields(format: Format['name'], body: Fields): void {
  const check = (fields: Fields, names: readonly string[], place: string): void => {
    for (const name of names)
      if (fields[name] !== undefined && fields[name] !== null)
        throw new Untranslatable(place + name, 'belongs to another format than the one that this address speaks')
  }
  check(body, foreign[format], '')
  const list = format === 'responses' ? 'input' : 'messages'
  for (const [index, message] of itemsOf(body[list]).entries())
    check(message, foreignOfMessages[format], `${list}[${index}].`)
  if (format === 'anthropic') refuseForeignValues(body)
  for (const [index, tool] of itemsOf(body['tools']).entries()) check(tool, foreignOfTools[format], `tools[${index}].`)
}

/** Members of Messages with values of another format: without this they would count as what they are not. */
function refuseForeignValues(body: Fields): void {
  for (const [index, { role }] of itemsOf(body['messages']).entries())
    if (role !== 'user' && role !== 'assistant' && role !== 'system')
      throw new Untranslatable(`messages[${index}].role`, `${JSON.stringify(role ?? null)} is no role of this format`)
  const { tool_choice: choice } = body
  if (choice !== undefined && choice !== null && !isFields(choice))
    throw new Untranslatable('tool_choice', 'must be an object')
}
