/** The outcome of a mutation: the success, or sentences for the person at the form. */
export type MutationOutcome<Success> =
  | { ok: true; value: Success }
  | { ok: false; message: string; fields: Record<string, string> }

interface Payload {
  __typename: string
  message?: string
  fields?: readonly { path: string; message: string }[]
}

type SuccessOf<Result extends Payload> = Extract<Result, { __typename: `${string}Success` }>

/** Sorts a mutation's union: `…Success` is the value, all else is a failure with problems by field path, worded by `serverText`. */
export function outcomeOf<Result extends Payload>(
  result: Result,
  serverText: (sentence: string) => string,
): MutationOutcome<SuccessOf<Result>> {
  if (result.__typename.endsWith('Success')) return { ok: true, value: result as SuccessOf<Result> }
  const fields: Record<string, string> = {}
  // The first problem of a field is the one to mend first.
  for (const { path, message } of result.fields ?? []) {
    fields[path] ??= serverText(message)
    // An item of a list has no field of its own on a form: its problem stands beside the list.
    const item = /^(\w+)\[(\d+)\]/.exec(path)
    if (item) fields[item[1]!] ??= `${Number(item[2]) + 1}: ${serverText(message)}`
  }
  return { ok: false, message: serverText(result.message ?? ''), fields }
}
