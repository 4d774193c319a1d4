import type { JsonResponse } from '../../format.ts'
import { bytesWithoutSecret } from '../../quoted-secret.ts'
import { type Fields, isFields } from '../../translate/untranslatable.ts'
import { createUsageReader } from '../anthropic/usage.ts'
import { jsonOf } from '../sse-events.ts'
import { anthropicUsage, type EventFacts } from './openai-stream-reader.ts'

/** A whole JSON response of Chat Completions or Responses. */
export function readOpenaiJson(body: Buffer, secret: string, factsOf: (response: Fields) => EventFacts): JsonResponse {
  const usage = createUsageReader()
  const response = jsonOf(bytesWithoutSecret(body, secret).toString('utf8'))
  if (!isFields(response)) return { problem: 'a body that is no JSON object', reading: usage.reading() }
  const facts = factsOf(response)
  if (facts.error) return { problem: 'an error for a body', reading: usage.reading() }
  usage.start(JSON.stringify({ message: { model: facts.model ?? '' } }))
  usage.text(facts.contentChars ?? 0)
  if (facts.usage) usage.delta(JSON.stringify({ usage: anthropicUsage(facts.usage.counts) }))
  usage.stop()
  const raw = facts.usage ? JSON.stringify([facts.usage.raw]) : ''
  const problem = facts.contentChars === undefined ? 'a response without content' : ''
  return { problem, reading: { ...usage.reading(), stopReason: facts.stopReason ?? '', raw } }
}
