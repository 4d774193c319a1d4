/** What one upstream of the Chat Completions format takes. Set by hand, by a preset, or learnt from its first refusal. */
export interface ChatFlags {
  /** `auto`: max_completion_tokens for reasoning models, else max_tokens. */
  maxTokensField: 'auto' | 'max_tokens' | 'max_completion_tokens'
  /** The largest output the upstream accepts; null: what the client asks for. */
  maxTokensCap: number | null
  systemRole: 'system' | 'developer'
  /** Thinking of earlier turns goes back as `reasoning_content`. */
  echoReasoning: boolean
  /** Consecutive messages of one role are merged. */
  strictAlternation: boolean
  images: boolean
  pdf: boolean
  /** `stream_options.include_usage` is accepted. */
  streamOptions: boolean
  /** `tool_choice` may be `required` or name a tool; false: such a choice becomes `auto`. */
  forcedToolChoice: boolean
  /** Values of `reasoning_effort` that are accepted, weakest first; empty: the field is left out. */
  efforts: readonly string[]
}

export const defaultChatFlags: ChatFlags = {
  maxTokensField: 'auto',
  maxTokensCap: null,
  systemRole: 'system',
  echoReasoning: false,
  strictAlternation: false,
  images: true,
  pdf: false,
  streamOptions: true,
  forcedToolChoice: true,
  efforts: [],
}

/** Models that take `max_completion_tokens` and refuse sampling parameters and stop sequences. */
export const isReasoningModel = (model: string): boolean => /^(o\d|gpt-([5-9]|\d\d)|codex)/i.test(model)
