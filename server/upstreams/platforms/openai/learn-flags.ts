import { type FormatFlagChanges, type FormatFlags, omittable } from '../../../accounts/format-flags.ts'
import type { UpstreamError } from '../../format.ts'

type Lesson = (text: string, flags: FormatFlags) => FormatFlagChanges | null

const refuses =
  /unsupported|not supported|does not support|doesn't support|unknown|unrecognized|unexpected|invalid|not allowed|not permitted|extra inputs|no longer|deprecated/i

const names = (text: string, field: string): boolean =>
  new RegExp(`(?<![\\w.])${field}(?!\\w)`, 'i').test(text) && refuses.test(text)

/** The first that fits and changes something counts. */
const lessons: readonly Lesson[] = [
  (text, { maxTokensField }) =>
    /max_completion_tokens['"`]? instead|use ['"`]?max_completion_tokens/i.test(text) &&
    maxTokensField !== 'max_completion_tokens'
      ? { maxTokensField: 'max_completion_tokens' }
      : null,
  (text, { maxTokensField }) =>
    names(text, 'max_completion_tokens') && maxTokensField !== 'max_tokens' ? { maxTokensField: 'max_tokens' } : null,
  (text, { maxTokensField }) =>
    names(text, 'max_tokens') && !/large|at most|exceed|range|less than/i.test(text) && maxTokensField === 'auto'
      ? { maxTokensField: 'max_completion_tokens' }
      : null,
  (text) => capOf(text),
  (text, { streamOptions }) =>
    streamOptions && /stream_options|include_usage/i.test(text) ? { streamOptions: false } : null,
  (text, { echoReasoning }) =>
    !echoReasoning && /reasoning_content/i.test(text) && /(must|should|need|required|missing|passed? back)/i.test(text)
      ? { echoReasoning: true }
      : null,
  (text, { echoReasoning }) => (echoReasoning && names(text, 'reasoning_content') ? { echoReasoning: false } : null),
  (text, { forcedToolChoice }) => (forcedToolChoice && /tool_choice/i.test(text) ? { forcedToolChoice: false } : null),
  (text, { strictAlternation }) =>
    !strictAlternation && /roles? must alternate|consecutive .{0,20}(roles?|messages)|alternat/i.test(text)
      ? { strictAlternation: true }
      : null,
  (text, { systemRole }) =>
    systemRole === 'system' && /role/i.test(text) && /['"`]system['"`]/.test(text) && /developer/.test(text)
      ? { systemRole: 'developer' }
      : null,
  (text, { systemRole }) =>
    systemRole === 'developer' && /developer/.test(text) && /role/i.test(text) ? { systemRole: 'system' } : null,
  (text, flags) => {
    const field = omittable.find((name) => !flags.omit.includes(name) && names(text, name))
    return field === undefined ? null : { omit: [...flags.omit, field] }
  },
]

/** "max_tokens is too large: 128000. This model supports at most 16384 completion tokens" */
function capOf(text: string): FormatFlagChanges | null {
  if (!/max(imum)?_?(completion_|output_)?[ _]?tokens/i.test(text) || /context length/i.test(text)) return null
  const cap = Number(
    /(?:at most|maximum(?: value)?(?: is| of)?|less than or equal to|<=|\[1, ?|up to)\s*(\d{3,8})/i.exec(text)?.[1] ??
      Number.NaN,
  )
  return Number.isSafeInteger(cap) ? { maxTokensCap: cap } : null
}

/** What the refusal of a translated request says of the flags of its account; null: nothing that is not known already. */
export function learnFlags(error: UpstreamError, flags: FormatFlags): FormatFlagChanges | null {
  const { text } = error
  for (const lesson of lessons) {
    const learnt = lesson(text, flags)
    if (learnt && Object.entries(learnt).some(([name, value]) => flags[name as keyof FormatFlags] !== value))
      return learnt
  }
  return null
}
