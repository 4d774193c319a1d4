import type { CombinedError } from '@urql/core'

/** Why something could not be read: no response at all, or the server's own error, with its code and its extensions. */
export type ReadError = { kind: 'offline' } | { kind: 'server'; code: string; values: unknown; message: string }

export function readErrorOf(error: CombinedError | undefined): ReadError | undefined {
  if (error === undefined) return undefined
  if (error.networkError !== undefined) return { kind: 'offline' }
  const { message = error.message, extensions = {} } = error.graphQLErrors[0] ?? {}
  return {
    kind: 'server',
    code: typeof extensions['code'] === 'string' ? extensions['code'] : '',
    values: extensions,
    message,
  }
}
