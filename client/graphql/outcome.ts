/** What a mutation came to: the success, or sentences for the person at the form. */
export type MutationOutcome<Success> =
  | { ok: true; value: Success }
  | { ok: false; message: string; fields: Record<string, string>; retryAfterSeconds?: number }

interface Answer {
  __typename: string
  message?: string
  fields?: readonly { path: string; message: string }[]
  retryAfterSeconds?: number | null
}

type SuccessOf<Result extends Answer> = Extract<Result, { __typename: `${string}Success` }>

/** Sorts a mutation's union: `…Success` is the value, all else is a failure with problems by field path. */
export function outcomeOf<Result extends Answer>(result: Result): MutationOutcome<SuccessOf<Result>> {
  if (result.__typename.endsWith('Success')) return { ok: true, value: result as SuccessOf<Result> }
  const fields: Record<string, string> = {}
  // The first problem of a field is the one to mend first.
  for (const problem of result.fields ?? []) fields[problem.path] ??= problem.message
  const retryAfterSeconds = result.retryAfterSeconds ?? undefined
  return { ok: false, message: result.message ?? '', fields, retryAfterSeconds }
}
