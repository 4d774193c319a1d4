import type { FieldProblem, VerbFailure, VerbFailureKind } from '../verb-failure.ts'
import { builder } from './builder.ts'

/** A failure as data. Not an Error, which GraphQL would treat as thrown. */
export interface Refusal {
  refusedAs: VerbFailureKind
  message: string
  fields: readonly FieldProblem[]
  retryAfterS: number | null
}

export const refusalOf = ({ kind, message, fields, retryAfterS }: VerbFailure): Refusal => ({
  refusedAs: kind,
  message,
  fields,
  retryAfterS,
})

/** Whoever may call a mutation may read why it was refused. */
const isPublic = { authScopes: { public: true } } as const

const Failure = builder.interfaceRef<Refusal>('Failure').implement({
  description: 'What was asked for did not happen, and why: for people.',
  ...isPublic,
  fields: (t) => ({
    message: t.exposeString('message', { description: 'One or more sentences in English, without secrets.' }),
  }),
})

const FieldProblemType = builder.objectRef<FieldProblem>('FieldProblem').implement({
  description: 'What is wrong with one field of the input.',
  ...isPublic,
  fields: (t) => ({
    path: t.exposeString('path', { description: 'As in the input: "dailyLimit", "modelMapping[0].from".' }),
    message: t.exposeString('message', {
      description: 'English, to stand behind the name of the field: "must be at least 1".',
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
