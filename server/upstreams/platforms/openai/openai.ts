import { chatFormat } from '../../formats/chat/chat.ts'
import { openaiErrorRows } from '../../formats/openai/error-rows.ts'
import { gaugesOfRateLimits, rateLimitPrefix, readOpenaiLimit } from '../../formats/openai/rate-limit.ts'
import type { Platform } from '../../platform.ts'
import { isReasoningModel } from '../../translate/messages/reasoning-models.ts'
import { learnFlags } from './learn-flags.ts'
import { buildOpenaiRequest, openaiProbe } from './openai-request.ts'

/** Any endpoint of Chat Completions behind an API key. */
export const openaiPlatform: Platform = {
  name: 'openai',
  format: chatFormat,
  messagePath: '/v1/chat/completions',
  servesTranslated: true,
  learnFlags,
  buildRequest: buildOpenaiRequest,
  errorRows: openaiErrorRows,
  readRateLimit: readOpenaiLimit,
  isFirstParty: () => false,
  messageProbe(account, asked) {
    const model = account.mapping.map(asked)
    // Reasoning models refuse fewer than 16 tokens.
    const limit = isReasoningModel(model) ? { max_completion_tokens: 16 } : { max_tokens: 1 }
    const messages = [{ role: 'user', content: 'ping' }]
    return openaiProbe(account, '/v1/chat/completions', { model, messages, ...limit })
  },
  limits: { prefix: rateLimitPrefix, ofHeaders: gaugesOfRateLimits, ofProbe: () => [] },
  renewsTokens: false,
  opensWith: 'api_key',
  isOptIn: false,
}
