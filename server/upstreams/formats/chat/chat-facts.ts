import { usageOfChat } from '../../translate/messages/chat-usage.ts'
import { type Fields, isFields, itemsOf, textOf } from '../../translate/untranslatable.ts'
import { readOpenaiError } from '../openai/openai-error.ts'
import type { EventFacts } from '../openai/openai-stream-reader.ts'

/** What a chunk of a stream says, or a whole response: both carry `choices`. */
export function chatFacts(chunk: Fields): EventFacts {
  if (chunk['error'] !== undefined && chunk['error'] !== null) {
    const error = readOpenaiError(JSON.stringify(chunk))
    return { error: { ...error, type: error.type || 'error' } }
  }
  const choices = itemsOf(chunk['choices'])
  const { usage } = chunk
  const finish = choices.map((choice) => textOf(choice['finish_reason'])).find((reason) => reason !== '')
  const chars = choices.reduce((sum, choice) => sum + charsOf(choice['delta'] ?? choice['message']), 0)
  return {
    ...(textOf(chunk['model']) !== '' && { model: textOf(chunk['model']) }),
    ...((chars > 0 || finish !== undefined) && { contentChars: chars }),
    ...(finish !== undefined && { stopReason: finish, isLast: true }),
    ...(isFields(usage) && { usage: { counts: usageOfChat(usage), raw: usage }, isUsageOnly: choices.length === 0 }),
  }
}

/** Characters that the model wrote: text, reasoning, arguments of tools. */
function charsOf(delta: unknown): number {
  if (!isFields(delta)) return 0
  const texts = [delta['content'], delta['reasoning_content'], delta['reasoning'], delta['refusal']].map(textOf)
  const calls = itemsOf(delta['tool_calls']).map(({ function: fn }) =>
    isFields(fn) ? textOf(fn['name']) + textOf(fn['arguments']) : '',
  )
  return [...texts, ...calls].reduce((sum, text) => sum + text.length, 0)
}
