import {
  clause,
  type FailureCode as FailureCodeName,
  type FailureValues,
  type FieldProblemCode as FieldProblemCodeName,
  failureCodes,
  fieldProblemCodes,
  sentence,
} from '../failure-codes.ts'
import type { FieldProblem, VerbFailure, VerbFailureKind } from '../verb-failure.ts'
import { builder } from './builder.ts'

/** A failure as data. Not an Error, which GraphQL would treat as thrown. */
export interface Refusal {
  refusedAs: VerbFailureKind
  code: FailureCodeName
  values: FailureValues
  message: string
  fields: readonly FieldProblem[]
  retryAfterS: number | null
}

export const refusalOf = ({ kind, code, values, message, fields, retryAfterS }: VerbFailure): Refusal => ({
  refusedAs: kind,
  code,
  values,
  message,
  fields,
  retryAfterS,
})

/** Whoever may call a mutation may read why it was refused. */
const isPublic = { authScopes: { public: true } } as const

/** An enum whose values are the codes, each with its own text. */
const codesOf = <Code extends string>(codes: readonly Code[], describe: (code: Code) => string) =>
  Object.fromEntries(codes.map((code) => [code, { value: code, description: describe(code) }])) as Record<
    Code,
    { value: Code; description: string }
  >

/** The text of a code with the names of its values in it, such as {max}. */
const asNamed: FailureValues = new Proxy({}, { get: (_, name) => `{${String(name)}}` })

const FailureCode = builder.enumType('FailureCode', {
  description: 'Why nothing was changed. A name in braces stands for one of the values.',
  values: codesOf<FailureCodeName>(failureCodes, (code) => sentence(code, asNamed)),
})

const FieldProblemCode = builder.enumType('FieldProblemCode', {
  description: 'What is wrong with a field. A name in braces stands for one of the values.',
  values: codesOf<FieldProblemCodeName>(
    fieldProblemCodes,
    (code) => `The field ${clause(code, asNamed).replace(/\.$/, '')}.`,
  ),
})

const valuesOf = (values: FailureValues = {}) => (Object.keys(values).length === 0 ? null : values)
const valuesDescription = 'The values in the text of the code by their names; null when it has none.'

const Failure = builder.interfaceRef<Refusal>('Failure').implement({
  description: 'What was asked for did not happen, and why: for people.',
  ...isPublic,
  fields: (t) => ({
    code: t.expose('code', { type: FailureCode, description: 'The reason, by a name that never changes.' }),
    values: t.field({
      type: 'JSON',
      nullable: true,
      description: valuesDescription,
      resolve: ({ values, code }) => (code === 'INPUT_INVALID' ? null : valuesOf(values)),
    }),
    message: t.exposeString('message', {
      description: 'The message is one or more sentences in English, without secrets. It is meant for logs.',
    }),
  }),
})

const FieldProblemType = builder.objectRef<FieldProblem>('FieldProblem').implement({
  description: 'What is wrong with one field of the input.',
  ...isPublic,
  fields: (t) => ({
    path: t.exposeString('path', { description: 'As in the input: "dailyLimit", "modelMapping[0].from".' }),
    code: t.expose('code', { type: FieldProblemCode, description: 'The problem, by a name that never changes.' }),
    values: t.field({
      type: 'JSON',
      nullable: true,
      description: valuesDescription,
      resolve: ({ values }) => valuesOf(values),
    }),
    message: t.string({
      description: 'The message is English for logs, to stand behind the name of the field: "must be at least 1".',
      resolve: ({ code, values }) => clause(code, values),
    }),
  }),
})

const InputFailure = builder.objectRef<Refusal>('InputFailure').implement({
  description: 'Fields of the input are wrong.',
  interfaces: [Failure],
  ...isPublic,
  fields: (t) => ({
    fields: t.field({
      description: 'At least one; a field may have several.',
      type: [FieldProblemType],
      resolve: (failure) => [...failure.fields],
    }),
  }),
})

const NotFoundFailure = builder.objectRef<Refusal>('NotFoundFailure').implement({
  description: 'There is no such object, or it is not yours.',
  interfaces: [Failure],
  ...isPublic,
})

const ConflictFailure = builder.objectRef<Refusal>('ConflictFailure').implement({
  description: 'The state of things does not allow it; the message names the way out.',
  interfaces: [Failure],
  ...isPublic,
})

const SignInFailure = builder.objectRef<Refusal>('SignInFailure').implement({
  description: 'Nobody is signed in: name or password were wrong, the session is over, or there were too many tries.',
  interfaces: [Failure],
  ...isPublic,
  fields: (t) => ({
    retryAfterSeconds: t.int({
      description: 'With too many tries: how long to wait; null: no wait is needed.',
      nullable: true,
      resolve: (failure) => failure.retryAfterS,
    }),
  }),
})

export const failureTypes = {
  input: InputFailure,
  not_found: NotFoundFailure,
  conflict: ConflictFailure,
  sign_in: SignInFailure,
} satisfies Record<VerbFailureKind, unknown>
