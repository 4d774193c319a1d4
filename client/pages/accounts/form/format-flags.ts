import type { Account } from '../../../graphql/account-operations.ts'

type Stored = NonNullable<Account['formatFlags']>

/** As a form holds them: lists that can be changed, and undefined for an empty number. */
export interface Flags extends Omit<Stored, 'maxTokensCap' | 'efforts' | 'omit'> {
  maxTokensCap: number | undefined
  efforts: string[] | null
  omit: string[]
}

/** Values of `reasoning_effort`, and members that may be left out: the server refuses others. */
export const effortWords = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']
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
]

const defaults: Stored = {
  maxTokensField: 'AUTO',
  maxTokensCap: null,
  systemRole: 'SYSTEM',
  echoReasoning: false,
  strictAlternation: false,
  images: true,
  pdf: false,
  streamOptions: true,
  forcedToolChoice: true,
  efforts: null,
  omit: [],
}

export const formFlags = (stored: Stored | null | undefined): Flags => {
  const flags = stored ?? defaults
  return {
    maxTokensField: flags.maxTokensField,
    maxTokensCap: flags.maxTokensCap ?? undefined,
    systemRole: flags.systemRole,
    echoReasoning: flags.echoReasoning,
    strictAlternation: flags.strictAlternation,
    images: flags.images,
    pdf: flags.pdf,
    streamOptions: flags.streamOptions,
    forcedToolChoice: flags.forcedToolChoice,
    efforts: flags.efforts ? [...flags.efforts] : null,
    omit: [...flags.omit],
  }
}

/** The flags as the server takes them. */
export const readFlags = (flags: Flags) => ({ ...flags, maxTokensCap: flags.maxTokensCap ?? null })
