import { clause, type FailureCode, type FailureValues, type FieldProblemCode, sentence } from './failure-codes.ts'

/** A wrong field of an input. `path` is its name in the input ("dailyLimit"). */
export interface FieldProblem {
  path: string
  code: FieldProblemCode
  values?: FailureValues
}

export type VerbFailureKind = 'input' | 'not_found' | 'conflict' | 'sign_in'

/** A failure that is the caller's own mistake. Its message is shown to people and contains no secret. */
export class VerbFailure extends Error {
  override name = 'VerbFailure'
  readonly kind: VerbFailureKind
  readonly code: FailureCode
  readonly values: FailureValues
  readonly fields: readonly FieldProblem[]
  readonly retryAfterS: number | null
  constructor(
    kind: VerbFailureKind,
    code: FailureCode,
    more: { values?: FailureValues; fields?: readonly FieldProblem[]; retryAfterS?: number } = {},
  ) {
    super(sentence(code, more.values))
    this.kind = kind
    this.code = code
    this.values = more.values ?? {}
    this.fields = more.fields ?? []
    this.retryAfterS = more.retryAfterS ?? null
  }
}

/** One or more fields of the input are wrong. */
export function inputFailure(...fields: FieldProblem[]): VerbFailure {
  const text = fields.map(({ path, code, values }) => `${path} ${clause(code, values)}`).join('; ')
  return new VerbFailure('input', 'INPUT_INVALID', { values: { fields: text }, fields })
}

export const notFound = (object: string): VerbFailure =>
  new VerbFailure('not_found', 'NOT_FOUND', { values: { object } })

export const conflict = (code: FailureCode, values: FailureValues = {}): VerbFailure =>
  new VerbFailure('conflict', code, { values })
