import { z } from 'zod'
import { says } from '../../failure-codes.ts'
import { wholeNumber } from '../../field-values.ts'
import { ruleFields as fields } from '../../upstreams/rules/rule-input.ts'
import { Platform } from '../accounts/accounts.ts'
import { builder } from '../builder.ts'
import { globalId, orElse, unlessAbsent } from '../values.ts'
import { ErrorRuleEffect, ErrorRuleScope } from './rule-types.ts'

/** Absent and null both mean: anything. */
const orAny = <Value extends z.ZodType<string>>(value: Value) => value.nullish().transform((text) => text ?? '')
/** null: anything; absent: as it is. */
const orCleared = <Value extends z.ZodType<string>>(value: Value) =>
  value.nullish().transform((text) => (text === null ? '' : text))

const matched = {
  status:
    'A status such as 400, a range such as 500-599, or `event`: an error event in a stream. 200: a body that is no success. null: any.',
  errorType: 'As attempts and timelines show it, with * for anything. null: any.',
  code: 'With * for anything. null: any.',
  message: 'What the whole text of the error has to fit, with * for anything. null: any.',
}
const duration = 'With RATE_LIMIT and OUT_OF_CREDIT. null: as the answer says.'

export const CreateErrorRuleInput = builder.inputType('CreateErrorRuleInput', {
  description: 'A new rule, behind those that are there. It needs a status, an error type, a code or a text.',
  fields: (t) => ({
    name: t.string({ description: 'Unique among rules; 1 to 100 characters.', required: true }),
    platform: t.field({ type: Platform, description: 'It is null for all platforms.' }),
    enabled: t.boolean({ description: 'Absent: true.' }),
    status: t.string({ description: matched.status }),
    errorType: t.string({ description: matched.errorType }),
    code: t.string({ description: matched.code }),
    message: t.string({ description: matched.message }),
    effect: t.field({ description: 'What an answer means that it fits.', type: ErrorRuleEffect, required: true }),
    scope: t.field({ type: ErrorRuleScope, description: 'With RATE_LIMIT: what rests. Absent: ACCOUNT.' }),
    durationSeconds: t.int({ description: duration }),
  }),
})

const whole = {
  platform: orElse(fields.platform, null),
  status: orAny(fields.status),
  errorType: orAny(fields.errorType),
  code: orAny(fields.code),
  message: orAny(fields.message),
  effect: fields.effect,
  scope: orElse(fields.scope, 'account' as const),
  durationSeconds: orElse(fields.durationSeconds, null),
}

export const createRuleCheck = z.object({
  ...whole,
  name: fields.name,
  enabled: orElse(fields.enabled, true),
})

export const UpdateErrorRuleInput = builder.inputType('UpdateErrorRuleInput', {
  description: 'Fields that are absent stay as they are; null means what it means in a new rule.',
  fields: (t) => ({
    id: t.id({ required: true }),
    name: t.string({ description: 'Unique among rules; 1 to 100 characters.' }),
    platform: t.field({ description: 'It is null for all platforms.', type: Platform }),
    enabled: t.boolean({ description: 'Off: it is passed over.' }),
    status: t.string({ description: 'A status, a range or `event`; null: any.' }),
    errorType: t.string({ description: 'With * for anything; null: any.' }),
    code: t.string({ description: 'With * for anything; null: any.' }),
    message: t.string({ description: 'What the whole text of the error has to fit, with * for anything; null: any.' }),
    effect: t.field({ description: 'What an answer means that it fits.', type: ErrorRuleEffect }),
    scope: t.field({ description: 'With RATE_LIMIT: what rests.', type: ErrorRuleScope }),
    durationSeconds: t.int({
      description: 'It is 1 to 2678400, with RATE_LIMIT and OUT_OF_CREDIT, and null when the response decides.',
    }),
  }),
})

export const updateRuleCheck = z.object({
  id: globalId('ErrorRule'),
  name: unlessAbsent(fields.name),
  platform: fields.platform.nullish(),
  enabled: unlessAbsent(fields.enabled),
  status: orCleared(fields.status),
  errorType: orCleared(fields.errorType),
  code: orCleared(fields.code),
  message: orCleared(fields.message),
  effect: unlessAbsent(fields.effect),
  scope: unlessAbsent(fields.scope),
  durationSeconds: fields.durationSeconds.nullish(),
})

const ErrorRuleSampleInput = builder.inputType('ErrorRuleSampleInput', {
  description: 'An answer to try a rule on. It is not kept.',
  fields: (t) => ({
    status: t.string({ required: true, description: 'A status such as 400, or `event`.' }),
    body: t.string({ required: true, description: 'Of the answer, or the data of the event.' }),
  }),
})

export const TestErrorRuleInput = builder.inputType('TestErrorRuleInput', {
  description: 'A rule as it would be saved, and what to try it on.',
  fields: (t) => ({
    id: t.id({ description: 'The rule that this one would replace; absent: it would be the last one.' }),
    name: t.string({ description: 'Absent: it has none yet.' }),
    platform: t.field({ type: Platform, description: 'It is null for all platforms.' }),
    status: t.string({ description: matched.status }),
    errorType: t.string({ description: matched.errorType }),
    code: t.string({ description: matched.code }),
    message: t.string({ description: matched.message }),
    effect: t.field({ description: 'What an answer means that it fits.', type: ErrorRuleEffect, required: true }),
    scope: t.field({ description: 'With RATE_LIMIT: what rests. Absent: ACCOUNT.', type: ErrorRuleScope }),
    durationSeconds: t.int({ description: duration }),
    hours: t.int({ description: 'How far back failures are looked at, 1 to 168. Absent: 24.' }),
    sample: t.field({ description: 'Absent: only failures of the ledger are looked at.', type: ErrorRuleSampleInput }),
  }),
})

export const testRuleCheck = z.object({
  ...whole,
  id: globalId('ErrorRule')
    .nullish()
    .transform((id) => id ?? undefined),
  // A form may not have one yet.
  name: fields.name.nullish().transform((name) => name ?? ''),
  hours: wholeNumber(1, 168)
    .nullish()
    .transform((hours) => hours ?? 24),
  sample: z
    .object({
      status: z
        .string()
        .regex(/^(event|[2-5]\d\d)$/, says('SAMPLE_STATUS_MALFORMED'))
        .transform((status) => (status === 'event' ? status : Number(status))),
      body: z.string().max(100_000, says('TOO_LONG')),
    })
    .nullish()
    .transform((sample) => sample ?? undefined),
})
