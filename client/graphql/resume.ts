/**
 * Variables of a subscription that are sent anew after each break: `after` is then the sequence of the last event seen.
 * The getter is read when graphql-ws writes the message, so the present value goes out, not the first one.
 */
export function resumable(variables: Record<string, unknown> | undefined): {
  variables: Record<string, unknown>
  saw: (data: unknown) => void
} {
  let last: string | undefined
  return {
    variables: {
      ...variables,
      get after() {
        return last ?? variables?.after
      },
    },
    saw: (data) => {
      const events = (data as { events?: readonly { sequence?: unknown }[] } | null | undefined)?.events
      const newest = events?.at(-1)?.sequence
      if (typeof newest === 'string') last = newest
    },
  }
}
