/** Models that take `max_completion_tokens` and refuse sampling parameters and stop sequences. */
export const isReasoningModel = (model: string): boolean => /^(o\d|gpt-([5-9]|\d\d)|codex)/i.test(model)

export const usualEfforts = ['low', 'medium', 'high'] as const

/** The efforts to choose from where nobody named them. */
export const effortsOf = (named: readonly string[] | null, model: string): readonly string[] =>
  named ?? (isReasoningModel(model) ? usualEfforts : [])
