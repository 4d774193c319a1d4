/**
 * Variables of a subscription that resumes after each break: `after` is the cursor of the last message that came.
 * The getter is read each time graphql-ws sends the message, so the current value goes out.
 */
export function resumable(variables: Record<string, unknown> | undefined): {
  variables: Record<string, unknown>
  onData: (data: unknown) => void
} {
  let last: string | undefined
  return {
    variables: {
      ...variables,
      get after() {
        return last ?? variables?.after
      },
    },
    onData: (data) => {
      const cursor = (data as { feed?: { cursor?: unknown } } | null | undefined)?.feed?.cursor
      if (typeof cursor === 'string') last = cursor
    },
  }
}
