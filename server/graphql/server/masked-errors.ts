import { GraphQLError } from 'graphql'
import type { Log } from '../../log.ts'

/**
 * Masks errors that are not meant for callers: the log gets them, the caller an id to ask for. `requestIdOf`: the request that
 * an error belongs to, '' when that is not known.
 */
export function createErrorMask(log: Log, requestIdOf: (error: object) => string) {
  return (error: unknown): Error => {
    if (isForCallers(error)) return error
    const requestId = (error instanceof Error && requestIdOf(error)) || ''
    log.error({ err: originalOf(error), requestId }, 'a GraphQL field failed')
    return new GraphQLError(`Something went wrong on our side. The log has it under ${requestId || 'this time'}.`, {
      path: error instanceof GraphQLError ? error.path : undefined,
      extensions: { code: 'INTERNAL_SERVER_ERROR', requestId },
    })
  }
}

/** GraphQL's own errors, and those we threw as GraphQLError. Everything else is masked. */
function isForCallers(error: unknown): error is GraphQLError {
  const original = originalOf(error)
  return error instanceof GraphQLError && (original === error || original instanceof GraphQLError)
}

function originalOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? originalOf(error.originalError) : error
}
