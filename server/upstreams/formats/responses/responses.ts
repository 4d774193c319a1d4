import type { Format } from '../../format.ts'
import { openaiError, openaiErrorBody, readOpenaiError } from '../openai/openai-error.ts'
import { readOpenaiJson } from '../openai/openai-json.ts'
import { createOpenaiStreamReader } from '../openai/openai-stream-reader.ts'
import { responseFacts, responsesFacts } from './responses-facts.ts'

/** OpenAI's Responses (protocol.md §3.2). */
export const responsesFormat: Format = {
  name: 'responses',
  request: { messages: 'input', mayBeText: true, maxTokens: ['max_output_tokens'], conversation: 'prompt_cache_key' },
  readJson: (body, secret) => readOpenaiJson(body, secret, responseFacts),
  createStreamReader: (secret) => createOpenaiStreamReader({ secret, factsOf: responsesFacts }),
  errorOf: readOpenaiError,
  errorBody: openaiErrorBody,
  errorEvent(type, message) {
    const { code, message: text } = openaiError(type, message)
    // Codex reads this event, and no `error`.
    const response = { object: 'response', status: 'failed', error: { code: code ?? 'server_error', message: text } }
    return Buffer.from(`event: response.failed\ndata: ${JSON.stringify({ type: 'response.failed', response })}\n\n`)
  },
  // The format has no event that says nothing.
  ping: Buffer.from(': ping\n\n'),
  keepAlive: Buffer.from(': keepalive\n\n'),
}
