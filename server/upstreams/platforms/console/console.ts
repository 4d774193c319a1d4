import { anthropicFormat } from '../../formats/anthropic/anthropic.ts'
import { anthropicErrorRows } from '../../formats/anthropic/error-rows.ts'
import { readAnthropicLimit } from '../../formats/anthropic/rate-limit.ts'
import type { Platform } from '../../platform.ts'
import { anthropicMessageProbe, buildAnthropicRequest } from '../anthropic-request.ts'

/** Any endpoint of the Anthropic format behind an API key of its own: the vendor's API, or a mirror of it. */
export const consolePlatform: Platform = {
  name: 'console',
  format: anthropicFormat,
  messagePath: '/v1/messages',
  servesTranslated: true,
  buildRequest: (account, request) => buildAnthropicRequest(account, request),
  errorRows: anthropicErrorRows,
  readRateLimit: readAnthropicLimit,
  isFirstParty: (account) => /^https:\/\/([a-z0-9-]+\.)*anthropic\.com$/.test(account.origin),
  messageProbe: (account, model) => anthropicMessageProbe(account, model),
  renewsTokens: false,
  opensWith: 'api_key',
  isOptIn: false,
}
