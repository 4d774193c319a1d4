import { promptOf } from '../../../money/estimate.ts'
import type { Reading } from '../../../money/reading.ts'

/** Text that passed, in UTF-16 units. */
export interface Passed {
  chars: number
  wide: number
}

/** (g) A token is about 4 characters, or 1.5 of Chinese, Japanese or Korean. */
export const estimateTokens = ({ chars, wide }: Passed): number => Math.ceil((chars - wide) / 4 + wide / 1.5)

/** A message without content, of which no usage was reported either; a refusal is a response all the same. */
export const isEmptyMessage = (hasContent: boolean, { tokens, extras, stopReason }: Reading): boolean =>
  !hasContent && stopReason !== 'refusal' && extras.length === 0 && promptOf(tokens) + tokens.output === 0

/** The text of a message's content blocks. */
export function passedIn(content: unknown): Passed {
  const passed = { chars: 0, wide: 0 }
  for (const block of Array.isArray(content) ? content.map(fieldsOf) : []) {
    const input = fieldsOf(block?.['input'])
    for (const text of [block?.['text'], block?.['thinking'], input && JSON.stringify(input)]) {
      if (typeof text !== 'string') continue
      passed.chars += text.length
      passed.wide += text.match(/[\u3000-\ud7ff]/g)?.length ?? 0
    }
  }
  return passed
}

const fieldsOf = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
