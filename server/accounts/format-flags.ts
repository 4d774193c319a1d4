import { z } from 'zod'

/** Values of `reasoning_effort` that are known, weakest first. */
export const effortWords = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const

/** Members of a translated request that may be left out where an upstream refuses them: none changes what the request means. */
export const omittable = [
  'parallel_tool_calls',
  'prompt_cache_key',
  'reasoning',
  'reasoning_effort',
  'safety_identifier',
  'stop',
  'store',
  'temperature',
  'top_p',
  'user',
] as const

/**
 * What one upstream of an OpenAI format takes of a translated request. Set by hand or by a preset; what is absent has its default,
 * or is learnt from the upstream's first refusal.
 */
export const formatFlagFields = z.strictObject({
  /** `auto`: max_completion_tokens for reasoning models, else max_tokens. */
  maxTokensField: z.enum(['auto', 'max_tokens', 'max_completion_tokens']).optional(),
  /** The largest output the upstream accepts; null: what the client asks for. */
  maxTokensCap: z.int().min(1).max(10_000_000).nullable().optional(),
  systemRole: z.enum(['system', 'developer']).optional(),
  /** Thinking of earlier turns goes back as `reasoning_content`. */
  echoReasoning: z.boolean().optional(),
  /** Consecutive messages of one role are merged. */
  strictAlternation: z.boolean().optional(),
  images: z.boolean().optional(),
  pdf: z.boolean().optional(),
  /** `stream_options.include_usage` is accepted. */
  streamOptions: z.boolean().optional(),
  /** `tool_choice` may be `required` or name a tool; false: such a choice becomes `auto`. */
  forcedToolChoice: z.boolean().optional(),
  /** Values of `reasoning_effort` that are accepted; empty: the field is left out; null: low to high for reasoning models. */
  efforts: z.array(z.enum(effortWords)).max(effortWords.length).nullable().optional(),
  /** Members that are left out. */
  omit: z.array(z.enum(omittable)).max(omittable.length).optional(),
})

/** Only what differs from the defaults, as it is stored. */
export type FormatFlagChanges = z.infer<typeof formatFlagFields>
export type FormatFlags = { [Name in keyof FormatFlagChanges]-?: Exclude<FormatFlagChanges[Name], undefined> }

export const defaultFormatFlags: FormatFlags = Object.freeze({
  maxTokensField: 'auto',
  maxTokensCap: null,
  systemRole: 'system',
  echoReasoning: false,
  strictAlternation: false,
  images: true,
  pdf: false,
  streamOptions: true,
  forcedToolChoice: true,
  efforts: null,
  omit: [],
})

/** The flags of a stored text; what is no flag of this version is left out. */
export function storedFlags(text: string): FormatFlags {
  const read = formatFlagFields.safeParse(JSON.parse(text))
  return { ...defaultFormatFlags, ...(read.success && (read.data as Partial<FormatFlags>)) }
}

/** Only what differs from the defaults. */
export const changesOf = (flags: FormatFlags): FormatFlagChanges =>
  Object.fromEntries(
    Object.entries(flags).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(defaultFormatFlags[name as keyof FormatFlags]),
    ),
  )
