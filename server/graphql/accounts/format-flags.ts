import { z } from 'zod'
import {
  defaultFormatFlags,
  effortWords,
  type FormatFlags,
  formatFlagFields,
  omittable,
} from '../../accounts/format-flags.ts'
import { builder } from '../builder.ts'

const MaxTokensField = builder.enumType('MaxTokensField', {
  description: 'The member of a Chat Completions request that bounds its output.',
  values: {
    AUTO: { value: 'auto', description: '`max_completion_tokens` for reasoning models, else `max_tokens`.' },
    MAX_TOKENS: { value: 'max_tokens', description: '`max_tokens`, always.' },
    MAX_COMPLETION_TOKENS: { value: 'max_completion_tokens', description: '`max_completion_tokens`, always.' },
  } as const,
})

const SystemRole = builder.enumType('SystemRole', {
  description: 'The role of system texts in a Chat Completions request.',
  values: {
    SYSTEM: { value: 'system', description: '`system`, which most upstreams know.' },
    DEVELOPER: { value: 'developer', description: '`developer`, the newer name of OpenAI.' },
  } as const,
})

const described = {
  maxTokensField: 'Which member bounds the output.',
  maxTokensCap: 'The largest output that the upstream accepts; null: what the client asks for.',
  systemRole: 'The role of system texts.',
  echoReasoning: 'Thinking of earlier turns goes back as `reasoning_content`.',
  strictAlternation: 'Consecutive messages of one role are merged.',
  images: 'Requests with images are served.',
  pdf: 'Requests with PDF documents are served.',
  streamOptions: '`stream_options.include_usage` is sent.',
  forcedToolChoice: 'A tool may be forced; false: the model is free to choose.',
  efforts: `Values of \`reasoning_effort\` that are accepted, of ${effortWords.join(', ')}; [] leaves it out; null: low to high for reasoning models.`,
  omit: `Members that are left out, of ${omittable.join(', ')}.`,
}

export const FormatFlagsType = builder.objectRef<FormatFlags>('FormatFlags').implement({
  description:
    'What an upstream of an OpenAI format takes of translated requests: set by hand, or learnt from its refusals.',
  authScopes: { user: true },
  fields: (t) => ({
    maxTokensField: t.expose('maxTokensField', { type: MaxTokensField, description: described.maxTokensField }),
    maxTokensCap: t.exposeInt('maxTokensCap', { nullable: true, description: described.maxTokensCap }),
    systemRole: t.expose('systemRole', { type: SystemRole, description: described.systemRole }),
    echoReasoning: t.exposeBoolean('echoReasoning', { description: described.echoReasoning }),
    strictAlternation: t.exposeBoolean('strictAlternation', { description: described.strictAlternation }),
    images: t.exposeBoolean('images', { description: described.images }),
    pdf: t.exposeBoolean('pdf', { description: described.pdf }),
    streamOptions: t.exposeBoolean('streamOptions', { description: described.streamOptions }),
    forcedToolChoice: t.exposeBoolean('forcedToolChoice', { description: described.forcedToolChoice }),
    efforts: t.exposeStringList('efforts', { nullable: true, description: described.efforts }),
    omit: t.exposeStringList('omit', { description: described.omit }),
  }),
})

export const FormatFlagsInput = builder.inputType('FormatFlagsInput', {
  description: `Fields that are absent have their defaults: ${JSON.stringify(defaultFormatFlags)}.`,
  fields: (t) => ({
    maxTokensField: t.field({ type: MaxTokensField, description: described.maxTokensField }),
    maxTokensCap: t.int({ description: described.maxTokensCap }),
    systemRole: t.field({ type: SystemRole, description: described.systemRole }),
    echoReasoning: t.boolean({ description: described.echoReasoning }),
    strictAlternation: t.boolean({ description: described.strictAlternation }),
    images: t.boolean({ description: described.images }),
    pdf: t.boolean({ description: described.pdf }),
    streamOptions: t.boolean({ description: described.streamOptions }),
    forcedToolChoice: t.boolean({ description: described.forcedToolChoice }),
    efforts: t.stringList({ description: described.efforts }),
    omit: t.stringList({ description: described.omit }),
  }),
})

/** GraphQL's null is what is absent. */
export const formatFlags = z.preprocess(
  (value) =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null))
      : value,
  formatFlagFields,
)
