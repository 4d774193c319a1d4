import { countOf, type Fields, isFields } from '../untranslatable.ts'
import type { MessageUsage } from './message-writer.ts'

/** Usage of Chat Completions and its vendors' variants in Anthropic's words: prompt counts there include what the cache served. */
export function usageOfChat(usage: Fields): MessageUsage {
  const prompt = isFields(usage['prompt_tokens_details']) ? usage['prompt_tokens_details'] : {}
  const completion = isFields(usage['completion_tokens_details']) ? usage['completion_tokens_details'] : {}
  const read = firstCount(prompt['cached_tokens'], usage['prompt_cache_hit_tokens'], usage['cached_tokens'])
  const written = firstCount(prompt['cache_write_tokens'], usage['cache_creation_tokens'])
  return {
    input_tokens: Math.max(0, countOf(usage['prompt_tokens']) - read - written),
    output_tokens: countOf(usage['completion_tokens']),
    cache_read_input_tokens: read,
    cache_creation_input_tokens: written,
    ...thinkingOf(completion['reasoning_tokens']),
  }
}

/** The same of the Responses format. */
export function usageOfResponses(usage: Fields): MessageUsage {
  const input = isFields(usage['input_tokens_details']) ? usage['input_tokens_details'] : {}
  const output = isFields(usage['output_tokens_details']) ? usage['output_tokens_details'] : {}
  const read = countOf(input['cached_tokens'])
  const written = countOf(input['cache_write_tokens'])
  return {
    input_tokens: Math.max(0, countOf(usage['input_tokens']) - read - written),
    output_tokens: countOf(usage['output_tokens']),
    cache_read_input_tokens: read,
    cache_creation_input_tokens: written,
    ...thinkingOf(output['reasoning_tokens']),
  }
}

const thinkingOf = (tokens: unknown): Pick<MessageUsage, 'output_tokens_details'> =>
  countOf(tokens) > 0 ? { output_tokens_details: { thinking_tokens: countOf(tokens) } } : {}

const firstCount = (...values: unknown[]): number => values.map(countOf).find((count) => count > 0) ?? 0

/** About four characters of Latin text a token: for what an upstream does not report. */
export const estimatedTokens = (chars: number): number => Math.ceil(chars / 4)
