import { usageOfResponses } from '../../translate/messages/chat-usage.ts'
import { type Fields, isFields, itemsOf, textOf } from '../../translate/untranslatable.ts'
import { readOpenaiError } from '../openai/openai-error.ts'
import type { EventFacts } from '../openai/openai-stream-reader.ts'

/** What an event of a Responses stream says. */
export function responsesFacts(event: Fields): EventFacts {
  const type = textOf(event['type'])
  const response = isFields(event['response']) ? event['response'] : {}
  switch (type) {
    case 'response.completed':
    case 'response.incomplete':
      return { ...responseFacts(response), isEnd: true }
    case 'response.failed':
      return { error: errorOf(response['error']) }
    case 'error':
      return { error: errorOf(isFields(event['error']) ? event['error'] : event) }
    case 'response.output_item.added':
      return { contentChars: 0 }
    default: {
      const model = textOf(response['model'])
      const isDelta = type.endsWith('.delta') && typeof event['delta'] === 'string'
      return { ...(model !== '' && { model }), ...(isDelta && { contentChars: textOf(event['delta']).length }) }
    }
  }
}

/** What a whole response says. */
export function responseFacts(response: Fields): EventFacts {
  if (isFields(response['error'])) return { error: errorOf(response['error']) }
  const { usage } = response
  const details = isFields(response['incomplete_details']) ? textOf(response['incomplete_details']['reason']) : ''
  const hasOutput = itemsOf(response['output']).length > 0
  return {
    ...(textOf(response['model']) !== '' && { model: textOf(response['model']) }),
    ...(isFields(usage) && { usage: { counts: usageOfResponses(usage), raw: usage } }),
    ...((hasOutput || isFields(usage)) && { contentChars: 0 }),
    stopReason: details || textOf(response['status']),
  }
}

function errorOf(error: unknown): NonNullable<EventFacts['error']> {
  const said = readOpenaiError(JSON.stringify({ error: isFields(error) ? error : {} }))
  return { ...said, type: said.type || said.code || 'error' }
}
