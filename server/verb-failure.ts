/** A wrong field of an input. `path` is its name in the input ("dailyLimit"). */
export interface FieldProblem {
  path: string
  message: string
}

export type VerbFailureKind = 'input' | 'not_found' | 'conflict' | 'sign_in'

/** A failure that is the caller's own mistake. Its message is shown to people and contains no secret. */
export class VerbFailure extends Error {
  override name = 'VerbFailure'
  readonly kind: VerbFailureKind
  readonly fields: readonly FieldProblem[]
  readonly retryAfterS: number | null
  constructor(
    kind: VerbFailureKind,
    message: string,
    more: { fields?: readonly FieldProblem[]; retryAfterS?: number } = {},
  ) {
    super(message)
    this.kind = kind
    this.fields = more.fields ?? []
    this.retryAfterS = more.retryAfterS ?? null
  }
}

/** One or more fields of the input are wrong. */
export function inputFailure(...fields: FieldProblem[]): VerbFailure {
  return new VerbFailure('input', fields.map(({ path, message }) => `${path} ${message}`).join('; '), { fields })
}

export const notFound = (what: string): VerbFailure => new VerbFailure('not_found', `There is no such ${what}.`)

export const conflict = (message: string): VerbFailure => new VerbFailure('conflict', message)
