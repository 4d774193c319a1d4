import { responsesFormat } from '../../formats/responses/responses.ts'
import type { Platform } from '../../platform.ts'
import { openaiPlatform } from '../openai/openai.ts'
import { openaiProbe } from '../openai/openai-request.ts'

/** Any endpoint of OpenAI's Responses behind an API key: what Codex speaks. */
export const codexPlatform: Platform = {
  ...openaiPlatform,
  name: 'codex',
  format: responsesFormat,
  messagePath: '/v1/responses',
  messageProbe(account, asked) {
    const body = { model: account.mapping.map(asked), input: 'ping', max_output_tokens: 16, store: false }
    return openaiProbe(account, '/v1/responses', body)
  },
}
