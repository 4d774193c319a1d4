import type { Problem, ProblemText } from './problem-text.ts'

/** The outcome of a mutation: the success, or sentences for the person at the form. */
export type MutationOutcome<Success> =
  | { ok: true; value: Success }
  | { ok: false; message: string; fields: Record<string, string> }

interface Payload extends Partial<Problem> {
  __typename: string
  fields?: readonly (Problem & { path: string })[]
}

type SuccessOf<Result extends Payload> = Extract<Result, { __typename: `${string}Success` }>

/** Sorts a mutation's union: `…Success` is the value, all else is a failure with problems by field path. */
export function outcomeOf<Result extends Payload>(
  result: Result,
  text: Pick<ProblemText, 'ofField' | 'ofFailure'>,
): MutationOutcome<SuccessOf<Result>> {
  if (result.__typename.endsWith('Success')) return { ok: true, value: result as SuccessOf<Result> }
  const fields: Record<string, string> = {}
  // The first problem of a field is the one to mend first.
  for (const { path, ...problem } of result.fields ?? []) {
    fields[path] ??= text.ofField(problem)
    // An item of a list has no field of its own on a form: its problem stands beside the list.
    const item = /^(\w+)\[(\d+)\]/.exec(path)
    if (item) fields[item[1]!] ??= `${Number(item[2]) + 1}: ${text.ofField(problem)}`
  }
  const { code = '', values, message = '' } = result
  return { ok: false, message: text.ofFailure({ code, values, message }), fields }
}
