import type { CombinedError } from '@urql/core'

/** Why something could not be read: no response at all, or the server's own sentence. */
export type ReadError = { kind: 'offline' } | { kind: 'server'; message: string }

export function readErrorOf(error: CombinedError | undefined): ReadError | undefined {
  if (error === undefined) return undefined
  if (error.networkError !== undefined) return { kind: 'offline' }
  return { kind: 'server', message: error.graphQLErrors[0]?.message ?? error.message }
}
