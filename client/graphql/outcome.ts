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
  for (const { path, message } of result.fields ?? []) {
    fields[path] ??= say(message)
    // An item of a list has no place of its own on a form: what is wrong with it stands beside the list.
    const item = /^(\w+)\[(\d+)\]/.exec(path)
    if (item) fields[item[1]!] ??= `${Number(item[2]) + 1}: ${say(message)}`
  }
  return { ok: false, message: say(result.message ?? ''), fields }
}
