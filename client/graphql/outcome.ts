/** What a mutation came to: the success, or sentences for the person at the form. */
export type MutationOutcome<Success> =
  | { ok: true; value: Success }
  | { ok: false; message: string; fields: Record<string, string> }

interface Answer {
  __typename: string
  message?: string
  fields?: readonly { path: string; message: string }[]
}

type SuccessOf<Result extends Answer> = Extract<Result, { __typename: `${string}Success` }>

/** Sorts a mutation's union: `…Success` is the value, all else is a failure with problems by field path, as `say` words them. */
export function outcomeOf<Result extends Answer>(
  result: Result,
  say: (sentence: string) => string,
): MutationOutcome<SuccessOf<Result>> {
  if (result.__typename.endsWith('Success')) return { ok: true, value: result as SuccessOf<Result> }
  const fields: Record<string, string> = {}
  // The first problem of a field is the one to mend first.
  for (const problem of result.fields ?? []) fields[problem.path] ??= say(problem.message)
  return { ok: false, message: say(result.message ?? ''), fields }
}
