import type { FormattedExecutionResult } from 'graphql'
import type { Client, Sink } from 'graphql-ws'

/** A subscription that goes on behind its last message after every break. Returns the function that ends it. */
export function subscribeAndResume<Data>(
  socket: Client,
  { query, variables }: { query: string; variables?: Record<string, unknown> | null },
  sink: Sink<FormattedExecutionResult<Data, Record<string, unknown>>>,
): () => void {
  let cursor = variables?.['after']
  const resuming = {
    ...variables,
    // graphql-ws reads the variables each time it subscribes.
    get after() {
      return cursor
    },
  }
  return socket.subscribe<Data, Record<string, unknown>>(
    { query, variables: resuming },
    {
      next(result) {
        sink.next(result)
        for (const message of Object.values(result.data ?? {})) cursor = (message as { cursor: string }).cursor
      },
      error: (error) => sink.error(error),
      complete: () => sink.complete(),
    },
  )
}
