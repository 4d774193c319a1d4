import type { Format, ResponseReader } from '../../format.ts'
import { openaiError, openaiErrorBody, readOpenaiError } from '../openai/openai-error.ts'
import { readOpenaiJson } from '../openai/openai-json.ts'
import { createOpenaiStreamReader } from '../openai/openai-stream-reader.ts'
import { withUsageAsked } from './ask-usage.ts'
import { chatFacts } from './chat-facts.ts'

/** OpenAI's Chat Completions (protocol.md §3.1). */
export const chatFormat: Format = {
  name: 'chat',
  request: {
    messages: 'messages',
    mayBeText: false,
    maxTokens: ['max_completion_tokens', 'max_tokens'],
    conversation: 'prompt_cache_key',
  },
  readJson: (body, secret) => readOpenaiJson(body, secret, chatFacts),
  createStreamReader: (secret) => createOpenaiStreamReader({ secret, factsOf: chatFacts }),
  askForUsage(body) {
    const asked = withUsageAsked(body)
    return asked ? { body: asked, responses: withholdingUsage } : undefined
  },
  errorOf: readOpenaiError,
  errorBody: openaiErrorBody,
  errorEvent: (type, message) => Buffer.from(`data: ${JSON.stringify({ error: openaiError(type, message) })}\n\n`),
  // The format has no event that says nothing.
  ping: Buffer.from(': ping\n\n'),
  keepAlive: Buffer.from(': keepalive\n\n'),
}

const withholdingUsage: ResponseReader = {
  ...chatFormat,
  createStreamReader: (secret) => createOpenaiStreamReader({ secret, factsOf: chatFacts, withholdsUsage: true }),
}
